"""The agent for speed: known pipelines around O3, with and without a profile, then edits.

Running a program costs more than compiling it, so few candidates must do. ``data/speed.json``
holds whole pipelines (O3 with LLVM's options, with passes left out, twice; O2; O1) in the order
in which a greedy cover of the training programs chose them by ``dynamic_cost``, which of them the
clock found faster, plainly or after a profile (``passes.PROFILE``), and what each edit
(``agents.edits``) gained; ``experiments.mine_speed`` makes it.

Under ``runtime_ns`` most candidates are not timed: they are run once and counted
(``dynamic_cost``, the same every time), and only the cheapest are timed, beside those that the
clock found faster on training programs, and what their options give together. The winner is timed
once more against the baseline and given up unless it is faster beyond the noise: the best of
many noisy times is often only the luckiest. Each of these is one compile of the budget, whether
it is counted, timed or timed again, and so is the run that profiles.
"""

from __future__ import annotations

import functools
import json
import math
import random
from collections.abc import Mapping
from importlib.resources import files

from ..errors import NotRunnableError
from ..objective import LEVEL_PIPELINES
from ..passes import PROFILE, Pass, is_profile
from .actionset import ActionSet
from .edits import Draft, Edit, Editor, is_editable
from .explorer import BudgetSpentError, Explorer
from .pipelines import O3, O3_OPTIONS, parse
from .strategies import o_level
from .walker import Node

SPEED_DATA = "speed.json"
RUN_OBJECTIVES = ("dynamic_cost", "runtime_ns")
"""What this agent has learned."""

Path = tuple[Pass, ...]
"""Steps that lead from the program to a candidate."""

_O3 = "default<O3>"
_LEVEL = parse(_O3)
_PROFILED_O3 = (PROFILE, o_level(_O3))
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
def faster_by_clock() -> tuple[Path, ...]:
    """Ways that the clock found faster on training programs, in its order."""
    pipelines = (*known_pipelines(), o_level(_O3))  # O3 is the last one: number −1
    return tuple(
        (PROFILE, pipelines[index]) if profiled else (pipelines[index],)
        for profiled, index in json.loads(_text())["clock"]
    )


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


def profiled(explorer: Explorer, rng: random.Random) -> None:
    """O3 after a profile, and nothing else: what compilers offer as it is."""
    if explorer.left >= len(_PROFILED_O3):
        explorer.walk(explorer.root, _PROFILED_O3)
        if explorer.config.objective == "runtime_ns":
            _confirm(explorer)


def _time_the_cheapest(explorer: Explorer, rng: random.Random) -> None:
    left = explorer.left
    known = (*faster_by_clock(), *((one,) for one in known_pipelines()))
    again = left > len(known[0])  # one to time the winner again
    with explorer.at_most(left - again):
        if left <= _PROMPT:
            for path in known:
                _time(explorer, path)
        else:
            timed = round(left * _TIMED)
            for path in faster_by_clock()[: timed // 2]:
                _time(explorer, path)
            paths = _promising_paths(explorer, left - 1 - timed, rng)
            for path in paths[: timed // 4]:
                _time(explorer, path)
            _merge(explorer)
            front = explorer.best.path[:1] if is_guided(explorer.best.path) else ()
            for path in paths[timed // 4 :]:
                _time(explorer, (*front, *path))
    _confirm(explorer)


def is_guided(path: Path) -> bool:
    """Whether a way begins with a profile."""
    return bool(path) and is_profile(path[0])


def _time(explorer: Explorer, path: Path) -> None:
    """Go a way if there are compiles left for all of it."""
    profiles = is_guided(path) and not any(is_guided(n.path) for n in explorer.cheapest())
    if explorer.left > profiles:
        explorer.walk(explorer.root, path)
    elif not explorer.left:
        raise BudgetSpentError


def _merge(explorer: Explorer) -> None:
    """Give the fastest pipeline the options of the next ones, while that makes it faster.

    A profile is taken over as an option is.
    """
    faster = [node for node in explorer.cheapest() if node.cost < explorer.baseline_cost]
    nodes = [node for node in faster if len(node.path) == 1 + is_guided(node.path)]
    if not nodes:
        return
    current, *others = nodes
    for other in others:
        whole, more = current.path[-1], other.path[-1]
        options = tuple(sorted({**dict(more.options), **dict(whole.options)}.items()))
        front = next((n.path[:1] for n in (current, other) if is_guided(n.path)), ())
        reached = explorer.walk(explorer.root, (*front, whole._replace(options=options)))
        if reached is not None and reached.cost < current.cost:
            current = reached


def _promising_paths(explorer: Explorer, compiles: int, rng: random.Random) -> list[Path]:
    """Ways to the states that cost least by ``dynamic_cost``, one for each cost."""
    try:
        counting = explorer.beside("dynamic_cost", compiles)
    except NotRunnableError:  # with a counter in each block it is too slow, for example
        return [*faster_by_clock(), *((one,) for one in known_pipelines())]
    with counting:
        with counting.at_most(compiles):
            _find_cheap(counting, rng)
        by_cost = {node.cost: node.path for node in reversed(counting.cheapest())}
        return [by_cost[cost] for cost in sorted(by_cost)]


def _confirm(explorer: Explorer) -> None:
    """Go back to the baseline unless the best is faster beyond the noise.

    It is timed again for that if there is a compile left.
    """
    level = LEVEL_PIPELINES[explorer.config.baseline]
    if level is None or not explorer.config.from_baseline:
        return
    baseline = explorer.apply(explorer.root, o_level(level))
    if baseline is None or explorer.best is baseline:
        return
    best = explorer.best
    timing = explorer.time_again(best) if explorer.left else explorer.timings.get(best.key)
    if timing is None or not timing.is_faster:
        explorer.best = baseline
