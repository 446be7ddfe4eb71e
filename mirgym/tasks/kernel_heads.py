"""A small reader that names classes: kernel ridge regression over several blocks of features.

A block is what one encoder or counter, or a part of it, says of a program in one state. Blocks
are scaled by the rows that are fitted on; the squared distance between two rows is a weighted
mean of the blocks'. What is chosen (the kernel's width, the ridge, whether a block's directions
are weighed by how little they vary within a class, and the blocks' weights) is chosen by folds
inside the training rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from .protocols import Fold

SHRINKAGE = 0.3
"""Of the covariance within classes towards a multiple of the identity."""
LIMIT = 5.0
"""A column that hardly ever varies among fitted rows must not explode elsewhere."""
WEIGHTS = (0.0, 0.3, 3.0)
"""What is tried for a block's weight besides 1."""
WIDTHS = (0.1, 0.5, 2.0)
RIDGES = (0.01, 0.1)


class Block(NamedTuple):
    """Columns of all rows; counts are taken as logarithms."""

    columns: np.ndarray
    counts: bool


class Setting(NamedTuple):
    """What is chosen.

    Attributes:
        within: Whether directions are weighed by the covariance within classes.
        width: Multiplies the squared distance, whose mean is 1, in a Gaussian kernel.
        ridge: Added to the kernel's diagonal.
    """

    within: bool = True
    width: float = 0.5
    ridge: float = 0.1


class Choice(NamedTuple):
    """A setting and a weight for each block."""

    setting: Setting
    weights: tuple[float, ...]


class Distances(NamedTuple):
    """Squared distances of each block among fitted rows, and from the others to them."""

    own: list[np.ndarray]
    other: list[np.ndarray]


def predict(
    blocks: Sequence[Block], label: np.ndarray, fold: Fold, inner: Sequence[Fold]
) -> np.ndarray:
    """Labels of the fold's test rows, (n_test,).

    Args:
        blocks: Features of all rows.
        label: Of all rows; those of test rows are not looked at.
        fold: Row numbers.
        inner: Folds of training rows to choose by, as row numbers among all rows.
    """
    choice = choose(blocks, label, inner)
    distances = measure(blocks, label, fold, choice.setting.within)
    return classify(distances, label[fold.train], choice)


def choose(blocks: Sequence[Block], label: np.ndarray, inner: Sequence[Fold]) -> Choice:
    """The setting that is right most often with equal weights; then the blocks' weights."""
    equal = (1.0,) * len(blocks)
    if not inner:
        return Choice(Setting(), equal)
    best, most, kept = Choice(Setting(), equal), -1, []
    for within in (True, False):
        folds = [measure(blocks, label, fold, within) for fold in inner]
        for width in WIDTHS:
            for ridge in RIDGES:
                choice = Choice(Setting(within, width, ridge), equal)
                hits = _hits(folds, label, inner, choice)
                if hits > most:
                    best, most, kept = choice, hits, folds
    if len(blocks) == 1:
        return best
    for place in range(len(blocks)):
        for weight in WEIGHTS:
            weights = (*best.weights[:place], weight, *best.weights[place + 1 :])
            if any(weights):
                hits = _hits(kept, label, inner, best._replace(weights=weights))
                if hits > most:
                    best, most = best._replace(weights=weights), hits
    return best


def _hits(
    folds: Sequence[Distances], label: np.ndarray, inner: Sequence[Fold], choice: Choice
) -> int:
    return sum(
        int((classify(distances, label[fold.train], choice) == label[fold.test]).sum())
        for distances, fold in zip(folds, inner, strict=True)
    )


def measure(blocks: Sequence[Block], label: np.ndarray, fold: Fold, within: bool) -> Distances:
    """Distances of the blocks, each with mean 1 among the fitted rows."""
    own, other = [], []
    for block in blocks:
        fitted, others = _scaled(block, fold)
        if within:
            space = _whitening(fitted, label[fold.train])
            fitted, others = fitted @ space, others @ space
        among, between = _squared(fitted, fitted), _squared(others, fitted)
        mean = float(among.mean()) or 1.0
        own.append(among / mean)
        other.append(between / mean)
    return Distances(own, other)


def _scaled(block: Block, fold: Fold) -> tuple[np.ndarray, np.ndarray]:
    columns = np.log1p(np.maximum(block.columns, 0)) if block.counts else block.columns
    mean, scale = columns[fold.train].mean(0), columns[fold.train].std(0)
    known = scale > 1e-6

    def shape(rows: np.ndarray) -> np.ndarray:
        part = (columns[rows][:, known] - mean[known]) / scale[known]
        clipped: np.ndarray = np.clip(part, -LIMIT, LIMIT).astype(np.float32)
        return clipped

    return shape(fold.train), shape(fold.test)


def _whitening(fitted: np.ndarray, label: np.ndarray) -> np.ndarray:
    """A map after which the covariance within classes is about the identity, (d, d)."""
    spread = fitted.copy()
    for one in np.unique(label):
        spread[label == one] -= fitted[label == one].mean(0)
    covariance = spread.T @ spread / len(fitted)
    size = float(np.trace(covariance)) / max(len(covariance), 1)
    shrunk = (1 - SHRINKAGE) * covariance + (SHRINKAGE * size + 1e-6) * np.eye(len(covariance))
    values, vectors = np.linalg.eigh(shrunk)
    whitening: np.ndarray = (vectors / np.sqrt(np.maximum(values, 1e-9))).astype(np.float32)
    return whitening


def _squared(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    squares = (left**2).sum(1)[:, None] + (right**2).sum(1) - 2 * left @ right.T
    distances: np.ndarray = np.maximum(squares, 0)
    return distances


def classify(distances: Distances, label: np.ndarray, choice: Choice) -> np.ndarray:
    """Labels of the other rows by kernel ridge regression on one column a class."""
    from scipy.linalg import cho_factor, cho_solve

    setting, total = choice.setting, sum(choice.weights)

    def kernel(blocks: Sequence[np.ndarray]) -> np.ndarray:
        pairs = zip(choice.weights, blocks, strict=True)
        squares = sum(np.float32(weight / total) * block for weight, block in pairs if weight)
        likeness: np.ndarray = np.exp(-np.float32(setting.width) * squares)
        return likeness

    classes, place = np.unique(label, return_inverse=True)
    wanted = np.eye(len(classes), dtype=np.float32)[place]
    gram = kernel(distances.own)
    gram[np.diag_indices_from(gram)] += np.float32(setting.ridge)
    answers = cho_solve(cho_factor(gram, lower=True, overwrite_a=True), wanted)
    named: np.ndarray = classes[(kernel(distances.other) @ answers).argmax(1)]
    return named
