"""``mirgym optimize``."""

from __future__ import annotations

import json as jsonlib
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from ..errors import CodegenError, MirgymError
from .output import OutputError, check_writable, console, write_output

if TYPE_CHECKING:
    from ..agents.explorer import Progress
    from ..agents.optimize import Optimized

INTERRUPTED = 130
"""Exit status after Ctrl-C, as shells expect."""

_KINDS = {".o": "obj", ".obj": "obj", ".bc": "bc", ".ll": "ll"}


@dataclass(frozen=True)
class Optimize:
    """Make a program smaller than -Oz, or faster than -O3; verified, and never worse."""

    sources: Annotated[tuple[str, ...], tyro.conf.Positional, tyro.conf.arg(metavar="SRC...")]
    """C, C++, .ll or .bc files (several are linked), or one program such as mirbench/crc."""
    output: Annotated[Path | None, tyro.conf.arg(aliases=["-o"], metavar="OUT")] = None
    """Write the result here; without it only the table is printed."""
    objective: str = "size"
    """size (bytes of machine code), instructions (of IR), dynamic_cost (weighted instructions
    executed) or runtime (wall time); the last two take a program that says how it is run. Several
    with weights, too: "size*1+dynamic_cost*2"."""
    baseline: Literal["O0", "O1", "O2", "O3", "Os", "Oz"] | None = None
    """What the result must not be worse than; by default Oz for sizes, and O3 for what takes
    running the program."""
    agent: str | None = None
    """Who searches: policy, speed, search, greedy, genetic, random … By default the learned
    policy for sizes against Oz, speed for what is run against O3, and search for the rest."""
    budget: int = 500
    """Candidate compiles."""
    seed: int = 0
    """Same seed, same program, same result."""
    emit: Annotated[Literal["obj", "bc", "ll"] | None, tyro.conf.arg(metavar="{obj,bc,ll}")] = None
    """What to write: object code, bitcode or IR text. By default what the name given with -o
    says (.o, .bc, .ll), else object code."""
    json: bool = False
    """Print one JSON object instead of a table."""
    validate: bool = True
    """Where the program can run, run the result on its inputs and compare; --no-validate leaves
    that out."""

    def run(self) -> int:
        """Search, validate, write, print."""
        from ..agents.explorer import SearchConfig
        from ..agents.optimize import optimize
        from ..agents.search import default_baseline
        from ..objective import objective_name
        from ..programs import resolve
        from ..validate import validate

        if not self.sources:
            raise ValueError("no source; give files, or a program such as mirbench/crc")
        objective = objective_name(self.objective)
        config = SearchConfig(
            objective=objective,
            baseline=self.baseline or default_baseline(objective),
            budget=self.budget,
            seed=self.seed,
        )
        if self.output is not None:
            check_writable(self.output)
        program = resolve(self.sources[0] if len(self.sources) == 1 else list(self.sources))
        program.bitcode()  # compile errors come before the progress bar
        with _SearchProgress(self.budget, shown=not self.json) as progress:
            found = optimize(
                program,
                config,
                agent=self.agent,
                validator=validate if self.validate else None,
                on_progress=progress.update,
            )
        unwritten = self._write(found)
        if self.json:
            sys.stdout.write(jsonlib.dumps(_as_json(found)) + "\n")
        else:
            _print_optimized(found, None if unwritten else self.output)
        if unwritten is not None:
            raise unwritten
        return INTERRUPTED if found.search.interrupted else 0

    def _write(self, found: Optimized) -> MirgymError | None:
        """Write the result; why not, should that fail: the result is to be printed first."""
        if self.output is None:
            return None
        kind = self.emit or _KINDS.get(self.output.suffix, "obj")
        try:
            write_output(self.output, found.emit(kind))
        except CodegenError as error:
            return OutputError(f"{error}; --emit bc writes bitcode")
        except MirgymError as error:
            return error
        return None


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
        "ratio_vs_Oz": found.ratio_to("Oz"),
        "ratio_vs_baseline": found.ratio,
        "pipeline": found.pipeline_text,
        "commandline": found.commandline,
        "compiles": found.search.compiles,
        "seconds": round(found.search.seconds, 3),
        "validated": found.validated_runs > 0,
        "validated_runs": found.validated_runs,
        "fallback": found.fallback or None,
        "note": found.note or None,
        "failed_candidates": len(found.search.failures),
        "interrupted": found.search.interrupted,
    }


def _print_optimized(found: Optimized, output: Path | None) -> None:
    from rich.table import Table

    screen = console()
    objective, level = found.config.objective, found.config.baseline
    table = Table(title=found.program.uri)
    keys = ["text_size_bytes", "ir_instructions"]
    columns = ["", ".text bytes", "IR instructions"]
    if objective not in keys:
        keys.append(objective)
        columns.append("weighted" if "*" in objective else objective)
    for column in (*columns, f"{level} ÷ this"):
        table.add_column(column, justify="left" if not column else "right")
    rows = {**found.baselines, "mirgym": found.result}
    baseline = found.baselines[level][objective]
    for name, row in rows.items():
        cost = row.get(objective)
        ratio = f"{baseline / max(cost, 1):.3f}" if cost else ""
        cells = [str(row.get(key, "")) for key in keys]
        table.add_row(name, *cells, ratio, style="bold green" if name == "mirgym" else None)
    screen.print(table)
    screen.print(found.commandline or "nothing has to run", soft_wrap=True, markup=False)
    attributes = f"-{level}" if level not in ("O0", "O1") else "-O2"
    screen.print(
        f"  on the output of: clang {attributes} -Xclang -disable-llvm-passes -emit-llvm -c",
        style="dim",
        soft_wrap=True,
    )
    if found.fallback:
        screen.print(f"the {level} result was kept: {found.fallback}", style="yellow")
    if found.validated_runs:
        screen.print(f"validated: {found.validated_runs} runs, outputs equal", style="green")
    if found.note:
        screen.print(found.note, style="dim")
    if found.search.interrupted:
        screen.print("interrupted: this is the best so far", style="yellow")
    written = f", written to {output}" if output else "; -o OUT writes the result"
    screen.print(f"{found.search.compiles} compiles in {found.search.seconds:.1f} s{written}")
