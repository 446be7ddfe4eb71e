"""The ablation table, on few actions and three programs."""

from __future__ import annotations

import csv
import dataclasses
import json

import numpy as np
import pytest
import torch

from experiments import ablation_rows, ablations, search_data
from experiments.ablation_rows import ROWS, AblationConfig, Study
from experiments.ablations import Done, interval, main, settings_of, summary, table
from experiments.policy_data import Data, read, read_functions
from experiments.policy_scores import scores
from experiments.search_data import DataConfig, probe
from experiments.training_modules import TrainingModule
from experiments.tuned_encoder import Functions, TuneConfig, _held_loss, embeddings, tune
from mirgym.agents.actionset import ActionSet, build
from mirgym.agents.policy_net import to_net, to_policy
from mirgym.agents.refine import RefineConfig
from mirgym.agents.regression import FitConfig
from mirgym.encoder.weights import load
from mirgym.errors import DatasetError
from mirgym.passes import Pass

FEW = ActionSet(
    (
        Pass("c:1", "default<O2>", "coreset"),
        Pass("c:2", "default<O1>", "coreset"),
        *build("o2-less").actions[:4],
        *build("core").actions[:8],
    ),
    "few",
)
STEPS = 16


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    patch = pytest.MonkeyPatch()
    patch.setattr(search_data, "policy_actions", lambda: FEW)
    patch.setattr(ablation_rows, "policy_actions", lambda: FEW)
    patch.setattr(ablation_rows, "ppo_programs", lambda corpus, count: ["mirbench/primes"])
    patch.setattr(Data, "is_validation", property(lambda data: data.modules == "mirbench-crc"))
    folder = tmp_path_factory.mktemp("ablations")
    config = DataConfig(work=folder, later_states=1, first_share=1.0, later_share=0.5)
    for name in ("mirbench/crc", "mirbench/primes", "mirbench/bitcount"):
        assert probe(TrainingModule(name), config)
    yield folder
    patch.undo()


@pytest.fixture
def config(work, tmp_path):
    return AblationConfig(
        work=work,
        seeds=2,
        fit=FitConfig(steps=30),
        refine=RefineConfig(total_steps=STEPS, num_envs=1, rollout_steps=8, critic_steps=8),
        tune=TuneConfig(steps=2, batch=2, check_every=1),
        folder=tmp_path / "results",
    )


def test_the_table_is_made_once(config, monkeypatch):
    assert main(config) == 0
    with (config.folder / "table.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["row"], row["seed"]) for row in rows] == [(n, s) for n in ROWS for s in "01"]
    assert all(0.3 < float(row[c]) < 3 for row in rows for c in ablations.COLUMNS)
    text = (config.folder / "table.md").read_text()
    assert text.count("±") == len(ROWS) * len(ablations.COLUMNS)
    figures = json.loads((config.folder / "run.json").read_text())["figures"]
    assert set(figures["rows"]) == set(ROWS)
    assert figures["validation_modules"] == 1
    assert (config.folder / "ablations.png").stat().st_size > 10_000

    def never(study, seed):
        raise AssertionError("this row was done")

    monkeypatch.setattr(ablations, "ROWS", dict.fromkeys(ROWS, never))
    assert main(config) == 0
    assert (config.folder / "table.md").read_text() == text


def test_what_is_done_holds_for_the_same_settings_and_states_only(config, tmp_path):
    study = Study(config)
    path, settings = tmp_path / "done.jsonl", settings_of(study)
    row = {"row": "untrained", "seed": 0, "top1": 1.0}
    Done(path, settings).add(row)
    with path.open("a") as file:
        file.write('{"settings": "')  # killed while it wrote
    again = Done(path, settings)
    assert again.get("untrained", 0) == row
    again.add({**row, "seed": 1})
    assert Done(path, settings).get("untrained", 1) is not None
    assert Done(path, "another").get("untrained", 0) is None
    study.data.values[config.objective][0, 0] += 1
    assert settings_of(study) != settings


def test_functions_are_those_of_the_states(work):
    made = embeddings(load("tiny"), read_functions(work))
    assert np.allclose(made, read(work).parts["embedding"], atol=1e-5)


def test_tuning_reaches_the_encoder_and_lowers_the_loss(config):
    study = Study(dataclasses.replace(config, fit=FitConfig(steps=0)))
    train, _ = study.functions
    start = to_net(study.regression(0))
    before = {name: value.clone() for name, value in start.state_dict().items()}
    settings = TuneConfig(steps=20, batch=4, check_every=5)
    net, encoder = tune(start, train, train, settings, FitConfig(noise=0.0), seed=0)
    losses = [_held_loss(n, e, train, 0.01) for n, e in ((start, load("tiny")), (net, encoder))]
    assert losses[1] < losses[0]
    old = load("tiny").state_dict()
    assert any(not torch.equal(value, old[name]) for name, value in encoder.state_dict().items())
    assert all(torch.equal(value, before[name]) for name, value in start.state_dict().items())


def test_no_steps_leave_the_scores_of_the_regression(config):
    study = Study(config)
    train, valid = study.functions
    none = TuneConfig(steps=0)
    net, encoder = tune(to_net(study.regression(0)), train, valid, none, config.fit, seed=0)
    modules = read_functions(config.work)
    parts = study.with_encoder(embeddings(encoder, modules))
    policy = to_policy(net, study.shape, study.actions)
    assert scores(policy, parts) == pytest.approx(ROWS["regression"](study, 0), abs=2e-3)


def test_functions_belong_to_states(config):
    train, valid = Study(config).functions
    with pytest.raises(AssertionError):
        Functions(train.modules, valid.states)


def test_ppo_gets_the_same_steps_with_and_without_a_warm_start(config, monkeypatch):
    seen = []

    def refine(policy, programs, settings, seed):
        seen.append((policy, settings))
        return policy

    monkeypatch.setattr(ablation_rows, "refine", refine)
    study = Study(config)
    for name in ("PPO from scratch", "regression + PPO"):
        ROWS[name](study, 1)
    (cold, scratch), (warm, refined) = seen
    assert scratch.total_steps == refined.total_steps == STEPS
    assert scratch.learning_rate == config.scratch_learning_rate > refined.learning_rate
    assert scratch.critic_steps == 0
    again = study.untrained(1).weights
    assert all(np.array_equal(value, again[name]) for name, value in cold.weights.items())
    assert warm is study.regression(1)


def test_states_of_other_actions_say_what_to_run(config, monkeypatch):
    other = ActionSet(FEW.actions[:-1], "other")
    monkeypatch.setattr(ablation_rows, "policy_actions", lambda: other)
    with pytest.raises(DatasetError, match="of 14 actions, policies now have 13.*search_data"):
        Study(config)


def test_states_without_validation_modules_say_what_to_run(config, monkeypatch):
    nothing = property(lambda data: np.zeros(len(data), bool))
    monkeypatch.setattr(Data, "is_validation", nothing)
    with pytest.raises(DatasetError, match="3 modules, all on one side.*search_data"):
        Study(config)


def test_intervals_by_hand():
    mean, half = interval([1.0, 2.0, 3.0])
    assert mean == pytest.approx(2.0)
    assert half == pytest.approx(4.302653 / np.sqrt(3), rel=1e-5)
    rows = [
        {"row": "a", "seed": seed, **dict.fromkeys(ablations.COLUMNS, float(seed))}
        for seed in (1, 2, 3)
    ]
    assert table(summary(rows)).splitlines()[2].startswith("| a | 2.0000 ± 2.4841 |")
    assert table(summary(rows[:1])).splitlines()[2].startswith("| a | 1.0000 | 1.0000 |")
