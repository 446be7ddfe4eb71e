"""Policies: fitting, files, guided search, PPO from a warm start."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

import mirgym
from mirgym.agents import guided
from mirgym.agents.actionset import ActionSet, build
from mirgym.agents.controls import POLICIES
from mirgym.agents.explorer import Explorer, SearchConfig
from mirgym.agents.memory import Memory
from mirgym.agents.policy import (
    STEPS,
    PolicyConfig,
    load,
    policy_actions,
)
from mirgym.agents.policy_net import Features, PolicyNet, to_net, to_policy
from mirgym.agents.refine import RefineConfig, actor_of, make_envs, make_model, refine
from mirgym.agents.regression import FitConfig, States, best_of_top, fit, fixed_order
from mirgym.agents.search import default_agent, run
from mirgym.agents.strategies import o_level
from mirgym.agents.walker import Node
from mirgym.encoder.config import TINY, module_size
from mirgym.errors import ActionSetError, MirgymError, SessionError
from mirgym.features import AUTOPHASE_NAMES
from mirgym.programs import resolve

ACTIONS = ActionSet(
    tuple(build("stages").actions[:6])
    + tuple(a for a in build("o2-less").actions if a.name in ("O2-indvars", "O2-inline", "O2-gvn"))
    + tuple(build("core").actions[:6]),
    "few",
)
HISTORY = len(ACTIONS) + 4


def make_policy(objective="ir_instructions", seed=0):
    torch.manual_seed(seed)
    sizes = (module_size(TINY), len(AUTOPHASE_NAMES), HISTORY)
    config = PolicyConfig(objective, ("embedding", "autophase", "history"), sizes, hidden=(16, 8))
    return to_policy(PolicyNet(config, len(ACTIONS)), config, ACTIONS)


# -- features and files ----------------------------------------------------------------


def test_features_are_standardised_on_what_they_were_fitted_to():
    features = Features(("autophase", "history"), (56, 3))
    generator = np.random.default_rng(0)
    parts = {
        "autophase": torch.as_tensor(generator.integers(0, 1000, (200, 56))),
        "history": torch.as_tensor(generator.random((200, 3), np.float32)),
    }
    features.fit(parts)
    x = features(parts)
    assert x.shape == (200, features.width) == (200, 2 * 56 + 3)
    assert x.mean(0).abs().max() < 0.02
    assert (x.std(0, unbiased=False) - 1).abs().max() < 0.2  # some are beyond ±5 and clipped


def test_features_do_not_blow_up_what_never_varied():
    features = Features(("history",), (2,))
    features.fit({"history": torch.tensor([[1.0, 0.0], [1.0, 1.0]])})
    assert features({"history": torch.tensor([[1.5, 0.5]])})[0, 0] == pytest.approx(0.5)
    assert features({"history": torch.tensor([[900.0, 0.5]])})[0, 0] == 5.0


def test_a_policy_survives_its_file(tmp_path):
    policy = make_policy()
    generator = np.random.default_rng(0)
    policy.memory = Memory.of(generator.random((3, 8)), generator.random((3, len(ACTIONS))))
    policy.save(tmp_path / "p.safetensors")
    again = load(tmp_path / "p.safetensors")
    assert again.config == policy.config
    assert again.actions == policy.actions
    parts = {
        "embedding": generator.random((1, module_size(TINY)), np.float32),
        "autophase": generator.integers(0, 100, (1, 56)),
        "history": generator.random((1, HISTORY), np.float32),
    }
    assert np.array_equal(again.logits(parts), policy.logits(parts))
    assert again.ranked(parts, 5) == policy.ranked(parts, 5)
    assert policy.logits(parts).shape == (1, len(ACTIONS) + 1)


def test_the_network_without_torch_is_the_same():
    policy = make_policy()
    generator = np.random.default_rng(0)
    parts = {
        "embedding": 9 * generator.standard_normal((7, module_size(TINY)), np.float32),
        "autophase": generator.integers(0, 10_000, (7, 56)),
        "history": generator.random((7, HISTORY), np.float32),
    }
    net = to_net(policy)
    with torch.no_grad():
        tensors = {name: torch.as_tensor(part) for name, part in parts.items()}
        net.features.fit(tensors)
        fitted = to_policy(net, policy.config, ACTIONS)
        logits = net(tensors).numpy()
    assert np.allclose(fitted.logits(parts), logits, atol=1e-5)
    assert not np.allclose(policy.logits(parts), logits, atol=1e-2)


def test_files_that_are_no_policy_say_so(tmp_path):
    with pytest.raises(MirgymError, match="no policy 'codesise'"):
        load("codesise")
    (tmp_path / "a.safetensors").write_bytes(b"nonsense")
    with pytest.raises(MirgymError, match="does not hold a policy"):
        load(tmp_path / "a.safetensors")
    make_policy().save(tmp_path / "b.safetensors")
    with safe_open(tmp_path / "b.safetensors", "pt") as file:
        header = file.metadata()
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    header["actions"] = header["actions"].replace('"llvm": "', '"llvm": "9')
    save_file(tensors, tmp_path / "c.safetensors", header)
    with pytest.raises(ActionSetError, match="for LLVM 9"):
        load(tmp_path / "c.safetensors")


# -- regression ------------------------------------------------------------------------


def test_best_of_top_by_hand():
    values = np.log(np.array([[1.1, 1.0, 1.2, 1.0], [np.nan, 0.9, 0.8, 1.0]]))
    logits = np.array([3.0, 2.0, 1.0, 99.0])
    found = best_of_top(logits, values, (1, 2, 3))
    # First state: 1.1, then 1.1, then 1.2. Second: nothing beats standing still.
    assert found[1] == pytest.approx(1.1**0.5)
    assert found[2] == pytest.approx(1.1**0.5)
    assert found[3] == pytest.approx(1.2**0.5)


def test_the_fixed_order_is_the_mean_of_what_was_tried():
    values = np.array([[0.1, np.nan, 0.0], [0.3, np.nan, 0.0]])
    assert fixed_order(values).tolist() == pytest.approx([0.2, -1.0, 0.0])


def _xor_states(rows, seed):
    """Which of two actions is good depends on the state; a third is always mediocre."""
    generator = np.random.default_rng(seed)
    x = generator.choice([-1.0, 1.0], (rows, 2)).astype(np.float32)
    good = x[:, 0] * x[:, 1] > 0
    values = np.stack([0.05 * good, 0.05 * ~good, np.full(rows, 0.01), np.zeros(rows)], 1)
    values[generator.random(values.shape) < 0.1] = np.nan
    values[:, -1] = 0.0
    return States({"history": x + generator.normal(0, 0.1, x.shape).astype(np.float32)}, values)


def test_a_fit_learns_what_no_fixed_order_can():
    train, valid = _xor_states(400, 0), _xor_states(100, 1)
    config = PolicyConfig("ir_instructions", ("history",), (2,), hidden=(32, 16))
    net = fit(config, train, valid, FitConfig(steps=300, learning_rate=3e-3), seed=0)
    with torch.no_grad():
        learned = best_of_top(net(valid.tensors()).numpy(), valid.values, (1,))[1]
    fixed = best_of_top(fixed_order(train.values), valid.values, (1,))[1]
    assert learned > 1.04
    assert fixed < 1.035


def test_those_who_are_alike_choose_and_cover_each_other():
    # Two kinds of modules; each kind has its own two actions that cover its halves.
    keys = np.array([[0.0], [0.1], [5.0], [5.1]])
    values = np.array(
        [
            [0.10, 0.09, 0.00, 0.0, 0.02],
            [0.00, 0.00, 0.08, 0.0, 0.02],
            [0.00, 0.00, 0.00, 0.3, 0.02],
            [0.00, 0.00, 0.00, 0.3, np.nan],
        ]
    )
    memory = Memory.of(keys, values)
    assert memory.weights(np.array([0.05])).sum() == pytest.approx(1.0)
    first, second, third, *_ = memory.ranked(np.array([0.0]), 5)
    assert first == 3 or first == 0
    assert {first, second, third} == {0, 2, 3}  # not 1, which is like 0 and worse
    assert sorted(memory.ranked(np.array([0.0]), 99)) == [0, 1, 2, 3, 4]


def test_a_single_choice_is_the_best_for_all_modules():
    keys = np.array([[0.0], [0.1], [9.0]])
    values = np.array([[0.2, 0.1], [0.2, 0.1], [-0.5, 0.1]])
    memory = Memory.of(keys, values)
    assert memory.ranked(np.array([0.0]), 2)[0] == 0
    assert memory.favourite() == 1


# -- guided search ---------------------------------------------------------------------


@pytest.mark.parametrize("budget", [1, 2, 3, 12, 40])
def test_a_guided_search_keeps_to_its_budget_and_is_never_worse(budget):
    policy = make_policy()

    def strategy(explorer, rng):
        guided.guided(lambda _: policy, explorer, rng)

    config = SearchConfig(objective="ir_instructions", budget=budget)
    bitcode = resolve("mirbench/crc").bitcode()
    first = run(strategy, 0.0, bitcode, config)
    assert first.compiles <= budget
    assert first.cost <= first.baseline_cost
    again = run(strategy, 0.0, bitcode, config)
    assert (again.cost, again.pipeline) == (first.cost, first.pipeline)


def test_without_the_baseline_the_first_choice_is_the_one_compile():
    policy = make_policy()
    config = SearchConfig(objective="ir_instructions", budget=1, from_baseline=False)
    with Explorer(resolve("mirbench/crc").bitcode(), config) as explorer:
        explorer.baseline_cost = explorer.measure(o_level("default<O2>"))
        guided.guided(lambda _: policy, explorer, random.Random(0))
        (first,) = guided.Guide(policy, explorer).to_try(1)
        assert explorer.compiles == 1
        explorer.apply(explorer.root, first)
        assert explorer.compiles == 1  # it was known


@pytest.mark.parametrize("name", ["codesize", "instructions"])
def test_a_search_goes_on_when_a_state_cannot_be_looked_at(name, monkeypatch):
    looked = []

    def fails(self, node, views):
        looked.append(node)
        raise SessionError("another module")

    monkeypatch.setattr(Explorer, "look", fails)
    policy = load(name)
    config = SearchConfig(objective=policy.config.objective, budget=30)
    found = run(
        lambda explorer, rng: guided.guided(lambda _: policy, explorer, rng),
        0.0,
        resolve("mirbench/crc").bitcode(),
        config,
    )
    assert found.compiles == 30 and found.ratio > 1
    assert len(looked) > 1


def test_a_failed_look_is_told(monkeypatch):
    config = SearchConfig(objective="ir_instructions", budget=2)
    with Explorer(resolve("mirbench/crc").bitcode(), config) as explorer:
        monkeypatch.setattr(explorer._walker, "go_to", _refuse)
        with pytest.raises(SessionError, match="another module"):
            explorer.look(explorer.root, ["autophase"])
        assert explorer.failures[-1].error == "looking at it: another module"


def _refuse(_):
    raise SessionError("another module")


def test_a_rollout_in_a_circle_ends():
    """Two states that lead to each other, whose outcomes are known and cost no compile."""
    here, there = Node(1, 10, 1), Node(2, 10, 2)

    class Circle:
        applied = 0
        explorer = None

        def best(self, node):
            return o_level("back and forth")

        def apply(self, node, step):
            self.applied += 1
            assert self.applied < 100
            return there if node is here else here

    circle = Circle()
    circle.explorer = circle
    guided._roll_out(circle, here)
    assert circle.applied == STEPS


# -- PPO -------------------------------------------------------------------------------


def test_ppo_starts_from_the_policy_and_gives_it_back():
    policy = make_policy()
    envs = make_envs(policy, ["mirbench/crc"], 1, 0)
    try:
        model = make_model(policy, envs, RefineConfig(rollout_steps=8, batch_size=8), 0)
        observation = envs.reset()
        tensors, _ = model.policy.obs_to_tensor(observation)
        with torch.no_grad():
            theirs = model.policy.get_distribution(tensors).distribution.logits[0].numpy()
        ours = policy.logits(observation)[0]
        assert np.allclose(theirs, ours - np.logaddexp.reduce(ours), atol=1e-4)
        back = actor_of(model, policy)
        for name, value in policy.weights.items():
            assert np.array_equal(value, back.weights[name])
    finally:
        envs.close()


def test_the_actor_waits_for_the_critic_and_then_learns():
    policy = make_policy()
    seen = []
    settings = RefineConfig(
        total_steps=48, num_envs=1, rollout_steps=16, batch_size=16, critic_steps=16, target_kl=9.0
    )
    refined = refine(
        policy,
        ["mirbench/crc"],
        settings,
        0,
        report=lambda steps, now: seen.append((steps, now)),
        report_every=16,
    )
    weight = "action_net.weight"
    assert [steps for steps, _ in seen] == [0, 16, 32, 48]
    start = policy.weights[weight]
    assert np.array_equal(seen[1][1].weights[weight], start)
    assert not np.array_equal(refined.weights[weight], start)


# -- what is shipped -------------------------------------------------------------------


@pytest.mark.parametrize("objective", sorted(POLICIES))
def test_the_shipped_policy_is_for_its_objective_and_these_sequences(objective):
    policy = mirgym.agents.load(POLICIES[objective])
    assert policy.config.objective == objective
    assert policy.actions == policy_actions()
    assert policy.memory is not None
    assert np.isfinite(policy.memory.values.astype(np.float32)).all()


def test_the_policy_is_the_default_where_it_was_trained():
    assert default_agent(SearchConfig()) == "policy"
    assert default_agent(SearchConfig(baseline="O3")) == "search"
    assert default_agent(SearchConfig(objective="dynamic_cost", baseline="O3")) == "speed"
    assert default_agent(SearchConfig(objective="runtime_ns", baseline="O3")) == "speed"
    assert default_agent(SearchConfig(objective="runtime_ns")) == "search"
    assert default_agent(SearchConfig(candidates=ACTIONS.actions)) == "search"
