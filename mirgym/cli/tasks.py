"""``mirgym tasks``: list, fetch, measure, run."""

from __future__ import annotations

import json as jsonlib
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from .optimize import INTERRUPTED
from .output import console

if TYPE_CHECKING:
    from rich.progress import Progress

_LONGEST_LATEST = 60


@dataclass(frozen=True)
class TasksList:
    """List the tasks, and whether their data are here."""

    def run(self) -> int:
        """Print a table."""
        from rich.table import Table

        from ..tasks import TASKS, get_task
        from ..tasks.published import installed

        table = Table("task", "data", "question")
        for name in TASKS:
            task = get_task(name)
            size = sum(file.size_bytes for file in task.files) / 1e6
            made = "" if task.files else "made here"
            state = (
                made or "fetched" if installed(name, task.files) else f"not fetched, {size:.1f} MB"
            )
            table.add_row(name, state, task.description)
        console().print(table)
        return 0


@dataclass(frozen=True)
class TasksFetch:
    """Install a task's data from the public repositories, checked by sha256."""

    name: Annotated[str, tyro.conf.Positional]
    source: Path | None = None
    """A folder that holds the published files, instead of the download."""

    def run(self) -> int:
        """Fetch with a progress bar."""
        from ..tasks import get_task
        from ..tasks.published import install

        task = get_task(self.name)
        with _bars(shown=True) as bars:
            shown: dict[str, Any] = {}

            def show(name: str, done: int, total: int) -> None:
                if name not in shown:
                    shown[name] = bars.add_task(name, total=total or None, latest="")
                bars.update(shown[name], completed=done)

            folder = install(task.name, task.files, self.source, show)
        console().print(f"{task.name}: fetched into {folder}", soft_wrap=True)
        return 0


@dataclass(frozen=True)
class TasksMeasure:
    """Measure a task's answers on this machine; it must have nothing else to do meanwhile."""

    name: Annotated[str, tyro.conf.Positional]
    rounds: int | None = None
    """Times of each configuration, of which the median counts."""
    output: Annotated[Path | None, tyro.conf.arg(aliases=["-o"], metavar="FOLDER")] = None
    """Folder for the answers; where `mirgym tasks run` looks for them when left out."""

    def run(self) -> int:
        """Measure with a progress bar."""
        from ..errors import DatasetError
        from ..tasks import TASKS, get_task
        from ..tasks.task import MeasuredTask

        task = get_task(self.name)
        if not isinstance(task, MeasuredTask):
            known = [name for name in TASKS if isinstance(get_task(name), MeasuredTask)]
            raise DatasetError(
                f"{self.name} has nothing to measure here. Measured: {', '.join(known)}"
            )
        if self.rounds is not None and self.rounds < 1:
            raise ValueError(f"rounds is {self.rounds}; expected 1 or more")
        with _bars(shown=True) as bars:
            measuring = bars.add_task("measuring", total=None, latest="")
            folder = task.measure(
                self.output,
                self.rounds,
                lambda done, total: bars.update(measuring, completed=done, total=total),
            )
        console().print(f"{self.name}: measured into {folder}", soft_wrap=True)
        return 0


@dataclass(frozen=True)
class TasksRun:
    """Run a task's methods under its protocols; what the folder holds is not run again."""

    name: Annotated[str, tyro.conf.Positional]
    seeds: int = 5
    """Runs of each method that draws random numbers."""
    methods: tuple[str, ...] = ()
    """Names of methods; all when left out."""
    protocols: tuple[str, ...] = ()
    """Names of protocols; all when left out."""
    output: Annotated[Path | None, tyro.conf.arg(aliases=["-o"], metavar="FOLDER")] = None
    """Folder for rows, tables and figures; results/tasks-NAME when left out."""
    json: bool = False
    """Print one JSON object instead of tables."""

    def run(self) -> int:
        """Run what is missing, write the report, print the tables."""
        from ..tasks import get_task
        from ..tasks.results import write_run
        from ..tasks.task import TaskConfig, check_packages, run_jobs

        task = get_task(self.name)
        config = TaskConfig(self.seeds, self.methods, self.protocols)
        check_packages()
        folder = self.output or Path("results") / f"tasks-{task.name}"
        try:
            with _bars(shown=not self.json) as bars:
                reading = bars.add_task("reading", total=None, latest="")
                work = task.work(
                    config, lambda done, total: bars.update(reading, completed=done, total=total)
                )
                bars.remove_task(reading)
                running = bars.add_task("runs", total=len(work.jobs), latest="")

                def show(done: int, total: int, key: dict[str, Any]) -> None:
                    latest = ", ".join(map(str, key.values()))[:_LONGEST_LATEST]
                    bars.update(running, completed=done, latest=latest)

                rows = run_jobs(work, folder, show)
        except KeyboardInterrupt:
            sys.stderr.write(
                f"mirgym: interrupted: rows so far are kept in {folder}; the same command goes on\n"
            )
            return INTERRUPTED
        report = write_run(folder, task.name, config, work.notes, task.report(folder, rows))
        if self.json:
            sys.stdout.write(jsonlib.dumps(report) + "\n")
        else:
            _print(task.tables(report["figures"]), work.notes)
        return 0


def _print(tables: list[tuple[str, list[list[str]]]], notes: list[str]) -> None:
    from rich.table import Table

    screen = console()
    for title, (head, *rows) in tables:
        table = Table(*head, title=title, title_justify="left")
        for row in rows:
            table.add_row(*row)
        screen.print(table)
    for note in notes:
        screen.print(f"- {note}", soft_wrap=True, markup=False, highlight=False)


def _bars(shown: bool) -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[latest]}", markup=False),
        console=Console(stderr=True),
        transient=True,
        disable=not shown or not sys.stderr.isatty(),
    )


@dataclass(frozen=True)
class Tasks:
    """Benchmark tasks, the literature's and our own: list, fetch, measure, run."""

    command: (
        Annotated[TasksList, tyro.conf.subcommand("list", prefix_name=False)]
        | Annotated[TasksFetch, tyro.conf.subcommand("fetch", prefix_name=False)]
        | Annotated[TasksMeasure, tyro.conf.subcommand("measure", prefix_name=False)]
        | Annotated[TasksRun, tyro.conf.subcommand("run", prefix_name=False)]
    )

    def run(self) -> int:
        """Run the chosen one."""
        return self.command.run()
