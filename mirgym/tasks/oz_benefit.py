"""The benefit of Oz: how much smaller does it make an unoptimised module?

Targets are ``ln(before ÷ after)``, before as clang writes the module and after Oz (``minsize``
functions and O2, the project's baseline), for modules that are made here (``own_modules``).

========== =============================================================
text       bytes of ``.text``
ir         IR instructions
few-shot   ``text`` with a part of the training modules
========== =============================================================

The metrics are R² and the mean absolute error over the test modules; each seed draws another test
side (``module_study``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..levels import run_level
from ..wire import Wanted
from ..worker import WorkerSession
from .code import packaged_vocabulary
from .gain_heads import closeness
from .module_study import CODE_METHODS, Method, ModuleStudy, jobs, known_methods
from .names import picked
from .own_modules import VIEWS, Amount, OwnModule, code_of, described, own_modules
from .published import PublishedFile
from .summary import FEW_SHOT, Measure, write_report
from .tables import TextTable
from .task import Row, TaskConfig, Work, stamp_of

PROTOCOLS = ("text", "ir", FEW_SHOT)
TARGETS = {"text": "text_size_bytes", "ir": "ir_instructions"}
MEASURE = Measure(("r2", "mae", "test_modules", "train_modules"), "R²", "text")
METHODS: Mapping[str, Method] = {"mean": Method(control=True, few_shot=True), **CODE_METHODS}
VERSION = 1
"""Goes up when the same inputs give other rows."""

_METRICS = Wanted.of(metrics=("text_size_bytes",), key=False)
_BOTH = Wanted.of(metrics=("text_size_bytes",), views=VIEWS, key=False)


class OzBenefit:
    """See the module's text."""

    name = "oz_benefit"
    description = "how much smaller does Oz make a module? made here"
    files: Sequence[PublishedFile] = ()
    amount = Amount()

    def work(self, config: TaskConfig, shown: Callable[[int, int], None]) -> Work:
        """All runs; modules are made and measured here, or come from the cache."""
        vocabulary = packaged_vocabulary()
        methods, notes = known_methods(
            picked(config.methods, METHODS, "method"), METHODS, vocabulary
        )
        wanted = picked(config.protocols, PROTOCOLS, "protocol")
        modules = own_modules(self.amount)
        columns = described(self.name, modules, describe, shown, VERSION)
        study = ModuleStudy([one.group for one in modules], columns, vocabulary)
        targets = {name: columns[name][:, None] for name in TARGETS}

        def run_one(protocol: str, name: str, share: float, seed: int) -> Row:
            return run(study, targets.get(protocol, targets["text"]), name, share, seed)

        stamp = stamp_of(VERSION, [(name, rows.tobytes()) for name, rows in columns.items()])
        notes = [f"{len(modules)} modules", *notes]
        return Work(jobs(wanted, methods, config.seeds, run_one), stamp, notes)

    def report(self, folder: Path, rows: Sequence[Row]) -> Mapping[str, Any]:
        """``table.csv``, ``few_shot.csv`` and ``few_shot.png``."""
        controls = frozenset(name for name, method in METHODS.items() if method.control)
        return write_report(folder, rows, controls, MEASURE)

    def tables(self, figures: Mapping[str, Any]) -> list[TextTable]:
        """One table."""
        return [text_table(figures["table"])] if figures["table"] else []


def describe(modules: Sequence[OwnModule]) -> Iterator[dict[str, np.ndarray]]:
    """Code and targets of each module."""
    with WorkerSession() as session:
        for row, one in enumerate(modules):
            before = session.load(one.program.bitcode(), level="Oz", wanted=_BOTH)
            after = run_level(session, before, "Oz", _METRICS)
            ratios = {
                name: np.array(np.log(before.metrics[metric] / max(after.metrics[metric], 1)))
                for name, metric in TARGETS.items()
            }
            yield {"row": np.array(row), **ratios, **code_of(before.views)}


def run(study: ModuleStudy, targets: np.ndarray, name: str, share: float, seed: int) -> Row:
    """R² and the mean absolute error on the test side that the seed draws."""
    fold = study.fold(seed, share)
    predicted = study.predict(METHODS[name], targets, fold, closeness)
    known = targets[fold.test]
    spread = float(((known - known.mean()) ** 2).sum())
    return {
        "r2": 1 - float(((predicted - known) ** 2).sum()) / spread,
        "mae": float(np.abs(predicted - known).mean()),
        "train_modules": len(fold.train),
        "test_modules": len(fold.test),
    }


def text_table(table: Sequence[Row]) -> TextTable:
    """R² with its deviation over seeds, and the error, by target."""
    cells = {(row["method"], row["protocol"]): row for row in table}
    targets = [name for name in TARGETS if any(key[1] == name for key in cells)]
    lines = [["method", *(f"{what}, {n}" for n in targets for what in ("R²", "mean error"))]]
    for method, kind in dict.fromkeys((row["method"], row["kind"]) for row in table):
        line = [method + (" (control)" if kind == "control" else "")]
        for name in targets:
            row = cells[method, name]
            line += [f"{row['r2']:.3f} ± {row['r2_std']:.3f}", f"{row['mae']:.3f}"]
        lines.append(line)
    return "oz_benefit, ln(size before ÷ after Oz) (deviation over seeds' test sides)", lines
