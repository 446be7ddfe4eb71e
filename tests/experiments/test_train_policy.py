"""From search data to a policy file, on few actions and two programs."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest

from experiments import search_data, train_policy
from experiments.policy_data import read
from experiments.search_data import FAILED, UNTRIED, DataConfig, probe
from experiments.train_policy import TrainConfig
from experiments.training_modules import TrainingModule
from mirgym.agents.actionset import ActionSet, build
from mirgym.agents.policy import load
from mirgym.agents.refine import RefineConfig
from mirgym.agents.regression import FitConfig
from mirgym.errors import DatasetError
from mirgym.passes import Pass
from mirgym.programs import resolve
from mirgym.worker import WorkerSession

CRASH = Pass("unify-loop-exits", "function(unify-loop-exits)", "stages")
FEW = ActionSet(
    (
        Pass("c:1", "default<O2>", "coreset"),
        Pass("c:2", "default<O1>", "coreset"),
        *build("o2-less").actions[:4],
        *build("core").actions[:8],
    ),
    "few",
)


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    patch = pytest.MonkeyPatch()
    patch.setattr(search_data, "policy_actions", lambda: FEW)
    folder = tmp_path_factory.mktemp("search-data")
    config = DataConfig(work=folder, later_states=2, first_share=1.0, later_share=0.5)
    for name in ("mirbench/crc", "mirbench/primes", "mirbench/bitcount"):
        assert probe(TrainingModule(name), config)
    yield folder
    patch.undo()


def test_what_was_tried_is_what_a_session_gives(work):
    with np.load(work / "modules" / "mirbench-crc.npz") as raw:
        after, here, oz = raw["after"], raw["here"], raw["oz"]
    assert after.shape == (3, len(FEW), 2)
    tried = after[0, :, 0] != UNTRIED
    assert tried.tolist() == [action.group != "core" for action in FEW.actions]
    with WorkerSession() as session:
        for index in (0, 1, 3):
            session.load(resolve("mirbench/crc").bitcode(), level="Oz")
            state = session.step(FEW.actions[index].pipeline, wanted=search_data._COSTS)
            assert after[0, index].tolist() == [
                state.metrics["text_size_bytes"],
                state.metrics["ir_instructions"],
            ]
    assert (after[0, 0] == oz).all()
    assert (here[1] != here[0]).any()


def test_a_probed_module_is_not_probed_again(work, monkeypatch):
    monkeypatch.setattr(search_data, "Prober", None)
    assert probe(TrainingModule("mirbench/crc"), DataConfig(work=work))


def test_a_pass_that_crashes_is_a_failure_of_that_action_only(tmp_path, monkeypatch):
    actions = ActionSet((CRASH, *FEW.actions[:2]), "crash")
    monkeypatch.setattr(search_data, "policy_actions", lambda: actions)
    config = DataConfig(work=tmp_path, later_states=0, first_share=1.0)
    assert probe(TrainingModule("mirbench/hashtable"), config)
    with np.load(tmp_path / "modules" / "mirbench-hashtable.npz") as raw:
        assert raw["after"][0, 0].tolist() == [FAILED, FAILED]
        assert (raw["after"][0, 1:] > 0).all()


def test_states_become_observations_and_values(work):
    data = read(work)
    assert len(data) == 9
    values = data.values["ir_instructions"]
    assert values.shape == (9, len(FEW) + 1)
    assert np.isnan(values).any()
    assert np.nanmax(values[:, 0]) == pytest.approx(0.0, abs=0.5)
    assert data.parts["embedding"].shape == (9, 258)
    again = read(work)  # from the cache
    for name, part in data.parts.items():
        assert np.array_equal(part, again.parts[name])


def test_no_data_says_what_to_run(tmp_path):
    with pytest.raises(DatasetError, match="experiments.search_data"):
        read(tmp_path)


def test_the_experiment_ships_policies_that_load(work, tmp_path, monkeypatch):
    monkeypatch.setattr(train_policy, "policy_actions", lambda: FEW)
    monkeypatch.setattr(train_policy.Data, "is_validation", property(_one_program))
    config = TrainConfig(
        work=work,
        fit=FitConfig(steps=50),
        refine=RefineConfig(total_steps=0),
        seeds=1,
        folder=tmp_path / "results",
        output=tmp_path / "policies",
    )
    assert train_policy.main(config) == 0
    for name in ("codesize", "instructions"):
        assert load(tmp_path / "policies" / f"{name}.safetensors").actions == FEW
    with (tmp_path / "results" / "observations.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {row["observation"] for row in rows} == {
        *train_policy.OBSERVATIONS,
        train_policy.NONE,
    }
    figures = json.loads((tmp_path / "results" / "run.json").read_text())["figures"]
    assert figures["states"] == 9
    assert (tmp_path / "results" / "curve.png").stat().st_size > 10_000


def _one_program(data):
    return data.modules == "mirbench-crc"
