"""What the embedding of code and values is good for: naming algorithms, ordering pipelines.

The networks of ``experiments.execution`` learnt what eight programs do next; here they stay as
they are and describe other programs, from a run with snapshots (``fused_programs``). Two
questions, each with controls at equal terms:

* Which algorithm is a generated program (``fused_algorithms``)? Readers on held-out templates.
* In which order should the agent ``speed`` try its pipelines (``fused_speed``, ``fused_orders``)?
  Orders are learnt from mirbench's training programs and judged on each of these by the others;
  the held-out programs are looked at once, with what the training programs chose.

Reads the networks from the work folder of ``experiments.execution``, or trains them there. Writes
``table.csv``, ``orders.csv``, ``fused.png`` and ``run.json``; a second start goes on where the
first was interrupted.

    python -m experiments.fused --help
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
import tyro
from rich.progress import track

from mirgym.programs import resolve_all

from . import fused_orders as orders
from .execution import FUSED, VARIANTS, ExecutionExperiment, load_data, network, weights_path
from .execution_data import DataConfig
from .execution_net import ExecutionNet
from .execution_train import TrainConfig
from .figures import plot_fused
from .fused_algorithms import AlgorithmConfig, accuracies, programs
from .fused_programs import COUNTS, HOT_TINY, TINY, VALUES
from .fused_speed import PROFILE, Describer, Suite, suite
from .runs import RESULTS, write_rows, write_run_json

CODE, UNTRAINED = "code alone", "untrained"
NETWORKS = (FUSED, CODE, UNTRAINED)
GREEDY, LISTED = "greedy on training programs", "as in speed.json"
Sets = dict[str, list[np.ndarray]]
"""Feature sets by name, (N, d) each; of networks one for each seed."""


@dataclass(frozen=True)
class FusedExperiment:
    """Which networks describe which programs."""

    seeds: tuple[int, ...] = (0,)
    """Of the networks of execution."""
    algorithms: AlgorithmConfig = field(default_factory=AlgorithmConfig)
    train: tuple[str, ...] = ("mirbench:train",)
    """Programs that orders are learnt from."""
    test: tuple[str, ...] = ("mirbench:test",)
    """Programs for a last look; may be empty."""
    pipelines: int = 20
    """The first so many that the agent knows, as many as it tries of 100 compiles; 0 for all."""
    traces: DataConfig = field(default_factory=lambda: DataConfig(events=200_000, snapshots=1000))
    """Of the programs of ``train`` and ``test``."""
    execution: ExecutionExperiment = field(
        default_factory=lambda: ExecutionExperiment(
            data=DataConfig(snapshots=8000), training=TrainConfig(epochs=5)
        )
    )
    """The networks: as many steps as its table's, on more of the same traces' snapshots."""
    folder: Path = field(default=RESULTS / "fused")
    work: Path = Path("runs/fused")


def networks(config: FusedExperiment) -> dict[str, ExecutionNet]:
    """Trained ones with and without values, and some with random weights: ``NAME/SEED``."""
    execution = config.execution
    wanted = [(name, seed) for name in (FUSED, CODE) for seed in config.seeds]
    there = all(weights_path(execution, *one).exists() for one in wanted)
    data = [] if there else load_data(execution)
    found = {f"{name}/{seed}": network(execution, data, name, seed) for name, seed in wanted}
    for seed in config.seeds:
        torch.manual_seed(seed)
        found[f"{UNTRAINED}/{seed}"] = ExecutionNet(VARIANTS[FUSED].net).eval()
    return found


def feature_sets(features: Mapping[str, np.ndarray], seeds: Sequence[int]) -> Sets:
    """By name, in the order of the table; with the fused ones also beside tiny."""
    of_nets = {name: [features[f"{name}/{seed}"] for seed in seeds] for name in NETWORKS}
    plain = {
        name: [features[name]]
        for name in (COUNTS, TINY, HOT_TINY, VALUES, PROFILE)
        if name in features
    }
    tiny = features[TINY]
    return {
        **of_nets,
        **plain,
        f"{TINY} + {VALUES}": [np.hstack([tiny, features[VALUES]])],
        f"{TINY} + {CODE}": [np.hstack([tiny, x]) for x in of_nets[CODE]],
        f"{TINY} + {FUSED}": [np.hstack([tiny, x]) for x in of_nets[FUSED]],
    }


def name_algorithms(
    config: FusedExperiment, nets: Mapping[str, ExecutionNet], work: Path
) -> list[dict[str, Any]]:
    """A line for each state, feature set and reader."""
    rows = []
    algorithms = config.algorithms
    for state in algorithms.states:
        asked = programs(algorithms, state, nets, work / "programs")
        sets = feature_sets(asked.features, config.seeds)
        for name, some in track(sets.items(), f"readers, {state}"):
            folder = work / f"readers-{algorithms.per_class}-{algorithms.classes}" / state / name
            found = accuracies(asked, some, algorithms.readers, folder)
            rows += [
                {
                    "state": state,
                    "features": name,
                    "reader": reader,
                    "accuracy": round(float(np.mean(values)), 4),
                    "deviation": round(float(np.std(values)), 4),
                    "runs": len(values),
                    "programs": len(asked.test),
                }
                for reader, values in found.items()
            ]
    return rows


def order_pipelines(config: FusedExperiment, known: Suite, new: Suite) -> list[dict[str, Any]]:
    """A line for each order, number of compiles, and half of the programs."""
    gains = known.gains
    nothing = [np.zeros((len(one.gains), 1)) for one in (known, new)]
    everyone = orders.fixed(nothing[0], gains, nothing[0][0])
    listed = range(gains.shape[1])
    seen = {LISTED: orders.each([listed] * len(gains), gains)}
    seen[GREEDY] = orders.left_out(orders.fixed, nothing[0], gains)
    pairs = ((LISTED, listed), (GREEDY, everyone))
    unseen = {name: orders.each([one] * len(new.gains), new.gains) for name, one in pairs}
    of_new = new.features or {name: x[:0] for name, x in known.features.items()}
    sets, others = (feature_sets(one, config.seeds) for one in (known.features, of_new))
    for method, name in track([(m, n) for m in orders.SETTINGS for n in sets], "orders"):
        of_seeds = zip(sets[name], others[name], strict=True)
        both = [_by_features(method, x, gains, y, new.gains) for x, y in of_seeds]
        left, right = (np.mean(half, 0) for half in zip(*both, strict=True))
        seen[f"{method}: {name}"], unseen[f"{method}: {name}"] = left, right
    for found, all_gains in ((seen, gains), (unseen, new.gains)):
        found["random"], found["oracle"] = orders.at_random(all_gains), orders.oracle(all_gains)
    held_out = _lines("held out", unseen) if new.names else ()
    return [*_lines("left out", seen), *held_out]


def _by_features(
    method: str, x: np.ndarray, gains: np.ndarray, y: np.ndarray, new_gains: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Scores of known programs, each ordered by the others, and of new ones."""
    x, y = (np.sign(rows) * np.log1p(np.abs(rows)) for rows in (x, y))
    left_out = orders.left_out(orders.by_features(method), x, gains)
    best = partial(orders.ordered(orders.chosen(method, x, gains)), x, gains)
    return left_out, orders.new_programs(best, y, new_gains)


def _lines(half: str, found: dict[str, np.ndarray]) -> Iterator[dict[str, Any]]:
    for line in orders.lines(found, GREEDY):
        yield {"programs": half, **line}


def _folder(config: FusedExperiment) -> Path:
    """Where what the networks described is kept; other networks, another folder."""
    execution = config.execution
    names = [
        weights_path(execution, name, seed).name for name in (FUSED, CODE) for seed in config.seeds
    ]
    told = repr((names, asdict(config.traces)))
    return config.work / hashlib.sha256(told.encode()).hexdigest()[:12]


def main(config: FusedExperiment) -> None:
    """Describe, read, order, and write the folder."""
    torch.set_num_threads(1)
    nets, work = networks(config), _folder(config)
    config.folder.mkdir(parents=True, exist_ok=True)
    rows = name_algorithms(config, nets, work)
    write_rows(config.folder / "table.csv", rows)
    describer = Describer(config.traces, nets, work / "mirbench")
    known, new = (
        suite(list(resolve_all(some)), describer, config.work / "costs", config.pipelines)
        for some in (config.train, config.test)
    )
    tried = order_pipelines(config, known, new)
    write_rows(config.folder / "orders.csv", tried)
    plot_fused(config.folder / "fused.png", rows, tried)
    sizes = {
        "classes": config.algorithms.classes,
        "test_programs": rows[0]["programs"],
        "pipelines": known.gains.shape[1],
        "known_programs": known.names,
        "new_programs": new.names,
    }
    write_run_json(config.folder, config, {**sizes, "table": rows, "orders": tried})
    print(json.dumps(sizes, indent=1))


if __name__ == "__main__":
    main(tyro.cli(FusedExperiment))
