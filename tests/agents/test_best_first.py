"""Best-first search: the open list by hand, and both agents."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mirgym.agents import best_first as module_under_test
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
from mirgym.agents.controls import coreset
from mirgym.agents.explorer import BudgetSpentError, Explorer, SearchConfig
from mirgym.agents.policy import STEPS, policy_actions
from mirgym.agents.search import ALGORITHMS, agents_for, run
from mirgym.agents.strategies import o_level
from mirgym.agents.walker import Node
from mirgym.errors import MirgymError, SessionError
from mirgym.objective import METRICS
from mirgym.passes import Pass
from mirgym.programs import resolve

from .test_value import FEW, make_value


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
