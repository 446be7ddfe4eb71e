"""Mine the coresets: short ranked lists of sequences, one of which beats Oz on most programs.

On training programs only: search each module (thinned O2, genetic, random sequences), pool
what beat Oz, run the whole pool on all modules, and choose by greedy cover, for ``.text`` and
for instructions apart. The sequences chosen must leave the outputs of the training programs
as they are. Writes ``agents/data/coreset-text.json`` and ``coreset-ir.json``, and
``results/mine_coreset/run.json``. A second start goes on where the first was interrupted.

    python -m experiments.mine_coreset --corpus WORK/modules
"""

from __future__ import annotations

import json
import os
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import tyro
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from mirgym.agents.actionset import ActionSet, build
from mirgym.agents.controls import CORESETS
from mirgym.passes import Pass

from .cover import best_of_first, greedy_cover, held_out_geomean
from .mining import OBJECTIVES, OZ, Searches, check_module, score_module, search_module
from .runs import RESULTS, write_run_json
from .training_modules import DrawConfig, TrainingModule

_S = TypeVar("_S")
_T = TypeVar("_T")
_COUNTS = (1, 3, 10, 45)
_AGENTS_DATA = Path(__file__).resolve().parent.parent / "agents" / "data"


@dataclass(frozen=True)
class MineConfig(DrawConfig):
    """The run."""

    searches: Searches = field(default_factory=Searches)
    """On each module and objective."""
    corpus_count: int = 100
    largest: int = 6_000
    size: int = 80
    """Sequences of a coreset."""
    known: tuple[Path, ...] = ()
    """Coresets of earlier runs, whose sequences are candidates too."""
    check: bool = True
    """Run the training programs with the sequences chosen and compare their outputs."""
    jobs: int = os.cpu_count() or 1
    folder: Path = RESULTS / "mine_coreset"
    work: Path = Path("runs/mine_coreset")
    """Searches, scores and the transition cache: what a second start goes on from."""
    output: Path = _AGENTS_DATA


@dataclass(frozen=True)
class Pool:
    """Sequences, and the modules (by index) that each was found on."""

    sequences: list[Pass]
    owners: list[frozenset[int]]


def in_processes(jobs: int, what: str, modules: Sequence[_S], work: Callable[[_S], _T]) -> list[_T]:
    """The results in the order of the modules (or whatever it is), with a progress bar."""
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    results: dict[int, _T] = {}
    with Progress(*columns) as bar, ProcessPoolExecutor(jobs) as pool:
        task = bar.add_task(what, total=len(modules))
        futures = {pool.submit(work, module): index for index, module in enumerate(modules)}
        try:
            for future in as_completed(futures):
                results[futures[future]] = future.result()
                bar.advance(task)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return [results[index] for index in range(len(modules))]


def _pool(found: Sequence[list[dict[str, Any]]], known: Sequence[Path]) -> Pool:
    """All that beat Oz somewhere, what is known, and the named actions that are pipelines."""
    named = [*build("stages+o2-less").actions]
    named += [action for path in known for action in ActionSet.load(path).actions]
    owners: dict[Pass, set[int]] = {
        Pass("", action.pipeline, options=action.options): set()
        for action in named
        if action.pipeline != OZ or action.options
    }
    for index, entries in enumerate(found):
        for entry in entries:
            options = tuple(sorted(entry["options"].items()))
            sequence = Pass("", entry["pipeline"], options=options)
            owners.setdefault(sequence, set()).add(index)
    return Pool(list(owners), [frozenset(owner) for owner in owners.values()])


def _choose(
    ratios: np.ndarray, pool: Pool, config: MineConfig, modules: Sequence[TrainingModule]
) -> tuple[list[int], list[Pass]]:
    """The cover's choice without sequences that change a program's output, which it returns."""
    ratios = ratios.copy()
    refused: list[Pass] = []
    checked: set[int] = set()
    while True:
        chosen = greedy_cover(ratios, config.size)
        new = [column for column in chosen if column not in checked]
        if not config.check or not new:
            return chosen, refused
        check = partial(
            check_module, sequences=[pool.sequences[column] for column in new], folder=config.work
        )
        changed = set().union(*in_processes(config.jobs, "check outputs", modules, check))
        wrong = [column for column in new if pool.sequences[column] in changed]
        checked.update(new)
        refused += [pool.sequences[column] for column in wrong]
        ratios[:, wrong] = 0


def _write_coreset(
    config: MineConfig, objective: str, sequences: Sequence[Pass], figures: dict[str, Any]
) -> None:
    name = CORESETS[objective].removesuffix(".json")
    actions = tuple(
        sequence._replace(name=f"{name}:{rank:02}", group="coreset")
        for rank, sequence in enumerate(sequences, 1)
    )
    about = {
        "command": command(config),
        "objective": objective,
        "searches": asdict(config.searches),
        **figures,
    }
    ActionSet(actions, name, about).save(config.output / CORESETS[objective])


def command(config: MineConfig) -> str:
    """The command line that a file's reader needs: no options of where, nor with how many.

    >>> command(MineConfig(programs=("crc", "sha"), size=60))
    'python -m experiments.mine_coreset --programs crc sha --size 60'
    """
    words = ["python -m experiments.mine_coreset"]
    given, usual = asdict(config), asdict(MineConfig())
    searches, usual_searches = given.pop("searches"), usual.pop("searches")
    given |= {f"searches.{name}": value for name, value in searches.items()}
    usual |= {f"searches.{name}": value for name, value in usual_searches.items()}
    for name in ("jobs", "folder", "work", "output"):
        del given[name]
    given["known"] = tuple(path.name for path in given["known"])
    for name, value in given.items():
        option = name.replace("_", "-")
        if value == usual[name]:
            continue
        if isinstance(value, bool):
            words.append(f"--{option}" if value else f"--no-{option}")
        elif isinstance(value, Path):
            words.append(f"--{option} WORK/{value.name}")
        else:
            values = value if isinstance(value, tuple) else (value,)
            words.append(" ".join([f"--{option}", *map(str, values)]))
    return " ".join(words)


def _figures(
    ratios: np.ndarray, chosen: list[int], pool: Pool, config: MineConfig, refused: Iterable[Pass]
) -> dict[str, Any]:
    """On the modules mined, and on each of them left out."""
    seen = {n: float(np.exp(np.log(best_of_first(ratios, chosen, n)).mean())) for n in _COUNTS}
    return {
        "modules": len(ratios),
        "pool": len(pool.sequences),
        "sequences": len(chosen),
        "geomean_first_n": seen,
        "geomean_first_n_left_out": held_out_geomean(ratios, pool.owners, config.size, _COUNTS),
        "beaten": int((best_of_first(ratios, chosen, config.size) > 1).sum()),
        "refused_for_their_output": len(list(refused)),
    }


def mine(config: MineConfig) -> dict[str, Any]:
    """Run everything; return the figures by objective."""
    started = time.perf_counter()
    modules = config.modules()
    search = partial(search_module, searches=config.searches, folder=config.work)
    found = in_processes(config.jobs, "search", modules, search)
    pool = _pool(found, config.known)
    score = partial(score_module, sequences=pool.sequences, folder=config.work)
    scores = in_processes(config.jobs, "score", modules, score)
    rows = [index for index, score in enumerate(scores) if score]
    place = {index: row for row, index in enumerate(rows)}
    pool = Pool(
        pool.sequences, [frozenset(place[i] for i in own if i in place) for own in pool.owners]
    )
    runnable = [module for module in modules if module.path is None]
    figures: dict[str, Any] = {}
    for objective in OBJECTIVES:
        ratios = np.array([scores[index][objective] for index in rows])  # (modules, sequences)
        chosen, refused = _choose(ratios, pool, config, runnable)
        figures[objective] = _figures(ratios, chosen, pool, config, refused)
        sequences = [pool.sequences[column] for column in chosen]
        _write_coreset(config, objective, sequences, figures[objective])
    seconds = time.perf_counter() - started
    figures["seconds"] = round(seconds, 1)
    figures["seconds_a_module"] = round(seconds * config.jobs / max(len(modules), 1), 1)
    figures["median_ratio_found"] = {
        objective: statistics.median(
            [e["ratio"] for f in found for e in f if e["objective"] == objective] or [1]
        )
        for objective in OBJECTIVES
    }
    return figures


def main(config: MineConfig) -> int:
    """Mine, write, print."""
    figures = mine(config)
    write_run_json(config.folder, config, figures)
    print(json.dumps(figures, indent=1))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(tyro.cli(MineConfig)))
