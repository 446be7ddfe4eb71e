"""Greedy cover: a few sequences of which each program likes at least one.

The value of a set is the sum over programs of the best ratio to the baseline that a member,
or the baseline itself, gives. It is submodular, so that greedy choice reaches 63 % of the
best possible gain (Nemhauser, Wolsey & Fisher 1978), and a prefix of the choice is the
choice for a smaller set.
"""

from __future__ import annotations

import numpy as np


def greedy_cover(ratios: np.ndarray, size: int) -> list[int]:
    """Choose columns, best first.

    When nothing adds to the sum any more, the rest is covered once again, as if nothing had
    been chosen: a second sequence for each program.

    Args:
        ratios: (programs, sequences); baseline ÷ cost, 0 for a failure.
        size: How many to choose at most. Those that beat the baseline nowhere are not.
    """
    chosen: list[int] = []
    free = [column for column in range(ratios.shape[1]) if (ratios[:, column] > 1).any()]
    best = np.ones(len(ratios))
    while free and len(chosen) < size:
        gains = np.maximum(ratios[:, free] - best[:, None], 0).sum(0)  # (free,)
        index = int(gains.argmax())
        if gains[index] <= 1e-12:
            best = np.ones(len(ratios))
            continue
        column = free.pop(index)
        chosen.append(column)
        best = np.maximum(best, ratios[:, column])
    return chosen


def best_of_first(ratios: np.ndarray, chosen: list[int], count: int) -> np.ndarray:
    """Each program's best ratio among the first ``count`` chosen, at least 1."""
    best: np.ndarray = ratios[:, chosen[:count]].max(1, initial=1.0)  # (programs,)
    return best


def held_out_geomean(
    ratios: np.ndarray, owners: list[frozenset[int]], size: int, counts: tuple[int, ...]
) -> dict[int, float]:
    """What the first N of a coreset give on a program that had no part in it.

    Leaves each program out in turn: its row, and the sequences found on it alone.

    Args:
        ratios: (programs, sequences).
        owners: For each sequence, the programs it was found on; empty: on none.
        size: Of the coreset.
        counts: The values of N.

    Returns:
        Geometric mean over the programs for each N.
    """
    logs: dict[int, list[float]] = {count: [] for count in counts}
    for row in range(len(ratios)):
        known = [c for c in range(ratios.shape[1]) if owners[c] != frozenset({row})]
        others = np.delete(ratios, row, axis=0)[:, known]
        chosen = [known[index] for index in greedy_cover(others, size)]
        for count in counts:
            logs[count].append(float(np.log(best_of_first(ratios[[row]], chosen, count)[0])))
    return {count: float(np.exp(np.mean(values))) for count, values in logs.items()}
