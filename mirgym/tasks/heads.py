"""Small readers of frozen features that score rows: above zero is a yes.

A head sees the training rows with their answers, and the features of the test rows. What
it has to choose (regularisation, width of the code's features) it chooses by folds inside
the training rows. Scaling and principal components are fitted on the training rows, too.

========= ======================================================================
majority  the training rows' more frequent label
forest    random forest over the columns as they are
linear    logistic regression
mlp       one hidden layer of 64, stopped early by a tenth of the training rows
boosting  gradient-boosted trees over the columns as they are
trees     extremely randomised trees over components of the code
blend     mean of these trees and of kernel ridge regression
========= ======================================================================

The answers of a row are its label and a margin, the logarithm of how many times faster a
yes is. The regressions learn the margin, limited to ±1: far from the border it does not
matter how far.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

import numpy as np

HeadName = Literal["majority", "forest", "linear", "mlp", "boosting", "trees", "blend"]
SEEDLESS: frozenset[str] = frozenset({"majority", "linear", "boosting"})
"""Heads that draw no random numbers: all seeds give the same."""

INNER_FOLDS = 3
TREES = 100
COMPONENTS = 32
"""Of the code, at most."""
KERNELS = ((1.0, 0.3, 2.0, 0.3), (0.5, 0.3, 1.0, 1.0))
"""Weights of the numbers, the counts and the code in a distance, and the kernel's width."""
RIDGE = 0.03
REGULARISATION = (0.01, 0.1, 1.0, 10.0)


class Features(NamedTuple):
    """What is known of rows before they are run; a block without columns is left out.

    Attributes:
        numbers: Two numbers about the input, ``(n, 2)``.
        counts: Six raw counts, ``(n, 6)`` or ``(n, 0)``.
        code: Embedding or counters of the kernel, ``(n, d)`` or ``(n, 0)``.
    """

    numbers: np.ndarray
    counts: np.ndarray
    code: np.ndarray

    def at(self, rows: np.ndarray) -> Features:
        """Some of the rows."""
        return Features(*(block[rows] for block in self))

    def plain(self) -> np.ndarray:
        """All columns side by side."""
        return np.concatenate(self, axis=1)


class Answers(NamedTuple):
    """What is known of rows afterwards: label 0 or 1, and margin, (n,) each."""

    label: np.ndarray
    margin: np.ndarray

    def at(self, rows: np.ndarray) -> Answers:
        """Some of the rows."""
        return Answers(self.label[rows], self.margin[rows])


class Blocks(NamedTuple):
    """Features made comparable: logarithms, zero mean and unit variance; unit code space."""

    numbers: np.ndarray
    counts: np.ndarray
    code: np.ndarray

    def columns(self, width: int = 1_000) -> np.ndarray:
        """Side by side, with the first components of the code, each of unit size."""
        code = self.code[:, :width] * np.sqrt(max(self.code.shape[1], 1))
        return np.concatenate([self.numbers, self.counts, code], axis=1)


class Inner:
    """Folds inside some training rows, and what all seeds of a head share: its choice.

    Args:
        folds: Pairs of fitting and validation rows, numbered within the training rows.
    """

    def __init__(self, folds: Sequence[tuple[np.ndarray, np.ndarray]]) -> None:
        self.folds = list(folds)
        self._chosen: int | None = None
        self._prepared: list[Blocks] | None = None

    def prepare(self, train: Features, test: Features) -> list[Blocks]:
        """``prepare`` of all training rows and the test rows, once."""
        if self._prepared is None:
            self._prepared = prepare(train, test)
        return self._prepared

    def choose(self, hits: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> int:
        """The candidate that is right most often, the first of equals.

        Args:
            hits: How often each candidate is right, (candidates,), for a fold.
        """
        if self._chosen is None:
            counts = [hits(fit, valid) for fit, valid in self.folds]
            self._chosen = int(np.sum(counts, axis=0).argmax()) if counts else 0
        return self._chosen


def score(
    head: HeadName, train: Features, answers: Answers, test: Features, inner: Inner, seed: int
) -> np.ndarray:
    """Scores of the test rows, ``(n_test,)``."""
    if len(set(answers.label.tolist())) == 1 or head == "majority":
        return np.full(len(test.numbers), answers.label.mean() - 0.5)
    if head == "forest":
        return _forest(train, answers, test, seed)
    if head == "linear":
        return _linear(train, answers, test, inner)
    if head == "mlp":
        return _mlp(train, answers, test, inner, seed)
    if head == "boosting":
        return _boosting(train, answers, test)
    if head == "trees":
        left, right = inner.prepare(train, test)
        return _trees(seed)(left, answers, right)
    return _blend(train, answers, test, inner, seed)


def prepare(train: Features, *others: Features) -> list[Blocks]:
    """Blocks of the training rows and of others, scaled by the training rows."""
    from sklearn.decomposition import PCA
    from sklearn.preprocessing import StandardScaler

    def scaled(name: str) -> list[np.ndarray]:
        parts = [np.log1p(np.maximum(getattr(rows, name), 0)) for rows in (train, *others)]
        if not parts[0].shape[1]:
            return parts
        scaler = StandardScaler().fit(parts[0])
        return [scaler.transform(part) for part in parts]

    code = [rows.code for rows in (train, *others)]
    if code[0].shape[1]:
        scaler = StandardScaler().fit(code[0])
        width = min(COMPONENTS, code[0].shape[1], len(code[0]))
        space = PCA(width, svd_solver="randomized", random_state=0).fit(scaler.transform(code[0]))
        code = [space.transform(scaler.transform(part)) for part in code]
        size = float(np.sqrt(code[0].var(0).sum())) or 1.0
        # A column that hardly ever varies among the training rows must not explode elsewhere.
        code = [np.clip(part / size, -5, 5) for part in code]
    return [Blocks(*one) for one in zip(scaled("numbers"), scaled("counts"), code, strict=True)]


def _forest(train: Features, answers: Answers, test: Features, seed: int) -> np.ndarray:
    from sklearn.ensemble import RandomForestClassifier

    forest = RandomForestClassifier(TREES, random_state=seed).fit(train.plain(), answers.label)
    chance: np.ndarray = forest.predict_proba(test.plain())[:, 1] - 0.5
    return chance


Fit = Callable[[Blocks, Answers, Blocks], np.ndarray]
"""Scores of the rows on the right by a model of the rows on the left."""


def _chosen(candidates: Sequence[Fit], train: Features, answers: Answers, inner: Inner) -> Fit:
    if len(candidates) == 1:
        return candidates[0]

    def hits(fit: np.ndarray, valid: np.ndarray) -> np.ndarray:
        left, right = prepare(train.at(fit), train.at(valid))
        scores = [candidate(left, answers.at(fit), right) for candidate in candidates]
        return _right(scores, answers.label[valid])

    return candidates[inner.choose(hits)]


def _right(scores: Sequence[np.ndarray], label: np.ndarray) -> np.ndarray:
    """How often each of the scores has the label's sign."""
    count: np.ndarray = ((np.stack(scores) > 0) == label).sum(1)
    return count


def _linear(train: Features, answers: Answers, test: Features, inner: Inner) -> np.ndarray:
    from sklearn.linear_model import LogisticRegression

    def candidate(strength: float) -> Fit:
        def fit(left: Blocks, known: Answers, right: Blocks) -> np.ndarray:
            if len(set(known.label.tolist())) == 1:
                return np.full(len(right.numbers), known.label[0] - 0.5)
            model = LogisticRegression(C=strength, max_iter=500)
            scores: np.ndarray = model.fit(left.columns(), known.label).decision_function(
                right.columns()
            )
            return scores

        return fit

    chosen = _chosen([candidate(c) for c in REGULARISATION], train, answers, inner)
    left, right = inner.prepare(train, test)
    return chosen(left, answers, right)


def _mlp(train: Features, answers: Answers, test: Features, inner: Inner, seed: int) -> np.ndarray:
    import warnings

    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPRegressor

    left, right = inner.prepare(train, test)
    model = MLPRegressor(
        hidden_layer_sizes=(64,), alpha=1e-2, learning_rate_init=5e-3,
        early_stopping=len(left.numbers) >= 50, validation_fraction=0.1, n_iter_no_change=15,
        max_iter=200, random_state=seed,
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        scores: np.ndarray = model.fit(left.columns(), _limited(answers)).predict(right.columns())
    return scores


def _limited(answers: Answers) -> np.ndarray:
    limited: np.ndarray = np.clip(answers.margin, -1, 1)
    return limited


def _boosting(train: Features, answers: Answers, test: Features) -> np.ndarray:
    from sklearn.ensemble import HistGradientBoostingClassifier

    model = HistGradientBoostingClassifier(
        max_iter=60, max_leaf_nodes=15, early_stopping=False, random_state=0
    ).fit(train.plain(), answers.label)
    scores: np.ndarray = model.decision_function(test.plain())
    return scores


def _kernel(numbers: float, counts: float, code: float, width: float) -> Fit:
    def fit(left: Blocks, known: Answers, right: Blocks) -> np.ndarray:
        from sklearn.kernel_ridge import KernelRidge

        def space(rows: Blocks) -> np.ndarray:
            return np.concatenate(
                [rows.numbers * numbers, rows.counts * counts, rows.code * code], axis=1
            )

        model = KernelRidge(kernel="rbf", alpha=RIDGE, gamma=width)
        scores: np.ndarray = model.fit(space(left), _limited(known)).predict(space(right))
        return scores

    return fit


def _trees(seed: int) -> Fit:
    def fit(left: Blocks, known: Answers, right: Blocks) -> np.ndarray:
        from sklearn.ensemble import ExtraTreesRegressor

        def columns(rows: Blocks) -> np.ndarray:
            # The two numbers twice: a tree that draws half of the columns hardly misses them.
            return np.concatenate([rows.numbers, rows.columns(16)], axis=1)

        trees = ExtraTreesRegressor(TREES, max_features=0.5, random_state=seed)
        trees.fit(columns(left), 2.0 * known.label - 1)
        scores: np.ndarray = trees.predict(columns(right))
        return scores

    return fit


def _blend(
    train: Features, answers: Answers, test: Features, inner: Inner, seed: int
) -> np.ndarray:
    """The inner folds choose the kernel; the seed is the trees'."""
    kernel = _chosen([_kernel(*setting) for setting in KERNELS], train, answers, inner)
    left, right = inner.prepare(train, test)
    return (kernel(left, answers, right) + _trees(seed)(left, answers, right)) / 2
