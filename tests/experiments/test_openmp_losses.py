"""Losses of OpenMP methods, by what was chosen wrongly."""

from __future__ import annotations

import numpy as np

from experiments.openmp_losses import losses
from mirgym.tasks.openmp_labels import Case, Labels, configurations


def test_losses_add_up():
    choices = configurations(2)
    names = [str(choice) for choice in choices]
    ns = np.full((3, len(choices)), 16.0)
    ns[:, names.index("2 × dynamic, 8")] = 2
    ns[:, names.index("2 × guided, 8")] = 4
    ns[:, names.index("2 × guided, 1")] = 8
    labels = Labels(tuple(Case("a", n, n, n) for n in range(3)), choices, ns, {})
    found = losses(labels, ["1 × static", "2 × guided, 1", "2 × dynamic, 8"])
    np.testing.assert_allclose(np.exp(found), [[8, 1, 1], [1, 2, 2], [1, 1, 1]])
