"""Where a program spends its time: how often each block of its functions ran.

Told to a session (``Session.note_branches``), the counts guide the passes that follow as a
profile does in clang: what to inline and unroll, which way code falls through, what to keep
out of the way.

>>> from mirgym.profile import Profile
>>> Profile((), 0).vector().shape == (PROFILE_SIZE,)
True
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from .execution import CountedFunction, Execution
from .values import summary
from .wire import FunctionBranches

_BLOCKS = (1, 2, 4, 8, 16, 32)
_FUNCTIONS = (1, 2, 4, 8)
_DECADES = 9
_LOG = 64 * math.log(2)
"""Divides logarithms: counters have 64 bits."""

PROFILE_NAMES = (
    "ln cost",
    "ln most runs of a block",
    "ln mean runs of a block that ran",
    "share of blocks that ran",
    "share of functions that ran",
    "share of cost in library calls",
    *(f"share of cost in the hottest {n} blocks" for n in _BLOCKS),
    *(f"share of cost in the hottest {n} functions" for n in _FUNCTIONS),
    *(f"share of cost in blocks run 1e{n} times or more, less than 1e{n + 1}" for n in range(8)),
    "share of cost in blocks run 1e8 times or more",
)
"""The entries of ``Profile.vector``. Logarithms are of 1 + a number, ÷ ln 2⁶⁴."""
PROFILE_SIZE = len(PROFILE_NAMES)


class Profile(NamedTuple):
    """Counts of one execution.

    Attributes:
        functions: With the weight of each block, and how often each run entered it.
        cost: Over all runs, with what library calls are charged.
    """

    functions: tuple[CountedFunction, ...]
    cost: int

    @classmethod
    def of(cls, execution: Execution) -> Profile:
        """The profile of an execution with counters."""
        return cls(execution.functions, sum(run.cost for run in execution.runs))

    def shares(self) -> dict[str, float]:
        """Share of the cost that each function has itself, the hottest first."""
        total = max(self.cost, 1)
        found = {f.name: float((f.counts @ f.weights).sum()) / total for f in self.functions}
        return dict(sorted(found.items(), key=lambda item: -item[1]))

    def frequencies(self) -> dict[str, np.ndarray]:
        """How often each block of each function ran, over all runs: (blocks,) uint64."""
        return {f.name: f.counts.sum(0) for f in self.functions}

    def branches(self) -> list[FunctionBranches]:
        """How often each branch was taken, over all runs; needs ``Counters.BRANCHES``.

        Functions without a name cannot be told apart and are left out.
        """
        return [
            FunctionBranches(f.name, int(f.counts[:, 0].sum()), f.taken.sum(0, dtype=np.uint64))
            for f in self.functions
            if f.name
        ]

    def value_vector(self) -> np.ndarray:
        """``mirgym.values.VALUE_NAMES`` in numbers; needs ``Counters.VALUES``."""
        return summary((f.values, f.counts.astype(float) * f.weights) for f in self.functions)

    def vector(self) -> np.ndarray:
        """``PROFILE_NAMES`` in numbers: (PROFILE_SIZE,) float32, each from 0 to 1."""
        out = np.zeros(PROFILE_SIZE, np.float32)
        if not self.functions or not self.cost:
            return out
        counts = np.concatenate([f.counts.sum(0) for f in self.functions]).astype(float)
        weights = np.concatenate([f.weights for f in self.functions]).astype(float)
        costs = counts * weights  # (blocks,)
        of_functions = [float((f.counts @ f.weights).sum()) for f in self.functions]
        ran = counts > 0
        logs = [self.cost, counts.max(initial=0), counts[ran].mean() if ran.any() else 0]
        decades = np.clip(np.log10(np.maximum(counts, 1)).astype(int), 0, _DECADES - 1)
        by_decade = np.bincount(decades[ran], costs[ran], _DECADES)
        out[:] = [
            *(math.log1p(value) / _LOG for value in logs),
            ran.mean() if len(ran) else 0.0,
            np.mean([cost > 0 for cost in of_functions]),
            1.0 - costs.sum() / self.cost,
            *(_hottest(costs, n) / self.cost for n in _BLOCKS),
            *(_hottest(of_functions, n) / self.cost for n in _FUNCTIONS),
            *(by_decade / self.cost),
        ]
        return out.clip(0.0, 1.0)


def _hottest(costs: Sequence[float] | np.ndarray, count: int) -> float:
    return float(np.sort(np.asarray(costs))[::-1][:count].sum())
