"""The learned agent: what its policy ranks first is compiled first.

One compile is the action that is best for all training modules (``agents.memory``). With more,
the baseline's own pipeline is a candidate too, so that no result is worse, and the rest goes to

1. the ranked actions on the unoptimised program,
2. rollouts of the policy from the best states so far,
3. edits of the best pipeline, one after the other while they help, in the order of what they
   gained on training modules (``agents.edits``),
4. the same from random variations of the best pipeline.
"""

from __future__ import annotations

import functools
import math
import random
from collections.abc import Callable, Sequence

import numpy as np

from ..passes import Pass
from ..views import ModuleView
from .controls import POLICIES, coreset
from .edits import Editor, is_editable, promising
from .explorer import CANDIDATE_ERRORS, Explorer
from .policy import COUNTS, STEPS, Policy, history, load
from .walker import Node

_RANKED = 2.0
"""Times the square root of the budget: 13 of 45 compiles, 35 of 300."""
_ROLLOUTS = 0.05
"""Share of the budget at most. This and the above were chosen on modules of the corpus'
validation packages, which no sequence was mined on."""
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
            self._known[node.key] = self.policy.logits(self._observe(node))[0]
        return self._known[node.key]

    def _observe(self, node: Node) -> dict[str, np.ndarray]:
        config = self.policy.config
        others = [name for name in config.observation if name != "history"]
        parts = observe(self.explorer, node, others, config.encoder)
        if "history" in config.observation:
            path = [self._numbers[step] for step in node.path if step in self._numbers]
            root, baseline = self.explorer.root.cost, self.explorer.baseline_cost
            parts["history"] = history(len(self._numbers), path, node.cost, root, baseline)
        return {name: parts[name][None] for name in config.observation}  # (1, n) each

    def to_try(self, size: int) -> list[Pass]:
        """Actions for the program as it was loaded, in the order to try them."""
        memory = self.policy.memory
        if size == 1 and memory is not None:
            chosen = [memory.favourite()]  # whatever the program looks like
        else:
            try:
                chosen = self.policy.ranked(self._observe(self.explorer.root), size)
            except CANDIDATE_ERRORS:
                if memory is None:
                    raise
                chosen = memory.ranked(None, size)
        return [self.policy.actions.actions[i] for i in chosen]

    def best(self, node: Node) -> Pass | None:
        """The first choice in a state; None to stop."""
        logits = self.logits(node)
        index = int(logits.argmax())
        return None if index == len(logits) - 1 else self.policy.actions.actions[index]


def observe(
    explorer: Explorer, node: Node, names: Sequence[str], encoder: str
) -> dict[str, np.ndarray]:
    """What a state looks like, (n,) each; looking costs no compile.

    Args:
        explorer: Of the program.
        node: The state.
        names: ``embedding``, or of ``policy.COUNTS``.
        encoder: Whose embedding.

    Raises:
        MirgymError: See ``Explorer.look``.
    """
    from ..encoder.embedder import light_embedder  # a single compile looks at nothing

    views = ["functions" if name == "embedding" else name for name in names]
    seen = explorer.look(node, views)
    parts: dict[str, np.ndarray] = {}
    for name in names:
        if name in COUNTS:
            parts[name] = np.asarray(seen[name])
        else:
            module = seen["functions"]
            assert isinstance(module, ModuleView)
            parts[name] = light_embedder(encoder).module(module)
    return parts


def guided(policy: Callable[[str], Policy], explorer: Explorer, rng: random.Random) -> None:
    """Spend the compiles as the module's head says. See ``search``."""
    guide = Guide(policy(explorer.config.objective), explorer)
    left = explorer.left
    ranked = guide.to_try(_how_many(left))
    explorer.walk_each(explorer.root, ranked)
    if left <= _PROMPT:
        return
    states = _states(explorer, ranked)
    with explorer.at_most(max(int(left * _ROLLOUTS), 1)):
        for node in states[:_FROM]:
            _roll_out(guide, node)
    _edit(explorer, states, rng)


def unguided(explorer: Explorer, rng: random.Random) -> None:
    """A control: the same search without the policy, from the list that is one for all programs.

    What ``guided`` is ahead of it is what looking at the program is worth.
    """
    left = explorer.left
    some = coreset(explorer.config.objective).actions[: _how_many(left)]
    explorer.walk_each(explorer.root, some)
    if left > _PROMPT:
        _edit(explorer, _states(explorer, some), rng)


def _how_many(left: int) -> int:
    """Sequences to try first, of so many compiles."""
    return left if left <= _PROMPT else round(_RANKED * math.sqrt(left))


def _edit(explorer: Explorer, states: Sequence[Node], rng: random.Random) -> None:
    """Spend what is left on edits of the best."""
    start = next((node for node in (explorer.best, *states) if is_editable(node)), None)
    if start is not None:
        editor = Editor(explorer, promising(explorer.config.objective), rng)
        editor.vary(editor.improve(start))


def _states(explorer: Explorer, tried: Sequence[Pass]) -> list[Node]:
    """What these lead to, cheapest first."""
    reached = {}
    for step in tried:
        node = explorer.apply(explorer.root, step)
        if node is not None:
            reached[node.key] = node
    return sorted(reached.values(), key=lambda node: node.cost)


def _roll_out(guide: Guide, node: Node) -> None:
    """Follow the policy until it stops or nothing changes."""
    for _ in range(STEPS):  # states may come in a circle
        try:
            step = guide.best(node)
        except CANDIDATE_ERRORS:
            return
        reached = None if step is None else guide.explorer.apply(node, step)
        if reached is None or reached is node:
            return
        node = reached


@functools.cache
def shipped_policy(objective: str) -> Policy:
    """The policy that came with this installation for an objective."""
    return load(POLICIES[objective])
