"""In which order to try the pipelines that the agent ``speed`` knows, by what a program is like.

Every order is a greedy cover (as ``mirgym.agents.memory`` and ``experiments.cover`` make): the
next pipeline is the one that adds most to the weighted mean of the best gain so far, over
programs that were measured before. A gain is ln(cost of O3 ÷ cost), and 0 where O3 is better,
since the agent then keeps O3. What a program's features can change:

==========  =============================================================================
neighbours  the weights: programs that look alike count for more
ridge       the gains: those that a ridge regression on the features expects, plus what it
            was wrong by on each program when it had not seen that one
==========  =============================================================================

Settings are chosen by leaving out one of the programs that are learnt from. A program that is
left out itself has no part in that choice, so that its score is one of a stranger.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

COUNTS = (1, 3, 10)
"""Pipelines that may be tried."""
_DRAWS = 10_000
"""Of the bootstrap."""
_SHUFFLES = 300
_FAR = 5.0
"""Standard deviations: a column that hardly varies among known programs must not decide."""

Order = Callable[[np.ndarray, np.ndarray, np.ndarray], list[int]]
"""From features (P, d) and gains (P, A) of known programs, and one's features (d,)."""


class Setting(NamedTuple):
    """One way to order pipelines by features."""

    method: str
    """``neighbours`` or ``ridge``."""
    smooth: float
    """Width of the kernel, in mean squared standard deviations; the ridge's penalty."""
    everyone: float = 0.0
    """Share of the weight that all programs have equally."""


SETTINGS = {
    "neighbours": tuple(
        Setting("neighbours", width, everyone)
        for width in (0.1, 0.3, 1.0, 3.0)
        for everyone in (0.0, 0.3, 0.6)
    ),
    "ridge": tuple(Setting("ridge", penalty) for penalty in (0.3, 1.0, 3.0, 10.0, 30.0)),
}


def cover(weights: np.ndarray, gains: np.ndarray, size: int) -> list[int]:
    """Pipelines in the order in which they add most.

    When nothing adds any more, all is covered once again.

    Args:
        weights: Of the programs: (P,).
        gains: At least 0: (P, A).
        size: How many at most.

    >>> cover(np.ones(2), np.array([[3.0, 2.0, 0.0], [0.0, 2.0, 3.0]]), 3)
    [1, 0, 2]
    """
    chosen: list[int] = []
    best = np.zeros(len(gains))
    while len(chosen) < min(size, gains.shape[1]):
        added = weights @ np.maximum(gains - best[:, None], 0.0)  # (A,)
        added[chosen] = -1.0
        if added.max() <= 1e-12 and best.any():
            best = np.zeros(len(gains))
            continue
        chosen.append(int(added.argmax()))
        best = np.maximum(best, gains[:, chosen[-1]])
    return chosen


def fixed(features: np.ndarray, gains: np.ndarray, asked: np.ndarray) -> list[int]:
    """The same for every program."""
    del features, asked
    return cover(np.ones(len(gains)), gains, max(COUNTS))


def ordered(setting: Setting) -> Order:
    """A way to order by features; the columns are standardised by the known programs."""

    def order(features: np.ndarray, gains: np.ndarray, asked: np.ndarray) -> list[int]:
        known, own = _standardised(features, asked)
        if setting.method == "neighbours":
            weights, expected = _alike(known, own, setting), gains
        else:
            weights, expected = np.ones(len(gains)), _expected(known, gains, own, setting.smooth)
        return cover(weights, expected, max(COUNTS))

    return order


def _standardised(features: np.ndarray, asked: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """So that a squared distance is a mean over columns; those that never vary are 0."""
    deviation = features.std(0)
    varies = deviation > 1e-6
    scale = varies / np.where(varies, deviation, 1.0) / np.sqrt(max(varies.sum(), 1))
    known, own = ((rows - features.mean(0)) * scale for rows in (features, asked))
    limit = _FAR / np.sqrt(max(varies.sum(), 1))
    return known, np.clip(own, -limit, limit)


def _alike(known: np.ndarray, own: np.ndarray, setting: Setting) -> np.ndarray:
    distance = ((known - own) ** 2).sum(1)  # (P,)
    near = np.exp(-(distance - distance.min()) / setting.smooth)
    weights: np.ndarray = (1 - setting.everyone) * near / near.sum()
    return weights + setting.everyone / len(near)


def _expected(known: np.ndarray, gains: np.ndarray, own: np.ndarray, penalty: float) -> np.ndarray:
    """What to expect of a program, a row for each way the regression may be wrong: (P, A)."""
    kernel = known @ known.T  # (P, P)
    mean = gains.mean(0)
    inverse = np.linalg.inv(kernel + penalty * np.eye(len(known)))
    weights = inverse @ (gains - mean)
    said = mean + (known @ own) @ weights  # (A,)
    errors = weights / np.diag(inverse)[:, None]  # left out, by the formula of ridge regression
    expected: np.ndarray = np.maximum(said + errors, 0.0)
    return expected


def scores(order: Sequence[int], gains: np.ndarray) -> np.ndarray:
    """The best gain of one program, (A,), among the first of an order: (len(COUNTS),)."""
    return np.array([float(gains[list(order[:count])].max(initial=0.0)) for count in COUNTS])


def each(found: Sequence[Sequence[int]], gains: np.ndarray) -> np.ndarray:
    """Of each program with its order: (P, len(COUNTS)); there may be none."""
    rows = [scores(order, row) for order, row in zip(found, gains, strict=True)]
    return np.array(rows).reshape(-1, len(COUNTS))


def left_out(order: Order, features: np.ndarray, gains: np.ndarray) -> np.ndarray:
    """Of each program, ordered by the others: (P, len(COUNTS))."""
    rows = range(len(gains))
    found = [order(_without(features, row), _without(gains, row), features[row]) for row in rows]
    return each(found, gains)


def chosen(method: str, features: np.ndarray, gains: np.ndarray) -> Setting:
    """The setting that does best on programs that are left out in turn."""
    found = [left_out(ordered(one), features, gains).mean() for one in SETTINGS[method]]
    return SETTINGS[method][int(np.argmax(found))]


def by_features(method: str) -> Order:
    """With the setting that is best for the known programs."""

    def order(features: np.ndarray, gains: np.ndarray, asked: np.ndarray) -> list[int]:
        return ordered(chosen(method, features, gains))(features, gains, asked)

    return order


def new_programs(
    order: Callable[[np.ndarray], list[int]], features: np.ndarray, gains: np.ndarray
) -> np.ndarray:
    """Of programs that nothing was learnt from: (P, len(COUNTS))."""
    return each([order(x) for x in features], gains)


def at_random(gains: np.ndarray) -> np.ndarray:
    """The mean over many orders: (P, len(COUNTS))."""
    generator = np.random.default_rng(0)
    orders = [generator.permutation(gains.shape[1]).tolist() for _ in range(_SHUFFLES)]
    mean: np.ndarray = np.mean([each([order] * len(gains), gains) for order in orders], axis=0)
    return mean


def oracle(gains: np.ndarray) -> np.ndarray:
    """All of them, tried at once: (P, len(COUNTS))."""
    return np.repeat(gains.max(1, initial=0.0)[:, None], len(COUNTS), 1)


class Interval(NamedTuple):
    """A geometric mean over programs, and where 95 % of bootstrap samples have it."""

    mean: float
    low: float
    high: float

    @classmethod
    def of(cls, gains: np.ndarray) -> Interval:
        """Of logarithms, one a program: (P,)."""
        generator = np.random.default_rng(0)
        drawn = gains[generator.integers(len(gains), size=(_DRAWS, len(gains)))].mean(1)
        low, high = np.quantile(drawn, (0.025, 0.975))
        return cls(*(float(np.exp(x)) for x in (gains.mean(), low, high)))


def lines(found: dict[str, np.ndarray], against: str) -> Iterator[dict[str, object]]:
    """A line for each order and count: its speedup over O3, and its ratio to another order.

    Args:
        found: Of each order (P, len(COUNTS)).
        against: The name of that other one.
    """
    for name, gains in found.items():
        for at, count in enumerate(COUNTS):
            own = Interval.of(gains[:, at])
            ratio = Interval.of(gains[:, at] - found[against][:, at])
            yield {
                "order": name,
                "compiles": count,
                **{key: round(value, 4) for key, value in own._asdict().items()},
                **{f"ratio_{key}": round(value, 4) for key, value in ratio._asdict().items()},
            }


def _without(rows: np.ndarray, row: int) -> np.ndarray:
    return np.delete(rows, row, 0)
