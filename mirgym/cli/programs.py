"""``mirgym programs``: list, show, fetch."""

from __future__ import annotations

import contextlib
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from .output import console


@dataclass(frozen=True)
class ProgramsList:
    """List the suites, or the programs of one."""

    suite: Annotated[str | None, tyro.conf.Positional] = None

    def run(self) -> int:
        """Print a table."""
        from rich.table import Table

        from ..programs import datasets, resolve_all

        if self.suite is None:
            table = Table("suite", "programs", "description")
            for name, dataset in datasets().items():
                count = str(len(dataset.programs)) if dataset.programs else "not fetched"
                table.add_row(name, count, dataset.description)
            table.add_row("csmith://SEED", "2^32", "random C programs, with csmith installed")
            table.add_row("synth://SEED", "2^32", "C programs of a chosen mix of constructs")
        else:
            table = Table("program", "split", "domain", "description")
            for program in resolve_all(self.suite):
                table.add_row(
                    program.uri.removeprefix("benchmark://"),
                    program.split or "",
                    program.domain,
                    program.description,
                )
        console().print(table)
        return 0


@dataclass(frozen=True)
class ProgramsShow:
    """Show one program: sources, runs, sizes."""

    program: Annotated[str, tyro.conf.Positional]

    def run(self) -> int:
        """Print what is known of it."""
        from ..errors import CodegenError
        from ..objective import LEVEL_PIPELINES, measure_level
        from ..programs import resolve
        from ..wire import NOTHING, Wanted
        from ..worker import WorkerSession

        program = resolve(self.program)
        screen = console()
        screen.print(f"[bold]{program.uri}[/]  {program.description}")
        for source in program.sources:
            screen.print(f"source  {source}", soft_wrap=True)
        for run in program.runs:
            expected = run.stdout.name if run.stdout else "no expected output"
            screen.print(f"run     {' '.join(run.args)} → {expected}", soft_wrap=True)
        with WorkerSession() as session:
            for level in LEVEL_PIPELINES:
                metrics = measure_level(session, program.bitcode(), level, NOTHING)
                told = f"{metrics['ir_instructions']} IR instructions"
                with contextlib.suppress(CodegenError):  # there is none for its target
                    size = session.observe(Wanted.of(("text_size_bytes",))).metrics[
                        "text_size_bytes"
                    ]
                    told = f"{size} bytes of .text, {told}"
                screen.print(f"{level}      {told}")
        return 0


@dataclass(frozen=True)
class ProgramsFetch:
    """Install a suite that is not bundled: cbench-v1."""

    name: Annotated[str, tyro.conf.Positional]
    source: Annotated[Path | None, tyro.conf.arg(name="from")] = None
    """A local archive or directory instead of the download."""

    def run(self) -> int:
        """Fetch with a progress bar."""
        from rich.console import Console
        from rich.progress import Progress

        from ..programs import datasets, fetch

        with Progress(console=Console(stderr=True), disable=not sys.stderr.isatty()) as bars:
            tasks: dict[str, Any] = {}

            def show(name: str, done: int, total: int) -> None:
                if name not in tasks:
                    tasks[name] = bars.add_task(name, total=total or None)
                bars.update(tasks[name], completed=done)

            directory = fetch(self.name, self.source, show)
        count = len(datasets()[self.name].programs)
        console().print(f"{self.name}: {count} programs in {directory}", soft_wrap=True)
        return 0


@dataclass(frozen=True)
class Programs:
    """Programs: list, show, fetch."""

    command: (
        Annotated[ProgramsList, tyro.conf.subcommand("list", prefix_name=False)]
        | Annotated[ProgramsShow, tyro.conf.subcommand("show", prefix_name=False)]
        | Annotated[ProgramsFetch, tyro.conf.subcommand("fetch", prefix_name=False)]
    )

    def run(self) -> int:
        """Run the chosen one."""
        return self.command.run()
