"""OpenCL thread coarsening: how many threads' work should one thread do?

17 kernels on four GPUs with the time at each factor 1, 2, 4, … 32 (Magni et al., PACT
2014); the kernels' IR is inst2vec's. Each kernel in turn is left out on all GPUs; a method
sees the others' times and the left-out kernel's code, and names a factor. One that was not
measured becomes the next lower one that was, as in the literature.

The metric is the mean speedup over factor 1 per GPU, with a 95 % interval by a bootstrap
over the 17 kernels. With so few, an interval says more than a rank.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..errors import DatasetError
from .coarsening_report import text_table, write_report
from .code import Kernels, read_kernels
from .names import picked
from .published import IR_FOLDER, PublishedFile, require
from .tables import TextTable
from .task import Job, Row, TaskConfig, Work, stamp_of

_TABLES = ("ChrisCummins/paper-end2end-dl", "df6fa690cbf18bdcab23f26c5832f36884f037b5")
_IR = ("ChrisCummins/phd", "aab7f16bd1f3546f81e349fc6e2325fb17beb851")
FILES = (
    PublishedFile(
        *_TABLES, "data/case-study-b/pact-2014-runtimes.csv", 222_162,
        "a939931e48a98fab3bf2a76079e9233f16045be39b3046288a228de88329ecaf",
    ),
    PublishedFile(
        *_IR, "deeplearning/ncc/published_results/task_threadcoarsening.zip", 70_991,
        "264660c31dc4811b60e3d1a3d238c53c6a3d49de711b08bb4e6d7635608d285c",
    ),
)  # fmt: skip
GPUS = ("Cypress", "Tahiti", "Fermi", "Kepler")
FACTORS = (1, 2, 4, 8, 16, 32)
PROTOCOL = "leave one kernel out"
COMPONENTS = 4
"""Of the code: 16 training kernels tell no more apart."""
TREES = 100
LEAF = 3
VERSION = 1
"""Goes up when the same inputs give other rows."""

Times = Mapping[tuple[str, str, int], float]
"""By kernel, GPU and factor."""


class Method(NamedTuple):
    """``code`` is an encoder or a counter; without it the method sees no code."""

    code: str = ""
    control: bool = True


METHODS = {
    "factor 1": Method(),
    "constant factor": Method(),
    "oracle": Method(),
    "autophase, trees": Method("autophase"),
    "untrained, trees": Method("untrained"),
    "tiny, trees": Method("tiny", control=False),
    "base, trees": Method("base", control=False),
}


def read_times(path: Path) -> Times:
    """Times of the kernels; a factor that was not measured is left out.

    Raises:
        DatasetError: The file is missing or damaged, or a kernel lacks factor 1.
    """
    csv.field_size_limit(1 << 24)
    times: dict[tuple[str, str, int], float] = {}
    try:
        with path.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                for gpu in GPUS:
                    if row[f"runtime_{gpu}"]:
                        key = (row["kernel"], gpu, int(row["cf"]))
                        times[key] = float(row[f"runtime_{gpu}"])
    except (OSError, UnicodeDecodeError, csv.Error, KeyError, TypeError, ValueError) as error:
        raise DatasetError(
            f"{path.name} is not a table of thread coarsening ({type(error).__name__}: {error}); "
            "fetch the task again"
        ) from error
    kernels = {kernel for kernel, _, _ in times}
    if len(kernels) < 2 or not all((k, gpu, 1) in times for k in kernels for gpu in GPUS):
        raise DatasetError(f"{path.name} lacks kernels, or a kernel's time at factor 1")
    if not all(0 < time < np.inf for time in times.values()):
        raise DatasetError(f"{path.name} has a time that is not above 0")
    return times


class Coarsening:
    """See the module's text."""

    name = "coarsening"
    description = "by which factor should OpenCL threads be merged? 17 kernels, four GPUs"
    files: Sequence[PublishedFile] = FILES

    def work(self, config: TaskConfig, shown: Callable[[int, int], None]) -> Work:
        """All runs; kernels are embedded here, or come from the cache."""
        methods = picked(config.methods, METHODS, "method")
        picked(config.protocols, (PROTOCOL,), "protocol")
        folder = require(self.name, self.files)
        kernels = read_kernels(sorted((folder / IR_FOLDER).glob("*.ll")), shown)
        study = Study(read_times(folder / "pact-2014-runtimes.csv"), kernels)
        jobs = [
            Job({"method": name, "seed": seed}, partial(study.run, name, seed))
            for name in methods
            for seed in range(config.seeds if METHODS[name].code else 1)
        ]
        stamp = stamp_of(VERSION, [file.sha256 for file in self.files], kernels.version)
        notes = [
            f"{name} has a zero vector for its code, since LLVM cannot read it: {reason}"
            for name, reason in kernels.failed.items()
            if name in study.kernels
        ]
        return Work(jobs, stamp, notes)

    def report(self, folder: Path, rows: Sequence[Row]) -> Mapping[str, Any]:
        """``table.csv``."""
        return write_report(folder, rows, GPUS)

    def tables(self, figures: Mapping[str, Any]) -> list[TextTable]:
        """One table."""
        return [text_table(figures["table"], GPUS)]


class Study:
    """The times and the kernels' code, and how methods choose."""

    def __init__(self, times: Times, kernels: Kernels) -> None:
        self.times = times
        self.kernels = sorted({kernel for kernel, _, _ in times})
        self._code = kernels

    def speedup(self, kernel: str, gpu: str, factor: int) -> float:
        """Over factor 1, at the factor or the next lower one that was measured."""
        lower = max(f for f in FACTORS if f <= factor and (kernel, gpu, f) in self.times)
        return self.times[kernel, gpu, 1] / self.times[kernel, gpu, lower]

    def run(self, name: str, seed: int) -> Row:
        """The speedups that a method gets, by GPU, in the order of the kernels."""
        speedups: dict[str, list[float]] = {gpu: [] for gpu in GPUS}
        for kernel in self.kernels:
            known = [other for other in self.kernels if other != kernel]
            for gpu, factor in self._choose(name, kernel, known, seed).items():
                speedups[gpu].append(self.speedup(kernel, gpu, factor))
        return {"speedups": speedups}

    def _choose(self, name: str, kernel: str, known: Sequence[str], seed: int) -> dict[str, int]:
        if name == "factor 1":
            return dict.fromkeys(GPUS, 1)
        if name == "oracle":
            return {gpu: max(FACTORS, key=lambda f: self.speedup(kernel, gpu, f)) for gpu in GPUS}
        if name == "constant factor":
            return {gpu: int(FACTORS[int(self._means(known, gpu).argmax())]) for gpu in GPUS}
        gains = self._predict(METHODS[name].code, kernel, known, seed)  # (gpu, factor)
        return {gpu: FACTORS[int(row.argmax())] for gpu, row in zip(GPUS, gains, strict=True)}

    def _means(self, kernels: Sequence[str], gpu: str) -> np.ndarray:
        """Mean speedup at each factor."""
        gains = [[self.speedup(kernel, gpu, f) for f in FACTORS] for kernel in kernels]
        mean: np.ndarray = np.array(gains).mean(0)
        return mean

    def _predict(self, code: str, kernel: str, known: Sequence[str], seed: int) -> np.ndarray:
        """Logarithms of the left-out kernel's speedups, limited to ±1, (GPUs, factors)."""
        from sklearn.decomposition import PCA
        from sklearn.ensemble import ExtraTreesRegressor
        from sklearn.preprocessing import StandardScaler

        features = self._code.rows(code, known).astype(np.float64)
        own = self._code.rows(code, [kernel]).astype(np.float64)
        scaler = StandardScaler().fit(features)
        space = PCA(min(COMPONENTS, len(known)), random_state=0).fit(scaler.transform(features))
        seen, new = (space.transform(scaler.transform(x)) for x in (features, own))
        cells = [(gpu, f) for gpu in range(len(GPUS)) for f in range(len(FACTORS))]
        cell = np.array([[f, f, *(gpu == other for other in range(len(GPUS)))] for gpu, f in cells])
        x = np.concatenate([np.c_[cell, np.tile(row, (len(cells), 1))] for row in seen])
        gains = [
            np.log(self.speedup(other, GPUS[gpu], FACTORS[f]))
            for other in known
            for gpu, f in cells
        ]
        trees = ExtraTreesRegressor(
            TREES, max_features=0.6, min_samples_leaf=LEAF, random_state=seed
        ).fit(x, np.clip(gains, -1, 1))
        found: np.ndarray = trees.predict(np.c_[cell, np.tile(new[0], (len(cells), 1))])
        return found.reshape(len(GPUS), len(FACTORS))
