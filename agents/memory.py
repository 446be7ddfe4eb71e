"""What actions gave on training modules, asked for modules that look alike.

One order of actions, best first, is not the best list to try: the second entry is mostly a
variant of the first and fails where it fails. A list is good when one of its entries is good.
So training modules vote: each has a weight, the larger the closer it is in the policy's own
representation, and actions are chosen greedily so that the weighted mean of the best value
among those chosen grows most (the coresets' greedy cover, made for one module).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

WIDTH = 0.3
"""Of the kernel ``exp(-d / WIDTH)``; ``d`` is the mean squared difference, standardised."""
EVERYONE = 0.3
"""Share of the weight that all modules have equally."""


class Memory(NamedTuple):
    """N training modules as they were loaded.

    Attributes:
        keys: (N, H) the policy's last hidden layer.
        values: (N, A) ln(baseline ÷ cost) after each action, without gaps.
    """

    keys: np.ndarray
    values: np.ndarray

    @classmethod
    def of(cls, keys: np.ndarray, values: np.ndarray) -> Memory:
        """From values with gaps (NaN): these count as the action's mean, or nothing gained."""
        known = ~np.isnan(values)
        counts = known.sum(0)
        sums = np.where(known, values, 0.0).sum(0)
        means = np.where(counts > 0, sums / np.maximum(counts, 1), -1.0)
        filled = np.where(known, values, np.minimum(means, 0.0))
        return cls(keys.astype(np.float16), filled.astype(np.float16))

    def weights(self, key: np.ndarray | None) -> np.ndarray:
        """(N,) how much each module has to say about one with this key; they add up to 1.

        All say the same about one that could not be looked at.
        """
        if key is None:
            return np.full(len(self.keys), 1 / len(self.keys))
        keys = self.keys.astype(np.float32)
        deviation = keys.std(0) + 1e-3
        distance = (((keys - key) / deviation) ** 2).mean(1)  # (N,)
        near = np.exp(-(distance - distance.min()) / WIDTH)
        weights: np.ndarray = (1 - EVERYONE) * near / near.sum() + EVERYONE / len(near)
        return weights

    def favourite(self) -> int:
        """The action that is best for all modules: what to take when there is no second chance.

        On validation modules the favourite of the nearest ones was worse by half a per cent.
        """
        return int(self.values.astype(np.float32).mean(0).argmax())

    def ranked(self, key: np.ndarray | None, size: int) -> list[int]:
        """Actions to try on a module with this key, first the most promising by itself."""
        weights = self.weights(key)
        values = self.values.astype(np.float32)
        first = int((weights @ values).argmax())
        chosen, best = [first], np.maximum(values[:, first], 0.0)
        while len(chosen) < min(size, values.shape[1]):
            gains = weights @ np.maximum(values - best[:, None], 0.0)  # (A,)
            gains[chosen] = -1.0
            if gains.max() <= 1e-9:  # all is covered: once more, for a second sequence each
                best = np.zeros_like(best)
                gains = weights @ np.maximum(values, 0.0)
                gains[chosen] = -1.0
            chosen.append(int(gains.argmax()))
            best = np.maximum(best, values[:, chosen[-1]])
        return chosen
