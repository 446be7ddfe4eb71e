"""The rows of device mapping: the published files, and how a row is read."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..errors import DatasetError
from .heads import Answers
from .published import PublishedFile

_TABLES = ("ChrisCummins/paper-end2end-dl", "df6fa690cbf18bdcab23f26c5832f36884f037b5")
_IR = ("ChrisCummins/phd", "aab7f16bd1f3546f81e349fc6e2325fb17beb851")
FILES = (
    PublishedFile(
        *_TABLES, "data/case-study-a/cgo17-amd.csv", 2_147_324,
        "0076271192aa9a0a7c21aa9a637e34cd4460f8e21e756215dd23ffb2ae62dc62",
    ),
    PublishedFile(
        *_TABLES, "data/case-study-a/cgo17-nvidia.csv", 2_147_529,
        "095c1ccef333e0a65e0e70b3ebde0aef851b61528ec46496a5d1687905abd099",
    ),
    PublishedFile(
        *_IR, "deeplearning/ncc/published_results/task_devmap.zip", 3_005_171,
        "3c840f84936a83e329c7a94d011c45ddfcfce8bdbb1a9b1904123e83851913d5",
    ),
)  # fmt: skip
DEVICES = ("amd", "nvidia")
COUNTS = ("comp", "rational", "mem", "localmem", "coalesced", "atomic")
NUMBERS = ("transfer", "wgsize")


class Table(NamedTuple):
    """The rows of one machine.

    Attributes:
        kernels: Name of each row's IR, (n,).
        programs: Suite and program, such as ``npb-3.3-BT``, (n,).
        numbers: (n, 2).
        counts: (n, 6).
        times: On the CPU and on the GPU, (n, 2).
    """

    kernels: tuple[str, ...]
    programs: tuple[str, ...]
    numbers: np.ndarray
    counts: np.ndarray
    times: np.ndarray

    @property
    def suites(self) -> list[str]:
        """The suite of each row."""
        return [name.split("-")[0] for name in self.programs]

    def answers(self) -> Answers:
        """Label 1 where the GPU is faster; margin: logarithm of CPU's time ÷ GPU's time."""
        margin = np.log(self.times[:, 0] / self.times[:, 1])
        return Answers((margin > 0).astype(np.int64), margin)


def read_table(path: Path, kernels: Sequence[str]) -> Table:
    """Read one machine's rows.

    Raises:
        DatasetError: The file is missing or damaged, or a row has no IR.
    """
    csv.field_size_limit(1 << 24)
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        known = frozenset(kernels)
        names = tuple(_kernel_of(row, known) for row in rows)
        programs = tuple(row["benchmark"].rpartition("-")[0] for row in rows)

        def numbers(*columns: str) -> np.ndarray:
            return np.array([[float(row[column]) for column in columns] for row in rows])

        table = Table(
            names, programs, numbers(*NUMBERS), numbers(*COUNTS),
            numbers("runtime_cpu", "runtime_gpu"),
        )  # fmt: skip
    except (OSError, UnicodeDecodeError, csv.Error, KeyError, TypeError, ValueError) as error:
        raise DatasetError(
            f"{path.name} is not a table of device mapping ({type(error).__name__}: {error}); "
            "fetch the task again"
        ) from error
    if not rows or not np.isfinite(table.times).all() or (table.times <= 0).any():
        raise DatasetError(f"{path.name} has no rows, or a time that is not above 0")
    return table


def _kernel_of(row: Mapping[str, str], known: frozenset[str]) -> str:
    """The file of a row: ``BENCHMARK_DATASET`` where each data set is compiled on its own."""
    own = f"{row['benchmark']}_{row['dataset']}"
    name = own if own in known else row["benchmark"]
    if name not in known:
        raise DatasetError(f"there is no IR of {own}; fetch the task again")
    return name
