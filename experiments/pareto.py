"""Size against time: clang's levels, the agents, and what lies between them.

For each held-out program of ``mirbench``: the levels O1 to Oz, the agents that learned size and
speed, and the search without a model for both at once with three weights (``Weighted``). Speed
is searched for by ``dynamic_cost``; what is shown is the clock's, all results of a program
taking turns (``mirgym.runtime``). Have nothing else run on the core with the highest number.
Writes ``results/pareto/``: ``programs.csv``, ``pareto.png``, ``run.json``; objects are kept in the
work folder, from which a second start of the same version goes on.

    python -m experiments.pareto
"""

from __future__ import annotations

import csv
import math
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import tyro
from rich.progress import track

from mirgym.agents.explorer import SearchConfig
from mirgym.agents.optimize import optimize
from mirgym.bench.optimize import text_bytes
from mirgym.objective import LEVEL_PIPELINES, measure_level
from mirgym.programs import Program, resolve_all
from mirgym.programs.cache import write_atomically
from mirgym.programs.linking import link_executable
from mirgym.runtime import TimingLimits, time_executables
from mirgym.wire import NOTHING
from mirgym.worker import WorkerSession

from .figures import AGENT, BASELINE
from .runs import RESULTS, write_run_json

_REFERENCE = "O3"
_LEVELS = tuple(level for level in LEVEL_PIPELINES if level != "O0")


class Searcher(NamedTuple):
    """One way to search: a point of the figure."""

    agent: str
    objective: str
    baseline: str


SEARCHERS = {
    "agent for size": Searcher("policy", "text_size_bytes", "Oz"),
    "agent for speed": Searcher("speed", "dynamic_cost", "O3"),
    **{
        f"search, {size:.0%} size": Searcher(
            "search", f"text_size_bytes*{size}+dynamic_cost*{1 - size}", level
        )
        for size, level in ((0.25, "O3"), (0.5, "Os"), (0.75, "Oz"))
    },
}


@dataclass(frozen=True)
class ParetoConfig:
    """The run."""

    programs: tuple[str, ...] = ("mirbench:test",)
    budget: int = 100
    """Compiles of each search."""
    rounds: int = 12
    """How often each result runs, by turns, 2 or more."""
    folder: Path = RESULTS / "pareto"
    work: Path = Path("runs/pareto")


def objects(program: Program, config: ParetoConfig) -> dict[str, bytes]:
    """Object code of each point; searches that were done before are read from the work folder."""
    found = {}
    with WorkerSession() as session:
        for level in _LEVELS:
            measure_level(session, program.bitcode(), level, NOTHING)
            found[level] = session.emit("obj")
    for name, searcher in SEARCHERS.items():
        kept = config.work / f"{program.name}-{name.replace(' ', '-')}-{config.budget}.o"
        if not kept.exists():
            search = SearchConfig(searcher.objective, searcher.baseline, config.budget)
            result = optimize(program, search, agent=searcher.agent)
            write_atomically(kept, result.emit("obj"))
        found[name] = kept.read_bytes()
    return found


def measure(program: Program, config: ParetoConfig) -> list[dict[str, Any]]:
    """Bytes, and seconds against O3's, of each point on a program's last run."""
    made = objects(program, config)
    order = [_REFERENCE, *(name for name in made if name != _REFERENCE)]
    limits = TimingLimits(least_rounds=config.rounds, most_rounds=config.rounds)
    with tempfile.TemporaryDirectory(prefix="mirgym-pareto-") as folder:
        executables = []
        for number, name in enumerate(order):
            executables.append(Path(folder, str(number)))
            link_executable(made[name], program, executables[-1])
        timings = time_executables(executables, program.runs[-1], limits)
    rows = []
    for name, timing in zip(order, timings, strict=True):
        rows.append(
            {
                "program": program.name,
                "point": name,
                "text_size_bytes": text_bytes(made[name]),
                "time_ratio": round(timing.ratio, 5),
                "relative_error": round(timing.relative_error, 5),
            }
        )
    return rows


def points(rows: Sequence[Mapping[str, Any]]) -> dict[str, tuple[float, float]]:
    """Geometric means over the programs: size and time of each point ÷ O3's."""
    reference = {
        row["program"]: row["text_size_bytes"] for row in rows if row["point"] == _REFERENCE
    }
    found = {}
    for name in dict.fromkeys(row["point"] for row in rows):
        some = [row for row in rows if row["point"] == name]
        sizes = [math.log(row["text_size_bytes"] / reference[row["program"]]) for row in some]
        times = [math.log(row["time_ratio"]) for row in some]
        found[name] = (_geomean(sizes), _geomean(times))
    return found


def _geomean(logs: Sequence[float]) -> float:
    return math.exp(math.fsum(logs) / len(logs))


def front(found: Mapping[str, tuple[float, float]]) -> list[str]:
    """Points that no other is at least as good as in both, smallest first.

    >>> front({"a": (1.0, 1.0), "b": (0.5, 2.0), "c": (1.0, 1.5)})
    ['b', 'a']
    """
    kept = [
        name
        for name, (size, time) in found.items()
        if not any(
            other != (size, time) and other[0] <= size and other[1] <= time
            for other in found.values()
        )
    ]
    return sorted(kept, key=lambda name: found[name])


def plot(path: Path, found: Mapping[str, tuple[float, float]], title: str) -> None:
    """Size against time, with the Pareto front."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(7.5, 5))
    best = [found[name] for name in front(found)]
    axes.plot(*zip(*best, strict=True), color="0.8", linewidth=1, zorder=0)
    for name, (size, time) in found.items():
        color = BASELINE if name in LEVEL_PIPELINES else AGENT
        axes.scatter(size, time, color=color, s=40)
        axes.annotate(name, (size, time), xytext=(6, 5), textcoords="offset points", fontsize=9)
    axes.set(xlabel=f".text ÷ {_REFERENCE}'s", ylabel=f"run time ÷ {_REFERENCE}'s", title=title)
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_formatter("{x:g}")
    axes.margins(0.15)
    figure.tight_layout()
    figure.savefig(path, dpi=150)
    plt.close(figure)


def main(config: ParetoConfig) -> int:
    """Search, time, draw, write."""
    programs = [program for program in resolve_all(config.programs) if program.runs]
    for program in track(programs, "searching"):
        objects(program, config)
    rows = [row for program in track(programs, "timing") for row in measure(program, config)]
    config.folder.mkdir(parents=True, exist_ok=True)
    with (config.folder / "programs.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    found = points(rows)
    plot(config.folder / "pareto.png", found, f"{len(programs)} programs, geometric means")
    figures = {
        "points": {n: {"size": round(s, 4), "time": round(t, 4)} for n, (s, t) in found.items()},
        "front": front(found),
        "programs": len(programs),
        "median_error": sorted(row["relative_error"] for row in rows)[len(rows) // 2],
    }
    write_run_json(config.folder, config, figures)
    for name, (size, time) in found.items():
        print(f"{name:20} size {size:.3f}  time {time:.3f}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(tyro.cli(ParetoConfig)))
