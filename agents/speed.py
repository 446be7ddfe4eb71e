"""The agent for speed: known pipelines around O3 first, then edits of the best.

Running a program costs more than compiling it, so few candidates must do. ``data/speed.json``
holds whole pipelines (O3 with LLVM's options, with passes left out, twice; O2; O1) in the order
in which a greedy cover of the training programs chose them by ``dynamic_cost``, which of them the
clock found faster, and what each edit (``agents.edits``) gained; ``experiments.mine_speed``
makes it.

Under ``runtime_ns`` most candidates are not timed: they are run once and counted
(``dynamic_cost``, the same every time), and only the cheapest are timed, beside those that the
clock found faster on training programs, and what their options give together. The winner is timed
once more against the baseline and given up unless it is faster beyond the noise: the best of
many noisy times is often only the luckiest. Each of these is one compile of the budget, whether
it is counted, timed or timed again.
"""

from __future__ import annotations

import functools
import json
import math
import random
from collections.abc import Mapping
from dataclasses import replace
from importlib.resources import files

from ..errors import NotRunnableError
from ..objective import LEVEL_PIPELINES
from ..passes import Pass
from .actionset import ActionSet
from .edits import Draft, Edit, Editor, is_editable
from .explorer import Explorer
from .pipelines import O3, O3_OPTIONS, parse
from .strategies import o_level
from .walker import Node

SPEED_DATA = "speed.json"
RUN_OBJECTIVES = ("dynamic_cost", "runtime_ns")
"""What this agent has learned."""

_LEVEL = parse("default<O3>")
_PROMPT = 12
"""A budget up to this is all for known pipelines."""
_KNOWN = 2.0
"""Times the square root of a larger budget: 11 of 30 compiles, 20 of 100."""
_TIMED = 1 / 3
"""Share of the compiles that are timed: 10 of 30, 33 of 100. The others are counted. Half of
the times are for what the clock found faster in training, a quarter for what is cheapest by count,
the rest for the options of several of them together."""


@functools.cache
def known_pipelines() -> tuple[Pass, ...]:
    """Whole pipelines, those first that help most of the training programs.

    Raises:
        ActionSetError: The data is for another LLVM.
    """
    return ActionSet.from_json(_text(), SPEED_DATA).actions


@functools.cache
def faster_by_clock() -> tuple[Pass, ...]:
    """Those of them that the clock found faster on training programs, in its order."""
    return tuple(known_pipelines()[index] for index in json.loads(_text())["clock"])


@functools.cache
def promising_for_speed() -> Mapping[Edit, float]:
    """As ``edits.promising``, for ``dynamic_cost`` from the best known pipeline."""
    return {Edit(*edit): gain for *edit, gain in json.loads(_text())["edits"]}


def _text() -> str:
    return (files(__package__) / "data" / SPEED_DATA).read_text(encoding="utf-8")


def speed(explorer: Explorer, rng: random.Random) -> None:
    """Spend the compiles on known pipelines and edits; see the module."""
    if explorer.config.objective == "runtime_ns":
        _time_the_cheapest(explorer, rng)
    else:
        _find_cheap(explorer, rng)


def _find_cheap(explorer: Explorer, rng: random.Random) -> None:
    left = explorer.left
    count = left if left <= _PROMPT else round(_KNOWN * math.sqrt(left))
    explorer.walk_each(explorer.root, known_pipelines()[:count])
    start = next((node for node in explorer.cheapest() if is_editable(node)), None)
    if start is None or not explorer.left:
        return
    whole = explorer.apply(explorer.root, written_out(start).step())
    draft_of = written_out if whole is not None and whole.cost <= start.cost else Draft.of
    editor = Editor(explorer, promising_for_speed(), rng, draft_of)
    editor.vary(editor.improve(start))


def written_out(node: Node) -> Draft:
    """``Draft.of``, with O3 as its passes, which can be left out one by one.

    Options that only the level reads have no effect then.
    """
    draft = Draft.of(node)
    if draft.tree != _LEVEL:
        return draft
    return Draft(O3, options=tuple(sorted({**dict(O3_OPTIONS), **dict(draft.options)}.items())))


def _time_the_cheapest(explorer: Explorer, rng: random.Random) -> None:
    left = explorer.left
    with explorer.at_most(max(left - 1, 1)):  # one to time the winner again
        if left <= _PROMPT:
            explorer.walk_each(explorer.root, (*faster_by_clock(), *known_pipelines()))
        else:
            timed = round(left * _TIMED)
            explorer.walk_each(explorer.root, faster_by_clock()[: timed // 2])
            paths = _promising_paths(explorer, left - 1 - timed, rng)
            for path in paths[: timed // 4]:
                explorer.walk(explorer.root, path)
            _merge(explorer)
            for path in paths[timed // 4 :]:
                explorer.walk(explorer.root, path)
    _confirm(explorer)


def _merge(explorer: Explorer) -> None:
    """Give the fastest pipeline the options of the next ones, while that makes it faster."""
    faster = [node for node in explorer.cheapest() if node.cost < explorer.baseline_cost]
    nodes = [node for node in faster if is_editable(node)]
    if not nodes:
        return
    current, *others = nodes
    draft = Draft.of(current)
    for other in others:
        options = {**dict(other.path[0].options), **dict(draft.options)}
        trial = replace(draft, options=tuple(sorted(options.items())))
        reached = explorer.apply(explorer.root, trial.step())
        if reached is not None and reached.cost < current.cost:
            draft, current = trial, reached


def _promising_paths(
    explorer: Explorer, compiles: int, rng: random.Random
) -> list[tuple[Pass, ...]]:
    """Ways to the states that cost least by ``dynamic_cost``, one for each cost."""
    try:
        counting = explorer.beside("dynamic_cost", compiles)
    except NotRunnableError:  # with a counter in each block it is too slow, for example
        return [(one,) for one in (*faster_by_clock(), *known_pipelines())]
    with counting:
        with counting.at_most(compiles):
            _find_cheap(counting, rng)
        by_cost = {node.cost: node.path for node in reversed(counting.cheapest())}
        return [by_cost[cost] for cost in sorted(by_cost)]


def _confirm(explorer: Explorer) -> None:
    """Go back to the baseline unless the best is faster beyond the noise, timed again."""
    level = LEVEL_PIPELINES[explorer.config.baseline]
    if level is None or not explorer.config.from_baseline or not explorer.left:
        return
    baseline = explorer.apply(explorer.root, o_level(level))
    if baseline is None or explorer.best is baseline:
        return
    timing = explorer.time_again(explorer.best)
    if timing is None or not timing.is_faster:
        explorer.best = baseline
