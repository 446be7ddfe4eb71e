"""Folds: what is on which side."""

from __future__ import annotations

import numpy as np
import pytest

from mirgym.errors import DatasetError
from mirgym.tasks.protocols import Fold, grouped, leave_one_out, share_of, stratified


def each_is_tested_once(folds: list[Fold], count: int) -> bool:
    tested = np.concatenate([fold.test for fold in folds])
    apart = all(not set(fold.train) & set(fold.test) for fold in folds)
    return apart and sorted(tested) == list(range(count))


def test_stratified_is_the_literatures():
    labels = np.arange(100) % 4 == 0
    folds = stratified(labels.astype(np.int64))
    assert len(folds) == 10 and each_is_tested_once(folds, 100)
    assert all(2 <= labels[fold.test].sum() <= 3 for fold in folds)
    assert [list(f.test) for f in folds] == [list(f.test) for f in stratified(labels * 1)]


def test_grouped_folds_share_no_program():
    groups = [f"p{row % 23}" for row in range(200)]
    folds = grouped(groups)
    assert len(folds) == 10 and each_is_tested_once(folds, 200)
    for fold in folds:
        assert not {groups[row] for row in fold.train} & {groups[row] for row in fold.test}


def test_fewer_groups_than_folds():
    assert len(grouped(["a", "b", "c", "a"])) == 3


def test_leave_one_out():
    folds = leave_one_out(["b", "a", "b", "c"])
    assert [list(fold.test) for fold in folds] == [[1], [0, 2], [3]]
    assert each_is_tested_once(folds, 4)


def test_too_few():
    with pytest.raises(DatasetError, match="10 folds need 10 rows of each label; one has 1"):
        stratified(np.array([1] + [0] * 20))
    for split in (grouped, leave_one_out):
        with pytest.raises(DatasetError, match="two groups"):
            split(["a", "a"])


def test_share_of_training_rows():
    labels = np.arange(100) % 2
    fold = Fold(np.arange(80), np.arange(80, 100))
    assert share_of(fold, labels, 1.0, 0) is fold
    part = share_of(fold, labels, 0.25, seed=1)
    assert len(part.train) == 20 and set(part.train) <= set(fold.train)
    assert labels[part.train].sum() == 10
    assert list(part.train) != list(share_of(fold, labels, 0.25, seed=2).train)
    assert len(share_of(fold, labels, 0.001, 0).train) == 4
