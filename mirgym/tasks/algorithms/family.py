"""What a class of programs is: its name, its templates, and the frame around them.

The templates of a class stand in ``templates/NAME.c``: each starts with a line
``//// name``; its functions, if it has any, stand before a line ``----``. The last one is
held out in the split by template.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from .style import INTEGERS
from .writer import Writer

_FOLDER = Path(__file__).parent / "templates"


class Algorithm(NamedTuple):
    """One class."""

    name: str
    frame: Callable[[Writer, str], None]
    """Writes the whole program around a template's text."""
    elements: tuple[str, ...] = INTEGERS
    """C types that its values may have."""


@functools.cache
def templates(algorithm: str) -> Mapping[str, str]:
    """The templates of a class: C text, in the macros of ``macros.py``, by name."""
    file = _FOLDER / f"{re.sub('[ -]', '_', algorithm)}.c"
    parts = re.split(r"^//// (.+)\n", file.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def per_query(
    w: Writer,
    text: str,
    inputs: Mapping[str, tuple[int, int]],
    answer: Callable[..., int],
    check: str,
) -> None:
    """A program that computes ``r`` of each of several inputs and prints the results.

    Args:
        w: The program.
        text: Computes ``long r`` of variables that are named as in ``inputs``.
        inputs: Range of each.
        answer: The same computation, in Python.
        check: C that says FAIL() unless ``r`` is right.
    """
    w.size("n", 4, 16)
    columns = [w.input(f"{name}s", "n", low, high) for name, (low, high) in inputs.items()]
    w.array("results", "long", w.sizes["n"])
    name = w.rng.choice(("compute", "solve", "result_of"))
    call = w.call(name, ", ".join(f"T {name}" for name in inputs), text, "long r")
    copies = " ".join(f"T {name} = {name}s[q];" for name in inputs)
    loop = "for (I q = 0; q < n; q++) {"
    w.work(f"{loop} {copies}\nlong r = 0;\n{call}\nresults[q] = r; }}")
    w.check(f"{loop} {copies}\nlong r = results[q];\n{check}\n}}")
    w.show("results", "n", [answer(*row) for row in zip(*columns, strict=True)])
