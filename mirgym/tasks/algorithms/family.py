"""What a class of programs is: its name, its templates, and the frame around them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from .style import INTEGERS
from .writer import Writer


class Algorithm(NamedTuple):
    """One class. The last of its templates is held out in the split by template."""

    name: str
    templates: Mapping[str, str]
    """C text by name: functions, a line ``----``, and the body; see ``writer``."""
    frame: Callable[[Writer, str], None]
    """Writes the whole program around the chosen text."""
    elements: tuple[str, ...] = INTEGERS
    """C types that its values may have."""


def per_query(
    w: Writer,
    text: str,
    inputs: Mapping[str, tuple[int, int]],
    answer: Callable[..., int],
    check: str = "",
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
    if check:
        w.check(f"{loop} {copies}\nlong r = results[q];\n{check}\n}}")
    w.show("results", "n", [answer(*row) for row in zip(*columns, strict=True)])
