"""Execution-aware embeddings: code and values together predict branches and addresses.

After Shi et al., "Learning Execution through Neural Code Fusion" (ICLR 2020). A program at O2
is traced with snapshots of its functions' values (``execution_data``). One graph network for
all programs (``execution_net``) learns from the first 70 % of each trace which way a block's
branch goes and where its loads read, and is asked about the rest, beside predictors that learn
as they go (``predictors``). Ablations leave out the values or the code, write values otherwise,
or learn one task alone. Writes ``table.csv``, ``per_program.csv``, ``execution.png`` and
``run.json``; traces, guesses and weights are in the work folder, where a second start goes on.

    python -m experiments.execution --help
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import NamedTuple

import torch
import tyro

from mirgym.programs import resolve_all
from mirgym.session import InProcessSession

from .execution_data import DataConfig, record
from .execution_net import ExecutionNet, NetConfig
from .execution_report import Row, over_all_events, sizes, table, wins
from .execution_scores import (
    NO_BRANCHES,
    NO_LOADS,
    POINTER,
    USUAL,
    Guesses,
    ProgramData,
    Questions,
    controls,
    guesses,
    score,
    score_predictors,
)
from .execution_train import TrainConfig, ask, train
from .figures import plot_execution
from .runs import RESULTS, write_rows, write_run_json


class Variant(NamedTuple):
    """A network, and the tasks that it learns."""

    net: NetConfig
    tasks: tuple[str, ...] = ("branch", "load")


FUSED, HINTED = "code and values", "with TAGE's guess"
VARIANTS = {
    FUSED: Variant(NetConfig()),
    "code alone": Variant(NetConfig(values="none", relative=False)),
    "values alone": Variant(NetConfig(code=False)),
    HINTED: Variant(NetConfig(hint=True)),
    "values as scalars": Variant(NetConfig(values="scalar")),
    "values as categories": Variant(NetConfig(values="categorical")),
    "whole addresses": Variant(NetConfig(relative=False)),
    "branches alone": Variant(NetConfig(), ("branch",)),
    "loads alone": Variant(NetConfig(), ("load",)),
}
"""What is not said is as in the first: binary, distances from pointers, both tasks."""


@dataclass(frozen=True)
class ExecutionExperiment:
    """What is recorded, and which networks learn from it."""

    programs: tuple[str, ...] = (
        "mirbench/sorting",
        "mirbench/shortestpath",
        "mirbench/radixtrie",
        "mirbench/json",
        "mirbench/regex",
        "mirbench/hashtable",
        "mirbench/trees",
        "mirbench/lisp",
    )
    variants: tuple[str, ...] = tuple(VARIANTS)
    """Names of ``VARIANTS``."""
    seeds: tuple[int, ...] = (0, 1)
    minutes: float = 30.0
    """No training starts after these; the figures are of the networks trained until then."""
    data: DataConfig = field(default_factory=DataConfig)
    training: TrainConfig = field(default_factory=TrainConfig)
    folder: Path = field(default=RESULTS / "execution")
    work: Path = Path("runs/execution")


def load_data(config: ExecutionExperiment) -> list[ProgramData]:
    """Record every program, or read what the work folder has of it."""
    config.work.mkdir(parents=True, exist_ok=True)
    found = []
    key = f"{config.data.events}-{config.data.snapshots}"
    for program in resolve_all(config.programs):
        path = config.work / f"{program.name}-{key}.parquet"
        with InProcessSession() as session:
            recording = record(session, program, config.data, path)
        guessed = path.with_suffix(".npz")
        if not guessed.exists():
            guesses(recording).save(guessed)
        data = ProgramData.of(recording, Guesses.load(guessed), config.data)
        train_size, test_size = (
            sum(len(one.values) for one in part) for part in (data.train, data.test)
        )
        print(f"{program.name}: {train_size} samples, {test_size} for the test", flush=True)
        found.append(data)
    return found


def weights_path(config: ExecutionExperiment, name: str, seed: int) -> Path:
    """Where a network's weights are; another configuration has another file."""
    parts = (config.programs, asdict(config.data), asdict(config.training), VARIANTS[name])
    digest = hashlib.sha256(repr(parts).encode()).hexdigest()[:12]
    return config.work / f"{name.replace(' ', '-')}-{seed}-{digest}.safetensors"


def network(
    config: ExecutionExperiment, data: Sequence[ProgramData], name: str, seed: int
) -> ExecutionNet:
    """A trained network; its weights are kept in the work folder."""
    path = weights_path(config, name, seed)
    if not path.exists():
        variant = VARIANTS[name]
        blocks = [block for one in data for block in one.train]
        began = time.monotonic()
        net = train(blocks, variant.net, config.training, seed, variant.tasks)
        print(f"{name}, seed {seed}: {time.monotonic() - began:.0f} s", flush=True)
        net.save(path)
    return ExecutionNet.read(path)


def score_networks(config: ExecutionExperiment, data: Sequence[ProgramData]) -> list[Row]:
    """Every variant and seed, as far as the time goes; a task that was not learnt has NaN."""
    ends = time.monotonic() + 60 * config.minutes
    rows = []
    for seed in config.seeds:
        for name in config.variants:
            if time.monotonic() > ends and not weights_path(config, name, seed).exists():
                print(f"{name}, seed {seed}: no time left", flush=True)
                continue
            net = network(config, data, name, seed)
            for one in data:
                found = score(one.payloads, Questions.of(one.test), ask(net, one.test))
                if "branch" not in VARIANTS[name].tasks:
                    found = found._replace(**NO_BRANCHES)
                if "load" not in VARIANTS[name].tasks:
                    found = found._replace(**NO_LOADS)
                rows.append(Row(name, "network", one.name, seed, found))
    return rows


def score_others(data: Sequence[ProgramData]) -> list[Row]:
    """Predictors and controls."""
    rows = []
    for one in data:
        events = Questions.of(one.test)
        both = score(one.payloads, events, controls(one))
        rows += [
            Row(USUAL, "control", one.name, 0, both._replace(**NO_LOADS)),
            Row(POINTER, "control", one.name, 0, both._replace(**NO_BRANCHES)),
            *(
                Row(name, "predictor", one.name, 0, found)
                for name, found in score_predictors(one, events).items()
            ),
        ]
    return rows


def main(config: ExecutionExperiment) -> None:
    """Record, train, ask, and write the folder."""
    torch.set_num_threads(1)
    data = load_data(config)
    rows = score_others(data) + score_networks(config, data)
    lines = table(rows)
    figures = {
        **sizes(data),
        "predictors_on_all_events": over_all_events(data),
        "programs_won": {name: wins(rows, name) for name in (FUSED, HINTED)},
        "table": lines,
    }
    write_run_json(config.folder, config, figures)
    write_rows(config.folder / "table.csv", lines)
    write_rows(config.folder / "per_program.csv", [row.flat() for row in rows])
    plot_execution(config.folder / "execution.png", lines)
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main(tyro.cli(ExecutionExperiment))
