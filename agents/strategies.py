"""How the searches spend their compiles; each is a strategy of ``agents.search``."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby

from ..passes import Pass, is_profile, run_of, to_pipeline
from .explorer import Explorer
from .pipelines import O2_PASSES, Place, is_needed, o2_without, promise
from .walker import Node

Strategy = Callable[[Explorer, random.Random], None]

RANDOM_SEQUENCE_STEPS = 45
"""Length of a random sequence: an episode of the environment."""
IDLE_RESTARTS = 200
"""A search ends early when this many restarts in a row met nothing new."""
_THINNING_SHARE = 0.6


def o_level(pipeline: str) -> Pass:
    """A level's own pipeline as a pass."""
    return Pass(pipeline, pipeline)


def as_whole(steps: Iterable[Pass]) -> tuple[Pass, ...]:
    """A sequence as few pipelines: what runs at once costs one compile.

    Steps with LLVM options stay apart, since options hold for a whole pipeline.

    >>> [step.pipeline for step in as_whole([Pass("a", "a"), Pass("b", "b")])]
    ['a,b']
    """
    whole: list[Pass] = []
    for _, group in groupby(steps, key=run_of):
        members = list(group)
        if members[0].options or is_profile(members[0]):
            whole += members
        elif members:
            whole.append(Pass("+".join(m.name for m in members), to_pipeline(members)))
    return tuple(whole)


def thin_then_add(explorer: Explorer, rng: random.Random) -> None:
    """Leave passes out of O2, then go on as ``greedy``."""
    with explorer.at_most(max(int(explorer.left * _THINNING_SHARE), 1)):
        thin_o2(explorer, rng)
    greedy(explorer, rng)


def greedy(explorer: Explorer, rng: random.Random) -> None:
    """Add passes to the best level while one of them helps, then restart from changes."""
    for level in ("O1", "O3"):
        explorer.apply(explorer.root, o_level(f"default<{level}>"))
    improve(explorer, explorer.best, _shuffled(explorer, rng))
    restart(explorer, rng)


def thin_o2(explorer: Explorer, rng: random.Random) -> None:
    """Leave passes out of O2, one at a time, while that helps or makes no difference."""
    current = explorer.apply(explorer.root, o_level("default<O2>"))
    if current is None:
        return
    places = list(O2_PASSES)
    rng.shuffle(places)
    places.sort(key=promise)
    left_out: set[Place] = set()
    unnamed: set[Place] = set()
    since_gain = index = 0
    while since_gain < len(places):
        place = places[index % len(places)]
        index += 1
        since_gain += 1
        if place in left_out:
            continue
        trial = o2_without({*left_out, place}, unnamed=unnamed)
        reached = explorer.apply(explorer.root, trial)
        if reached is current:
            left_out.add(place)
            unnamed.add(place)
            shorter = o2_without(left_out, unnamed=unnamed)
            if current.step is not None and len(shorter.pipeline) < len(current.step.pipeline):
                explorer.synonyms[current.step] = shorter
        elif reached is not None and reached.cost < current.cost and not is_needed(place):
            left_out.add(place)
            current = reached
            since_gain = 0


def _shuffled(explorer: Explorer, rng: random.Random) -> list[Pass]:
    passes = list(explorer.config.passes)
    rng.shuffle(passes)
    return passes


def improve(explorer: Explorer, node: Node, passes: Sequence[Pass]) -> Node:
    """Add passes, in this order, while one of them makes ``node`` cheaper."""
    since_gain = index = 0
    while since_gain < len(passes):
        reached = explorer.apply(node, passes[index % len(passes)])
        index += 1
        since_gain += 1
        if reached is not None and reached.cost < node.cost:
            node = reached
            since_gain = 0
    return node


def restart(explorer: Explorer, rng: random.Random) -> None:
    """Go on from random changes of the best sequence until the budget is spent."""
    passes = explorer.config.passes
    idle = 0
    while idle < IDLE_RESTARTS:
        before = explorer.compiles
        some = rng.choices(passes, k=rng.randint(1, 3))
        if rng.random() < 0.5:
            reached = explorer.walk(explorer.root, (*some, *explorer.best.path))
        else:
            reached = explorer.walk(explorer.best, some)
        if reached is not None:
            improve(explorer, reached, _shuffled(explorer, rng))
        idle = idle + 1 if explorer.compiles == before else 0


def random_sequences(explorer: Explorer, rng: random.Random) -> None:
    """Random sequences from unoptimised code, pass by pass: each prefix is a candidate."""
    idle = 0
    while idle < IDLE_RESTARTS:
        before = explorer.compiles
        sequence = rng.choices(explorer.config.passes, k=RANDOM_SEQUENCE_STEPS)
        explorer.walk(explorer.root, sequence)
        idle = idle + 1 if explorer.compiles == before else 0


def whole_sequences(explorer: Explorer, rng: random.Random) -> None:
    """As ``random_sequences``, but each sequence is one pipeline and one compile."""
    idle = 0
    while idle < IDLE_RESTARTS:
        before = explorer.compiles
        sequence = rng.choices(explorer.config.passes, k=RANDOM_SEQUENCE_STEPS)
        explorer.walk(explorer.root, as_whole(sequence))
        idle = idle + 1 if explorer.compiles == before else 0
