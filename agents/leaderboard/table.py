"""From rows to the table: ratios, their geometric means and confidence intervals."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from .records import Row

RESAMPLES = 9999
CONFIDENCE = 0.95
_TIE = 1e-9
"""Of a mean of logarithms; one byte of a megabyte is 1e-6."""


@dataclass(frozen=True)
class Score:
    """One program under one agent and budget: geometric means over the seeds."""

    program: str
    agent: str
    budget: int
    seeds: int
    ratio_to_b: float
    ratio_to_a: float
    """NaN where LLVM fails on A."""
    other_to_b: float
    """The other metric's ratio to B; NaN where it cannot be measured."""
    seconds: float
    compiles: float
    grows_text: bool
    """IR instructions are won and ``.text`` grows."""
    fallbacks: int
    """Runs that count as B, for they failed or behave otherwise."""
    outputs: str
    """What the checks said, ``equal`` when all did."""


@dataclass(frozen=True)
class Summary:
    """One agent at one budget, over all programs."""

    agent: str
    budget: int
    programs: int
    geomean_to_b: float
    low: float
    """Of the 95 % confidence interval; NaN with one program."""
    high: float
    geomean_to_a: float
    other_to_b: float
    median: float
    wins: int
    ties: int
    losses: int
    without_largest: float
    """Geometric mean to B without the largest winner; NaN with one program."""
    grows_text: int
    fallbacks: int
    seconds: float
    compiles: float


def score_programs(rows: Iterable[Row], objective: str, other: str) -> list[Score]:
    """Scores in the order of the rows; programs without costs at B are left out."""
    groups: dict[tuple[str, int, str], list[Row]] = defaultdict(list)
    for row in rows:
        if row.ratio(objective) is not None:
            groups[row.agent, row.budget, row.program].append(row)
    return [_score(group, objective, other) for group in groups.values()]


def _score(rows: Sequence[Row], objective: str, other: str) -> Score:
    first = rows[0]
    ratio = _geomean([row.ratio(objective) for row in rows])
    by_metric = {objective: ratio, other: _geomean([row.ratio(other) for row in rows])}
    told = sorted({row.falls_back or row.output for row in rows})
    return Score(
        program=first.program,
        agent=first.agent,
        budget=first.budget,
        seeds=len(rows),
        ratio_to_b=ratio,
        ratio_to_a=_geomean([row.ratio(objective, "a") for row in rows]),
        other_to_b=by_metric[other],
        seconds=float(np.mean([row.seconds for row in rows])),
        compiles=float(np.mean([row.compiles for row in rows])),
        grows_text=by_metric.get("ir_instructions", 0.0) > 1 + _TIE
        and by_metric["text_size_bytes"] < 1 - _TIE,
        fallbacks=sum(bool(row.falls_back) for row in rows),
        outputs="; ".join(told),
    )


def summarize(scores: Iterable[Score]) -> list[Summary]:
    """A row for each agent and budget, in the order of the scores."""
    groups: dict[tuple[str, int], list[Score]] = defaultdict(list)
    for score in scores:
        groups[score.agent, score.budget].append(score)
    return [_summary(group) for group in groups.values()]


def _summary(scores: Sequence[Score]) -> Summary:
    logs = np.log([score.ratio_to_b for score in scores])  # (programs,)
    low, high = confidence_interval(logs)
    rest = np.delete(logs, logs.argmax())
    return Summary(
        agent=scores[0].agent,
        budget=scores[0].budget,
        programs=len(scores),
        geomean_to_b=math.exp(logs.mean()),
        low=math.exp(low),
        high=math.exp(high),
        geomean_to_a=_geomean([score.ratio_to_a for score in scores]),
        other_to_b=_geomean([score.other_to_b for score in scores]),
        median=math.exp(float(np.median(logs))),
        wins=int((logs > _TIE).sum()),
        ties=int((np.abs(logs) <= _TIE).sum()),
        losses=int((logs < -_TIE).sum()),
        without_largest=math.exp(rest.mean()) if len(rest) else math.nan,
        grows_text=sum(score.grows_text for score in scores),
        fallbacks=sum(score.fallbacks for score in scores),
        seconds=float(np.mean([score.seconds for score in scores])),
        compiles=float(np.mean([score.compiles for score in scores])),
    )


def confidence_interval(values: np.ndarray) -> tuple[float, float]:
    """95 % bootstrap interval of the mean; NaN for one value.

    BCa, which corrects for bias and skewness, where it is defined, else the percentiles.
    """
    from scipy.stats import bootstrap

    if len(values) < 2:
        return math.nan, math.nan
    if np.ptp(values) <= _TIE:
        return float(values.mean()), float(values.mean())
    for method in ("BCa", "percentile"):
        with np.errstate(all="ignore"):
            found = bootstrap(
                (values,),
                np.mean,
                confidence_level=CONFIDENCE,
                n_resamples=RESAMPLES,
                method=method,
                rng=np.random.default_rng(0),
            ).confidence_interval
        if math.isfinite(found.low) and math.isfinite(found.high):
            break
    return float(found.low), float(found.high)


@dataclass(frozen=True)
class Versus:
    """One agent against another at its own budget, program by program."""

    agent: str
    budget: int
    other: str
    other_budget: int
    ratio: float
    """Geometric mean of (agent's ratio ÷ the other's); above 1 the agent is better."""
    low: float
    high: float
    better: int
    worse: int


def compare(scores: Iterable[Score]) -> list[Versus]:
    """Every agent at every budget against every other at the same and at larger budgets.

    The interval is that of the paired differences over the programs that both have.
    """
    logs: dict[tuple[str, int], dict[str, float]] = defaultdict(dict)
    for score in scores:
        logs[score.agent, score.budget][score.program] = math.log(score.ratio_to_b)
    found = []
    for (agent, budget), mine in logs.items():
        for (other, other_budget), theirs in logs.items():
            shared = [name for name in mine if name in theirs]
            if agent == other or other_budget < budget or not shared:
                continue
            gaps = np.array([mine[name] - theirs[name] for name in shared])
            low, high = confidence_interval(gaps)
            found.append(
                Versus(
                    agent,
                    budget,
                    other,
                    other_budget,
                    math.exp(gaps.mean()),
                    math.exp(low),
                    math.exp(high),
                    int((gaps > _TIE).sum()),
                    int((gaps < -_TIE).sum()),
                )
            )
    return found


def _geomean(ratios: Iterable[float | None]) -> float:
    """Geometric mean of those that are known; NaN when none is."""
    known = [ratio for ratio in ratios if ratio is not None and not math.isnan(ratio)]
    return math.exp(float(np.mean(np.log(known)))) if known else math.nan
