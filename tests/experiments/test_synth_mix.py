"""The experiment on mixes: its measures, and a tiny run from end to end."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest

from experiments import synth_mix
from experiments.synth_mix import (
    ALL,
    MEASURES,
    MIXED,
    PASSES,
    Described,
    SynthMixConfig,
    cells_of,
    main,
    measures,
    seeds_of,
)
from mirgym.programs.synth import PROFILES


def planted(rng: np.random.Generator, count: int, shift: float = 0.0) -> Described:
    """Programs whose answers are linear in what is seen."""
    x = rng.normal(size=(count, 8)).astype(np.float32)
    y = np.stack([x[:, i] for i in range(len(PASSES) + 1)], axis=1)
    return Described(x, y + np.float32(shift))


def test_measures_by_hand():
    true = np.array([[1.0, 0.0], [3.0, 1.0], [5.0, 2.0]])
    assert measures(true, true) == (1.0, 1.0, 1.0)
    mean = np.broadcast_to(true.mean(0), true.shape) + np.array([[0, -1e-9], [0, 0], [0, 1e-9]])
    assert measures(mean, true)[0] == pytest.approx(0, abs=1e-6)
    oz, correlation, passes = measures(true + np.array([0.0, 1.0]), true)
    assert (oz, correlation, passes) == (-0.5, 1.0, 1.0)


def test_a_planted_rule_is_learned_and_a_shift_is_seen():
    rng = np.random.default_rng(0)
    test = {"same": planted(rng, 40), "shifted": planted(rng, 40, shift=2.0)}
    cells = {
        cell.test: cell for cell in cells_of("x", planted(rng, 200), planted(rng, 40), test, 2)
    }
    assert cells["same"].oz > 0.99
    assert cells["same"].passes > 0.99
    assert cells["shifted"].oz < -1
    assert cells["shifted"].correlation > 0.99


def test_train_and_test_programs_are_distinct():
    config = SynthMixConfig()
    train = set(seeds_of("calls", 0, config.train_programs + config.train_programs // 5))
    test = set(seeds_of("calls", synth_mix._FIRST_TEST_SEED, config.test_programs))
    assert not train & test


def test_end_to_end(tmp_path, monkeypatch):
    monkeypatch.setattr(synth_mix, "PROFILES", dict(list(PROFILES.items())[:2]))
    monkeypatch.setattr(synth_mix, "REAL", {"kernels": "loopkernels"})
    monkeypatch.setattr(
        synth_mix,
        "described",
        lambda name, specs, _: planted(np.random.default_rng(), 4 + len(specs)),
    )
    config = SynthMixConfig(10, 4, 2, folder=tmp_path / "out", work=tmp_path / "work")
    main(config)
    with (tmp_path / "out" / "table.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {row["train"] for row in rows} == {"balanced", "numeric", MIXED, ALL}
    assert len(rows) == 4 * 3
    run = json.loads((tmp_path / "out" / "run.json").read_text())
    assert run["config"]["train_programs"] == 10
    assert set(run["figures"]["mixes"]["numeric"]) == {
        f"{what}, {where}" for what in MEASURES for where in ("own", "other profiles", "kernels")
    }
    assert (tmp_path / "out" / "matrix.png").stat().st_size > 1000


def test_a_program_is_described_and_kept(tmp_path, capsys):
    specs = ["synth://5?size=10&functions=1", "synth://6?size=10&functions=1"]
    first = synth_mix.described("few", specs, tmp_path)
    assert first.x.shape[0] == 2
    assert first.y.shape == (2, len(PASSES) + 1)
    assert (first.y[:, -1] > 0).all()
    capsys.readouterr()
    again = synth_mix.described("few", specs, tmp_path)
    assert np.array_equal(again.x, first.x)
    assert not capsys.readouterr().out
    other = synth_mix.described("few", specs[:1], tmp_path)
    assert len(other.x) == 1
