"""How rows are divided into training and test rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..errors import DatasetError

SEED = 204
"""Of the literature's stratified folds: the one of DeepTune, inst2vec and their followers."""


class Fold(NamedTuple):
    """Row numbers."""

    train: np.ndarray
    test: np.ndarray


def stratified(labels: np.ndarray, folds: int = 10) -> list[Fold]:
    """The literature's: shuffled rows, as many of each label in every fold.

    It leaks: other sizes of a test row's kernel are among the training rows.
    """
    from sklearn.model_selection import StratifiedKFold

    fewest = int(np.bincount(labels, minlength=2).min())
    if fewest < folds:
        raise DatasetError(f"{folds} folds need {folds} rows of each label; one has {fewest}")
    splitter = StratifiedKFold(folds, shuffle=True, random_state=SEED)
    return [Fold(*pair) for pair in splitter.split(labels, labels)]


def grouped(groups: Sequence[str], folds: int = 10) -> list[Fold]:
    """No group is on both sides; the folds are of like size."""
    from sklearn.model_selection import GroupKFold

    if len(set(groups)) < 2:
        raise DatasetError("folds by group need two groups; all rows are of one")
    splitter = GroupKFold(min(folds, len(set(groups))))
    return [Fold(*pair) for pair in splitter.split(groups, groups=groups)]


def leave_one_out(groups: Sequence[str]) -> list[Fold]:
    """A fold for each group, in the order of their names."""
    names = np.array(groups)
    if len(set(groups)) < 2:
        raise DatasetError("leaving a group out needs two groups; all rows are of one")
    return [Fold(np.flatnonzero(names != n), np.flatnonzero(names == n)) for n in sorted({*groups})]


def share_of(fold: Fold, labels: np.ndarray, share: float, seed: int) -> Fold:
    """The fold with a part of its training rows: at least two of each label that is there."""
    if share >= 1:
        return fold
    generator = np.random.default_rng(seed)
    kept = []
    for label in np.unique(labels[fold.train]):
        rows = generator.permutation(fold.train[labels[fold.train] == label])
        kept.append(rows[: max(2, round(share * len(rows)))])
    return Fold(np.sort(np.concatenate(kept)), fold.test)
