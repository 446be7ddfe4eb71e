"""The best next pass: which of 39 leaves the fewest instructions?

Asked of modules in the middle of being optimised (``best_pass_data``); a pass gains the logarithm
of how many times fewer IR instructions there are after it and a short cleanup.

========== ==============================================================
program    each seed draws another test side (``module_study``)
few-shot   the same with a part of the training states
========== ==============================================================

A method scores the passes by what it expects them to gain and takes the best. The metrics are how
much of the best passes' gain its choices get, and how often they are as good as the best.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .best_pass_data import PASSES, states
from .code import packaged_vocabulary
from .gain_heads import gained
from .module_study import CODE_METHODS, Method, ModuleStudy, jobs, known_methods
from .names import picked
from .own_modules import Amount, OwnModule, described, own_modules
from .protocols import Fold
from .published import PublishedFile
from .summary import FEW_SHOT, Measure, write_report
from .tables import TextTable
from .task import Row, TaskConfig, Work, stamp_of

PROTOCOLS = ("program", FEW_SHOT)
MEASURE = Measure(
    ("gain_share", "top1", "test_states", "train_states"), "share of the best gain", "program"
)
METHODS: Mapping[str, Method] = {
    "random pass": Method(control=True),
    "one constant pass": Method(control=True, few_shot=True),
    **CODE_METHODS,
    "oracle": Method(control=True),
}
PER_MODULE = 2
"""States of each module."""
VERSION = 1
"""Goes up when the same inputs give other rows."""


class BestPass:
    """See the module's text."""

    name = "best_pass"
    description = f"which of {len(PASSES)} passes shrinks a module most, next? made here"
    files: Sequence[PublishedFile] = ()
    amount = Amount(per_class=3, per_profile=8)

    def work(self, config: TaskConfig, shown: Callable[[int, int], None]) -> Work:
        """All runs; states are made and measured here, or come from the cache."""
        vocabulary = packaged_vocabulary()
        methods, notes = known_methods(
            picked(config.methods, METHODS, "method"), METHODS, vocabulary
        )
        wanted = picked(config.protocols, PROTOCOLS, "protocol")
        modules = own_modules(self.amount)
        columns = described(self.name, modules, describe, shown, VERSION, PASSES, PER_MODULE)
        groups = [modules[row].group for row in columns["row"]]
        study = ModuleStudy(groups, columns, vocabulary)

        def run_one(_: str, name: str, share: float, seed: int) -> Row:
            return run(study, columns["gains"], name, share, seed)

        stamp = stamp_of(VERSION, [(name, rows.tobytes()) for name, rows in columns.items()])
        notes = [f"{len(groups)} states of {len(modules)} modules", *notes]
        return Work(jobs(wanted, methods, config.seeds, run_one), stamp, notes)

    def report(self, folder: Path, rows: Sequence[Row]) -> Mapping[str, Any]:
        """``table.csv``, ``few_shot.csv`` and ``few_shot.png``."""
        controls = frozenset(name for name, method in METHODS.items() if method.control)
        return write_report(folder, rows, controls, MEASURE)

    def tables(self, figures: Mapping[str, Any]) -> list[TextTable]:
        """One table."""
        return [text_table(figures["table"])] if figures["table"] else []


def describe(modules: Sequence[OwnModule]) -> Iterator[Mapping[str, np.ndarray]]:
    """Code and gains of the states of each module."""
    return states(modules, PER_MODULE)


def run(study: ModuleStudy, gains: np.ndarray, name: str, share: float, seed: int) -> Row:
    """What the choices gain on the test side that the seed draws."""
    fold = study.fold(seed, share)
    known, best = gains[fold.test], gains[fold.test].max(1)
    if name == "random pass":
        taken, right = known.mean(1), (known == best[:, None]).mean(1)
    else:
        chosen = choices(study, gains, name, fold)
        taken = known[np.arange(len(known)), chosen]
        right = taken == best
    return {
        "gain_share": float(taken.sum() / best.sum()),
        "top1": float(right.mean()),
        "train_states": len(fold.train),
        "test_states": len(fold.test),
    }


def choices(study: ModuleStudy, gains: np.ndarray, name: str, fold: Fold) -> np.ndarray:
    """The pass for each test state, (n_test,)."""
    if name == "oracle":
        best: np.ndarray = gains[fold.test].argmax(1)
        return best
    chosen: np.ndarray = study.predict(METHODS[name], gains, fold, gained).argmax(1)
    return chosen


def text_table(table: Sequence[Row]) -> TextTable:
    """Share of the best passes' gain, with its deviation over seeds, and top-1 accuracy."""
    lines = [["method", "% of the best gain", "as good as the best, %"]]
    for row in table:
        if row["protocol"] == "program":
            lines.append(
                [
                    row["method"] + (" (control)" if row["kind"] == "control" else ""),
                    f"{100 * row['gain_share']:.1f} ± {100 * row['gain_share_std']:.1f}",
                    f"{100 * row['top1']:.1f}",
                ]
            )
    return "best_pass (deviation over seeds' test sides)", lines
