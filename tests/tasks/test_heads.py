"""Heads: they learn, they choose by training rows alone, and bear little data."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest

from mirgym.tasks.heads import SEEDLESS, Answers, Features, HeadName, Inner, prepare, score
from mirgym.tasks.protocols import stratified

HEADS = get_args(HeadName)
LEARNING = tuple(head for head in HEADS if head != "majority")


def made_up(rows: int, seed: int) -> tuple[Features, Answers]:
    """The label follows from the first number and the code."""
    rng = np.random.default_rng(seed)
    numbers = np.exp(rng.normal(0, 2, (rows, 2)))
    code = rng.normal(size=(rows, 12)).astype(np.float32)
    margin = np.log(numbers[:, 0]) + 2 * code[:, 0]
    features = Features(numbers, rng.integers(0, 9, (rows, 6)).astype(float), code)
    return features, Answers((margin > 0).astype(np.int64), margin)


def scores(head: HeadName, rows: int = 150, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    train, answers = made_up(rows, 1)
    test, expected = made_up(80, 2)
    inner = Inner(stratified(answers.label, 3))
    return score(head, train, answers, test, inner, seed), expected.label


@pytest.mark.parametrize("head", LEARNING)
def test_learns(head):
    found, label = scores(head)
    assert ((found > 0) == label).mean() > 0.75


@pytest.mark.parametrize("head", HEADS)
def test_equal_seeds_give_equal_scores(head):
    first, again, other = scores(head)[0], scores(head)[0], scores(head, seed=1)[0]
    np.testing.assert_array_equal(first, again)
    assert np.array_equal(first, other) == (head in SEEDLESS)


@pytest.mark.parametrize("head", HEADS)
def test_one_label(head):
    train, answers = made_up(20, 1)
    ones = Answers(np.ones_like(answers.label), np.abs(answers.margin))
    assert (score(head, train, ones, train, Inner(()), 0) > 0).all()


@pytest.mark.parametrize("head", HEADS)
def test_four_rows_and_no_inner_folds(head):
    train, answers = made_up(40, 1)
    rows = np.r_[np.flatnonzero(answers.label)[:2], np.flatnonzero(answers.label == 0)[:2]]
    found = score(head, train.at(rows), answers.at(rows), train, Inner(()), 0)
    assert found.shape == (40,) and np.isfinite(found).all()


@pytest.mark.parametrize("head", HEADS)
def test_without_code_and_counts(head):
    train, answers = made_up(60, 1)
    nothing = np.zeros((60, 0))
    plain = Features(train.numbers, nothing, nothing)
    found = score(head, plain, answers, plain, Inner(stratified(answers.label, 3)), 0)
    assert np.isfinite(found).all()


def test_scaling_is_of_the_training_rows():
    train, _ = made_up(50, 1)
    far = Features(train.numbers * 1e6, train.counts, train.code * 1e6)
    alone, beside = prepare(train)[0], prepare(train, far)[0]
    for one, other in zip(alone, beside, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_choice_is_made_once():
    calls = []

    def hits(fit: np.ndarray, valid: np.ndarray) -> np.ndarray:
        calls.append(len(fit))
        return np.array([1, 3, 3])

    inner = Inner([(np.arange(4), np.arange(4, 6))])
    assert [inner.choose(hits), inner.choose(hits)] == [1, 1]
    assert calls == [4]
    assert Inner(()).choose(hits) == 0
