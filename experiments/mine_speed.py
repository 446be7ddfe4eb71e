"""Which pipelines and edits make programs cheaper to run than O3: the data of the agent ``speed``.

For every training program, by ``dynamic_cost`` against O3: each pipeline of a pool is run once,
and from the best of them each single edit (``mirgym.agents.edits``) once. Candidates that change
what the program prints are failures. A greedy cover orders the pipelines, as in
``experiments.mine_coreset``; an edit's promise is its mean gain, as in ``experiments.mine_edits``.
The pipelines that are kept are then timed, one program after the other
(``experiments.speed_times``): have nothing else run on the core with the highest number.
Writes ``agents/data/speed.json``. A second start goes on where the first was interrupted.

    python -m experiments.mine_speed
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
import tyro
from rich.progress import track

from mirgym.agents.actionset import ActionSet
from mirgym.agents.edits import Draft, all_edits, is_editable
from mirgym.agents.explorer import Explorer, SearchConfig
from mirgym.agents.pipelines import NEEDED, O3, O3_OPTIONS, as_module, leaves, render, without
from mirgym.agents.search import default_baseline
from mirgym.agents.speed import SPEED_DATA, written_out
from mirgym.agents.strategies import o_level
from mirgym.errors import DatasetError, MirgymError
from mirgym.parameters import catalogue as knobs
from mirgym.passes import PROFILE, Pass
from mirgym.programs import resolve
from mirgym.programs.cache import write_atomically

from .cover import best_of_first, greedy_cover, held_out_geomean
from .mine_coreset import in_processes
from .mine_edits import Gains, promise
from .runs import RESULTS, write_run_json
from .speed_times import clock_order, shrunk, time_program
from .training_modules import TrainingModule, programs

_DATA = Path(__file__).resolve().parent.parent / "agents" / "data" / SPEED_DATA
_OBJECTIVE = "dynamic_cost"
_O3 = "default<O3>"
_COUNTS = (1, 2, 3, 10, 30)
_PLENTY = 10_000
"""Compiles: more than there are candidates."""
_LARGER = (
    (("inline-threshold", "1000"),),
    (("inline-threshold", "4000"),),
    (("unroll-threshold", "1000"),),
    (("unroll-count", "8"), ("unroll-allow-partial", "true")),
    (("unroll-runtime", "true"), ("unroll-allow-partial", "true")),
    (("inline-threshold", "1000"), ("unroll-threshold", "1000")),
    (("inline-threshold", "1000"), ("extra-vectorizer-passes", "true")),
)
"""Options beyond the catalogue's, which was chosen for sizes too, and some of them together."""


class Tried(TypedDict):
    """What came of a program.

    ``ratios``: O3 ÷ cost of each pipeline of the pool, 0 where it fails; empty when the program
    cannot run. ``gains``: of each edit of the best.
    """

    ratios: list[float]
    gains: Gains


@dataclass(frozen=True)
class SpeedConfig:
    """The run."""

    programs: tuple[str, ...] = ()
    """Training programs of mirbench by name; all 25 when empty."""
    pool: int = 0
    """Of the pool only so many pipelines, spread evenly; 0 for all."""
    edits: int = 0
    """The same for the edits that are not ``drop``."""
    size: int = 40
    """Pipelines that are kept, by ``dynamic_cost`` and by the clock."""
    rounds: int = 7
    """How often each of the pool is timed on each program, 2 or more; 0 for no times."""
    jobs: int = os.cpu_count() or 1
    folder: Path = RESULTS / "mine_speed"
    work: Path = Path("runs/mine_speed")
    """One file for each program: what a second start goes on from."""
    output: Path = _DATA

    def __post_init__(self) -> None:
        if self.rounds == 1 or self.rounds < 0:
            raise ValueError(f"--rounds {self.rounds}: give 2 or more, for an error, or 0")


def pool() -> list[Pass]:
    """Whole pipelines around O3, each once; O3 itself, the baseline, is not among them."""
    return list(dict.fromkeys(_pool()))


def _pool() -> Iterator[Pass]:
    for level in ("O2", "O1"):
        yield o_level(f"default<{level}>")
    yield Pass("O3 twice", f"{_O3},{_O3}")
    yield Pass("O3, O2", f"{_O3},default<O2>")
    values = [value.options for knob in knobs() for value in knob.values if not value.after]
    for options in (*_LARGER, *values):
        if options:
            told = " ".join(f"{name}={value}" for name, value in options)
            yield Pass(f"O3 {told}", _O3, options=tuple(sorted(options)))
    names = {text.partition("<")[0] for _, text in leaves(O3) if not text.startswith(NEEDED)}
    for name in sorted(names):
        places = [place for place, text in leaves(O3) if text.partition("<")[0] == name]
        text = as_module(render(without(O3, places)))
        yield Pass(f"O3 without {name}", text, options=O3_OPTIONS)


def spread(items: list[Any], count: int) -> list[Any]:
    """So many of them, evenly; all for 0.

    >>> spread(list("abcdef"), 3)
    ['a', 'c', 'e']
    """
    if not 0 < count < len(items):
        return items
    return [items[index * len(items) // count] for index in range(count)]


def try_program(module: TrainingModule, config: SpeedConfig) -> Tried:
    """Run the pool and the edits on a program."""
    parts = (module.name.replace("/", "-"), str(config.pool), str(config.edits))
    target = config.work / f"{'-'.join(parts)}.json"
    if target.exists():
        known: Tried = json.loads(target.read_text(encoding="utf-8"))
        return known
    program = resolve(module.name)
    search = SearchConfig(_OBJECTIVE, default_baseline(_OBJECTIVE), _PLENTY)
    found = Tried(ratios=[], gains=[])
    try:
        with Explorer(program.bitcode(), search, program=program) as explorer:
            found = _try(explorer, config)
    except MirgymError as error:
        print(f"{module.name}: {error}")
    write_atomically(target, json.dumps(found).encode())
    return found


def _try(explorer: Explorer, config: SpeedConfig) -> Tried:
    baseline = explorer.apply(explorer.root, o_level(_O3))
    if baseline is None:
        return Tried(ratios=[], gains=[])
    ratios = []
    for one in spread(pool(), config.pool):
        reached = explorer.apply(explorer.root, one)
        ratios.append(0.0 if reached is None else baseline.cost / max(reached.cost, 1))
    start = next(node for node in explorer.cheapest() if is_editable(node))
    return Tried(ratios=ratios, gains=_gains(explorer, config, written_out(start)))


def _gains(explorer: Explorer, config: SpeedConfig, draft: Draft) -> Gains:
    whole = explorer.apply(explorer.root, draft.step())
    if whole is None:
        return []
    drafts = [(edit, draft.without(place)) for place, edit in draft.places().items()]
    drafts = spread(drafts, config.edits)
    drafts += [(edit, draft.edited(edit)) for edit in spread(list(all_edits()), config.edits)]
    gains: Gains = []
    for edit, edited in drafts:
        reached = explorer.apply(explorer.root, edited.step())
        after, key = (whole.cost, "") if reached is None else (reached.cost, f"{reached.key:x}")
        gains.append((*edit, float(np.log(whole.cost / max(after, 1))), key))
    return gains


def mine(config: SpeedConfig) -> dict[str, Any]:
    """Try, choose, write; return the figures."""
    started = time.perf_counter()
    modules = programs(names=config.programs)
    work = partial(try_program, config=config)
    tried = [one for one in in_processes(config.jobs, "speed", modules, work) if one["ratios"]]
    if not tried:
        names = ", ".join(config.programs) or "of mirbench:train"
        raise DatasetError(f"none of the programs {names} could be run; see what is said above")
    ratios = np.array([one["ratios"] for one in tried])  # (programs, pipelines)
    chosen = greedy_cover(ratios, config.size)
    pipelines = spread(pool(), config.pool)
    edits = promise([one["gains"] for one in tried if one["gains"]])
    owners = [frozenset[int]()] * ratios.shape[1]
    figures = {
        "programs": len(tried),
        "pool": len(pipelines),
        "pipelines": len(chosen),
        "edits": len(edits),
        "geomean_first_n": {
            count: float(np.exp(np.log(best_of_first(ratios, chosen, count)).mean()))
            for count in _COUNTS
        },
        "geomean_first_n_left_out": held_out_geomean(ratios, owners, config.size, _COUNTS),
    }
    ways = [*((one,) for one in pipelines), (PROFILE, o_level(_O3))]
    clock, clock_figures = time_all(modules, ways, config)
    figures |= clock_figures
    about = {"command": _command(config), "objective": _OBJECTIVE, **figures}
    timed = [ways[index][-1] for index in clock]
    both = dict.fromkeys([*(pipelines[column] for column in chosen), *timed])
    actions = tuple(one._replace(group="speed") for one in both)
    content = json.loads(ActionSet(actions, "speed", about).to_json())
    content["counted"] = len(chosen)
    content["clock"] = [
        {"profile": len(ways[index]) > 1, "action": list(both).index(ways[index][-1])}
        for index in clock
    ]
    content["edits"] = [[*edit, round(gain, 6)] for edit, gain in edits.items()]
    write_atomically(config.output, (json.dumps(content, indent=1) + "\n").encode())
    return {**figures, "seconds": round(time.perf_counter() - started, 1)}


def time_all(
    modules: Sequence[TrainingModule], paths: Sequence[Sequence[Pass]], config: SpeedConfig
) -> tuple[list[int], dict[str, Any]]:
    """The order in which the clock would have them tried, and what they gain by it."""
    found = []
    if config.rounds:
        for module in track(modules, "timing"):
            found.append(time_program(module, paths, config.rounds, config.work))
    found = [gains for gains in found if gains]
    if not found:
        return [], {}
    gains, errors = np.moveaxis(np.array(found), -1, 0)  # (programs, actions) each
    order = clock_order(gains, errors)[: config.size]
    ratios = np.exp(shrunk(gains, errors))
    rows = range(len(gains)) if len(gains) > 1 else ()
    left_out = [_left_out(gains, errors, row) for row in rows]
    return order, {
        "timed_programs": len(found),
        "median_error": float(np.median(errors[errors > 0])) if errors.any() else 0.0,
        "clock_geomean_first_n": {
            count: float(np.exp(np.log(best_of_first(ratios, order, count)).mean()))
            for count in _COUNTS
        },
        "clock_first_left_out": float(np.exp(np.mean(left_out))) if left_out else None,
    }


def _left_out(gains: np.ndarray, errors: np.ndarray, row: int) -> float:
    """What the others' first choice gains on a program, as measured, losses too."""
    order = clock_order(np.delete(gains, row, 0), np.delete(errors, row, 0))
    return float(np.nan_to_num(gains[row, order[0]])) if order else 0.0


def _command(config: SpeedConfig) -> str:
    words = ["python -m experiments.mine_speed"]
    if config.programs:
        words += ["--programs", *config.programs]
    for name in ("pool", "edits", "rounds"):
        if (value := getattr(config, name)) != getattr(SpeedConfig, name):
            words.append(f"--{name} {value}")
    return " ".join(words)


def main(config: SpeedConfig) -> int:
    """Mine, write, print."""
    figures = mine(config)
    write_run_json(config.folder, config, figures)
    print(json.dumps(figures, indent=1))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(tyro.cli(SpeedConfig)))
