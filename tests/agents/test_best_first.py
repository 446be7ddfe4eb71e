"""Best-first search: the open list by hand, both agents, and the value network's file."""

from __future__ import annotations

import json
import math
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.numpy import save_file

from mirgym.agents import best_first as module_under_test
from mirgym.agents.actionset import ActionSet, build
from mirgym.agents.best_first import (
    BATCH,
    CostAlone,
    Edge,
    Learned,
    best_first,
    cheapest_first,
    exhaust,
    expansions,
    listed,
)
from mirgym.agents.controls import POLICIES, coreset
from mirgym.agents.explorer import BudgetSpentError, Explorer, SearchConfig
from mirgym.agents.policy import STEPS, policy_actions
from mirgym.agents.search import ALGORITHMS, agents_for, run
from mirgym.agents.strategies import o_level
from mirgym.agents.value import (
    FOLDER,
    PROGRESS,
    Value,
    ValueConfig,
    group_numbers,
    load,
    progress,
    shipped,
)
from mirgym.agents.walker import Node
from mirgym.encoder.config import TINY, module_size
from mirgym.errors import ActionSetError, MirgymError, SessionError
from mirgym.features import AUTOPHASE_NAMES
from mirgym.objective import METRICS
from mirgym.passes import Pass
from mirgym.programs import resolve

FEW = ActionSet(
    tuple(build("stages").actions[:5])
    + tuple(build("o2-less").actions[:3])
    + tuple(build("core").actions[:10]),
    "few",
)
SIZES = (module_size(TINY), len(AUTOPHASE_NAMES), PROGRESS)


def make_value(seed=0, actions=FEW, objective="ir_instructions") -> Value:
    """A network that believes what chance says."""
    generator = np.random.default_rng(seed)
    config = ValueConfig(objective, sizes=SIZES, hidden=(8,))
    width = SIZES[0] + 2 * SIZES[1] + SIZES[2]

    def drawn(*shape):
        return (0.2 * generator.standard_normal(shape)).astype(np.float32)

    weights = {
        "features.mean": drawn(width),
        "features.scale": np.ones(width, np.float32),
        "layers.0.weight": drawn(8, width),
        "layers.0.bias": drawn(8),
        "value_head.weight": drawn(1, 8),
        "value_head.bias": drawn(1),
        "group_head.weight": drawn(len(actions.groups), 8),
        "group_head.bias": drawn(len(actions.groups)),
        "action_bias": drawn(len(actions)),
    }
    return Value(config, actions, weights)


def parts_of(rows, seed=0):
    generator = np.random.default_rng(seed)
    return {
        "embedding": generator.standard_normal((rows, SIZES[0])).astype(np.float32),
        "autophase": generator.integers(0, 1000, (rows, SIZES[1])),
        "progress": generator.standard_normal((rows, PROGRESS)).astype(np.float32),
    }


@pytest.fixture(scope="module")
def bitcode() -> bytes:
    return resolve("mirbench/primes").bitcode()


# -- the open list, by hand --------------------------------------------------------------

A, B = Pass("a", "a"), Pass("b", "b")


class Maze:
    """States by the letters of the way there; costs as given, others 100; no compiler."""

    def __init__(self, costs, budget=10**6):
        self.costs = costs
        self.left = budget
        self.nodes = {"": Node(0, costs[""], 0)}
        self.root = self.best = self.nodes[""]

    def apply(self, node, step):
        if self.left <= 0:
            raise BudgetSpentError
        self.left -= 1
        way = "".join(one.name for one in (*node.path, step))
        if way not in self.costs:
            return None
        cost = self.costs[way]
        self.nodes[way] = Node(len(self.nodes), cost, 0, node, step, node.depth + 1)
        return self.nodes[way]


def ways(edges):
    return ["".join(p.name for p in (*edge.node.path, edge.step)) for edge in edges]


def test_the_cheapest_state_is_taken_further_and_a_failure_leads_nowhere():
    maze = Maze({"": 50, "a": 40, "b": 30, "ba": 45, "aa": 20})
    edges = list(expansions(maze, CostAlone((A, B))))
    assert ways(edges) == ["a", "b", "ba", "bb", "aa", "ab", "aaa", "aab", "baa", "bab"]
    assert edges[3] == Edge(maze.nodes["b"], B, None)


class Knows:
    """Promises the cheapest cost below a state: a perfect heuristic."""

    def __init__(self, costs):
        self.costs = costs

    def promise(self, node, tried):
        way = "".join(one.name for one in node.path)
        return math.log(min(cost for end, cost in self.costs.items() if end.startswith(way)))

    def actions(self, node):
        return (A, B)


def test_with_true_promises_the_search_goes_straight_to_the_best_state():
    costs = {"": 50, "a": 10, "b": 90, "aa": 9, "ab": 9, "ba": 80, "bb": 70, "bba": 1}
    maze = Maze(costs)
    edges = expansions(maze, Knows(costs))
    assert ways(edges)[:6] == ["a", "b", "ba", "bb", "bba", "bbb"]


class Tires:
    """Promises less and less of a state, the more of it was tried."""

    def __init__(self, actions):
        self._actions = actions

    def promise(self, node, tried):
        return node.depth + tried

    def actions(self, node):
        return self._actions


def test_a_state_takes_a_few_actions_at_once_and_waits_again_with_the_rest():
    many = tuple(Pass(letter, letter) for letter in "abcdefgh")
    maze = Maze(dict.fromkeys(("", *"abcdefgh"), 9))
    taken = ways(expansions(maze, Tires(many)))
    assert taken[:BATCH] == list("abcd")
    assert taken[BATCH : 2 * BATCH] == ["aa", "ab", "ac", "ad"]
    assert taken.index("e") == BATCH * 5  # after a turn of each state that was reached
    assert sorted(taken) == sorted(
        [*"abcdefgh", *(first + second for first in "abcdefgh" for second in "abcdefgh")]
    )
    one_by_one = ways(expansions(Maze({"": 9}), Tires(many), batch=1))
    assert one_by_one == list("abcdefgh")


def test_no_way_is_longer_than_an_episode():
    maze = Maze({"a" * length: 100 - length for length in range(20)})
    assert max(map(len, ways(expansions(maze, CostAlone((A,)))))) == STEPS


def test_the_best_state_so_far_is_open_too():
    maze = Maze({"": 50, "b": 10, "ba": 9})
    maze.best = maze.apply(maze.root, B)
    assert ways(expansions(maze, CostAlone((A,)))) == ["ba", "baa", "a"]


@given(
    budget=st.integers(1, 30),
    costs=st.dictionaries(st.text("ab", min_size=1, max_size=4), st.integers(1, 99), max_size=25),
)
def test_each_edge_is_taken_once_and_no_compile_too_many(budget, costs):
    maze = Maze({"": 50, **costs}, budget)
    taken = []
    with pytest.raises(BudgetSpentError) if _edges(costs) > budget else _nothing():
        for edge in expansions(maze, CostAlone((A, B)), batch=1):
            taken.append(edge)
    assert len(taken) == min(budget, _edges(costs))
    assert len(set(ways(taken))) == len(taken)


class _nothing:  # noqa: N801
    def __enter__(self):
        return self

    def __exit__(self, *_):
        return False


def _edges(costs):
    """Two from each state whose way holds states only."""
    whole = [way for way in costs if all(way[:end] in costs for end in range(1, len(way)))]
    return 2 * (1 + sum(len(way) < STEPS for way in whole))


# -- the agents --------------------------------------------------------------------------


@settings(max_examples=8)
@given(seed=st.integers(0, 99), budget=st.integers(1, 30), name=st.sampled_from(sorted(METRICS)))
def test_whatever_a_network_believes_no_result_is_worse(bitcode, seed, budget, name):
    value = make_value(seed, objective=name)

    def strategy(explorer, rng):
        best_first(explorer, rng, lambda _: value)

    first, again = (
        run(strategy, 0.0, bitcode, SearchConfig(name, budget=budget, seed=s)) for s in (0, 7)
    )
    assert first.cost <= first.baseline_cost
    assert first.compiles == budget
    assert first.trail == again.trail


@pytest.mark.parametrize("objective", sorted(METRICS))
@pytest.mark.parametrize("name", ["best_first", "cheapest_first"])
def test_the_agents_spend_their_budget_exactly(bitcode, name, objective):
    assert name in agents_for(objective)
    found = ALGORITHMS[name](bitcode, SearchConfig(objective, budget=37))
    assert found.compiles == 37
    assert found.ratio >= 1


def test_cheapest_first_needs_no_file(bitcode, monkeypatch):
    def refuses(*_):
        raise MirgymError("there is no file")

    monkeypatch.setattr(module_under_test, "load_value", refuses)
    module_under_test.shipped_value.cache_clear()
    config = SearchConfig(budget=6)
    assert ALGORITHMS["cheapest_first"](bitcode, config).compiles == 6
    with pytest.raises(MirgymError, match="there is no file"):
        ALGORITHMS["best_first"](bitcode, config)
    module_under_test.shipped_value.cache_clear()


@pytest.mark.parametrize("name", ["best_first", "cheapest_first"])
def test_what_takes_running_is_not_theirs(bitcode, name):
    with pytest.raises(ValueError, match="has learned text_size_bytes and ir_instructions only"):
        ALGORITHMS[name](bitcode, SearchConfig("dynamic_cost", baseline="O3", budget=3))


def test_the_control_follows_the_list_at_first(bitcode):
    with Explorer(bitcode, SearchConfig(budget=1 + BATCH)) as explorer:
        explorer.baseline_cost = explorer.root.cost
        with explorer.at_most(1 + BATCH):
            cheapest_first(explorer, random.Random(0))
        tried = {explorer.apply(explorer.root, step) for step in listed("text_size_bytes")[:BATCH]}
        assert explorer.compiles == 1 + BATCH
        assert tried


@pytest.mark.parametrize("objective", sorted(METRICS))
def test_the_list_is_all_actions_the_coreset_first(objective):
    first = coreset(objective).actions
    assert listed(objective)[: len(first)] == first
    runs = {(one.pipeline, one.options) for one in listed(objective)}
    assert runs == {(one.pipeline, one.options) for one in policy_actions().actions}
    assert len(listed(objective)) == len(runs)


def test_a_state_that_cannot_be_looked_at_promises_its_cost(bitcode, monkeypatch):
    def fails(self, node, views):
        raise SessionError("another module")

    monkeypatch.setattr(Explorer, "look", fails)
    value = make_value()
    with Explorer(bitcode, SearchConfig("ir_instructions", budget=12)) as explorer:
        explorer.baseline_cost = explorer.apply(explorer.root, o_level("default<O2>")).cost
        outlook = Learned(value, explorer)
        assert outlook.promise(explorer.root, 0) == math.log(explorer.root.cost)
        assert outlook.actions(explorer.root) == FEW.actions
        with explorer.at_most(12):
            exhaust(expansions(explorer, outlook))
        assert explorer.compiles == 12


def test_a_network_promises_no_more_than_the_cost_and_orders_all_actions(bitcode):
    value = make_value(3)
    with Explorer(bitcode, SearchConfig("ir_instructions", budget=3)) as explorer:
        explorer.baseline_cost = explorer.apply(explorer.root, o_level("default<O2>")).cost
        outlook = Learned(value, explorer)
        for tried in (0, 4, 40):
            assert outlook.promise(explorer.root, tried) <= math.log(explorer.root.cost)
        order = outlook.actions(explorer.root)
        assert sorted(order) == sorted(FEW.actions)
        assert tuple(order) != FEW.actions


# -- the value network and its file ------------------------------------------------------


def test_progress_by_hand():
    parent = Node(1, 400, 1)
    node = Node(2, 100, 1, parent, A, 1)
    expected = [math.log(1 / 4), math.log(1 / 2), 1, math.log(5)]
    assert progress(node, 4, 400, 200).tolist() == pytest.approx(expected)


def test_gains_are_never_above_nothing_and_depend_on_what_is_seen():
    value, parts = make_value(), parts_of(50)
    gains = value.gains(parts)
    assert gains.shape == (50,)
    assert (gains <= 0).all() and len(set(gains)) > 4
    values = value.action_values(parts)
    assert values.shape == (50, len(FEW))
    groups = group_numbers(FEW)
    same = np.flatnonzero(groups == groups[0])[:2]
    spread = values[:, same[0]] - values[:, same[1]]
    assert np.allclose(spread, spread[0], atol=1e-5)  # within a group the state says nothing


def test_a_value_network_survives_its_file(tmp_path):
    value = make_value()
    value.save(tmp_path / "v.safetensors")
    again = load(tmp_path / "v.safetensors")
    assert again.config == value.config
    assert again.actions == value.actions
    parts = parts_of(5)
    assert np.array_equal(again.gains(parts), value.gains(parts))
    assert np.array_equal(again.action_values(parts), value.action_values(parts))


def _changed(tmp_path, change):
    """A file whose header and tensors were changed."""
    make_value().save(tmp_path / "v.safetensors")
    with safe_open(tmp_path / "v.safetensors", "np") as file:
        header = file.metadata()
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    change(header, tensors)
    save_file(tensors, tmp_path / "changed.safetensors", header)
    return tmp_path / "changed.safetensors"


def _other_weight(header, tensors):
    tensors["value_head.bias"] += 1


def _other_config(header, tensors):
    config = json.loads(header["config"])
    header["config"] = json.dumps({**config, "colour": "blue"})


def _no_actions(header, tensors):
    del header["actions"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (_other_weight, "its weights are not those that were written"),
        (_other_config, "unexpected keyword argument 'colour'"),
        (_no_actions, "'actions'"),
    ],
)
def test_a_damaged_file_is_refused(tmp_path, change, told):
    with pytest.raises(MirgymError, match=f"does not hold a value network.*{told}"):
        load(_changed(tmp_path, change))


def test_files_that_are_no_value_network_say_so(tmp_path):
    with pytest.raises(MirgymError, match="no value network 'codesise'.*experiments.train_value"):
        load("codesise")
    (tmp_path / "a.safetensors").write_bytes(b"nonsense")
    with pytest.raises(MirgymError, match="does not hold a value network"):
        load(tmp_path / "a.safetensors")
    make_value().save(tmp_path / "half.safetensors")
    whole = (tmp_path / "half.safetensors").read_bytes()
    (tmp_path / "half.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(MirgymError, match="does not hold a value network"):
        load(tmp_path / "half.safetensors")
    with pytest.raises(MirgymError, match="does not hold a value network"):
        load(FOLDER.parent / "policies" / "codesize.safetensors")


def test_one_for_another_llvm_is_refused(tmp_path):
    def newer(header, tensors):
        header["actions"] = header["actions"].replace('"llvm": "', '"llvm": "9')

    with pytest.raises(ActionSetError, match="is for LLVM 9"):
        load(_changed(tmp_path, newer))


@pytest.mark.parametrize("objective", sorted(POLICIES))
def test_the_shipped_value_network_is_for_its_objective_and_these_actions(objective):
    assert POLICIES[objective] in shipped()
    value = load(POLICIES[objective])
    assert value.config.objective == objective
    assert value.actions == policy_actions()
    assert all(np.isfinite(weight).all() for weight in value.weights.values())
