"""What a leaderboard compares."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from ...errors import UnknownProgramError
from ...objective import METRICS, check_metric
from ...programs import Program
from ...programs.datasets import datasets, resolve_all
from ..search import ALGORITHMS, check_agent

BUDGETS = (1, 10, 45, 100, 300)
"""One shot, a glance, an episode, and the searches' own range."""


@dataclass(frozen=True)
class LeaderboardConfig:
    """What is compared, and on what."""

    suite: str
    """Anything that names programs; training programs are left out of it."""
    agents: tuple[str, ...] = ()
    """Names of ``ALGORITHMS``; all of them when empty."""
    budgets: tuple[int, ...] = BUDGETS
    """Compiles."""
    seeds: int = 5
    """Runs of each agent that draws random numbers: seeds 0, 1, …"""
    objective: str = "text_size_bytes"
    """``text_size_bytes`` or ``ir_instructions``."""
    transitions: Path | None = field(default=None, compare=False)
    """Folder of a transition cache; the results are the same without."""

    def __post_init__(self) -> None:
        if check_metric(self.objective) not in METRICS:
            raise ValueError(
                f"a leaderboard compares {' or '.join(METRICS)}, not {self.objective}, which takes "
                "running each candidate; mirgym optimize --objective does that for one program"
            )
        object.__setattr__(self, "agents", self.agents or tuple(ALGORITHMS))
        object.__setattr__(self, "budgets", tuple(sorted(set(self.budgets))))
        for name in self.agents:
            check_agent(name)
        if len(set(self.agents)) != len(self.agents):
            raise ValueError(f"agents are named twice: {', '.join(self.agents)}")
        if not self.budgets or self.budgets[0] < 1:
            raise ValueError(f"budgets are {list(self.budgets)}; expected 1 compile or more")
        if self.seeds < 1:
            raise ValueError(f"seeds are {self.seeds}; expected 1 or more")

    @property
    def other_metric(self) -> str:
        """The metric that is not the objective."""
        return "ir_instructions" if self.objective == "text_size_bytes" else "text_size_bytes"

    @property
    def suite_name(self) -> str:
        """The suite without the folder it lies in; the held-out half says so."""
        if Path(self.suite).exists():
            return Path(self.suite).resolve().name
        known = datasets().get(self.suite)
        return f"{self.suite}:test" if known and known.split("test") else self.suite

    @property
    def middle_budget(self) -> int:
        """The budget of the figure with a bar for each program."""
        return self.budgets[len(self.budgets) // 2]

    def programs(self) -> list[Program]:
        """The suite's programs, without those that agents are trained on.

        Raises:
            UnknownProgramError: There are none, or only training programs.
        """
        found = resolve_all(self.suite)
        scored = [program for program in found if program.split != "train"]
        if not scored:
            raise UnknownProgramError(
                f"{self.suite} holds training programs only, which are never scored; take the "
                "held-out ones, as in mirbench:test"
            )
        names = [program.name for program in scored]
        for name in names:
            if names.count(name) > 1:
                raise UnknownProgramError(f"{self.suite} holds two programs named {name!r}")
        return scored
