"""Tables of the experiment on execution."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from .execution_scores import ProgramData, Questions, Score, late_events, score_predictors
from .predictors import BRANCH_PREDICTORS, PREFETCHERS


class Row(NamedTuple):
    """How right a method is on one program's sampled test events."""

    method: str
    kind: str
    """``control``, ``predictor`` or ``network``."""
    program: str
    seed: int
    score: Score

    def flat(self) -> dict[str, Any]:
        """As a line of a table; None for what the method does not do."""
        names = {"program": self.program, "method": self.method, "seed": self.seed}
        return names | {n: _rounded(value) for n, value in self.score._asdict().items()}


def table(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """A method a line: means over programs and seeds, and the standard deviation over seeds."""
    methods: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        methods.setdefault((row.method, row.kind), []).append(row)
    found = []
    for (method, kind), own in methods.items():
        seeds = sorted({row.seed for row in own})
        of_seeds = [mean([row.score for row in own if row.seed == seed]) for seed in seeds]
        line: dict[str, Any] = {"method": method, "kind": kind, "seeds": len(seeds)}
        for name, values in zip(Score._fields, zip(*of_seeds, strict=True), strict=True):
            line[name] = _rounded(float(np.mean(values)))
            if name in ("misses", "exact"):
                line[f"{name}_std"] = _rounded(float(np.std(values)))
        found.append(line)
    return found


def mean(scores: Sequence[Score]) -> Score:
    """Over programs; those without such events are left out."""
    columns = [column[~np.isnan(column)] for column in np.array(scores).T]
    return Score(*(float(column.mean()) if len(column) else math.nan for column in columns))


def over_all_events(data: Sequence[ProgramData]) -> dict[str, float | None]:
    """What predictors reach on all events of the test part, means over programs.

    Wrong branches in percent, exact loads in percent.
    """
    scores = [score_predictors(one, late_events(one)) for one in data]
    figures = dict.fromkeys(BRANCH_PREDICTORS, "misses") | dict.fromkeys(PREFETCHERS, "exact")
    return {
        name: _rounded(getattr(mean([one[name] for one in scores]), figure))
        for name, figure in figures.items()
    }


def wins(rows: Sequence[Row], method: str) -> dict[str, int]:
    """On how many programs a method's mean over seeds is better than each predictor."""

    def of_programs(method: str, figure: str) -> dict[str, float]:
        own = [row for row in rows if row.method == method]
        return {
            name: float(np.mean([getattr(r.score, figure) for r in own if r.program == name]))
            for name in {row.program for row in own}
        }

    found = {}
    for name in BRANCH_PREDICTORS:
        mine, theirs = of_programs(method, "misses"), of_programs(name, "misses")
        found[name] = sum(mine[program] < theirs[program] for program in mine)
    for name in PREFETCHERS:
        mine, theirs = of_programs(method, "exact"), of_programs(name, "exact")
        found[name] = sum(mine[program] > theirs[program] for program in mine)
    return found


def sizes(data: Sequence[ProgramData]) -> dict[str, float]:
    """How much there is to learn and to tell, and the share of it that a snapshot determines."""
    events = [Questions.of(one.test) for one in data]
    branches = np.concatenate([one.branches_known for one in events])
    loads = np.concatenate([one.loads_known for one in events])
    return {
        "programs": len(data),
        "samples": sum(len(block.values) for one in data for block in one.train),
        "test_branches": len(branches),
        "test_loads": len(loads),
        "branches_known_percent": round(100.0 * float(branches.mean()), 1),
        "loads_known_percent": round(100.0 * float(loads.mean()), 1),
    }


def _rounded(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 2)
