"""What a leaderboard compares."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from ...errors import UnknownProgramError
from ...objective import METRICS, check_metric
from ...programs import Program
from ...programs.datasets import datasets, resolve_all
from ..search import agents_for, check_agent, default_baseline

BUDGETS = (1, 10, 45, 100, 300)
"""One shot, a glance, an episode, and the searches' own range."""


@dataclass(frozen=True)
class LeaderboardConfig:
    """What is compared, and on what."""

    suite: str
    """Anything that names programs; training programs are left out of it."""
    agents: tuple[str, ...] = ()
    """Names of ``ALGORITHMS``; all that know the objective when empty."""
    budgets: tuple[int, ...] = BUDGETS
    """Compiles."""
    seeds: int = 5
    """Runs of each agent that draws random numbers: seeds 0, 1, …"""
    objective: str = "text_size_bytes"
    """``text_size_bytes``, ``ir_instructions``, ``dynamic_cost`` or ``runtime_ns``."""
    transitions: Path | None = field(default=None, compare=False)
    """Folder of a transition cache; the results are the same without."""

    def __post_init__(self) -> None:
        check_metric(self.objective)
        object.__setattr__(self, "agents", self.agents or agents_for(self.objective))
        object.__setattr__(self, "budgets", tuple(sorted(set(self.budgets))))
        for name in self.agents:
            check_agent(name, self.objective)
        if len(set(self.agents)) != len(self.agents):
            raise ValueError(f"agents are named twice: {', '.join(self.agents)}")
        if not self.budgets or self.budgets[0] < 1:
            raise ValueError(f"budgets are {list(self.budgets)}; expected 1 compile or more")
        if self.seeds < 1:
            raise ValueError(f"seeds are {self.seeds}; expected 1 or more")

    @property
    def other_metric(self) -> str:
        """The metric of the module that is shown beside the objective."""
        return "ir_instructions" if self.objective == "text_size_bytes" else "text_size_bytes"

    @property
    def baseline(self) -> str:
        """The level that agents are compared with."""
        return default_baseline(self.objective)

    @property
    def runs_programs(self) -> bool:
        """Whether the objective takes running each candidate."""
        return self.objective not in METRICS

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
