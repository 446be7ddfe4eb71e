"""How long a parallel loop takes under a configuration, by its profile: a model in two steps.

The first is what a compiler engineer would write down: the time is a sum of what the profile
counts, each at a price that is above zero. The nine prices are fitted to the training cases.
The second adjusts this by trees, which see a case under one configuration at a time, so that
each measured time is an example.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .openmp_labels import Configuration
from .openmp_profile import Profile

PRICES = {
    "ten weighted instructions of the slowest core": 0.4,
    "start of the threads": 1000.0,
    "a parallel loop": 50.0,
    "a chunk, handed out statically": 10.0,
    "a chunk, handed out on demand": 30.0,
    "a line from another core": 50.0,
    "a line from memory": 5.0,
    "an atomic operation among threads": 5.0,
    "a call": 100.0,
}
"""Nanoseconds at which fitting starts."""
FREEDOM = (-6.0, 3.0)
"""How far the logarithm of a price may go from there."""
OUTLIER = 0.5
"""Of the logarithm of a time: from here on errors count linearly."""
TREES = 64
LEAF = 5
LIMIT = 1.5
"""Of the logarithm of a time ratio: how bad a bad configuration is hardly matters."""


def amounts(profile: Profile, choices: Sequence[Configuration]) -> np.ndarray:
    """What is paid for, (cases, configurations, ``PRICES``)."""
    threads = np.array([choice.threads for choice in choices])
    static = np.array([choice.schedule == "static" for choice in choices])
    several = threads > 1
    work, chunks = _alone(profile.of("work"), choices), profile.of("chunks")
    columns = [
        profile.of("span") * (profile.cost[:, None] / work) / 10,
        profile.of("regions") * several,
        profile.of("regions"),
        chunks * (several & static),
        chunks * (several & ~static),
        profile.of("transfers"),
        profile.of("fills") / threads,
        profile.of("atomics") * several,
        np.ones_like(work) + np.zeros(len(threads)),
    ]
    return np.stack(columns, axis=2)


def _alone(counter: np.ndarray, choices: Sequence[Configuration]) -> np.ndarray:
    """A counter on one thread, (cases, 1)."""
    place = next(i for i, choice in enumerate(choices) if choice.threads == 1)
    return counter[:, place : place + 1]


def fit_prices(paid: np.ndarray, ns: np.ndarray) -> np.ndarray:
    """Prices in nanoseconds, ``(PRICES,)``, by robust least squares of logarithms of times.

    Args:
        paid: ``amounts`` of some cases.
        ns: Their times, (cases, configurations).
    """
    from scipy.optimize import least_squares

    wanted = np.log(ns)

    def errors(logs: np.ndarray) -> np.ndarray:
        found: np.ndarray = (np.log(paid @ np.exp(logs)) - wanted).ravel()
        return found

    start = np.log(list(PRICES.values()))
    bounds = (start + FREEDOM[0], start + FREEDOM[1])
    fitted = least_squares(errors, start, loss="soft_l1", f_scale=OUTLIER, bounds=bounds)
    prices: np.ndarray = np.exp(fitted.x)
    return prices


def estimate(paid: np.ndarray, prices: np.ndarray) -> np.ndarray:
    """Logarithms of times ÷ the first configuration's, (cases, configurations)."""
    logs = np.log(paid @ prices)
    ratios: np.ndarray = logs - logs[:, :1]
    return ratios


def describe(profile: Profile, choices: Sequence[Configuration]) -> np.ndarray:
    """What trees see of a case under a configuration, (cases, configurations, columns)."""
    counts = {name: profile.of(name) for name in ("span", "regions", "chunks", "transfers")}
    alone = {n: _alone(profile.of(n), choices) for n in ("work", "regions", "accesses", "alone")}
    cost, work = profile.cost[:, None], alone["work"]
    columns = [
        np.log(counts["span"] / counts["span"][:, :1]),
        np.log(counts["span"] / work),
        np.log1p(work),
        np.log1p(work / alone["regions"]),
        np.log1p(work / counts["chunks"]),
        np.log1p(counts["chunks"] / counts["regions"]),
        np.log1p(counts["transfers"] / counts["regions"]),
        counts["transfers"] / work,
        profile.of("fills") / work,
        profile.of("atomics") / work,
        alone["accesses"] / cost,
        alone["alone"] / work,
        np.log1p(cost),
        np.log1p(cost / alone["regions"]),
        np.log1p(cost / counts["chunks"]),
        *np.eye(len(choices))[:, None],
    ]
    return np.stack(np.broadcast_arrays(*columns), axis=2)


def adjust(
    seen: tuple[np.ndarray, np.ndarray],
    estimates: tuple[np.ndarray, np.ndarray],
    ratios: np.ndarray,
    seed: int,
) -> np.ndarray:
    """Estimates of the test cases, corrected by trees: (test cases, configurations).

    Args:
        seen: What trees see of training and of test cases, (cases, configurations, columns).
        estimates: Of training and of test cases, (cases, configurations).
        ratios: Measured, of the training cases.
        seed: Of the trees.
    """
    from sklearn.ensemble import ExtraTreesRegressor

    left, right = (np.clip(one, -LIMIT, LIMIT) for one in estimates)
    train, test = (one.reshape(-1, one.shape[2]) for one in seen)
    trees = ExtraTreesRegressor(
        TREES, max_features=0.5, min_samples_leaf=LEAF, random_state=seed
    ).fit(train, (np.clip(ratios, -LIMIT, LIMIT) - left).ravel())
    found: np.ndarray = right + trees.predict(test).reshape(right.shape)
    return found
