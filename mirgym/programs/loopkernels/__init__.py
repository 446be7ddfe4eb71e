"""Small C programs around one loop nest each, after TSVC (Callahan, Dongarra, Levine 1988).

``templates/`` holds the kernels by family, a file each. A seed chooses a template, the type of
its elements, how many there are, whether their number is a constant, and whether the compiler
can see which arrays the kernel works on. All is unsigned or small, so no kernel has undefined
behaviour; floating-point sums are exact in any order.

>>> kernel = generate(1)
>>> kernel.name, kernel.family
('divide-1', 'elementwise')
>>> kernel == generate(1)
True
>>> len(TEMPLATES), len({template.family for template in TEMPLATES})
(79, 12)
"""

from __future__ import annotations

import functools
import hashlib
import random
from dataclasses import dataclass
from pathlib import Path

from ...errors import UnknownProgramError, did_you_mean
from ..cache import cache_root, write_atomically
from ..program import Program, Run
from .source import GRID, INTEGERS, LENGTHS, REALS, SMALL, Shape, write

FAMILIES = (
    "elementwise", "reduction", "stencil", "strided", "conditional", "recurrence", "convert",
    "bits", "control", "gather", "matrix", "search",
)  # fmt: skip
TEST_FAMILIES = ("gather", "matrix", "search")
"""Kernels of these families are never trained on."""

SUITE_SEEDS = 158
"""Seeds of the suite ``loopkernels``: each template twice."""

SCHEME = "loops://"

_ELEMENTS = {
    "any": (*INTEGERS, *REALS),
    "grid": (*INTEGERS, *REALS),
    "integer": INTEGERS,
    "small": SMALL,
}


@dataclass(frozen=True)
class Template:
    """The body of a kernel."""

    name: str
    family: str
    kind: str
    """``any`` element will do, only an ``integer``, or a ``small`` one; ``grid``: any, and it
    works on square matrices of ``W`` rows."""
    body: str


@dataclass(frozen=True)
class Kernel:
    """One program."""

    seed: int
    template: Template
    shape: Shape
    source: str

    @property
    def name(self) -> str:
        """Its template and seed."""
        return f"{self.template.name}-{self.seed}"

    @property
    def family(self) -> str:
        """The family of its template."""
        return self.template.family

    @property
    def split(self) -> str:
        """``train`` or ``test``, by family."""
        return "test" if self.family in TEST_FAMILIES else "train"


@functools.cache
def _templates() -> tuple[Template, ...]:
    found = []
    for family in FAMILIES:
        text = (Path(__file__).parent / "templates" / f"{family}.c").read_text(encoding="utf-8")
        for part in text.split("//: ")[1:]:
            head, _, body = part.partition("\n")
            name, kind = head.split()
            found.append(Template(name, family, kind, body))
    return tuple(found)


TEMPLATES = _templates()


def generate(seed: int) -> Kernel:
    """The kernel of a seed; any ``len(TEMPLATES)`` seeds in a row cover all templates."""
    # A stride that shares no factor with their number mixes the families.
    template = TEMPLATES[seed * 6 % len(TEMPLATES)]
    rng = random.Random(f"loops/{seed}")
    shape = Shape(
        element=rng.choice(_ELEMENTS[template.kind]),
        length=rng.choice(GRID) if template.kind == "grid" else rng.choice(LENGTHS),
        grid=template.kind == "grid",
        constant_length=rng.random() < 0.5,
        visible_arrays=rng.random() < 0.5,
        reassociate=rng.random() < 0.5,
    )
    return Kernel(seed, template, shape, write(template.body, shape))


def kernel_program(text: str) -> Program:
    """The program of ``loops://TEXT``: a seed, or a kernel's name.

    Raises:
        UnknownProgramError: It is neither.
    """
    name, _, digits = text.rpartition("-")
    if not digits.isdecimal() or int(digits) >= 2**32:
        raise UnknownProgramError(
            f"{SCHEME}{text}: expected a seed from 0 to {2**32 - 1}, as in {SCHEME}7"
        )
    kernel = generate(int(digits))
    if name and text != kernel.name:
        raise UnknownProgramError(
            f"{SCHEME}{text}: seed {kernel.seed} is the kernel {kernel.name!r}."
            + did_you_mean(text, [kernel.name])
        )
    return _program(kernel)


@functools.cache
def suite() -> tuple[Program, ...]:
    """The programs of the suite ``loopkernels``."""
    return tuple(_program(generate(seed)) for seed in range(SUITE_SEEDS))


def _program(kernel: Kernel) -> Program:
    text = kernel.source.encode()
    digest = hashlib.sha256(text).hexdigest()[:16]
    path = cache_root() / "loopkernels" / f"{kernel.name}-{digest}.c"
    if not path.is_file():
        write_atomically(path, text)
    return Program(
        f"{SCHEME}{kernel.name}",
        (path,),
        runs=(Run(),),
        split=kernel.split,
        domain=kernel.family,
        description=f"{kernel.family} kernel on {kernel.shape.element}",
    )
