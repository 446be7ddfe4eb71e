"""Which algorithm is it? Small readers of programs that were run, on held-out templates.

The programs are generated (``mirgym.tasks.algorithms``); the last template of each class is
only in the test. Each is run once on its input, as clang writes it and after O2, which is the
code that the networks learnt from.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from rich.progress import track

from mirgym.dynamic_cost import CostMeter
from mirgym.encoder.embedder import Embedder, shared_embedder
from mirgym.session import InProcessSession
from mirgym.tasks.algorithms import ALGORITHMS, generate, split_of

from . import probe_heads as heads
from .execution_net import ExecutionNet
from .fused_programs import Seen, as_program, columns, stacked
from .runs import kept

STATES = {"O2": "default<O2>", "unoptimised": ""}
"""Pipelines that the programs are run after."""
_EVENTS, _SNAPSHOTS, _EVERY = 50_000, 4_000, 3
"""These programs run a few thousand blocks."""
_VALID_SHARE = 0.2
_READERS: tuple[heads.Kind, ...] = ("linear", "mlp")


@dataclass(frozen=True)
class AlgorithmConfig:
    """The programs and their readers."""

    per_class: int = 12
    """Generated programs of each algorithm."""
    classes: int = len(ALGORITHMS)
    states: tuple[str, ...] = tuple(STATES)
    """Names of ``STATES``."""
    readers: int = 5
    """Seeds of each reader; each also has another 80 % of the programs to fit to."""


class Programs(NamedTuple):
    """N programs in a state.

    Attributes:
        features: Of each name (N, d).
        labels: (N,) int64.
        fit, valid, test: Rows.
    """

    features: dict[str, np.ndarray]
    labels: np.ndarray
    fit: np.ndarray
    valid: np.ndarray
    test: np.ndarray


def programs(
    config: AlgorithmConfig, state: str, nets: Mapping[str, ExecutionNet], work: Path
) -> Programs:
    """Run and describe them; a file a class is kept in the work folder."""
    names = ALGORITHMS[: config.classes]
    work.mkdir(parents=True, exist_ok=True)
    found = []
    for name in track(names, f"algorithms, {state}"):
        path = work / f"{state}-{name.replace(' ', '-')}-{config.per_class}.npz"
        if not path.exists():
            described = list(_of_class(name, config.per_class, STATES[state], nets))
            temporary = path.with_suffix(".part.npz")
            np.savez_compressed(temporary, **stacked(described))  # type: ignore[arg-type]
            temporary.replace(path)
        with np.load(path) as file:
            found.append(dict(file))
    features = {name: np.concatenate([one[name] for one in found]) for name in found[0]}
    held_out = np.array(
        [split_of(generate(n, i)) == "test" for n in names for i in range(config.per_class)]
    )
    is_valid = np.random.default_rng(0).random(len(held_out)) < _VALID_SHARE
    masks = (~held_out & ~is_valid, ~held_out & is_valid, held_out)
    labels = np.repeat(np.arange(len(names)), config.per_class)
    return Programs(features, labels, *map(np.flatnonzero, masks))


def _of_class(
    name: str, count: int, pipeline: str, nets: Mapping[str, ExecutionNet]
) -> Iterator[dict[str, np.ndarray]]:
    embedder: Embedder = shared_embedder("tiny")
    with tempfile.TemporaryDirectory() as folder, InProcessSession() as session:
        for seed in range(count):
            program = as_program(generate(name, seed), Path(folder))
            session.load(program.bitcode(), level="O2")
            if pipeline:
                session.step(pipeline)
            trace = CostMeter(program).trace(
                session, limit=_EVENTS, snapshots=_SNAPSHOTS, every=_EVERY
            )
            yield columns(Seen.of(session, trace), nets, embedder)


def accuracies(
    asked: Programs, sets: Sequence[np.ndarray], readers: int, work: Path
) -> dict[str, list[float]]:
    """Test accuracies by reader, of each seed and of each of several like feature sets."""
    found: dict[str, list[float]] = {}
    for kind in _READERS:
        found[kind] = []
        for number, x in enumerate(sets):
            path = work / f"{kind}-{number}-{readers}.json"
            found[kind] += kept(path, partial(_read, asked, x, kind, readers))
    return found


def _read(asked: Programs, x: np.ndarray, kind: heads.Kind, readers: int) -> list[float]:
    rows = (asked.fit, asked.valid, asked.test)
    parts = heads.Parts(*(heads.Part(x[some], asked.labels[some]) for some in rows))
    return heads.ask(partial(heads.classes, kind=kind), parts, readers)
