"""How one implementation is written: the axes along which programs of a class differ."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Literal

INTEGERS = ("signed char", "short", "int", "unsigned", "long")
NUMBERS = (*INTEGERS, "float", "double")

LOOPS = ("for", "while", "do", "goto")
INPUTS = ("random", "random inline", "scanf", "getchar", "table")

Split = Literal["train", "test"]


@dataclass(frozen=True)
class Style:
    """The facts of one program. Each is what its text shows, not only what was drawn."""

    element: str
    """C type of the values that the algorithm works on."""
    index: str
    """C type of most indices."""
    loop: str
    """Form of most loops: ``for``, ``while``, ``do`` (guarded), ``goto``."""
    access: str
    """``pointer`` where loops walk pointers over arrays, else ``index``."""
    calls: str
    """``inline``: in main; ``helper``: a function with parameters; ``globals``: a function
    that works on file-level variables. A function that calls itself is a helper."""
    storage: str
    """Where arrays live: ``static``, ``local``, ``malloc``, ``struct``."""
    matrix: str
    """Two dimensions as one array (``flat``), an array of arrays (``grid``), pointers to
    rows (``rows``), or ``none``."""
    records: str
    """Tables, and items with a key, as an array of structs (``aos``), tables as several
    arrays (``soa``), or ``none``."""
    graph: str
    """Graphs as ``matrix``, ``lists``, compressed ``rows`` or ``edges``, or ``none``."""
    sizes: str
    """Where sizes stand: ``literal``, ``variable``, ``global``, ``read`` (from the input)."""
    input: str
    """Where values come from: one of ``INPUTS``."""
    output: str
    """What is printed: ``lines``, ``line``, ``checksum``, ``weighted`` sum."""
    check: str
    """What a failed self-check does: ``flag``, ``exit``, ``abort``; ``none`` checks nothing."""
    compare: str
    """How keys of sorts compare: ``direct``, ``function``, ``callback``; ``none`` elsewhere."""
    swap: str
    """How elements are exchanged: ``inline``, ``function``, or ``none``."""
    descending: bool
    """Whether a sort puts the largest value first."""
    counts: bool
    """Whether the algorithm counts its steps."""
    noise: tuple[str, ...]
    """Unrelated bookkeeping (``noise.py``)."""


@dataclass(frozen=True)
class Implementation:
    """One complete C program, what it reads, and what it must print."""

    algorithm: str
    seed: int
    template: str
    """Which way of solving it, such as ``lomuto`` for quicksort."""
    style: Style
    source: str
    stdin: str
    stdout: str
    held_out_template: bool
    """Whether the template belongs to the test side of the split by template."""

    @property
    def name(self) -> str:
        """For example ``quicksort-17``; good as a file name."""
        return f"{self.algorithm.replace(' ', '-')}-{self.seed}"


def split_of(implementation: Implementation, by: str = "template") -> Split:
    """The side of a split on which a program belongs.

    Args:
        implementation: The program.
        by: ``template``: the last template of each class is only in the test set, so that
            a class must be known again in another way to solve it. ``style``: all programs
            whose loops are gotos, or that keep their arrays in malloc'ed memory and walk
            them with pointers, are only in the test set, for all classes.

    Raises:
        ValueError: Another ``by``.
    """
    if by == "template":
        return "test" if implementation.held_out_template else "train"
    if by == "style":
        style = implementation.style
        walks_heap = style.storage == "malloc" and style.access == "pointer"
        return "test" if style.loop == "goto" or walks_heap else "train"
    raise ValueError(f"there is no split by {by!r}; expected 'template' or 'style'")


def draw_style(rng: random.Random, elements: tuple[str, ...], noise: tuple[str, ...]) -> Style:
    """A style, its axes independent but for what C does not allow together."""
    calls = rng.choice(("inline", "helper", "helper", "globals"))
    file_level = calls == "globals"
    source = rng.choice(INPUTS)
    sizes = ["literal", "global"] if file_level else ["literal", "variable", "global"]
    if source in ("scanf", "getchar"):
        sizes += ["read", "read"]
    return Style(
        element=rng.choice(elements),
        index=rng.choice(("int", "int", "long", "short")),
        loop=rng.choice(LOOPS),
        access=rng.choice(("index", "pointer")),
        calls=calls,
        storage="static" if file_level else rng.choice(("static", "local", "malloc", "struct")),
        matrix=rng.choice(("flat", "grid", "rows")),
        records=rng.choice(("aos", "soa")),
        graph=rng.choice(("matrix", "lists", "rows", "edges")),
        sizes=rng.choice(sizes),
        input=source,
        output=rng.choice(("lines", "line", "checksum", "weighted")),
        check=rng.choice(("none", "none", "none", "flag", "exit", "abort")),
        compare=rng.choice(("direct", "direct", "function", "callback")),
        swap=rng.choice(("inline", "inline", "function")),
        descending=rng.random() < 0.3,
        counts=rng.random() < 0.3,
        noise=tuple(rng.sample(noise, rng.choice((0, 1, 1, 2, 3)))),
    )
