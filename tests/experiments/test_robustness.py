"""Robustness of embeddings, on a handful of programs and on made-up features."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tyro")

from experiments.robustness import PASSES, RobustnessConfig, Seen, features, figures_of, main, see


def made_up(noise: float) -> tuple[np.ndarray, list[Seen]]:
    """Three classes in three places; a variant lies ``noise`` × passes away from its program."""
    rng = np.random.default_rng(0)
    seen, rows = [], []
    for program in range(30):
        label, is_test = program % 3, program >= 21
        place = 10.0 * np.eye(3)[label] + rng.normal(0, 1, 3)
        for passes in (0, *PASSES) if is_test else (0,):
            seen.append(Seen(label, program, passes, is_test, {}))
            rows.append(place + noise * passes * rng.normal(0, 1, 3))
    return np.array(rows), seen


def test_what_no_pass_moves_is_found_and_answered() -> None:
    x, seen = made_up(0.0)
    for row in figures_of("still", x, seen, False):
        assert row.moved == pytest.approx(0, abs=1e-6)
        assert row.found == 1 and row.answered == 1


def test_what_passes_move_is_lost() -> None:
    x, seen = made_up(3.0)
    rows = figures_of("moved", x, seen, False)
    assert rows[0].moved == pytest.approx(0, abs=1e-6) and rows[0].answered == 1
    assert rows[-1].moved > rows[1].moved > 0
    assert rows[-1].found < 0.7 and rows[-1].answered < 1


def test_an_encoder_without_a_path_is_refused() -> None:
    with pytest.raises(ValueError, match="NAME=PATH"):
        list(features([], RobustnessConfig(encoders=("tiny",))))


def test_a_whole_run(tmp_path: Path) -> None:
    config = RobustnessConfig(classes=3, train=3, test=1, variants=1, folder=tmp_path)
    seen = list(see(config))
    assert sum(not one.is_test for one in seen) == 9
    assert {one.passes for one in seen} == {0, *PASSES}
    assert main(config) == 0
    with (tmp_path / "robustness.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {row["encoder"] for row in rows} >= {"tiny", "base", "untrained", "autophase"}
    unchanged = [row for row in rows if row["passes"] == "0"]
    assert all(float(row["moved"]) < 1e-3 and float(row["found"]) == 1 for row in unchanged)
    assert (tmp_path / "robustness.png").stat().st_size > 1000
