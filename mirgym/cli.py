"""The ``mirgym`` command."""

from __future__ import annotations

import json as jsonlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from .errors import MirgymError
from .programs.cache import write_atomically

if TYPE_CHECKING:
    from .agents.optimize import Optimized
    from .agents.search import Progress

INTERRUPTED = 130
"""Exit status after Ctrl-C, as shells expect."""


def _console() -> Any:
    from rich.console import Console

    return Console()


# -- optimize ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Optimize:
    """Make a program smaller than -Oz does; the result is verified and never worse."""

    sources: Annotated[tuple[str, ...], tyro.conf.Positional]
    """C, C++, .ll or .bc files (several are linked), or one program such as mirbench/crc."""
    output: Annotated[Path | None, tyro.conf.arg(aliases=["-o"])] = None
    """Write the result here; without it only the table is printed."""
    objective: Literal["text_size_bytes", "ir_instructions"] = "text_size_bytes"
    """Bytes of machine code, or instructions of IR."""
    baseline: Literal["O0", "O1", "O2", "O3", "Os", "Oz"] = "Oz"
    """What the result must not be worse than."""
    budget: int = 500
    """Candidate compiles."""
    seed: int = 0
    emit: Literal["obj", "bc", "ll"] = "obj"
    """What to write: object code, bitcode or IR text."""
    json: bool = False
    """Print one JSON object instead of a table."""
    check: bool = True
    """Run the optimised program on its inputs, where it has any."""

    def run(self) -> int:
        """Search, check, print, write."""
        from .agents.explorer import SearchConfig
        from .agents.optimize import optimize
        from .programs import resolve
        from .programs.execute import check_output

        program = resolve(self.sources[0] if len(self.sources) == 1 else list(self.sources))
        program.bitcode()  # compile errors come before the progress bar
        config = SearchConfig(
            objective=self.objective, baseline=self.baseline, budget=self.budget, seed=self.seed
        )
        with _SearchProgress(self.budget, shown=not self.json) as progress:
            found = optimize(
                program,
                config,
                check=check_output if self.check else None,
                on_progress=progress.update,
            )
        if self.output is not None:
            write_atomically(self.output, found.emit(self.emit))
        if self.json:
            sys.stdout.write(jsonlib.dumps(_as_json(found)) + "\n")
        else:
            _print_optimized(found, self.output)
        return INTERRUPTED if found.search.interrupted else 0


class _SearchProgress:
    """A progress bar on stderr that names the best cost so far."""

    def __init__(self, budget: int, shown: bool) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        self._bar = Progress(
            TextColumn("searching"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("compiles, best {task.fields[best]}"),
            console=Console(stderr=True),
            transient=True,
            disable=not shown or not sys.stderr.isatty(),
        )
        self._task = self._bar.add_task("search", total=budget, best="…")

    def __enter__(self) -> _SearchProgress:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def update(self, progress: Progress) -> None:
        """Show where the search stands."""
        self._bar.update(self._task, completed=progress.compiles, best=progress.best)


def _as_json(found: Optimized) -> dict[str, Any]:
    objective = found.config.objective
    return {
        "program": found.program.uri,
        "objective": objective,
        "baseline": found.config.baseline,
        "baselines": {level: row.get(objective) for level, row in found.baselines.items()},
        "result": found.result[objective],
        f"ratio_vs_{found.config.baseline}": found.ratio,
        "pipeline": found.opt_pipeline,
        "compiles": found.search.compiles,
        "seconds": round(found.search.seconds, 3),
        "checked_runs": found.checked_runs,
        "fallback": found.fallback or None,
        "note": found.note or None,
        "failed_candidates": len(found.search.failures),
    }


def _print_optimized(found: Optimized, output: Path | None) -> None:
    from rich.table import Table

    console = _console()
    objective, level = found.config.objective, found.config.baseline
    table = Table(title=found.program.uri)
    for column in ("", ".text bytes", "IR instructions", f"{level} ÷ this"):
        table.add_column(column, justify="left" if not column else "right")
    rows = {**found.baselines, "mirgym": found.result}
    baseline = found.baselines[level][objective]
    for name, row in rows.items():
        cost = row.get(objective)
        ratio = f"{baseline / max(cost, 1):.3f}" if cost else ""
        cells = [str(row.get(key, "")) for key in ("text_size_bytes", "ir_instructions")]
        table.add_row(name, *cells, ratio, style="bold green" if name == "mirgym" else None)
    console.print(table)
    console.print(f"opt -passes='{found.opt_pipeline}'", soft_wrap=True, markup=False)
    attributes = f"-{level}" if level != "O0" else "-O1"
    console.print(
        f"  on the output of: clang {attributes} -Xclang -disable-llvm-passes -emit-llvm -c",
        style="dim",
        soft_wrap=True,
    )
    if found.fallback:
        console.print(f"the {level} result was kept: {found.fallback}", style="yellow")
    if found.checked_runs:
        console.print(f"checked: {found.checked_runs} runs, outputs equal", style="green")
    elif found.note:
        console.print(found.note, style="dim")
    if found.search.interrupted:
        console.print("interrupted: this is the best so far", style="yellow")
    written = f", written to {output}" if output else ""
    console.print(f"{found.search.compiles} compiles in {found.search.seconds:.1f} s{written}")


# -- programs ---------------------------------------------------------------------------


@dataclass(frozen=True)
class ProgramsList:
    """List the suites, or the programs of one."""

    suite: Annotated[str | None, tyro.conf.Positional] = None

    def run(self) -> int:
        """Print a table."""
        from rich.table import Table

        from .programs import datasets, resolve_all

        if self.suite is None:
            table = Table("suite", "programs", "description")
            for name, dataset in datasets().items():
                count = str(len(dataset.programs)) if dataset.programs else "not fetched"
                table.add_row(name, count, dataset.description)
            table.add_row("csmith://SEED", "2^32", "random C programs, with csmith installed")
        else:
            table = Table("program", "split", "domain", "description")
            for program in resolve_all(self.suite):
                table.add_row(
                    program.uri.removeprefix("benchmark://"),
                    program.split or "",
                    program.domain,
                    program.description,
                )
        _console().print(table)
        return 0


@dataclass(frozen=True)
class ProgramsShow:
    """Show one program: sources, runs, sizes."""

    program: Annotated[str, tyro.conf.Positional]

    def run(self) -> int:
        """Print what is known of it."""
        from .objective import LEVEL_PIPELINES, measure_level
        from .programs import resolve
        from .wire import Wanted
        from .worker import WorkerSession

        program = resolve(self.program)
        console = _console()
        console.print(f"[bold]{program.uri}[/]  {program.description}")
        for source in program.sources:
            console.print(f"source  {source}", soft_wrap=True)
        for run in program.runs:
            expected = run.stdout.name if run.stdout else "no expected output"
            console.print(f"run     {' '.join(run.args)} → {expected}", soft_wrap=True)
        with WorkerSession() as session:
            for level in LEVEL_PIPELINES:
                wanted = Wanted.of(("text_size_bytes",))
                metrics = measure_level(session, program.bitcode(), level, wanted)
                size, count = metrics["text_size_bytes"], metrics["ir_instructions"]
                console.print(f"{level}      {size} bytes of .text, {count} IR instructions")
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

        from .programs import datasets, fetch

        with Progress(console=Console(stderr=True), disable=not sys.stderr.isatty()) as bars:
            tasks: dict[str, Any] = {}

            def show(name: str, done: int, total: int) -> None:
                if name not in tasks:
                    tasks[name] = bars.add_task(name, total=total or None)
                bars.update(tasks[name], completed=done)

            directory = fetch(self.name, self.source, show)
        count = len(datasets()[self.name].programs)
        _console().print(f"{self.name}: {count} programs in {directory}", soft_wrap=True)
        return 0


# -- passes -----------------------------------------------------------------------------


@dataclass(frozen=True)
class PassesList:
    """List the pass catalogue."""

    group: str | None = None
    """core, opt-in, dormant, cosmetic or excluded; all without it."""

    def run(self) -> int:
        """Print a table."""
        from rich.table import Table

        from .passes import GROUPS, catalogue

        table = Table("pass", "group", "pipeline", "why")
        for entry in catalogue(*([self.group] if self.group else GROUPS)):
            table.add_row(entry.name, entry.group, entry.pipeline, entry.reason)
        _console().print(table)
        return 0


@dataclass(frozen=True)
class PassesShow:
    """Show one pass; CompilerGym's flags work too."""

    name: Annotated[str, tyro.conf.Positional]

    def run(self) -> int:
        """Print it."""
        from .passes import find

        entry = find(self.name)
        console = _console()
        console.print(f"[bold]{entry.name}[/]  ({entry.group}) {entry.reason}")
        console.print(f"opt -passes='{entry.pipeline}'", soft_wrap=True, markup=False)
        return 0


# -- bench and doctor -------------------------------------------------------------------


@dataclass(frozen=True)
class Bench:
    """Measure what the README claims; exit status 1 when a check fails."""

    name: Annotated[Literal["engine", "env", "size", "fuzz"], tyro.conf.Positional]
    json: bool = False
    """Print one JSON object instead of tables."""
    steps: int | None = None
    """fuzz, size, env: how many steps."""
    csmith: int | None = None
    """fuzz: how many csmith programs."""
    excluded: bool = False
    """fuzz: draw from the excluded passes, too."""
    replays: int | None = None
    """fuzz: how many episodes to play again."""
    seed: int | None = None

    def run(self) -> int:
        """Run one benchmark."""
        from .bench import run

        options = {
            name: value
            for name in ("steps", "csmith", "excluded", "replays", "seed")
            if (value := getattr(self, name)) not in (None, False)
        }
        return run(self.name, json=self.json, **options)


@dataclass(frozen=True)
class Doctor:
    """Check the installation: versions, compiler, cache, and a self-test."""

    json: bool = False

    def run(self) -> int:
        """Print the findings; 1 when something that is needed fails."""
        from .doctor import examine, print_findings

        findings = examine()
        print_findings(findings, json=self.json)
        return 0 if all(f.ok or not f.needed for f in findings) else 1


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


@dataclass(frozen=True)
class Passes:
    """The pass catalogue: list, show."""

    command: (
        Annotated[PassesList, tyro.conf.subcommand("list", prefix_name=False)]
        | Annotated[PassesShow, tyro.conf.subcommand("show", prefix_name=False)]
    )

    def run(self) -> int:
        """Run the chosen one."""
        return self.command.run()


Command = (
    Annotated[Optimize, tyro.conf.subcommand("optimize", prefix_name=False)]
    | Annotated[Programs, tyro.conf.subcommand("programs", prefix_name=False)]
    | Annotated[Passes, tyro.conf.subcommand("passes", prefix_name=False)]
    | Annotated[Bench, tyro.conf.subcommand("bench", prefix_name=False)]
    | Annotated[Doctor, tyro.conf.subcommand("doctor", prefix_name=False)]
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; an expected error becomes one line on stderr and status 1."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given == ["--version"]:
        from . import __version__

        sys.stdout.write(f"mirgym {__version__}\n")
        return 0
    command = tyro.cli(
        Command,  # type: ignore[arg-type]
        args=given,
        prog="mirgym",
        description="Reinforcement learning over LLVM's passes, and a better -Oz.",
        config=(tyro.conf.OmitArgPrefixes,),
    )
    try:
        status: int = command.run()  # type: ignore[attr-defined]
        return status
    except MirgymError as error:
        sys.stderr.write(f"mirgym: {error}\n")
        return 1
    except ValueError as error:
        sys.stderr.write(f"mirgym: {error}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("mirgym: interrupted\n")
        return INTERRUPTED


if __name__ == "__main__":
    raise SystemExit(main())
