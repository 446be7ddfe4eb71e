"""Losses of OpenMP methods, by what was chosen wrongly."""

from __future__ import annotations

import json

import numpy as np
import pytest

from experiments.openmp_losses import losses, read
from mirgym.errors import DatasetError
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


def test_rows_are_read_and_others_refused(tmp_path):
    choices = configurations(2)
    labels = Labels(
        (Case("a", 1, 1, 1), Case("b", 1, 1, 1)), choices, np.ones((2, len(choices))), {}
    )
    path = tmp_path / "rows.jsonl"
    with pytest.raises(DatasetError, match="run `mirgym tasks run openmp"):
        read(path, labels)
    row = {"method": "m", "kernel": ["a", "b"], "chosen": ["1 × static", "2 × static"]}
    path.write_text(json.dumps({"row": row}) + "\n")
    assert {name: len(found) for name, found in read(path, labels).items()} == {"m": 1}
    for other in ({**row, "kernel": ["a", "c"]}, {**row, "chosen": ["8 × static"] * 2}):
        path.write_text(json.dumps({"row": other}) + "\n")
        with pytest.raises(DatasetError, match="not of the times that come with mirgym"):
            read(path, labels)
