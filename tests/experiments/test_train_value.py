"""From searches on training modules to a value network's file, on few actions and programs."""

from __future__ import annotations

import csv
import json
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from experiments import train_value, value_data, value_scores
from experiments.search_data import COSTS
from experiments.train_value import TrainConfig
from experiments.training_modules import TrainingModule
from experiments.value_data import (
    LEAST,
    NOWHERE,
    Examples,
    ExploreConfig,
    Graph,
    best_within,
    examples,
    explore,
    read,
)
from experiments.value_fit import FitConfig, ValueNet, fit, pinball, tensors, to_value
from experiments.value_scores import calibration
from mirgym.agents.actionset import ActionSet, build
from mirgym.agents.best_first import BATCH
from mirgym.agents.value import ValueConfig, load
from mirgym.errors import DatasetError
from mirgym.passes import Pass

FEW = ActionSet(
    (
        Pass("c:1", "default<O2>", "coreset"),
        Pass("c:2", "default<O1>", "coreset"),
        *build("o2-less").actions[:3],
        *build("core").actions[:11],
    ),
    "few",
)
PROGRAMS = ("mirbench/bitcount", "mirbench/primes", "mirbench/strsearch")


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(value_data, "policy_actions", lambda: FEW)
        folder = tmp_path_factory.mktemp("train-value")
        config = ExploreConfig(work=folder, compiles=50)
        for name in PROGRAMS:
            assert explore(TrainingModule(name), config)
        yield folder


# -- searches and examples -----------------------------------------------------------------


def test_a_search_becomes_a_graph_of_states(work):
    graph = Graph.load(work / "modules" / "mirbench-bitcount.npz")
    states = len(graph.costs)
    assert graph.costs.shape == (states, len(COSTS)) and (graph.costs > 0).all()
    assert graph.depth[0] == 0 and (graph.depth[1:] > 0).all()
    assert len(graph.edges) <= 50
    assert graph.edges[:, 1].max() < states and graph.edges[:, 1].min() >= NOWHERE
    assert set(graph.edges[:, 2]) <= set(range(len(FEW)))
    assert all((graph.edges[:, 0] == state).sum() >= LEAST for state in graph.opened)
    assert graph.parts["embedding"].shape == (len(graph.opened), 258)
    o2 = graph.edges[(graph.edges[:, 0] == 0) & (graph.edges[:, 2] == 0)]
    assert all((graph.costs[to] == graph.baseline).all() for _, to, _ in o2)


def test_a_searched_module_is_not_searched_again(work, monkeypatch):
    monkeypatch.setattr(value_data, "_search", None)
    assert explore(TrainingModule(PROGRAMS[0]), ExploreConfig(work=work))


def test_the_same_seed_finds_the_same(work, tmp_path):
    for seed, same in ((0, True), (1, False)):
        config = ExploreConfig(work=tmp_path / str(seed), compiles=50, seed=seed)
        assert explore(TrainingModule(PROGRAMS[1]), config)
        path = "modules/mirbench-primes.npz"
        first, again = (Graph.load(folder / path) for folder in (work, config.work))
        assert np.array_equal(first.edges, again.edges) == same


def test_what_cannot_be_compiled_is_left_out(tmp_path):
    (tmp_path / "bad.bc").write_bytes(b"nonsense")
    module = TrainingModule("corpus/bad/0", tmp_path / "bad.bc")
    assert not explore(module, ExploreConfig(work=tmp_path))
    with pytest.raises(DatasetError, match="no searches in"):
        read(tmp_path, COSTS[0], 3)


@pytest.mark.parametrize("damage", [lambda raw: raw[: len(raw) // 2], lambda raw: b"", bytes.upper])
def test_a_damaged_search_is_refused(work, tmp_path, damage):
    path = tmp_path / "modules" / "a.npz"
    path.parent.mkdir()
    path.write_bytes(damage((work / "modules" / "mirbench-bitcount.npz").read_bytes()))
    with pytest.raises(DatasetError, match="a.npz holds no search"):
        read(tmp_path, COSTS[0], 3)


#: 0 -> 1 -> 2 -> 3, and 0 -> 4; the edge to nowhere failed
CHAIN = np.array([[0, 1, 0], [1, 2, 1], [2, 3, 0], [0, 4, 1], [4, NOWHERE, 0]])


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        (0, [9, 8, 7, 1, 5]),
        (1, [5, 7, 1, 1, 5]),
        (2, [5, 1, 1, 1, 5]),
        (3, [1, 1, 1, 1, 5]),
        (9, [1, 1, 1, 1, 5]),
    ],
)
def test_the_best_cost_within_some_steps(steps, expected):
    assert best_within(np.array([9, 8, 7, 1, 5]), CHAIN, steps).tolist() == expected


@given(
    costs=st.lists(st.integers(1, 99), min_size=1, max_size=8),
    ends=st.lists(st.tuples(st.integers(0, 7), st.integers(-1, 7)), max_size=20),
    steps=st.integers(0, 6),
)
def test_more_steps_reach_no_worse_and_circles_end(costs, ends, steps):
    edges = np.array([(a, b, 0) for a, b in ends if a < len(costs) > b], int).reshape(-1, 3)
    now, more = (best_within(np.array(costs), edges, n) for n in (steps, steps + 1))
    assert (more <= now).all() and (now <= np.array(costs)).all()
    assert set(more) <= set(costs)
    many = best_within(np.array(costs), edges, 50)
    assert np.array_equal(many, best_within(np.array(costs), edges, 51))


def test_examples_know_only_what_comes_after():
    """The root's first action is the best; with four actions gone it counts no more."""
    children = LEAST + BATCH
    costs = np.array([100, 20, *(50 + n for n in range(children - 1))])
    edges = np.array([(0, n + 1, n) for n in range(children)])
    edges[2, 1] = NOWHERE
    graph = Graph(
        np.stack([costs, costs * 2], 1),
        np.array([40, 80]),
        np.array([0] + [1] * children),
        edges,
        np.array([0]),
        {"embedding": np.zeros((1, 3)), "autophase": np.zeros((1, 2))},
    )
    found = examples(graph, "m", "ir_instructions", 3, 30)
    assert np.exp(found.best).tolist() == pytest.approx([20 / 40, 53 / 40])
    assert np.exp(found.gains).tolist() == pytest.approx([20 / 100, 53 / 100])
    assert found.parts["progress"][1].tolist() == pytest.approx(
        [0, math.log(100 / 40), 0, math.log(5)]
    )
    assert np.isnan(found.after).sum(1).tolist() == [30 - children + 1, 30 - children + BATCH]
    assert found.after[0, 0] == pytest.approx(math.log(20 / 40))
    assert np.isnan(found.after[0, 2])


# -- the fit ---------------------------------------------------------------------------------


@given(st.lists(st.integers(0, 99), min_size=11, max_size=60), st.sampled_from([0.1, 0.5, 0.9]))
def test_the_pinball_loss_is_least_at_the_quantile(true, quantile):
    y = torch.tensor(true, dtype=torch.float64)
    losses = [float(pinball(torch.full_like(y, p), y, quantile).sum()) for p in range(100)]
    best = int(np.argmin(losses))
    assert (y < best).double().mean() <= quantile + 1e-9
    assert (y <= best).double().mean() >= quantile - 1e-9


def _states(rows, seed):
    """What is left to gain depends on one entry, and is known up to noise."""
    generator = np.random.default_rng(seed)
    x = generator.standard_normal((rows, 4)).astype(np.float32)
    best = -0.1 * (x[:, 0] > 0) - 0.02 * generator.exponential(size=rows)
    progress = np.zeros((rows, 4), np.float32)
    progress[:, 1] = 0.5
    after = np.full((rows, len(FEW)), np.nan)
    after[:, :3] = best[:, None] + np.array([0.0, 0.05, 0.02])
    parts = {"embedding": x, "progress": progress}
    return Examples(np.array([f"m{row % 20}" for row in range(rows)]), parts, best, after)


SHAPE = ValueConfig("ir_instructions", ("embedding", "progress"), (4, 4), hidden=(16,))


def test_a_fit_is_hopeful_orders_actions_and_knows_states_apart():
    train, valid = _states(2000, 0), _states(500, 1)
    value = fit(SHAPE, FEW, train, FitConfig(steps=400, noise=0.1, learning_rate=5e-3), 0)
    told = calibration(value, train, valid)
    assert 0.8 < told["optimistic"] < 0.97
    assert told["r"] > 0.6 and told["skill"] > 0.1 and 0 < told["gap"] < 0.1
    dark = fit(
        ValueConfig(**{**vars(SHAPE), "quantile": 0.9}),
        FEW,
        train,
        FitConfig(steps=200, noise=0.1),
        0,
    )
    assert calibration(dark, train, valid)["optimistic"] < 0.4
    values = value.action_values(valid.parts)[:, :3].mean(0)
    assert values[0] < values[2] < values[1] + 0.01


def test_the_network_without_torch_is_the_same():
    torch.manual_seed(0)
    net = ValueNet(SHAPE, FEW)
    with torch.no_grad():
        net.action_bias.normal_()
        parts = {"embedding": np.random.default_rng(0).random((6, 4)), "progress": np.zeros((6, 4))}
        net.features.fit(tensors(parts))
        best, after = net(net.features(tensors(parts)))
    value = to_value(net, SHAPE, FEW)
    assert np.allclose(value.gains(parts), np.minimum(best.numpy(), 0), atol=1e-5)
    assert np.allclose(value.action_values(parts), after.numpy(), atol=1e-5)


def test_the_same_seed_fits_the_same():
    train = _states(200, 0)
    first, again, other = (
        fit(SHAPE, FEW, train, FitConfig(steps=20), seed).weights for seed in (0, 0, 1)
    )
    assert all(np.array_equal(first[name], again[name]) for name in first)
    assert not np.array_equal(first["value_head.weight"], other["value_head.weight"])


# -- the experiment --------------------------------------------------------------------------


def test_the_experiment_ships_networks_that_load(work, tmp_path, monkeypatch):
    monkeypatch.setattr(train_value, "policy_actions", lambda: FEW)
    monkeypatch.setattr(value_scores, "listed", lambda objective: FEW.actions)
    monkeypatch.setattr(
        train_value, "is_held_out", lambda name: name.replace("/", "-") == "mirbench-bitcount"
    )
    config = TrainConfig(
        work=work,
        programs=tuple(name.removeprefix("mirbench/") for name in PROGRAMS),
        jobs=1,
        fit=FitConfig(steps=30),
        seeds=2,
        score_modules=1,
        budgets=(5, 12),
        folder=tmp_path / "results",
        output=tmp_path / "values",
    )
    assert train_value.main(config) == 0
    for objective, name in (("text_size_bytes", "codesize"), ("ir_instructions", "instructions")):
        value = load(tmp_path / "values" / f"{name}.safetensors")
        assert value.actions == FEW and value.config.objective == objective
    run = json.loads((tmp_path / "results" / "run.json").read_text())
    assert run["figures"]["modules"] == 3 and run["figures"]["validation_modules"] == 1
    assert str(tmp_path) not in json.dumps(run)
    with (tmp_path / "results" / "calibration.csv").open() as file:
        assert [row["seed"] for row in csv.DictReader(file)] == ["0", "1"] * 2
    with (tmp_path / "results" / "searches.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * 4 * 2
    assert all(float(row["ratio"]) >= 1 for row in rows)
