"""Algorithm classification: which of 64 algorithms does a program implement?

The question is POJ-104's; the programs are our own generator's (``algorithms``), so nothing
is fetched and every program's template and style are known.

========== ============================================================================
template   the last template of each class is the test side: other ways to solve it
program    a quarter of each class's programs is the test side: known ways, other styles
few-shot   ``template`` with a part of each class's training programs, at least one
========== ============================================================================

The metric is the share of test programs that get a wrong class, in percent, with a 95 %
interval by a bootstrap over classes. All methods but the first share one head
(``kernel_heads``), which tunes itself inside the training programs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from . import protocols
from .algorithm_programs import STATES, Programs, read_programs
from .algorithm_report import text_table, write_report
from .algorithms import ALGORITHMS
from .code import COUNTERS, packaged_vocabulary
from .kernel_heads import Block, predict
from .names import picked
from .protocols import Fold
from .published import PublishedFile
from .tables import TextTable
from .task import Job, Row, TaskConfig, Work, stamp_of

PROTOCOLS = ("template", "program", "few-shot")
SHARES = (0.01, 0.05, 0.1, 0.25)
"""Of each class's training programs, in the few-shot curves; the whole is the table's."""
TEST_SHARE = 0.25
INNER_FOLDS = 3
PER_CLASS = 40
VERSION = 1
"""Goes up when the same inputs give other rows."""


class Method(NamedTuple):
    """What a method sees: kinds of features, each in each of the states.

    ``counts`` are all three counters side by side.
    """

    kinds: tuple[str, ...] = ()
    states: tuple[str, ...] = STATES[:1]
    control: bool = False
    few_shot: bool = False


METHODS = {
    "majority": Method(control=True),
    "InstCount": Method(("instcount",), control=True, few_shot=True),
    "Autophase": Method(("autophase",), control=True, few_shot=True),
    "IR2Vec": Method(("ir2vec",), control=True, few_shot=True),
    "untrained": Method(("untrained",), control=True, few_shot=True),
    "counts, three states": Method(("counts",), STATES, control=True, few_shot=True),
    "untrained + counts, three states": Method(
        ("untrained", "counts"), STATES, control=True, few_shot=True
    ),
    "tiny": Method(("tiny",)),
    "base": Method(("base",), few_shot=True),
    "tiny + counts": Method(("tiny", "counts")),
    "base + counts": Method(("base", "counts")),
    "base, three states": Method(("base",), STATES),
    "tiny + counts, three states": Method(("tiny", "counts"), STATES),
    "base + counts, three states": Method(("base", "counts"), STATES, few_shot=True),
}
"""Controls are what the encoder's rows have to beat."""


class AlgorithmClasses:
    """See the module's text."""

    name = "algorithms"
    description = "which of 64 algorithms does a program implement? generated here"
    files: Sequence[PublishedFile] = ()
    per_class = PER_CLASS
    classes: Sequence[str] = ALGORITHMS

    def work(self, config: TaskConfig, shown: Callable[[int, int], None]) -> Work:
        """All runs; programs are made and described here, or come from the cache."""
        methods = picked(config.methods, METHODS, "method")
        wanted = picked(config.protocols, PROTOCOLS, "protocol")
        vocabulary = packaged_vocabulary()
        notes = []
        if vocabulary is None:
            methods = [name for name in methods if "ir2vec" not in METHODS[name].kinds]
            notes = [
                "no IR2Vec row: its vocabulary is not installed (pip install ir2vec --no-deps)"
            ]
        study = Study(read_programs(self.per_class, self.classes, shown), vocabulary)
        jobs = [
            job
            for protocol in wanted
            for name in methods
            for job in _jobs(study, protocol, name, config.seeds)
        ]
        return Work(jobs, stamp_of(VERSION, study.programs.version), notes)

    def report(self, folder: Path, rows: Sequence[Row]) -> Mapping[str, Any]:
        """``table.csv``, ``few_shot.csv`` and ``few_shot.png``."""
        controls = frozenset(name for name, method in METHODS.items() if method.control)
        return write_report(folder, rows, controls)

    def tables(self, figures: Mapping[str, Any]) -> list[TextTable]:
        """One table."""
        return [text_table(figures["table"])] if figures["table"] else []


class Study:
    """The programs, and what methods see of them."""

    def __init__(self, programs: Programs, vocabulary: np.ndarray | None) -> None:
        self.programs = programs
        self._vocabulary = vocabulary

    def blocks(self, method: Method) -> list[Block]:
        """What a method sees."""
        pairs = [(kind, state) for kind in method.kinds for state in method.states]
        return [block for pair in pairs for block in self._blocks(*pair)]

    def _blocks(self, kind: str, state: str) -> list[Block]:
        """Counts as one block; of an encoder its own code, what it calls, and the maximum."""
        features = self.programs.features
        if kind == "counts":
            return [Block(np.concatenate([features[c, state] for c in COUNTERS], axis=1), True)]
        if kind == "ir2vec" and self._vocabulary is not None:
            return [Block(features[kind, state] @ self._vocabulary, False)]
        if kind in COUNTERS:
            return [Block(features[kind, state], True)]
        width = (features[kind, state].shape[1] - 2) // 3
        parts = np.split(features[kind, state], [width, 2 * width + 2], axis=1)
        return [Block(columns, False) for columns in parts]

    def fold(self, protocol: str) -> Fold:
        """Training and test programs."""
        if protocol != "program":
            held_out = self.programs.held_out
            return Fold(np.flatnonzero(~held_out), np.flatnonzero(held_out))
        generator = np.random.default_rng(protocols.SEED)
        drawn = [
            generator.permutation(np.flatnonzero(self.programs.label == label))
            for label in range(len(self.programs.names))
        ]
        test = np.sort(np.concatenate([rows[: int(len(rows) * TEST_SHARE)] for rows in drawn]))
        return Fold(np.setdiff1d(np.arange(len(self.programs.label)), test), test)

    def inner(self, protocol: str, train: np.ndarray) -> list[Fold]:
        """Folds of training programs, of the protocol's own kind; none of too few programs."""
        label = self.programs.label[train]
        if protocol == "program":
            if int(np.bincount(label)[np.unique(label)].min()) < INNER_FOLDS:
                return []
            folds = protocols.stratified(label, INNER_FOLDS)
            return [Fold(train[fit], train[valid]) for fit, valid in folds]
        rank = _ranks(label, self.programs.template[train])
        # A class of which one template is known cannot be asked about another.
        several = np.isin(label, label[rank > 0])
        asked = [several & (rank == number) for number in range(INNER_FOLDS)]
        return [Fold(train[~valid], train[valid]) for valid in asked if valid.any()]

    def run(self, protocol: str, name: str, seed: int, share: float) -> Row:
        """The share of wrong classes, and counts by class."""
        fold = few(self.fold(protocol), self.programs.label, share, seed)
        label = self.programs.label
        method = METHODS[name]
        if method.kinds:
            inner = self.inner(protocol, fold.train)
            found = predict(self.blocks(method), label, fold, inner)
        else:
            found = np.full(len(fold.test), np.bincount(label[fold.train]).argmax())
        wrong = found != label[fold.test]
        count = len(self.programs.names)
        return {
            "error": float(wrong.mean()),
            "train_programs": len(fold.train),
            "wrong": np.bincount(label[fold.test][wrong], minlength=count).tolist(),
            "asked": np.bincount(label[fold.test], minlength=count).tolist(),
        }


def few(fold: Fold, label: np.ndarray, share: float, seed: int) -> Fold:
    """The fold with a part of each class's training rows, rounded up."""
    generator = np.random.default_rng(seed)
    kept = []
    for one in np.unique(label[fold.train]):
        rows = generator.permutation(fold.train[label[fold.train] == one])
        kept.append(rows[: math.ceil(share * len(rows))])
    return Fold(np.sort(np.concatenate(kept)), fold.test)


def _ranks(label: np.ndarray, template: np.ndarray) -> np.ndarray:
    """The place of each row's template among those of its class that are there."""
    ranks = np.zeros(len(label), np.int64)
    for one in np.unique(label):
        ranks[label == one] = np.unique(template[label == one], return_inverse=True)[1]
    return ranks


def _jobs(study: Study, protocol: str, name: str, seeds: int) -> list[Job]:
    """One run; in the few-shot protocol, the points of a curve but the last, with each seed."""
    points = [(1.0, 0)]
    if protocol == "few-shot":
        drawn = seeds if METHODS[name].few_shot else 0
        points = [(share, seed) for share in SHARES for seed in range(drawn)]
    return [
        Job(
            {"protocol": protocol, "method": name, "share": share, "seed": seed},
            partial(study.run, protocol, name, seed, share),
        )
        for share, seed in points
    ]
