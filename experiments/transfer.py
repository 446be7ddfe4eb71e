"""One encoder, many questions: what pre-training is worth beside training on the question.

For each question (``experiments.transfer_data``) the test score of small readers on frozen
features (encoders, counters), and of an encoder trained on the question itself, from random and
from pre-trained weights (``experiments.end_to_end``). Then PPO on ``mir-llvm-v0`` with the frozen
embedding of pre-trained and of random weights: how many steps each takes to the same score on
held-out programs. Writes ``table.csv``, ``ppo.csv``, ``transfer.png``, ``run.json``; a second
start goes on where the first was interrupted.

    pip install ir2vec --no-deps   # for IR2Vec's seed vocabulary
    python -m experiments.transfer --text-run FOLDER --graph-run FOLDER --both-run FOLDER
"""

from __future__ import annotations

import csv
import hashlib
import json
import pickle
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
import tyro

from mirgym import _native
from mirgym.encoder.config import TINY
from mirgym.encoder.embedder import Embedder
from mirgym.encoder.model import Encoder
from mirgym.encoder.weights import FOLDER as WEIGHTS
from mirgym.features import FUNCTION_FEATURES
from mirgym.programs.cache import write_atomically
from mirgym.tasks.algorithms import ALGORITHMS
from mirgym.tasks.code import packaged_vocabulary
from mirgym.tasks.devmap_data import FILES
from mirgym.tasks.published import installed

from . import probe_heads as heads
from .end_to_end import TuneConfig, tuned
from .figures import plot_transfer
from .runs import RESULTS, write_run_json
from .transfer_data import Question, questions
from .transfer_ppo import PpoTransfer, compare

Rows = Callable[[Question], np.ndarray]
"""Frozen features of a question's programs, (N, d) float32."""


@dataclass(frozen=True)
class TransferConfig:
    """The run."""

    text_run: Path | None = None
    """Run of ``mirgym pretrain`` with the text alone."""
    graph_run: Path | None = None
    """Run with the graph alone."""
    both_run: Path | None = None
    """Run with both, of the same size and time as these two."""
    per_class: int = 40
    """Generated programs of each algorithm."""
    classes: int = len(ALGORITHMS)
    seeds: int = 5
    tune: TuneConfig = field(default_factory=TuneConfig)
    ppo: PpoTransfer = field(default_factory=PpoTransfer)
    folder: Path = RESULTS / "transfer"
    work: Path = Path("runs/transfer")
    """Questions and scores that are known already, and checkpoints of PPO."""


def frozen(config: TransferConfig) -> Iterator[tuple[str, Rows]]:
    """The columns with frozen features."""
    yield "raw counts", _counts
    vocabulary = packaged_vocabulary()
    if vocabulary is None:
        print("no column IR2Vec: `pip install ir2vec --no-deps`")
    else:
        yield "IR2Vec", partial(_ir2vec, vocabulary=vocabulary)
    torch.manual_seed(0)
    yield "random weights", partial(_embedded, embedder=Embedder(Encoder(TINY)))
    runs = {"text only": config.text_run, "graph only": config.graph_run, "both": config.both_run}
    for name, run in runs.items():
        if run is not None:
            embedder = Embedder(run / "encoder.safetensors")
            yield f"{name}, 3 minutes", partial(_embedded, embedder=embedder)
    for name in ("tiny", "base"):
        yield f"frozen {name}", partial(_embedded, embedder=Embedder(name))


def _counts(question: Question) -> np.ndarray:
    some = np.r_[FUNCTION_FEATURES["instcount"], FUNCTION_FEATURES["autophase"]]
    return np.stack([one.features[some] for one in question.programs]).astype(np.float32)


def _ir2vec(question: Question, vocabulary: np.ndarray) -> np.ndarray:
    counts = np.stack([one.features[FUNCTION_FEATURES["ir2vec"]] for one in question.programs])
    out: np.ndarray = (counts @ vocabulary).astype(np.float32)
    return out


def _embedded(question: Question, embedder: Embedder) -> np.ndarray:
    return np.stack([embedder.module(one.module) for one in question.programs])


def read_frozen(question: Question, x: np.ndarray, seeds: int) -> dict[str, list[float]]:
    """Test scores of each seed, by the kind of reader that is better on the validation rows."""
    x = np.concatenate([x, question.more], axis=1)
    rows = (question.fit, question.valid, question.test)
    parts = heads.Parts(*(heads.Part(x[some], question.y[some]) for some in rows))
    if question.kind == "classes":
        kinds: tuple[heads.Kind, ...] = ("linear", "mlp")
        readers = {str(kind): partial(heads.classes, kind=kind) for kind in kinds}
        kind, scores = heads.ask_best(readers, parts, seeds)
        return {kind: scores}
    regressions = {"linear": heads.ridge_values, "mlp": heads.mlp_values}
    kind, answers = heads.ask_best(regressions, parts, seeds)
    return {kind: [float(heads.r2(one, parts.test.y)[0]) for one in answers]}


class Known:
    """Scores by question, column and reader, kept in a file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.scores: dict[str, list[float]] = {}
        if path.exists():
            self.scores = json.loads(path.read_text(encoding="utf-8"))

    def of(self, key: Sequence[str], make: Callable[[], dict[str, list[float]]]) -> None:
        """Make the scores of a question and a column, unless they are known."""
        start = "/".join(key)
        if not any(name.startswith(f"{start}/") for name in self.scores):
            for reader, values in make().items():
                self.scores[f"{start}/{reader}"] = values
                print(f"{start}, {reader}: {np.mean(values):.3f}", flush=True)
            write_atomically(self._path, json.dumps(self.scores).encode())


def table(config: TransferConfig) -> dict[str, list[float]]:
    """Every score of every question."""
    known = Known(config.work / f"scores-{_digest(config)}.json")
    asked = _questions(config)
    for name, rows in frozen(config):
        for one in asked:
            known.of((one.name, name), partial(_read, one, rows, config.seeds))
    for name, pretrained in (("from scratch", None), ("fine-tuned tiny", "tiny")):
        for one in asked:
            known.of((one.name, name), partial(_tuned, one, pretrained, config))
    return known.scores


def _digest(config: TransferConfig) -> str:
    """Of all that scores depend on; those of another run have another file."""
    runs = (config.text_run, config.graph_run, config.both_run)
    weights = [run and _sha256(run / "encoder.safetensors") for run in runs]
    shipped = [_sha256(WEIGHTS / f"{name}.safetensors") for name in ("tiny", "base")]
    numbers = (config.per_class, config.classes, config.seeds, config.tune)
    told = repr((_asked(config), numbers, weights, shipped))
    return hashlib.sha256(told.encode()).hexdigest()[:12]


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _asked(config: TransferConfig) -> str:
    """Name of what ``questions`` gives here: with LLVM's version, whose code it is."""
    whole = "whole" if installed("devmap", FILES) else "generated"
    return f"questions-{whole}-{config.per_class}-{config.classes}-{_native.llvm_version()}"


def _questions(config: TransferConfig) -> list[Question]:
    """Made once, then read from the work folder, whose files are ours: a pickle runs code."""
    path = config.work / f"{_asked(config)}.pickle"
    if not path.exists():
        asked = questions(config.per_class, config.classes)
        write_atomically(path, pickle.dumps(asked))
    found: list[Question] = pickle.loads(path.read_bytes())
    return found


def _read(question: Question, rows: Rows, seeds: int) -> dict[str, list[float]]:
    return read_frozen(question, rows(question), seeds)


def _tuned(
    question: Question, pretrained: str | None, config: TransferConfig
) -> dict[str, list[float]]:
    scores = [tuned(question, pretrained, config.tune, seed) for seed in range(config.seeds)]
    return {"trained": scores}


def write_table(path: Path, scores: dict[str, list[float]]) -> None:
    """A line for each question, column and reader."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["question", "column", "reader", "mean", "deviation", "seeds"])
        for key, values in scores.items():
            spread = (f"{np.mean(values):.4f}", f"{np.std(values):.4f}", len(values))
            writer.writerow([*key.split("/"), *spread])


def means(scores: dict[str, list[float]]) -> dict[str, dict[str, float]]:
    """Means over seeds by question and column.

    >>> means({"oz/raw counts/linear": [0.25, 0.75]})
    {'oz': {'raw counts': 0.5}}
    """
    found: dict[str, dict[str, float]] = {}
    for key, values in scores.items():
        question, column, _ = key.split("/")
        found.setdefault(question, {})[column] = float(np.mean(values))
    return found


def main(config: TransferConfig) -> int:
    """The table, then PPO."""
    config.work.mkdir(parents=True, exist_ok=True)
    config.folder.mkdir(parents=True, exist_ok=True)
    scores = table(config)
    write_table(config.folder / "table.csv", scores)
    best = means(scores)
    figures: dict[str, Any] = {"questions": best}
    curves = compare(config.ppo, config.work / "ppo", config.folder / "ppo.csv")
    figures["ppo"] = curves.figures
    plot_transfer(config.folder / "transfer.png", best, curves.points)
    write_run_json(config.folder, config, figures)
    print(json.dumps(figures, indent=1))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(tyro.cli(TransferConfig)))
