"""Vectorization factors: which vector width, interleave and unroll count makes a loop fast?

Every one of 150 choices was measured for each loop of our own suites (``loop_labels``), with all
other loops left to LLVM: instructions that the program executes, weighed by their cost.

========== ============================================================================
split      the test families of kernels, and the test programs of mirbench
groups     6 folds by family of kernels and by program: each loop is a test loop once
few-shot   ``split`` with a part of the training loops
========== ============================================================================

A method scores the choices of a loop by what it expects them to gain and takes the best. The metric
is the speedup over LLVM's own choice: its geometric mean over the test loops, and how much of the
oracle's it is. All methods but the forest share one head (``gain_heads``), which tunes itself
inside the training loops, by groups: to come close to all gains, since what the best choices gain
says less about a setting.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from ..errors import DatasetError
from . import protocols
from .code import COUNTERS, packaged_vocabulary
from .gain_heads import closeness, forest, predict
from .kernel_heads import Block
from .loop_choices import choice_features
from .loop_code import read_code
from .loop_labels import LABELS, LoopLabel, gains, read_labels
from .names import picked
from .protocols import Fold
from .published import PublishedFile
from .summary import write_report
from .tables import TextTable
from .task import Job, Row, TaskConfig, Work, stamp_of
from .vectorize_report import MEASURE, metrics, text_table

PROTOCOLS = ("split", "groups", "few-shot")
SHARES = (0.01, 0.05, 0.1, 0.25)
"""Of the training loops, in the few-shot curves; the whole is the table's."""
FEWEST = 4
"""Training loops, at least."""
FOLDS = 6
INNER_FOLDS = 5
LARGEST_GAIN = 1.0
"""Gains that a head learns from are limited to ±1, a speed × e or ÷ e: one loop must not outweigh
all others."""
VERSION = 1
"""Goes up when the same inputs give other rows."""

Head = Literal["llvm", "constant", "random", "oracle", "forest", "kernel"]


class Method(NamedTuple):
    """A head and what it sees. ``code`` is an encoder, a counter, or nothing."""

    head: Head
    facts: bool = True
    code: str = ""
    control: bool = True
    few_shot: bool = False


METHODS = {
    "LLVM's own choice": Method("llvm"),
    "one constant choice": Method("constant", few_shot=True),
    "random choice": Method("random"),
    "loop facts, forest": Method("forest", few_shot=True),
    "loop facts": Method("kernel", few_shot=True),
    "InstCount + facts": Method("kernel", code="instcount"),
    "Autophase + facts": Method("kernel", code="autophase"),
    "IR2Vec + facts": Method("kernel", code="ir2vec", few_shot=True),
    "untrained + facts": Method("kernel", code="untrained", few_shot=True),
    "tiny": Method("kernel", facts=False, code="tiny", control=False),
    "base": Method("kernel", facts=False, code="base", control=False),
    "tiny + facts": Method("kernel", code="tiny", control=False, few_shot=True),
    "base + facts": Method("kernel", code="base", control=False, few_shot=True),
    "oracle": Method("oracle"),
}
"""Controls are what the encoder's rows have to beat. Facts are those of LLVM's analyses about the
loop, what LLVM makes of it by itself, and what each choice would make of it."""


class Vectorize:
    """See the module's text."""

    name = "vectorize"
    description = "which vector width, interleave and unroll count for a loop? measured by us"
    files: Sequence[PublishedFile] = ()
    labels: Path = LABELS

    def work(self, config: TaskConfig, shown: Callable[[int, int], None]) -> Work:
        """All runs; the loops' code is described here, or comes from the cache."""
        methods = picked(config.methods, METHODS, "method")
        wanted = picked(config.protocols, PROTOCOLS, "protocol")
        labels = read_labels(self.labels)
        code = read_code(labels, shown)
        vocabulary = packaged_vocabulary()
        notes = [f"{len(labels)} loops of {len({label.program for label in labels})} programs"]
        if vocabulary is None:
            methods = [name for name in methods if METHODS[name].code != "ir2vec"]
            notes.append(
                "no IR2Vec row: its vocabulary is not installed (pip install ir2vec --no-deps)"
            )
        else:
            code["ir2vec"] = code["ir2vec"] @ vocabulary
        study = Study(labels, code)
        jobs = [
            job
            for protocol in wanted
            for name in methods
            for job in _jobs(study, protocol, name, config.seeds)
        ]
        content = [(kind, rows.tobytes()) for kind, rows in sorted(code.items())]
        return Work(jobs, stamp_of(VERSION, labels, content), notes)

    def report(self, folder: Path, rows: Sequence[Row]) -> Mapping[str, Any]:
        """``table.csv``, ``few_shot.csv`` and ``few_shot.png``."""
        controls = frozenset(name for name, method in METHODS.items() if method.control)
        return write_report(folder, rows, controls, MEASURE)

    def tables(self, figures: Mapping[str, Any]) -> list[TextTable]:
        """One table."""
        return [text_table(figures["table"])] if figures["table"] else []


class Study:
    """The loops, and what methods see of them."""

    def __init__(self, labels: Sequence[LoopLabel], code: Mapping[str, np.ndarray]) -> None:
        self.programs = [label.program for label in labels]
        self.groups = np.array([label.group for label in labels])
        self.test = np.array([label.split == "test" for label in labels])
        self.gains = np.array([gains(label.costs) for label in labels])  # (n, choices)
        does = [choice_features(label.facts, label.own).ravel() for label in labels]
        self._facts = [
            Block(np.array([label.own for label in labels]), False),
            Block(np.array([label.facts for label in labels]), False),
            Block(np.array(does), False),
        ]
        self.code = code

    def blocks(self, method: Method) -> list[Block]:
        """What a method sees; of an encoder the function, and the loop by itself.

        A forest with an output a choice would take minutes over what each choice does.
        """
        if method.head == "forest":
            return self._facts[:2]
        blocks = list(self._facts) if method.facts else []
        if method.code == "ir2vec":
            blocks.append(Block(self.code["ir2vec"], False))
        elif method.code in COUNTERS:
            blocks.append(Block(self.code[method.code], True))
        elif method.code:
            blocks += [Block(part, False) for part in np.split(self.code[method.code], 2, axis=1)]
        return blocks

    def folds(self, protocol: str) -> list[Fold]:
        """Training and test loops.

        Raises:
            DatasetError: The labels are of one side only.
        """
        if protocol == "groups":
            return protocols.grouped([str(group) for group in self.groups], FOLDS)
        if self.test.all() or not self.test.any():
            raise DatasetError("the labels hold no training or no test loops; measure them all")
        return [Fold(np.flatnonzero(~self.test), np.flatnonzero(self.test))]

    def inner(self, train: np.ndarray) -> list[Fold]:
        """Folds of training loops by group, as row numbers; none of a single group."""
        groups = [str(group) for group in self.groups[train]]
        if len(set(groups)) < 2:
            return []
        folds = protocols.grouped(groups, INNER_FOLDS)
        return [Fold(train[fit], train[valid]) for fit, valid in folds]

    def run(self, protocol: str, name: str, seed: int, share: float) -> Row:
        """Choose for every test loop; return the metrics."""
        taken, tested, train_loops = [], [], 0
        for number, whole in enumerate(self.folds(protocol)):
            fold = few(whole, share, 1000 * seed + number)
            taken.append(self.gain(METHODS[name], fold, seed))
            tested.append(fold.test)
            train_loops += len(fold.train)
        rows = np.concatenate(tested)
        found = metrics(
            np.concatenate(taken), self.gains[rows].max(1), [self.programs[row] for row in rows]
        )
        return {**found, "train_loops": train_loops // len(tested), "test_loops": len(rows)}

    def gain(self, method: Method, fold: Fold, seed: int) -> np.ndarray:
        """``ln(speedup)`` of each test loop by a method's choice; of random ones the mean."""
        test = self.gains[fold.test]
        if method.head == "random":
            mean: np.ndarray = test.mean(1)
            return mean
        if method.head == "oracle":
            best: np.ndarray = test.max(1)
            return best
        taken: np.ndarray = test[np.arange(len(test)), self.choices(method, fold, seed)]
        return taken

    def choices(self, method: Method, fold: Fold, seed: int) -> np.ndarray:
        """The choice for each test loop, (n_test,)."""
        known = np.clip(self.gains, -LARGEST_GAIN, LARGEST_GAIN)
        if method.head == "llvm":
            return np.zeros(len(fold.test), np.int64)
        if method.head == "constant":
            return np.full(len(fold.test), known[fold.train].mean(0).argmax())
        if method.head == "forest":
            expected = forest(self.blocks(method), known, fold, seed)
        else:
            expected = predict(self.blocks(method), known, fold, self.inner(fold.train), closeness)
        chosen: np.ndarray = expected.argmax(1)
        return chosen


def few(fold: Fold, share: float, seed: int) -> Fold:
    """The fold with a part of its training loops."""
    if share >= 1:
        return fold
    drawn = np.random.default_rng(seed).permutation(fold.train)
    return Fold(np.sort(drawn[: max(FEWEST, round(share * len(drawn)))]), fold.test)


def _jobs(study: Study, protocol: str, name: str, seeds: int) -> list[Job]:
    """The method's seeds; in the few-shot protocol, the points of a curve but the last."""
    method = METHODS[name]
    if protocol == "few-shot":
        points = [(share, seed) for share in SHARES for seed in range(seeds * method.few_shot)]
    else:
        points = [(1.0, seed) for seed in range(seeds if method.head == "forest" else 1)]
    return [
        Job(
            {"protocol": protocol, "method": name, "share": share, "seed": seed},
            partial(study.run, protocol, name, seed, share),
        )
        for share, seed in points
    ]
