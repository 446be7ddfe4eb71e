"""Objective = metric × baseline, and the reward that the two give.

The cost of a module is one integer: bytes, instructions, weighted instructions executed, or
nanoseconds; smaller is better. The baseline is the cost after one of clang's optimisation levels
on the same program.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

from .dynamic_cost import CostMeter
from .errors import did_you_mean
from .levels import LEVEL_PIPELINES, check_level, measure_level, run_level
from .programs import Program
from .runtime import RuntimeMeter
from .session import Session
from .wire import NO_KEY, State, Wanted

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
    "Scale",
    "check_level",
    "check_metric",
    "cost_of",
    "measure_level",
    "run_level",
    "run_meter",
]

SMALLEST_LOG_GAIN = math.log(1.01)
"""Floor of the reward's scale, for programs that the baseline improves by under 1 %."""


def check_metric(name: str) -> str:
    """Return ``name`` if it is an objective, else raise ``ValueError``."""
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
    return CostMeter(program) if objective == "dynamic_cost" else RuntimeMeter(program, level)


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
