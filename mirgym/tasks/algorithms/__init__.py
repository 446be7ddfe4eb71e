"""Programs for algorithm classification: many C implementations of each algorithm.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from ...errors import UnknownProgramError, did_you_mean
from . import arithmetic, arrays, dynamic, graphs, searching, sorting, strings, structures
from .family import Algorithm
from .noise import NOISE
from .style import Implementation, Style, draw_style, split_of
from .writer import Writer

_FAMILIES = (sorting, searching, arithmetic, arrays, strings, dynamic, graphs, structures)

_CLASSES: dict[str, Algorithm] = {a.name: a for family in _FAMILIES for a in family.ALGORITHMS}

ALGORITHMS: tuple[str, ...] = tuple(_CLASSES)
"""Names of the classes."""

__all__ = ["ALGORITHMS", "Implementation", "Style", "generate", "implementations", "split_of"]


def generate(algorithm: str, seed: int) -> Implementation:
    """One implementation; equal arguments give equal programs."""
    if algorithm not in _CLASSES:
        raise UnknownProgramError(
            f"there is no algorithm {algorithm!r}.{did_you_mean(algorithm, ALGORITHMS)} "
            f"Known: {', '.join(ALGORITHMS)}"
        )
    chosen = _CLASSES[algorithm]
    rng = random.Random(f"{algorithm}/{seed}")
    templates = tuple(chosen.templates)
    template = rng.choice(templates)
    style = draw_style(rng, chosen.elements, tuple(NOISE))
    writer = Writer(rng, style, template)
    chosen.frame(writer, chosen.templates[template])
    text = writer.finish()
    return Implementation(
        algorithm=algorithm,
        seed=seed,
        template=template,
        style=text.style,
        source=text.source,
        stdin=text.stdin,
        stdout=text.stdout,
        held_out_template=template == templates[-1],
    )


def implementations(per_class: int, seed: int = 0) -> Iterator[Implementation]:
    """Every class's implementations with the seeds ``seed``, ``seed + 1``, …, by class."""
    for algorithm in ALGORITHMS:
        for number in range(seed, seed + per_class):
            yield generate(algorithm, number)
