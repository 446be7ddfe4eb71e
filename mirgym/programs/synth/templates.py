"""The constructs as text: ``templates/KIND.c``.

A template begins with ``//: COST``, about how many operations it takes, or ``//: COST TRIPS``
where a block inside runs that often; with ``loop`` after it, it stands in loops only. What
comes before a line ``//=`` stands before the function. Placeholders are a letter and perhaps
a digit; the same digit means the same text again:

====== =================================  ====== =====================================
``$v`` a ``u32`` variable                 ``$a`` an array of LEN ``u32``
``$w`` a ``u64`` variable                 ``$A`` a global one, ``$D`` another
``$d`` a ``double`` variable              ``$r`` an array of LEN ``double``
``$e`` a ``u32`` expression               ``$y`` an array of LEN bytes
``$x`` a ``double`` expression            ``$s`` a text of at least 16 letters
``$c`` a condition                        ``$j`` an index into an array
``$k`` 1 to 15                            ``$P`` pointer to a record
``$K`` a 32-bit constant                  ``$N`` pointer to a node, or null
``$o`` an operator                        ``$h`` head of a list
``$n`` a trip count, at most LEN          ``$B`` a block of constructs
``$m`` a new variable                     ``$C`` a call
``$i`` a new loop counter                 ``$f`` ``$t`` new names outside of functions
====== =================================  ====== =====================================
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .profile import KINDS

LOOPS = ("loops", "whiles")
"""Kinds whose blocks are in a loop."""


@dataclass(frozen=True)
class Template:
    """One way to write a construct."""

    kind: str
    cost: int
    trips: int
    in_loop: bool
    before: str
    body: str

    @property
    def has_block(self) -> bool:
        """Whether other constructs stand in it."""
        return "$B" in self.body


@functools.cache
def templates() -> Mapping[str, tuple[Template, ...]]:
    """All templates by kind."""
    folder = Path(__file__).parent / "templates"
    return {
        kind: tuple(
            _template(kind, part)
            for part in (folder / f"{kind}.c").read_text(encoding="utf-8").split("//: ")[1:]
        )
        for kind in KINDS
    }


def _template(kind: str, part: str) -> Template:
    head, _, text = part.partition("\n")
    words = head.split()
    before, marker, body = text.partition("//=\n")
    return Template(
        kind,
        cost=int(words[0]),
        trips=int(words[1]) if words[1:] and words[1].isdecimal() else 1,
        in_loop="loop" in words,
        before=before.strip() if marker else "",
        body=(body if marker else before).strip(),
    )
