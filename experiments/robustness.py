"""How far embeddings and their readers are moved by passes that keep the meaning.

Contrastive pre-training pulls together variants of a function that the compiler made (Jain et
al., "Contrastive Code Representation Learning", EMNLP 2021). What that is worth: programs of known
algorithms (``mirgym.tasks.algorithms``) are embedded as clang writes them, and after 1 to 16
random core passes. Three figures, each by the number of passes:

========  =============================================================================
moved     distance from where the program was ÷ median distance between programs
found     share of variants whose nearest unchanged program is the one they came from
answered  share of variants of which a reader, fitted to other programs as clang writes
          them, names the algorithm; the state without passes is the reader's accuracy
========  =============================================================================

``--encoders`` adds encoders of ablation runs (``experiments.pretrain_report``), such as one that
was trained without the contrastive task. Writes ``robustness.csv``, ``robustness.png``,
``run.json``.

    python -m experiments.robustness --encoders NAME=FOLDER/encoder.safetensors ...
"""

from __future__ import annotations

import csv
import dataclasses
import random
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tyro
from rich.progress import track

from mirgym.encoder.embedder import Embedder
from mirgym.errors import MirgymError
from mirgym.passes import catalogue
from mirgym.programs.compile import compile_source
from mirgym.tasks.algorithms import ALGORITHMS, generate
from mirgym.tasks.code import COUNTERS, packaged_vocabulary, shared_embedders
from mirgym.tasks.kernel_heads import Block, predict
from mirgym.tasks.protocols import Fold, stratified
from mirgym.wire import NO_KEY, Wanted
from mirgym.worker import WorkerSession

from .figures import plot_robustness
from .runs import RESULTS, write_run_json

PASSES = (1, 2, 4, 8, 16)
FIGURES = ("moved", "found", "answered")
_INNER_FOLDS = 3
_FAR = 5.0
"""Standard deviations: a column that hardly varies among programs must not decide."""


@dataclass(frozen=True)
class RobustnessConfig:
    """The run."""

    encoders: tuple[str, ...] = ()
    """Further ones, each as NAME=PATH of weights."""
    classes: int = len(ALGORITHMS)
    train: int = 8
    """Programs of each class that the reader is fitted to."""
    test: int = 2
    """Programs of each class that are changed."""
    variants: int = 2
    """Of each, by number of passes."""
    seed: int = 0
    folder: Path = RESULTS / "robustness"


class Seen(NamedTuple):
    """A program in a state."""

    label: int
    program: int
    passes: int
    """How many were applied; of training programs 0."""
    is_test: bool
    views: Mapping[str, Any]


class Result(NamedTuple):
    """A row of the table."""

    encoder: str
    passes: int
    moved: float
    found: float
    answered: float


def see(config: RobustnessConfig) -> Iterator[Seen]:
    """All programs, and the variants of those for the test."""
    wanted = Wanted.of(views=("functions", *COUNTERS), key=False)
    classes = list(ALGORITHMS)[: config.classes]
    numbers = range(config.train + config.test)
    every = [(label, number) for label in range(len(classes)) for number in numbers]
    with tempfile.TemporaryDirectory() as folder, WorkerSession() as session:
        source = Path(folder) / "program.c"
        for program, (label, number) in enumerate(track(every, "programs")):
            source.write_text(generate(classes[label], number).source, encoding="utf-8")
            module = compile_source(source, ())
            is_test = number >= config.train
            session.start_again_if_dead()
            views = session.load(module, level="Oz", wanted=wanted).views
            yield Seen(label, program, 0, is_test, views)
            if is_test:
                rng = random.Random(f"{config.seed} {program}")
                for _ in range(config.variants):
                    for passes, changed in _changed(session, module, wanted, rng):
                        yield Seen(label, program, passes, True, changed)


def _changed(
    session: WorkerSession, module: bytes, wanted: Wanted, rng: random.Random
) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Views along one random sequence, which ends early where a pass fails."""
    session.load(module, level="Oz", wanted=NO_KEY)
    core = catalogue()
    done = 0
    while done < max(PASSES):
        step = rng.choice(core)
        try:
            state = session.step(step.pipeline, dict(step.options), wanted=wanted)
        except MirgymError:
            return
        done += state.changed
        if state.changed and done in PASSES:
            yield done, state.views


def figures_of(name: str, x: np.ndarray, seen: Sequence[Seen], is_count: bool) -> list[Result]:
    """The three figures of one kind of features (n, d), by number of passes."""
    label = np.array([one.label for one in seen])
    program = np.array([one.program for one in seen])
    passes = np.array([one.passes for one in seen])
    is_test = np.array([one.is_test for one in seen])
    fold = Fold(np.flatnonzero(~is_test), np.flatnonzero(is_test))
    inner = [
        Fold(fold.train[fit], fold.train[valid])
        for fit, valid in stratified(label[fold.train], _INNER_FOLDS)
    ]
    answers = predict([Block(x, is_count)], label, fold, inner)
    right = np.zeros(len(seen), bool)
    right[fold.test] = answers == label[fold.test]
    z = _scaled(np.log1p(x) if is_count else x, fold.train)
    unchanged = np.flatnonzero(passes == 0)
    distance = _distances(z[fold.test], z[unchanged])
    own = program[fold.test][:, None] == program[unchanged][None]
    away = distance[own]  # each test row has one unchanged program
    apart = np.median(_distances(z[unchanged], z[unchanged])[~np.eye(len(unchanged), dtype=bool)])
    found = own[np.arange(len(own)), distance.argmin(1)]
    rows = []
    for count in (0, *PASSES):
        some = passes[fold.test] == count
        rows.append(
            Result(
                name,
                count,
                float(np.mean(away[some]) / apart),
                float(found[some].mean()),
                float(right[fold.test][some].mean()),
            )
        )
    return rows


def _scaled(x: np.ndarray, rows: np.ndarray) -> np.ndarray:
    deviation = x[rows].std(0)
    scale = np.where(deviation > 1e-6, deviation, 1.0)
    out: np.ndarray = np.clip((x - x[rows].mean(0)) / scale, -_FAR, _FAR)
    return out


def _distances(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """(n, m) Euclidean."""
    square = (left**2).sum(1)[:, None] + (right**2).sum(1)[None] - 2 * left @ right.T
    out: np.ndarray = np.sqrt(np.maximum(square, 0.0))
    return out


def features(seen: Sequence[Seen], config: RobustnessConfig) -> Iterator[tuple[str, np.ndarray]]:
    """Of encoders and counters by name, (n, d) each."""
    embedders = dict(shared_embedders())
    for told in config.encoders:
        name, equals, path = told.partition("=")
        if not equals:
            raise ValueError(f"--encoders {told}: expected NAME=PATH")
        embedders[name] = Embedder(Path(path))
    for name, embedder in embedders.items():
        rows = [embedder.module(one.views["functions"]) for one in track(seen, name)]
        yield name, np.stack(rows)
    vocabulary = packaged_vocabulary()
    for name in COUNTERS:
        x = np.stack([np.asarray(one.views[name], np.float32) for one in seen])
        if name != "ir2vec":
            yield name, x
        elif vocabulary is not None:
            yield name, x @ vocabulary


def main(config: RobustnessConfig) -> int:
    """Measure, write, print."""
    seen = list(see(config))
    rows = [
        row
        for name, x in features(seen, config)
        for row in figures_of(name, x, seen, name in ("autophase", "instcount"))
    ]
    config.folder.mkdir(parents=True, exist_ok=True)
    with (config.folder / "robustness.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(Result._fields)
        writer.writerows([(r.encoder, r.passes, *(f"{x:.4f}" for x in r[2:])) for r in rows])
    plot_robustness(config.folder / "robustness.png", [row._asdict() for row in rows], FIGURES)
    last = {row.encoder: {n: round(getattr(row, n), 3) for n in FIGURES} for row in rows}
    names = tuple(told.partition("=")[0] for told in config.encoders)
    figures = {"programs": len(seen), "after_all_passes": last}
    write_run_json(config.folder, dataclasses.replace(config, encoders=names), figures)
    for row in rows:
        print(*row)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(tyro.cli(RobustnessConfig)))
