from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from experiments import mine_speed
from experiments.mine_speed import SpeedConfig, pool
from experiments.speed_times import clock_order, shrunk, time_program
from experiments.training_modules import programs
from mirgym.agents.actionset import ActionSet
from mirgym.agents.edits import Edit, all_edits
from mirgym.agents.strategies import o_level
from mirgym.errors import DatasetError
from mirgym.passes import PROFILE, Pass
from mirgym.session import InProcessSession

SOME = [
    o_level("default<O1>"),
    Pass(
        "O3 less folding", "default<O3>", options=(("two-entry-phi-node-folding-threshold", "1"),)
    ),
]
FEW = tuple(edit for edit in all_edits() if edit.what in ("unroll-count", "inline-threshold"))


def test_every_pipeline_of_the_pool_runs_and_is_there_once() -> None:
    found = pool()
    assert len({one.name for one in found}) == len(found) > 100
    assert len({(one.pipeline, one.options) for one in found}) == len(found)
    assert o_level("default<O3>") not in found
    with InProcessSession() as session:
        for one in found:
            session.load(b"define void @f() {\n  ret void\n}\n", level="O3")
            session.step(one.pipeline, dict(one.options))


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SpeedConfig:
    monkeypatch.setattr(mine_speed, "pool", lambda: SOME)
    monkeypatch.setattr(mine_speed, "all_edits", lambda: FEW)
    return SpeedConfig(
        programs=("primes",),
        edits=4,
        rounds=2,
        jobs=1,
        folder=tmp_path / "results",
        work=tmp_path / "work",
        output=tmp_path / "speed.json",
    )


def test_a_whole_run_goes_on_from_what_is_there(config: SpeedConfig) -> None:
    assert mine_speed.main(config) == 0
    (file,) = config.work.glob("*-4.json")
    tried = json.loads(file.read_text())
    assert len(tried["ratios"]) == 2 and min(tried["ratios"]) > 0.5
    assert {gain[0] for gain in tried["gains"]} == {"drop", "set"}
    file.write_text(json.dumps({"ratios": [1.1, 1.3], "gains": [["set", "a", "1", 0.5, "x"]]}))
    assert mine_speed.main(config) == 0
    text = config.output.read_text()
    chosen = ActionSet.from_json(text, "speed.json")
    assert chosen.actions[:2] == (
        SOME[1]._replace(group="speed"),
        SOME[0]._replace(group="speed"),
    )
    assert chosen.about["geomean_first_n"]["1"] == pytest.approx(1.3)
    assert (
        chosen.about["command"]
        == "python -m experiments.mine_speed --programs primes --edits 4 --rounds 2"
    )
    assert [Edit(*edit) for *edit, _ in json.loads(text)["edits"]] == [Edit("set", "a", "1")]
    found = json.loads(text)
    assert found["counted"] == 2
    for way in found["clock"]:
        chosen_pass = chosen.actions[way["action"]]
        assert (chosen_pass.pipeline == "default<O3>" and not chosen_pass.options) == way["profile"]
    (timed,) = config.work.glob("*-timed-2.json")
    assert len(json.loads(timed.read_text())["gains"]) == 3  # the pool, and O3 after a profile
    assert (config.folder / "run.json").is_file()


def test_gains_by_the_clock_count_less_the_noisier_they_are() -> None:
    gains = np.array([[0.10, 0.03, 0.0], [0.10, 0.03, np.nan]])
    errors = np.array([[0.20, 0.001, 0.0], [0.20, 0.001, 0.0]])
    assert clock_order(gains, errors) == [1, 0]
    assert clock_order(gains, np.zeros_like(errors))[0] == 0
    assert (shrunk(gains, errors)[:, 2] == 0).all()


def test_times_are_kept_and_equal_modules_are_not_timed(tmp_path: Path) -> None:
    (module,) = programs(names=("primes",))
    same = Pass("same", "default<O3>")
    paths = ((same,), (Pass("broken", "no-such-pass"),), (SOME[0],), (PROFILE, same))
    first = time_program(module, paths, 2, tmp_path)
    assert first[0] == (0.0, 0.0)
    assert np.isnan(first[1][0])
    assert abs(first[2][0]) < 3.0
    assert first[3] != (0.0, 0.0) and abs(first[3][0]) < 3.0
    assert str(time_program(module, paths, 2, tmp_path)) == str(first)


def test_programs_that_cannot_run_are_an_error(config: SpeedConfig, monkeypatch) -> None:
    monkeypatch.setattr(mine_speed, "try_program", lambda *_, **__: {"ratios": [], "gains": []})
    monkeypatch.setattr(
        mine_speed, "in_processes", lambda _, __, modules, work: [work(one) for one in modules]
    )
    with pytest.raises(DatasetError, match="none of the programs primes could be run"):
        mine_speed.main(config)
