"""OpenCL device mapping: is a kernel faster on the CPU or on the GPU?

680 rows for each of two machines, one with an AMD and one with an NVIDIA GPU (Cummins et
al., PACT 2017): a kernel with a data set and a work-group size, how long it took on either
device, two numbers about the input (bytes to transfer, work-group size) and six raw counts.
The kernels' IR is inst2vec's (Ben-Nun et al., NeurIPS 2018).

============ ==========================================================================
literature   stratified 10-fold, seed 204; leaks, since a kernel's other rows are known
program      10 folds by program (``npb-3.3-BT``): no program is on both sides
suite        each of the seven suites left out
few-shot     the literature's folds with a part of their training rows
============ ==========================================================================

The metric is accuracy; beside it stands the speedup over the static device, which is the
one that is faster more often: mean, as in the literature, and geometric mean.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..errors import DatasetError
from . import protocols
from .code import Kernels, packaged_vocabulary, read_kernels
from .devmap_data import DEVICES, FILES, Table, read_table
from .devmap_report import text_table, write_report
from .heads import INNER_FOLDS, SEEDLESS, Features, HeadName, Inner, score
from .names import picked
from .protocols import Fold
from .published import IR_FOLDER, PublishedFile, require
from .tables import TextTable
from .task import Job, Row, TaskConfig, Work, stamp_of

PROTOCOLS = ("literature", "program", "suite", "few-shot")
SHARES = (0.01, 0.05, 0.1, 0.25)
"""Of the training rows, in the few-shot curves; the whole is the table's."""
FEW_SHOT_SEEDS = 1
"""Each of the ten folds draws its part of the training rows on its own already."""
VERSION = 1
"""Goes up when the same inputs give other rows."""


class Method(NamedTuple):
    """A head and what it sees. ``code`` is an encoder, a counter, or nothing."""

    head: HeadName
    counts: bool = False
    code: str = ""
    control: bool = False
    few_shot: bool = False


METHODS = {
    "static device": Method("majority", control=True),
    "two numbers, forest": Method("forest", control=True),
    "raw counts, forest": Method("forest", counts=True, control=True, few_shot=True),
    "raw counts, trees": Method("trees", counts=True, control=True),
    "IR2Vec, boosting": Method("boosting", code="ir2vec", control=True),
    "IR2Vec + counts, blend": Method("blend", counts=True, code="ir2vec", control=True),
    "untrained + counts, blend": Method(
        "blend", counts=True, code="untrained", control=True, few_shot=True
    ),
    "tiny, linear": Method("linear", code="tiny"),
    "base, linear": Method("linear", code="base"),
    "base, mlp": Method("mlp", code="base"),
    "base, boosting": Method("boosting", code="base"),
    "base + counts, trees": Method("trees", counts=True, code="base"),
    "tiny + counts, blend": Method("blend", counts=True, code="tiny"),
    "base + counts, blend": Method("blend", counts=True, code="base", few_shot=True),
}
"""All see the two numbers. Controls are what the encoder's rows have to beat."""


class DeviceMapping:
    """See the module's text."""

    name = "devmap"
    description = "is an OpenCL kernel faster on the CPU or the GPU? 680 rows, AMD and NVIDIA"
    files: Sequence[PublishedFile] = FILES

    def work(self, config: TaskConfig, shown: Callable[[int, int], None]) -> Work:
        """All runs; kernels are embedded here, or come from the cache."""
        methods = picked(config.methods, METHODS, "method")
        wanted = picked(config.protocols, PROTOCOLS, "protocol")
        folder = require(self.name, self.files)
        kernels = read_kernels(sorted((folder / IR_FOLDER).glob("*.ll")), shown)
        vocabulary = packaged_vocabulary()
        if vocabulary is None:
            methods = [name for name in methods if METHODS[name].code != "ir2vec"]
        else:
            kernels.features["ir2vec"] = kernels.features["ir2vec"] @ vocabulary
        tables = [read_table(folder / f"cgo17-{device}.csv", kernels.names) for device in DEVICES]
        studies = [Study(*pair, kernels) for pair in zip(DEVICES, tables, strict=True)]
        jobs = [
            job
            for protocol in wanted
            for name in methods
            for study in studies
            for job in _jobs(study, protocol, name, config.seeds)
        ]
        files = [file.sha256 for file in self.files]
        stamp = stamp_of(VERSION, files, kernels.version, vocabulary is not None)
        return Work(jobs, stamp, _notes(tables[0], kernels, vocabulary is not None))

    def report(self, folder: Path, rows: Sequence[Row]) -> Mapping[str, Any]:
        """``table.csv``, ``few_shot.csv`` and ``few_shot.png``."""
        controls = frozenset(name for name, method in METHODS.items() if method.control)
        return write_report(folder, rows, controls)

    def tables(self, figures: Mapping[str, Any]) -> list[TextTable]:
        """A table for each protocol."""
        known = {row["protocol"] for row in figures["table"]}
        return [text_table(figures["table"], name) for name in PROTOCOLS if name in known]


class Study:
    """One machine's rows with everything that methods see of them."""

    def __init__(self, device: str, table: Table, kernels: Kernels) -> None:
        self.device = device
        self.table = table
        self.answers = table.answers()
        self._kernels = kernels
        self._inner: dict[tuple[str, str, int, bytes], Inner] = {}

    def features(self, method: Method) -> Features:
        """What a method sees."""
        nothing = np.zeros((len(self.table.kernels), 0))
        return Features(
            self.table.numbers,
            self.table.counts if method.counts else nothing,
            self._kernels.rows(method.code, self.table.kernels) if method.code else nothing,
        )

    def folds(self, protocol: str) -> list[Fold]:
        """Folds of all rows."""
        if protocol in ("literature", "few-shot"):
            return protocols.stratified(self.answers.label)
        if protocol == "program":
            return protocols.grouped(self.table.programs)
        return protocols.leave_one_out(self.table.suites)

    def inner(self, protocol: str, train: np.ndarray) -> Inner:
        """Folds of training rows, of the protocol's own kind; none of too few rows."""
        try:
            if protocol in ("literature", "few-shot"):
                return Inner(protocols.stratified(self.answers.label[train], INNER_FOLDS))
            programs = [self.table.programs[row] for row in train]
            return Inner(protocols.grouped(programs, INNER_FOLDS))
        except DatasetError:
            return Inner(())

    def _remembered(self, protocol: str, name: str, number: int, train: np.ndarray) -> Inner:
        """The same folds for all seeds, so that heads choose once."""
        key = (protocol, name, number, train.tobytes())
        if self._inner and next(iter(self._inner))[:2] != key[:2]:
            self._inner.clear()
        if key not in self._inner:
            self._inner[key] = self.inner(protocol, train)
        return self._inner[key]

    def run(self, protocol: str, name: str, seed: int, share: float) -> Row:
        """Predict every row once, by a model that did not see it; return the metrics."""
        features = self.features(METHODS[name])
        scores = np.zeros(len(self.table.kernels))
        for number, whole in enumerate(self.folds(protocol)):
            fold = protocols.share_of(whole, self.answers.label, share, 1000 * seed + number)
            scores[fold.test] = score(
                METHODS[name].head, features.at(fold.train), self.answers.at(fold.train),
                features.at(fold.test), self._remembered(protocol, name, number, fold.train), seed,
            )  # fmt: skip
        return metrics(self.table, scores > 0)


def metrics(table: Table, gpu: np.ndarray) -> Row:
    """Accuracy, and speedups over the static device with the oracle's beside them."""
    label = table.answers().label
    static = table.times[:, int(label.mean() > 0.5)]
    chosen = np.where(gpu, table.times[:, 1], table.times[:, 0])
    best = table.times.min(1)

    def speedup(times: np.ndarray) -> tuple[float, float]:
        ratio = static / times
        return float(ratio.mean()), math.exp(float(np.log(ratio).mean()))

    (mean, geomean), (best_mean, best_geomean) = speedup(chosen), speedup(best)
    return {
        "accuracy": float((gpu == (label == 1)).mean()),
        "speedup_mean": mean,
        "speedup_geomean": geomean,
        "oracle_mean": best_mean,
        "oracle_geomean": best_geomean,
    }


def _jobs(study: Study, protocol: str, name: str, seeds: int) -> list[Job]:
    """The method's seeds; in the few-shot protocol, the points of its curve but the last."""
    method = METHODS[name]
    if protocol == "few-shot":
        few = min(seeds, FEW_SHOT_SEEDS) if method.few_shot else 0
        points = [(share, seed) for share in SHARES for seed in range(few)]
    else:
        points = [(1.0, seed) for seed in range(1 if method.head in SEEDLESS else seeds)]
    return [
        Job(
            {
                "device": study.device, "protocol": protocol, "method": name,
                "share": share, "seed": seed,
            },
            partial(study.run, protocol, name, seed, share),
        )
        for share, seed in points
    ]  # fmt: skip


def _notes(table: Table, kernels: Kernels, ir2vec: bool) -> list[str]:
    notes = []
    for name, reason in kernels.failed.items():
        count = table.kernels.count(name)
        if count:
            notes.append(
                f"{count} row(s) of {name} have a zero vector for their code, since LLVM cannot "
                f"read it: {reason}"
            )
    if not ir2vec:
        notes.append(
            "no IR2Vec rows: its vocabulary is not installed (pip install ir2vec --no-deps)"
        )
    return notes
