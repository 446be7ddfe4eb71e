"""Objective = metric × baseline, and the reward that the two give.

The cost of a module is one integer: bytes, instructions, weighted instructions executed, or
nanoseconds; smaller is better. The baseline is the cost after one of clang's optimisation levels
on the same program. Several metrics with weights are an objective, too: ``Weighted``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from .dynamic_cost import CostMeter
from .errors import did_you_mean
from .levels import LEVEL_PIPELINES, check_level, measure_level, run_level
from .programs import Program
from .runtime import RuntimeMeter
from .session import Session
from .wire import NO_KEY, State, Wanted
from .worker import WorkerSession

METRICS: dict[str, Wanted] = {
    "text_size_bytes": Wanted.of(("text_size_bytes",), key=False),
    "ir_instructions": NO_KEY,
}
"""Metrics of the module itself, and what a session must be asked to send for each."""

OBJECTIVES: dict[str, Wanted] = {**METRICS, "dynamic_cost": NO_KEY, "runtime_ns": NO_KEY}
"""All that can be an objective: the metrics, and what a ``Meter`` finds out by running."""

SHORT_NAMES = {
    "size": "text_size_bytes",
    "instructions": "ir_instructions",
    "runtime": "runtime_ns",
}
"""What one may say for an objective on a command line."""

__all__ = [
    "LEVEL_PIPELINES",
    "METRICS",
    "OBJECTIVES",
    "SHORT_NAMES",
    "Meter",
    "Objective",
    "Scale",
    "Weighted",
    "check_level",
    "check_metric",
    "cost_of",
    "measure_level",
    "objective_name",
    "run_level",
    "run_meter",
    "wanted_for",
    "weights_of",
]

_MILLION = 1_000_000
SMALLEST_LOG_GAIN = math.log(1.01)
"""Floor of the reward's scale, for programs that the baseline improves by under 1 %."""


Objective = str | Mapping[str, float]
"""A name of ``OBJECTIVES``; or some of them with weights, such as
``{"text_size_bytes": 1, "dynamic_cost": 2}``, which may be written
``text_size_bytes*1+dynamic_cost*2``."""


def objective_name(objective: Objective) -> str:
    """An objective in the one way in which it is written; raises ``ValueError`` if it is none.

    >>> objective_name({"text_size_bytes": 1, "dynamic_cost": 3})
    'text_size_bytes*0.25+dynamic_cost*0.75'
    >>> objective_name("size*1+runtime")
    'text_size_bytes*0.5+runtime_ns*0.5'
    """
    weights = weights_of(objective)
    if len(weights) == 1:
        return next(iter(weights))
    return "+".join(f"{name}*{weight:g}" for name, weight in weights.items())


def weights_of(objective: Objective) -> dict[str, float]:
    """The metrics of an objective with their weights, which add up to 1.

    Raises:
        ValueError: An unknown metric, one named twice, or a weight that is not positive.
    """
    parts = (
        [(n, str(w)) for n, w in objective.items()]
        if isinstance(objective, Mapping)
        else [
            (name, weight or "1")
            for name, _, weight in (part.partition("*") for part in objective.split("+"))
        ]
    )
    found: dict[str, float] = {}
    for given, weight in parts:
        name = check_metric(SHORT_NAMES.get(given.strip(), given.strip()))
        if name in found:
            raise ValueError(f"the objective {objective!r} names {name} twice")
        found[name] = _weight(weight, objective)
    if not found:
        raise ValueError(f"the objective names no metric; expected some of {list(OBJECTIVES)}")
    total = sum(found.values())
    return {name: weight / total for name, weight in found.items()}


def _weight(text: str, objective: Objective) -> float:
    try:
        weight = float(text)
    except ValueError:
        weight = math.nan
    if not 0 < weight < math.inf:
        raise ValueError(
            f"the objective {objective!r} has the weight {text!r}; expected a number above 0. "
            "Leave out what is not to count"
        )
    return weight


def wanted_for(objective: str) -> Wanted:
    """What a session must be asked to send for an objective."""
    return OBJECTIVES.get(objective, NO_KEY)


def check_metric(name: str) -> str:
    """Return ``name`` if it is in ``OBJECTIVES``, else raise ``ValueError``."""
    if name not in OBJECTIVES:
        raise ValueError(
            f"unknown objective {name!r}; expected one of {list(OBJECTIVES)}."
            + did_you_mean(name, OBJECTIVES)
        )
    return name


class Meter(Protocol):
    """Finds out by running a program what its module in a session costs."""

    def cost(self, session: Session) -> int:
        """The cost; raises ``NotRunnableError`` when it cannot be had."""
        ...


def run_meter(objective: str, program: Program | None, level: str) -> Meter | None:
    """What measures an objective that takes running the program; None for a metric.

    A meter belongs to one program and one baseline, and keeps what it learns of them.

    Raises:
        ValueError: There is no program to run.
    """
    if objective in METRICS:
        return None
    if program is None:
        raise ValueError(f"the objective {objective} takes running a program; give one, too")
    if objective == "dynamic_cost":
        return CostMeter(program)
    return (
        RuntimeMeter(program, level)
        if objective == "runtime_ns"
        else Weighted(program, level, weights_of(objective))
    )


@dataclass
class Weighted:
    """Several metrics in one cost: a million × the weighted geometric mean of cost ÷ baseline.

    So the logarithm of the cost, and with it the reward, is the weighted sum of log-ratios, and
    the baseline costs a million.
    """

    program: Program
    level: str
    weights: Mapping[str, float]
    _meters: dict[str, Meter | None] = field(default_factory=dict, repr=False)
    _baseline: dict[str, int] = field(default_factory=dict, repr=False)

    def cost(self, session: Session) -> int:
        """Cost of the module in a session; see ``Meter``."""
        if not self._baseline:
            self._meters = {n: run_meter(n, self.program, self.level) for n in self.weights}
            with WorkerSession() as other:
                measure_level(other, self.program.bitcode(), self.level, NO_KEY)
                self._baseline = self._costs(other)
        costs = self._costs(session)
        logs = (
            weight * math.log(max(costs[name], 1) / max(self._baseline[name], 1))
            for name, weight in self.weights.items()
        )
        return round(_MILLION * math.exp(math.fsum(logs)))

    def _costs(self, session: Session) -> dict[str, int]:
        return {
            name: cost_of(session.observe(wanted_for(name)), name, session, meter)
            for name, meter in self._meters.items()
        }


def cost_of(state: State, objective: str, session: Session, meter: Meter | None) -> int:
    """Cost of the module in a session, whose state this is.

    Raises:
        NotRunnableError: The program cannot be run, or no longer does what it must.
    """
    return state.metrics[objective] if meter is None else meter.cost(session)


@dataclass(frozen=True)
class Scale:
    """Turns costs into rewards for one program.

    The reward of a step from cost ``a`` to ``b`` is ``ln(a / b) / scale`` with
    ``scale = max(ln(start / baseline), ln 1.01)``. Rewards telescope: an episode that
    starts at ``start`` and ends at ``c`` earns ``ln(start / c) / scale``, which is 1
    exactly when ``c`` equals the baseline (and the baseline gains 1 % or more).
    """

    start: int
    baseline: int

    @property
    def log_gain(self) -> float:
        """Natural logarithm of what the baseline gains, floored."""
        return max(math.log(max(self.start, 1) / max(self.baseline, 1)), SMALLEST_LOG_GAIN)

    def reward(self, before: int, after: int) -> float:
        """Reward of one step between two costs."""
        return math.log(max(before, 1) / max(after, 1)) / self.log_gain
