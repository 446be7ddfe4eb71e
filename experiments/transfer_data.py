"""The questions of the transfer table: programs, answers, and which are held out.

=========== ===========================================================================
algorithm   class of a generated program; the last template of each class is held out
oz          ln(instructions ÷ instructions after Oz) of the same programs
amd, nvidia is an OpenCL kernel faster on the GPU? by program; two numbers more are seen
=========== ===========================================================================

The last two need ``mirgym tasks fetch devmap``, and are left out without.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from rich.progress import track

from mirgym.errors import DatasetError, MirgymError
from mirgym.levels import LEVEL_PIPELINES
from mirgym.programs.compile import compile_source
from mirgym.tasks.algorithms import ALGORITHMS, implementations, split_of
from mirgym.tasks.devmap_data import DEVICES, FILES, read_table
from mirgym.tasks.protocols import grouped
from mirgym.tasks.published import IR_FOLDER, require
from mirgym.views import ModuleView
from mirgym.wire import NOTHING, Wanted
from mirgym.worker import WorkerSession

VALID_SHARE = 0.2
_VIEWS = Wanted.of(views=("functions", "function_features"), key=False)
_OZ = str(LEVEL_PIPELINES["Oz"])
_FOLDS = 5
Answer = Literal["classes", "values"]


class Program(NamedTuple):
    """What encoders and counters see of a program."""

    module: ModuleView
    features: np.ndarray
    """(238,) int64, summed over its functions; see ``mirgym.features.FUNCTION_FEATURES``."""


class Question(NamedTuple):
    """N programs with answers.

    Attributes:
        name: In the table.
        kind: Of the answers.
        programs: N of them.
        more: (N, k) numbers that are no code and that every method sees.
        y: (N,) int64 classes, or (N, 1) float32 values.
        fit, valid, test: Rows.
    """

    name: str
    kind: Answer
    programs: Sequence[Program]
    more: np.ndarray
    y: np.ndarray
    fit: np.ndarray
    valid: np.ndarray
    test: np.ndarray

    @property
    def metric(self) -> str:
        """What is reported."""
        return "accuracy" if self.kind == "classes" else "R²"


def questions(per_class: int, classes: int = len(ALGORITHMS)) -> list[Question]:
    """All that there is data for."""
    found = [*generated(per_class, list(ALGORITHMS)[:classes])]
    try:
        found += device_mapping()
    except DatasetError as error:
        print(f"no device mapping: {error}")
    return found


def generated(per_class: int, classes: Sequence[str]) -> Iterator[Question]:
    """``algorithm`` and ``oz``."""
    some = [one for one in implementations(per_class, 0) if one.algorithm in classes]
    programs, benefit = [], []
    with tempfile.TemporaryDirectory() as folder, WorkerSession() as session:
        path = Path(folder) / "program.c"
        for one in track(some, "programs"):
            path.write_text(one.source, encoding="utf-8")
            state = session.load(compile_source(path, ()), level="Oz", wanted=_VIEWS)
            programs.append(_seen(state.views))
            before = state.metrics["ir_instructions"]
            after = session.step(_OZ, wanted=NOTHING).metrics["ir_instructions"]
            benefit.append(np.log(before / max(after, 1)))
    held_out = np.array([split_of(one) == "test" for one in some])
    is_valid = np.random.default_rng(0).random(len(some)) < VALID_SHARE
    rows = [
        np.flatnonzero(part) for part in (~held_out & ~is_valid, ~held_out & is_valid, held_out)
    ]
    more = np.zeros((len(some), 0), np.float32)
    label = np.array([classes.index(one.algorithm) for one in some], np.int64)
    yield Question("algorithm", "classes", programs, more, label, *rows)
    values = np.array(benefit, np.float32)[:, None]
    yield Question("oz", "values", programs, more, values, *rows)


def device_mapping() -> Iterator[Question]:
    """``amd`` and ``nvidia``.

    Raises:
        DatasetError: Its files are not there.
    """
    folder = require("devmap", FILES)
    files = sorted((folder / IR_FOLDER).glob("*.ll"))
    seen = dict(_kernels(files))
    for device in DEVICES:
        table = read_table(folder / f"cgo17-{device}.csv", [path.stem for path in files])
        known = np.array([name in seen for name in table.kernels])
        folds = grouped(table.programs, _FOLDS)
        test, valid = (np.intersect1d(fold.test, np.flatnonzero(known)) for fold in folds[:2])
        fit = np.setdiff1d(np.flatnonzero(known), np.concatenate([test, valid]))
        blank = next(iter(seen.values()))  # of the row that nobody asks about
        programs = [seen.get(name, blank) for name in table.kernels]
        more = np.log1p(table.numbers).astype(np.float32)
        label = table.answers().label
        yield Question(device, "classes", programs, more, label, fit, valid, test)


def _kernels(files: Sequence[Path]) -> Iterator[tuple[str, Program]]:
    """By name; what LLVM cannot read is left out."""
    with WorkerSession() as session:
        for path in track(files, "kernels"):
            session.start_again_if_dead()
            try:
                yield path.stem, _seen(session.load(path.read_bytes(), wanted=_VIEWS).views)
            except MirgymError as error:
                print(f"{path.stem} is left out: {error}")


def _seen(views: object) -> Program:
    assert isinstance(views, dict)
    module, features = views["functions"], views["function_features"]
    assert isinstance(module, ModuleView)
    return Program(module, features.sum(0))
