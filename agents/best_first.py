"""Best-first search over sequences of actions: what promises the cheapest end goes on first.

A node is a state of the module, an edge an action of the policy's set (a pass, a stage, a whole
sequence), and each edge costs a compile. The open list holds all states that have actions left.
The one that promises the lowest cost takes its next few actions, and goes back to the list with
what the rest of them promises. Nothing else is done: no rollouts, no edits, no restarts.

``best_first`` promises what the value network (``agents.value``) expects at the end of the
best way from a state, and takes actions in the order of its second head. ``cheapest_first`` is
its control without a network: a state promises its own cost, and actions come in the one order
of ``listed``.
"""

from __future__ import annotations

import functools
import heapq
import itertools
import math
import random
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, Protocol

import numpy as np

from ..passes import Pass
from .controls import POLICIES, coreset
from .explorer import CANDIDATE_ERRORS, Explorer
from .guided import observe
from .policy import STEPS, policy_actions
from .value import Value, progress
from .value import load as load_value
from .walker import Node

BATCH = 4
"""Actions that a state takes each time it is chosen."""


class Edge(NamedTuple):
    """An action that was taken; it led nowhere when it failed."""

    node: Node
    step: Pass
    reached: Node | None


class Outlook(Protocol):
    """What a search believes of states."""

    def promise(self, node: Node, tried: int) -> float:
        """The logarithm of the cost to be had from a state with so many actions taken already."""

    def actions(self, node: Node) -> Sequence[Pass]:
        """What to do there, in the order to try it."""


def expansions(explorer: Explorer, outlook: Outlook, batch: int = BATCH) -> Iterator[Edge]:
    """Search from the root and from what is best already; each edge as it is taken.

    Args:
        explorer: Of the program.
        outlook: Says which state is next, and what to do there.
        batch: Actions that a state takes each time it is chosen.

    Raises:
        BudgetSpentError: No compile is left.
    """
    open_list: list[tuple[float, int, int, Node]] = []
    orders: dict[int, Sequence[Pass]] = {}
    seen: set[int] = set()
    numbers = itertools.count()

    def push(node: Node, tried: int) -> None:
        heapq.heappush(open_list, (outlook.promise(node, tried), tried, next(numbers), node))

    def meet(node: Node) -> None:
        if node.key not in seen and node.depth < STEPS:
            push(node, 0)
        seen.add(node.key)

    meet(explorer.root)
    meet(explorer.best)
    while open_list:
        _, tried, _, node = heapq.heappop(open_list)
        if node.key not in orders:
            orders[node.key] = outlook.actions(node)
        for step in orders[node.key][tried : tried + batch]:
            reached = explorer.apply(node, step)
            yield Edge(node, step, reached)
            if reached is not None:
                meet(reached)
        if tried + batch < len(orders[node.key]):
            push(node, tried + batch)


def best_first(
    explorer: Explorer, rng: random.Random, value_of: Callable[[str], Value] | None = None
) -> None:
    """Spend the compiles by the value network. The same for every seed.

    Args:
        explorer: Of the program.
        rng: Not used.
        value_of: The value network for an objective; None for the one that is shipped.

    Raises:
        BudgetSpentError: No compile is left.
        MirgymError: There is no value network, or it is for another LLVM.
    """
    value = (value_of or shipped_value)(explorer.config.objective)
    exhaust(expansions(explorer, Learned(value, explorer)))


def cheapest_first(explorer: Explorer, rng: random.Random) -> None:
    """The control: a state promises what it costs. The same for every seed.

    Raises:
        BudgetSpentError: No compile is left.
    """
    exhaust(expansions(explorer, CostAlone(listed(explorer.config.objective))))


def exhaust(edges: Iterator[Edge]) -> None:
    """Take all edges that the budget allows."""
    for _ in edges:
        pass


class CostAlone:
    """A state promises its own cost.

    Args:
        order: The actions, in the one order for all states.
    """

    def __init__(self, order: Sequence[Pass]) -> None:
        self._order = order

    def promise(self, node: Node, tried: int) -> float:
        """See ``Outlook``."""
        return math.log(max(node.cost, 1))

    def actions(self, node: Node) -> Sequence[Pass]:
        """See ``Outlook``."""
        return self._order


class Learned:
    """A value network's promises, and its order of actions.

    A state that cannot be looked at promises its own cost, and has the actions in their order.
    """

    def __init__(self, value: Value, explorer: Explorer) -> None:
        self._value = value
        self._explorer = explorer
        self._looks: dict[int, dict[str, np.ndarray] | None] = {}

    def promise(self, node: Node, tried: int) -> float:
        """See ``Outlook``."""
        cost = math.log(max(node.cost, 1))
        parts = self._parts(node, tried)
        return cost if parts is None else cost + float(self._value.gains(parts)[0])

    def actions(self, node: Node) -> Sequence[Pass]:
        """See ``Outlook``."""
        actions = self._value.actions.actions
        parts = self._parts(node, 0)
        if parts is None:
            return actions
        order = self._value.action_values(parts)[0].argsort(kind="stable")
        return [actions[int(i)] for i in order]

    def _parts(self, node: Node, tried: int) -> dict[str, np.ndarray] | None:
        """(1, n) each; None when it cannot be looked at."""
        if node.key not in self._looks:
            self._looks[node.key] = self._look(node)
        look = self._looks[node.key]
        if look is None:
            return None
        now = progress(node, tried, self._explorer.root.cost, self._explorer.baseline_cost)
        return {name: part[None] for name, part in (look | {"progress": now}).items()}

    def _look(self, node: Node) -> dict[str, np.ndarray] | None:
        config = self._value.config
        names = [name for name in config.observation if name != "progress"]
        try:
            return observe(self._explorer, node, names, config.encoder)
        except CANDIDATE_ERRORS:
            return None


@functools.cache
def listed(objective: str) -> tuple[Pass, ...]:
    """The policy's actions with no look at a program: the objective's coreset comes first."""
    first = {(one.pipeline, one.options): one for one in coreset(objective).actions}
    rest = [one for one in policy_actions().actions if (one.pipeline, one.options) not in first]
    return (*first.values(), *rest)


@functools.cache
def shipped_value(objective: str) -> Value:
    """The value network that came with this installation for an objective."""
    return load_value(POLICIES[objective])
