"""The head that predicts gains, on made rows."""

from __future__ import annotations

import numpy as np
import pytest

from mirgym.tasks import gain_heads
from mirgym.tasks.gain_heads import choose, closeness, forest, gained, predict
from mirgym.tasks.kernel_heads import Block
from mirgym.tasks.protocols import Fold

FOLD = Fold(np.arange(60), np.arange(60, 90))
INNER = [Fold(np.arange(30), np.arange(30, 60)), Fold(np.arange(30, 60), np.arange(30))]


@pytest.fixture
def made() -> tuple[Block, np.ndarray]:
    """The choice of a row's sign gains 1, the other nothing, a third always a tenth."""
    rng = np.random.default_rng(0)
    columns = rng.normal(0, 1, (90, 2))
    side = columns[:, 0] > 0
    return Block(columns, False), np.stack([side, ~side, np.full(90, 0.1)], axis=1).astype(float)


def test_qualities():
    predicted, gains = np.array([[0.0, 1.0], [2.0, 1.0]]), np.array([[5.0, 3.0], [7.0, 1.0]])
    assert gained(predicted, gains) == 10
    assert closeness(predicted, gains) == -(25 + 4 + 25 + 0)
    assert closeness(gains, gains) == 0


def test_it_learns_which_choice_gains(made):
    block, gains = made
    found = predict([block], gains, FOLD, INNER, gained)
    assert gained(found, gains[FOLD.test]) > 27
    trees = forest([block], gains, FOLD, 0)
    assert trees.shape == (30, 3) and gained(trees, gains[FOLD.test]) > 27


def test_targets_of_test_rows_never_enter(made):
    block, gains = made
    hidden = np.where(np.arange(90)[:, None] < 60, gains, -5)
    for head in (gained, closeness):
        there = predict([block], gains, FOLD, INNER, head)
        assert (there == predict([block], hidden, FOLD, INNER, head)).all()
    assert (forest([block], gains, FOLD, 0) == forest([block], hidden, FOLD, 0)).all()


def test_noise_loses_its_weight(made):
    block, gains = made
    noise = Block(np.random.default_rng(1).normal(0, 1, (90, 40)), False)
    weights = choose([noise, block], gains, INNER, closeness).weights
    assert weights[0] < weights[1]


def test_without_inner_folds_nothing_is_chosen(made):
    block, gains = made
    assert choose([block, block], gains, [], gained).weights == (1.0, 1.0)
    assert predict([block], gains, FOLD, [], gained).shape == (30, 3)


def test_a_heavy_ridge_gives_the_mean(made):
    block, gains = made
    setting = gain_heads.Setting(1.0, 1e9, (1.0,))
    found = gain_heads.regress(gain_heads.measured([block], FOLD), gains[FOLD.train], setting)
    assert found == pytest.approx(np.tile(gains[FOLD.train].mean(0), (30, 1)), abs=1e-5)
