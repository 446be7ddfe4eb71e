"""Objective = metric × baseline, and the reward that the two give.

The cost of a module is one integer: bytes or instructions, smaller is better. The
baseline is the cost after one of clang's optimisation levels on the same program.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from .errors import did_you_mean
from .session import Session
from .wire import NO_KEY, State, Wanted

METRICS: dict[str, Wanted] = {
    "text_size_bytes": Wanted.of(("text_size_bytes",), key=False),
    "ir_instructions": NO_KEY,
}
"""Metric names and what a session must be asked to send for each."""

LEVEL_PIPELINES: dict[str, str | None] = {
    "O0": None,
    "O1": "default<O1>",
    "O2": "default<O2>",
    "O3": "default<O3>",
    "Os": "default<O2>",
    "Oz": "default<O2>",
}
"""What each level runs. Since LLVM 23 Os and Oz are O2 on functions that carry
``optsize`` and ``minsize``; the levels' attributes are set when a program is loaded."""

SMALLEST_LOG_GAIN = math.log(1.01)
"""Floor of the reward's scale, for programs that the baseline improves by under 1 %."""


def check_metric(name: str) -> str:
    """Return ``name`` if it is a metric, else raise ``ValueError``."""
    if name not in METRICS:
        raise ValueError(
            f"unknown objective {name!r}; expected one of {list(METRICS)}."
            + did_you_mean(name, METRICS)
        )
    return name


def check_level(name: str) -> str:
    """Return ``name`` if it is an optimisation level, else raise ``ValueError``."""
    if name not in LEVEL_PIPELINES:
        raise ValueError(
            f"unknown baseline {name!r}; expected one of {list(LEVEL_PIPELINES)}."
            + did_you_mean(name, LEVEL_PIPELINES)
        )
    return name


def run_level(session: Session, loaded: State, level: str, wanted: Wanted) -> State:
    """Run a level's pipeline on a program loaded at that level; return the state after."""
    pipeline = LEVEL_PIPELINES[check_level(level)]
    return loaded if pipeline is None else session.step(pipeline, wanted=wanted)


def measure_level(session: Session, module: bytes, level: str, wanted: Wanted) -> dict[str, int]:
    """Metrics of a program at a level. Leaves the optimised module in the session."""
    loaded = session.load(module, level=level, wanted=wanted)
    return run_level(session, loaded, level, wanted).metrics


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
