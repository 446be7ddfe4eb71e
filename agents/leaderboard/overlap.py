"""How much of a suite the training programs of mirbench know."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from ...corpus.guard import SMALLEST, Guard
from ...errors import MirgymError
from ...programs import Program
from ...programs.datasets import resolve_all
from ...session import InProcessSession
from ...wire import Wanted

TRAINING = "mirbench:train"


class Overlap(NamedTuple):
    """Functions of a suite that are large enough to be compared, and copies among them."""

    functions: int
    exact: int
    near: int

    def __str__(self) -> str:
        return (
            f"of {self.functions} functions of {SMALLEST} instructions or more, {TRAINING} has "
            f"{self.exact} exactly and {self.near} nearly"
        )


def measure_overlap(programs: Iterable[Program]) -> Overlap:
    """Compare the functions of programs with those of mirbench's training programs."""
    with InProcessSession() as session:
        guard = Guard(
            tokens for one in resolve_all(TRAINING) for tokens in _functions(session, one)
        )
        kinds = [guard.leaks(tokens) for one in programs for tokens in _functions(session, one)]
    return Overlap(len(kinds), kinds.count("exact"), kinds.count("near"))


def _functions(session: InProcessSession, program: Program) -> Iterator[np.ndarray]:
    """Tokens of the functions that are large enough; none of a program that cannot load."""
    wanted = Wanted.of(views=("functions",), key=False)
    try:
        module = session.load(program.bitcode(), level="Oz", wanted=wanted).views["functions"]
    except MirgymError:
        return
    for view in module.functions:  # type: ignore[union-attr]
        if view and view.tokens.shape[1] >= SMALLEST:
            yield view.tokens
