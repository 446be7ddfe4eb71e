"""The agent for speed: known pipelines around O3, with and without a profile, then edits.

``data/speed.json`` holds whole pipelines (O3 with LLVM's options, with passes left out, twice; O2;
O1), in the order in which a greedy cover of the training programs chose them by
``dynamic_cost``, and the same by the clock, where O3 after a profile (``passes.PROFILE``) is one of
them; and what each edit (``agents.edits``) gained. ``experiments.mine_speed`` makes it.

Under ``runtime_ns`` the fastest few are timed again at the end, and O3 stays unless one of them is
faster beyond the noise: the best of many noisy times is often only the luckiest. Each time and
each run for a profile is one compile of the budget.
"""

from __future__ import annotations

import functools
import json
import math
import random
from collections.abc import Mapping, Sequence
from importlib.resources import files

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
_LISTED = 2 / 3
"""Share of a larger budget for what the clock found faster in training."""
_MERGED = 6
"""Of the fastest pipelines, so many are put together."""
_AGAIN = 1 / 12
"""Share of the compiles for timing the fastest again: 2 of 30, 8 of 100."""


@functools.cache
def known_pipelines() -> tuple[Pass, ...]:
    """Whole pipelines, those first that help most of the training programs by ``dynamic_cost``.

    Raises:
        ActionSetError: The data is for another LLVM.
    """
    return _actions()[: json.loads(_text())["counted"]]


def _actions() -> tuple[Pass, ...]:
    return ActionSet.from_json(_text(), SPEED_DATA).actions


@functools.cache
def faster_by_clock() -> tuple[Path, ...]:
    """Ways that the clock found faster on training programs, in its order."""
    actions = _actions()
    return tuple(
        (PROFILE, actions[way["action"]]) if way["profile"] else (actions[way["action"]],)
        for way in json.loads(_text())["clock"]
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
        _find_fast(explorer, rng)
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
            _settle(explorer, 1)


def _find_fast(explorer: Explorer, rng: random.Random) -> None:
    left = explorer.left
    again = round(left * _AGAIN)
    ways = list(dict.fromkeys((*faster_by_clock(), *((one,) for one in known_pipelines()))))
    with explorer.at_most(left - again):
        listed = left if left <= _PROMPT else round(left * _LISTED)
        with explorer.at_most(listed):
            _time_each(explorer, ways)
        _merge(explorer)
        with explorer.at_most(explorer.left - 1):
            _edit(explorer, rng)
        _merge(explorer)
        _time_each(explorer, ways)
    _settle(explorer, again)


def is_guided(path: Path) -> bool:
    """Whether a way begins with a profile."""
    return bool(path) and is_profile(path[0])


def _time_each(explorer: Explorer, ways: Sequence[Path]) -> None:
    """Go each way for all of which there are compiles left; those gone before cost nothing."""
    for path in ways:
        profiles = is_guided(path) and not any(is_guided(n.path) for n in explorer.cheapest())
        if explorer.left > profiles:
            explorer.walk(explorer.root, path)
        elif not explorer.left:
            raise BudgetSpentError


def _merge(explorer: Explorer) -> None:
    """Give the fastest pipeline the options of the next ones, while that makes it faster.

    A profile is taken over as an option is.
    """
    nodes = [n for n in _fastest(explorer) if len(n.path) == 1 + is_guided(n.path)][:_MERGED]
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


def _edit(explorer: Explorer, rng: random.Random) -> None:
    """Edit the fastest pipeline that needs no profile."""
    start = next((node for node in _fastest(explorer) if is_editable(node)), None)
    if start is not None:
        editor = Editor(explorer, promising_for_speed(), rng, written_out)
        editor.vary(editor.improve(start))


def _fastest(explorer: Explorer) -> list[Node]:
    """States that were timed as faster than the baseline, those first that surely are."""

    def at_worst(node: Node) -> float:
        timing = explorer.timings[node.key]
        return timing.ratio * (1 + 2 * timing.relative_error)

    timed = (node for node in explorer.cheapest() if node.key in explorer.timings)
    return sorted((n for n in timed if n.cost < explorer.baseline_cost), key=at_worst)


def _settle(explorer: Explorer, again: int) -> None:
    """Time the fastest few again, and take the best of those that are faster beyond the noise.

    None of them, and it is the baseline. With no compile for that their times stand.
    """
    level = LEVEL_PIPELINES[explorer.config.baseline]
    if level is None or not explorer.config.from_baseline:
        return
    baseline = explorer.apply(explorer.root, o_level(level))
    if baseline is None:
        return
    best, ratio = baseline, 1.0
    for node in _fastest(explorer)[: max(again, 1)]:
        timing = explorer.time_again(node) if explorer.left else explorer.timings[node.key]
        if timing is not None and timing.is_faster and timing.ratio < ratio:
            best, ratio = node, timing.ratio
    explorer.best = best
