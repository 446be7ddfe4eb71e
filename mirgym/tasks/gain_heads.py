"""A small reader that predicts numbers: what would each choice gain?

Kernel ridge regression over several blocks of features, one output a choice; whoever chooses takes
the choice of the largest prediction. The kernel's width, the ridge and the blocks' weights are
chosen by folds inside the training rows. A forest over the plain columns is the usual control.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from .kernel_heads import WEIGHTS, Block, Distances, measure
from .protocols import Fold

TREES = 50
WIDTHS = (0.25, 1.0, 4.0, 16.0)
RIDGES = (0.1, 1.0, 3.0)

Quality = Callable[[np.ndarray, np.ndarray], float]
"""How good predictions (n, choices) are for known targets (n, choices); more is better."""


class Setting(NamedTuple):
    """What is chosen.

    Attributes:
        width: Multiplies the squared distance, whose mean is 1, in a Gaussian kernel.
        ridge: Added to the kernel's diagonal.
        weights: Of the blocks.
    """

    width: float
    ridge: float
    weights: tuple[float, ...]


def gained(predicted: np.ndarray, gains: np.ndarray) -> float:
    """What the choices of the largest predictions gain together."""
    return float(np.take_along_axis(gains, predicted.argmax(1)[:, None], axis=1).sum())


def closeness(predicted: np.ndarray, targets: np.ndarray) -> float:
    """Minus the squared error."""
    return -float(((predicted - targets) ** 2).sum())


def predict(
    blocks: Sequence[Block],
    targets: np.ndarray,
    fold: Fold,
    inner: Sequence[Fold],
    quality: Quality,
) -> np.ndarray:
    """Predictions for the fold's test rows, (n_test, choices).

    Args:
        blocks: Features of all rows.
        targets: Of all rows, (n, choices); those of test rows are not looked at.
        fold: Row numbers.
        inner: Folds of training rows to choose by, as row numbers among all rows.
        quality: What the chosen setting is best in.
    """
    setting = choose(blocks, targets, inner, quality)
    return regress(measured(blocks, fold), targets[fold.train], setting)


def choose(
    blocks: Sequence[Block], targets: np.ndarray, inner: Sequence[Fold], quality: Quality
) -> Setting:
    """The best width and ridge with equal weights; then the blocks' weights, one by one."""
    equal = (1.0,) * len(blocks)
    best = Setting(1.0, 1.0, equal)
    if not inner:
        return best
    distances = [measured(blocks, fold) for fold in inner]

    def value(setting: Setting) -> float:
        return sum(
            quality(regress(known, targets[fold.train], setting), targets[fold.test])
            for known, fold in zip(distances, inner, strict=True)
        )

    most = value(best)
    tried = [Setting(width, ridge, equal) for width in WIDTHS for ridge in RIDGES]
    for setting in tried:
        best, most = max((best, most), (setting, value(setting)), key=lambda pair: pair[1])
    for place in range(len(blocks) if len(blocks) > 1 else 0):
        for weight in WEIGHTS:
            weights = (*best.weights[:place], weight, *best.weights[place + 1 :])
            if any(weights):
                setting = best._replace(weights=weights)
                best, most = max((best, most), (setting, value(setting)), key=lambda pair: pair[1])
    return best


def measured(blocks: Sequence[Block], fold: Fold) -> Distances:
    """Distances of each block among the fold's training rows, and from its test rows to them."""
    return measure(blocks, np.zeros(0), fold, within=False)


def regress(distances: Distances, targets: np.ndarray, setting: Setting) -> np.ndarray:
    """Kernel ridge regression around the mean of the targets."""
    from scipy.linalg import cho_factor, cho_solve

    total = sum(setting.weights)

    def kernel(blocks: Sequence[np.ndarray]) -> np.ndarray:
        pairs = zip(setting.weights, blocks, strict=True)
        squares = sum(np.float32(weight / total) * block for weight, block in pairs if weight)
        likeness: np.ndarray = np.exp(-np.float32(setting.width) * squares)
        return likeness

    mean = targets.mean(0)
    gram = kernel(distances.own)
    gram[np.diag_indices_from(gram)] += np.float32(setting.ridge)
    answers = cho_solve(cho_factor(gram, lower=True, overwrite_a=True), targets - mean)
    predicted: np.ndarray = mean + kernel(distances.other) @ answers
    return predicted


def forest(blocks: Sequence[Block], targets: np.ndarray, fold: Fold, seed: int) -> np.ndarray:
    """Predictions of a random forest over the columns as they are, (n_test, choices)."""
    from sklearn.ensemble import RandomForestRegressor

    columns = np.concatenate([block.columns for block in blocks], axis=1)
    trees = RandomForestRegressor(TREES, max_features=0.5, min_samples_leaf=2, random_state=seed)
    predicted: np.ndarray = trees.fit(columns[fold.train], targets[fold.train]).predict(
        columns[fold.test]
    )
    return predicted.reshape(len(fold.test), -1)
