"""Programs for algorithm classification: many C implementations of each algorithm.

The task is POJ-104's: tell from the IR which algorithm a program implements. Here the
programs are generated, so that there are as many as needed, their answers are known, and
what makes them differ is on record. A class has several templates, which solve it in
different ways (``templates/``); a seed chooses one, and a style (``style.Style``) along
axes that have nothing to do with the class: types, forms of loops, pointers or indices,
functions, storage, input, output, self-checks, unrelated bookkeeping.

>>> program = generate("quicksort", seed=4)
>>> program.name, program.template, program.style.element
('quicksort-4', 'lomuto', 'double')
>>> program == generate("quicksort", seed=4)
True
>>> len(ALGORITHMS), len(list(implementations(per_class=2)))
(64, 128)

Every program is a complete ``main`` that ends at once, without undefined behaviour, and
prints ``program.stdout`` when it is given ``program.stdin``. ``split_of`` puts programs on
the train or the test side such that the test side is out of distribution.

How a program comes about: ``Algorithm.frame`` (one of the family modules, such as
``sorting``) declares what is read and printed with a ``Writer``, and models the result in
Python; the template's text stands in between; ``rewrite`` and ``macros`` put all of it into
the style.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from ...errors import UnknownProgramError, did_you_mean
from . import arithmetic, arrays, dynamic, graphs, searching, sorting, strings, structures
from .family import Algorithm, templates
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
    texts = templates(algorithm)
    names = tuple(texts)
    template = rng.choice(names)
    style = draw_style(rng, chosen.elements, tuple(NOISE))
    writer = Writer(rng, style, template)
    chosen.frame(writer, texts[template])
    text = writer.finish()
    return Implementation(
        algorithm=algorithm,
        seed=seed,
        template=template,
        style=text.style,
        source=text.source,
        stdin=text.stdin,
        stdout=text.stdout,
        held_out_template=template == names[-1],
    )


def implementations(per_class: int, seed: int = 0) -> Iterator[Implementation]:
    """Every class's implementations with the seeds ``seed``, ``seed + 1``, …, by class."""
    for algorithm in ALGORITHMS:
        for number in range(seed, seed + per_class):
            yield generate(algorithm, number)
