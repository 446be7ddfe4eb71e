"""The main job on bundled programs: optimise each, validate it, print one table.

Writes ``results/demo/``: ``run.json``, ``programs.csv`` and ``bars.png`` (with
matplotlib). ``make demo`` runs it.
"""

from __future__ import annotations

import csv
import functools
import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path

import tyro
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from rich.table import Table

from mirgym.agents.evaluate import geomean
from mirgym.agents.explorer import Progress as SearchProgress
from mirgym.agents.explorer import SearchConfig
from mirgym.agents.optimize import Optimized, optimize
from mirgym.programs import resolve_all

from .runs import RESULTS, write_run_json


@dataclass(frozen=True)
class DemoConfig:
    """What to optimise, and for how long."""

    programs: tuple[str, ...] = ("mirbench",)
    """Programs or suites."""
    budget: int = 500
    """Candidate compiles for each program."""
    seed: int = 0
    agent: str | None = None
    """Who searches; None for the default of ``mirgym optimize``."""
    folder: Path = RESULTS / "demo"


def _optimize_all(config: DemoConfig) -> list[Optimized]:
    programs = resolve_all(config.programs)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    results = []
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not sys.stderr.isatty()) as bars:
        for program in programs:
            task = bars.add_task(program.name, total=config.budget)
            show = functools.partial(_show, bars, task)
            search = SearchConfig(budget=config.budget, seed=config.seed)
            results.append(optimize(program, search, agent=config.agent, on_progress=show))
            bars.update(task, completed=config.budget)
    return results


def _show(bars: Progress, task: TaskID, progress: SearchProgress) -> None:
    bars.update(task, completed=progress.compiles)


def _table(results: list[Optimized]) -> Table:
    table = Table(title=".text bytes, machine code of the whole program")
    for column in (
        "program",
        "O0",
        "O1",
        "O2",
        "O3",
        "Os",
        "Oz",
        "mirgym",
        "Oz ÷ mirgym",
        "validated",
    ):
        table.add_column(column, justify="left" if column == "program" else "right")
    for found in results:
        sizes = [str(row.get("text_size_bytes", "")) for row in found.baselines.values()]
        size = str(found.result["text_size_bytes"])
        told = f"{found.validated_runs} runs equal" if found.validated_runs else found.note
        style = "green" if found.ratio > 1 else None
        table.add_row(found.program.name, *sizes, size, f"{found.ratio:.3f}", told, style=style)
    return table


def _write(config: DemoConfig, results: list[Optimized]) -> dict[str, float]:
    ratios = {found.program.name: found.ratio for found in results}
    figures = {
        "programs": len(results),
        "geomean_vs_Oz": geomean(ratios.values()),
        "smaller": sum(ratio > 1 for ratio in ratios.values()),
        "larger": sum(ratio < 1 for ratio in ratios.values()),
        "validated": sum(found.validated_runs > 0 for found in results),
        "fallbacks": sum(bool(found.fallback) for found in results),
        "seconds": sum(found.search.seconds for found in results),
        "compiles": sum(found.search.compiles for found in results),
    }
    write_run_json(config.folder, config, figures)
    with (config.folder / "programs.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["program", "split", "Oz_bytes", "mirgym_bytes", "ratio", "compiles"])
        for found in results:
            sizes = found.baselines["Oz"]["text_size_bytes"], found.result["text_size_bytes"]
            name, split = found.program.name, found.program.split
            writer.writerow([name, split, *sizes, f"{found.ratio:.4f}", found.search.compiles])
    if importlib.util.find_spec("matplotlib"):
        from .figures import plot_bars

        title = f"{len(results)} programs, {config.budget} compiles each, outputs validated"
        plot_bars(config.folder / "bars.png", ratios, title, ".text smaller than Oz by, %")
    return figures


def main(config: DemoConfig) -> int:
    """Run; return 1 when a result is worse than Oz or none is smaller."""
    results = _optimize_all(config)
    Console().print(_table(results))
    figures = _write(config, results)
    print(
        f"{figures['smaller']:.0f} of {figures['programs']:.0f} smaller than Oz, "
        f"{figures['larger']:.0f} larger; geomean {figures['geomean_vs_Oz']:.4f}; "
        f"{figures['seconds']:.0f} s"
    )
    return 0 if figures["larger"] == 0 and figures["smaller"] > 0 else 1


if __name__ == "__main__":
    raise SystemExit(main(tyro.cli(DemoConfig)))
