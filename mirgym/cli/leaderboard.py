"""``mirgym leaderboard``."""

from __future__ import annotations

import json as jsonlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from ..errors import ToolMissingError
from .optimize import INTERRUPTED
from .output import console

if TYPE_CHECKING:
    from ..agents.leaderboard import LeaderboardConfig, Progress
    from ..agents.leaderboard.runs import Runs

ObjectiveName = Literal[
    "size",
    "instructions",
    "dynamic_cost",
    "runtime",
    "text_size_bytes",
    "ir_instructions",
    "runtime_ns",
]
"""An objective, or one of its ``SHORT_NAMES``."""


@dataclass(frozen=True)
class Leaderboard:
    """Compare agents with Oz or O3 and with each other at equal numbers of compiles.

    Runs that the output folder holds are not run again: Ctrl-C, and the same command goes on.
    """

    suite: str
    """mirbench (its held-out half), cbench-v1, or a directory of .bc and .ll files."""
    output: Annotated[Path, tyro.conf.arg(aliases=["-o"], metavar="FOLDER")]
    """Folder for the rows, tables and figures."""
    agents: Annotated[str, tyro.conf.arg(metavar="NAME,NAME...")] = ""
    """Which agents; all that know the objective when left out."""
    budget: Annotated[str, tyro.conf.arg(metavar="N,N...")] = "1,10,45,100,300"
    """Compiles that each may spend; every budget is a column of the comparison."""
    seeds: int = 5
    """Runs of each agent that draws random numbers."""
    objective: ObjectiveName = "size"
    """size (bytes of machine code) or instructions (of IR) against Oz; dynamic_cost (weighted
    instructions executed) or runtime (wall time) against O3, on the programs that can run."""
    jobs: int = 1
    """Processes side by side; runtime is always measured in one."""
    cache: bool = True
    """Share a cache of compiles between all runs; --no-cache does without."""
    json: bool = False
    """Print one JSON object instead of a table."""

    def run(self) -> int:
        """Run what is missing, write the report, print the table."""
        from ..agents.leaderboard import run_leaderboard
        from ..agents.leaderboard.overlap import measure_overlap
        from ..agents.leaderboard.report import write_report

        config = self._config()
        _check_packages(config.agents)
        with _RunProgress(shown=not self.json) as progress:
            runs = run_leaderboard(config, self.output, jobs=self.jobs, on_progress=progress.update)
        overlap = None if runs.missing else measure_overlap(config.programs())
        write_report(self.output, config, runs, overlap)
        self._print(runs)
        return INTERRUPTED if runs.missing else 0

    def _config(self) -> LeaderboardConfig:
        from ..agents.leaderboard import LeaderboardConfig
        from ..agents.transitions import default_folder
        from ..objective import objective_name

        return LeaderboardConfig(
            suite=self.suite,
            agents=tuple(name.strip() for name in self.agents.split(",") if name.strip()),
            budgets=_numbers(self.budget),
            seeds=self.seeds,
            objective=objective_name(self.objective),
            transitions=default_folder() if self.cache else None,
        )

    def _print(self, runs: Runs) -> None:
        if self.json:
            report = jsonlib.loads((self.output / "run.json").read_text(encoding="utf-8"))
            sys.stdout.write(jsonlib.dumps({**report, "missing": runs.missing}) + "\n")
        else:
            table = (self.output / "table.md").read_text(encoding="utf-8")
            console().print(table, soft_wrap=True, markup=False, highlight=False)
        if runs.missing:
            sys.stderr.write(
                f"mirgym: interrupted: {len(runs.rows)} runs are kept in {self.output}, "
                f"{runs.missing} are missing; the same command goes on\n"
            )


def _check_packages(agents: Sequence[str]) -> None:
    """What the agents and the report need, before the work and not after it."""
    for name in ("scipy", "pyarrow", "matplotlib", *(("optuna",) if "optuna" in agents else ())):
        try:
            __import__(name)
        except ImportError as error:
            raise ToolMissingError(
                f"the leaderboard needs the package {name}; install it with: "
                "pip install 'mirgym[train]'"
            ) from error


def _numbers(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise ValueError(
            f"--budget is {text!r}; expected numbers with commas, such as 1,10,45"
        ) from None


class _RunProgress:
    """A progress bar on stderr that names the latest run."""

    def __init__(self, shown: bool) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
        )

        self._bar = Progress(
            TextColumn("leaderboard"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[latest]}", markup=False),
            console=Console(stderr=True),
            transient=True,
            disable=not shown or not sys.stderr.isatty(),
        )
        self._task = self._bar.add_task("runs", total=None, latest="")

    def __enter__(self) -> _RunProgress:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def update(self, progress: Progress) -> None:
        """Show where the runs stand."""
        row = progress.latest
        latest = f"{row.program}, {row.agent}, {row.budget}" if row else ""
        self._bar.update(self._task, completed=progress.done, total=progress.total, latest=latest)
