"""The learned agent: what its policy ranks first is compiled first.

One compile is the policy's first choice for the program as it is. With more, the baseline's
own pipeline is a candidate too, so that no result is worse, and the rest goes in shares to

1. the ranked actions on the unoptimised program,
2. rollouts of the policy from the best states so far,
3. thinning: passes are left out of the best pipeline, first those that the policy would
   leave out of O2,
4. single passes after the best state, as the policy ranks them there, then random restarts.
"""

from __future__ import annotations

import functools
import math
import random
from collections.abc import Callable, Sequence

import numpy as np

from ..encoder.embedder import shared_embedder
from ..passes import Pass
from ..views import ModuleView
from .controls import POLICIES
from .explorer import Explorer
from .pipelines import NEEDED, Place, as_module, leaves, parse, render, without
from .policy import COUNTS, STEPS, Policy, history, load
from .strategies import as_whole, improve, restart
from .walker import Node

_RANKED = 1.2
"""Times the square root of the budget: 8 of 45 compiles, 21 of 300."""
_ROLLOUTS, _THINNING = 0.05, 0.8
"""Shares: of the budget, and of what is left then. Chosen on modules of the corpus' validation
packages, which no sequence was mined on."""
_FROM = 3
"""States that rollouts start from."""
_PROMPT = 12
"""A budget up to this is all for ranked actions: on the validation modules the first ten give
half as much again as the first three."""


class Guide:
    """A policy at work on one program."""

    def __init__(self, policy: Policy, explorer: Explorer) -> None:
        self.policy = policy
        self.explorer = explorer
        self._known: dict[int, np.ndarray] = {}
        self._numbers = {action: i for i, action in enumerate(policy.actions.actions)}

    def logits(self, node: Node) -> np.ndarray:
        """The policy's logits in a state, stop last; looking costs no compile."""
        if node.key not in self._known:
            self._known[node.key] = self.policy.logits(self._observe(node))
        return self._known[node.key]

    def _observe(self, node: Node) -> dict[str, np.ndarray]:
        wanted = self.policy.config.observation
        views = ["functions" if name == "embedding" else name for name in wanted]
        seen = self.explorer.look(node, [view for view in views if view != "history"])
        parts: dict[str, np.ndarray] = {}
        for name in wanted:
            if name == "history":
                path = [self._numbers[step] for step in node.path if step in self._numbers]
                root = self.explorer.root.cost
                baseline = self.explorer.baseline_cost
                parts[name] = history(len(self._numbers), path, node.cost, root, baseline)
            elif name in COUNTS:
                parts[name] = np.asarray(seen[name])
            else:
                module = seen["functions"]
                assert isinstance(module, ModuleView)
                parts[name] = shared_embedder(self.policy.config.encoder).module(module)
        return parts

    def to_try(self, size: int) -> list[Pass]:
        """Actions for the program as it was loaded, in the order to try them."""
        parts = self._observe(self.explorer.root)
        return [self.policy.actions.actions[i] for i in self.policy.ranked(parts, size)]

    def ranked(self, node: Node) -> list[Pass]:
        """All actions, best first."""
        order = (-self.logits(node)[:-1]).argsort(kind="stable")
        return [self.policy.actions.actions[index] for index in order]

    def best(self, node: Node) -> Pass | None:
        """The first choice in a state; None to stop."""
        logits = self.logits(node)
        index = int(logits.argmax())
        return None if index == len(logits) - 1 else self.policy.actions.actions[index]

    def leaving_out(self) -> dict[str, float]:
        """By the name of a pass, what the policy thinks of O2 without it."""
        logits = self.logits(self.explorer.root)
        found: dict[str, float] = {}
        for index, action in enumerate(self.policy.actions.actions):
            name = action.name.removeprefix("O2-").partition("#")[0]
            if action.group == "o2-less":
                found[name] = max(found.get(name, -np.inf), float(logits[index]))
        return found


def guided(policy: Callable[[str], Policy], explorer: Explorer, rng: random.Random) -> None:
    """Spend the compiles as the module's head says. See ``search``."""
    guide = Guide(policy(explorer.config.objective), explorer)
    left = explorer.left
    ranked = guide.to_try(left if left <= _PROMPT else round(_RANKED * math.sqrt(left)))
    explorer.walk_each(explorer.root, ranked)
    if left <= _PROMPT:
        return
    with explorer.at_most(max(int(left * _ROLLOUTS), 1)):
        for node in _best_states(explorer, ranked):
            _roll_out(guide, node)
    with explorer.at_most(int(explorer.left * _THINNING)):
        thin(explorer, explorer.best, rng, guide.leaving_out())
    improve(explorer, explorer.best, guide.ranked(explorer.best))
    restart(explorer, rng)


def _best_states(explorer: Explorer, tried: Sequence[Pass]) -> list[Node]:
    reached = {}
    for step in tried:
        node = explorer.apply(explorer.root, step)
        if node is not None:
            reached[node.key] = node
    return sorted(reached.values(), key=lambda node: node.cost)[:_FROM]


def _roll_out(guide: Guide, node: Node) -> None:
    """Follow the policy until it stops or nothing changes."""
    for _ in range(STEPS):  # states may come in a circle
        step = guide.best(node)
        reached = None if step is None else guide.explorer.apply(node, step)
        if reached is None or reached is node:
            return
        node = reached


def thin(explorer: Explorer, node: Node, rng: random.Random, promise: dict[str, float]) -> None:
    """Leave passes out of the pipeline of a state while that helps or makes no difference.

    Args:
        explorer: Where to.
        node: A state; nothing is done when its way has steps with different options.
        rng: Breaks ties.
        promise: By the name of a pass, how likely it is better left out.
    """
    options = {step.options for step in node.path}
    if len(options) != 1:
        return
    (whole,) = as_whole(step._replace(options=()) for step in node.path)
    tree = parse(whole.pipeline)

    def make(left_out: set[Place]) -> Pass:
        text = as_module(render(without(tree, left_out)))
        return Pass("thinned", text, "thinned", options=next(iter(options)))

    current = explorer.apply(explorer.root, make(set()))
    if current is None or current.cost > node.cost:
        return
    names = {place: name.partition("<")[0] for place, name in leaves(tree)}
    places = [place for place, name in names.items() if not name.startswith(NEEDED)]
    rng.shuffle(places)
    lowest = min(promise.values(), default=0.0)
    places.sort(key=lambda place: -promise.get(names[place], lowest))
    left_out: set[Place] = set()
    since_gain = index = 0
    while since_gain < len(places):
        place = places[index % len(places)]
        index += 1
        since_gain += 1
        if place in left_out or len(left_out) + 1 == len(names):
            continue
        reached = explorer.apply(explorer.root, make({*left_out, place}))
        if reached is current:
            left_out.add(place)
        elif reached is not None and reached.cost < current.cost:
            left_out.add(place)
            current = reached
            since_gain = 0


@functools.cache
def shipped_policy(objective: str) -> Policy:
    """The policy that came with this installation for an objective."""
    return load(POLICIES[objective])
