"""Edits of a pipeline, and the local search that makes them.

A good pipeline for a program is mostly a known one with a few changes: a pass left out, one
more before or after it, one of LLVM's options set for the whole. Which of these tend to help,
and by how much, was measured on training modules, from the best state that a policy's first
choices reach (``experiments.mine_edits``); ``data/edits.json`` holds it, best first.
"""

from __future__ import annotations

import functools
import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import Literal, NamedTuple, Protocol, TypeVar

from ..errors import ActionSetError
from ..parameters import catalogue as knobs
from ..passes import Pass, catalogue, is_profile
from .actionset import llvm_release
from .explorer import Explorer
from .pipelines import NEEDED, Place, Tree, as_module, leaves, parse, render, without
from .strategies import IDLE_RESTARTS, as_whole
from .walker import Node

EDITS = "edits.json"
"""What edits gained, in ``agents/data``; ``experiments.mine_edits`` makes it."""
_PATIENCE = 20
"""Compiles for each variation."""


class Edit(NamedTuple):
    """One change.

    Attributes:
        kind: ``drop`` a pass of the pipeline, ``set`` an option, or run one more pass
            ``before`` or ``after`` it.
        what: The pass without its parameters, the option, or the pass to run.
        value: Of the option.
    """

    kind: Literal["drop", "set", "before", "after"]
    what: str
    value: str = ""


def all_edits() -> tuple[Edit, ...]:
    """Every change but ``drop``, which depends on the pipeline."""
    options = [
        Edit("set", *value.options[0])
        for knob in knobs()
        for value in knob.values
        if len(value.options) == 1 and not value.after
    ]
    kinds: tuple[Literal["before"], Literal["after"]] = ("before", "after")
    more = [Edit(kind, one.pipeline) for kind in kinds for one in catalogue()]
    return (*options, *more)


def is_editable(node: Node) -> bool:
    """Whether one pipeline leads here: there are steps, and all have the same options."""
    return len({step.options for step in node.path}) == 1 and not any(map(is_profile, node.path))


@dataclass(frozen=True)
class Draft:
    """A pipeline that is being edited: the passes of ``tree``, less those left out."""

    tree: Tree
    left_out: frozenset[Place] = frozenset()
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    options: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, node: Node) -> Draft:
        """The way to an editable state as one pipeline."""
        (whole,) = as_whole(step._replace(options=()) for step in node.path)
        return cls(parse(whole.pipeline), options=node.path[0].options)

    def places(self) -> dict[Place, Edit]:
        """Where a pass may be left out, and what that edit is called."""
        names = {
            place: name.partition("<")[0]
            for place, name in leaves(self.tree)
            if place not in self.left_out
        }
        if len(names) == 1:
            return {}
        return {
            place: Edit("drop", name)
            for place, name in names.items()
            if not name.startswith(NEEDED)
        }

    def without(self, place: Place) -> Draft:
        """The same with one more pass left out."""
        return replace(self, left_out=self.left_out | {place})

    def edited(self, edit: Edit) -> Draft:
        """The same after an edit other than ``drop``; an option that was set is set anew."""
        if edit.kind == "before":
            return replace(self, before=(edit.what, *self.before))
        if edit.kind == "after":
            return replace(self, after=(*self.after, edit.what))
        options = {**dict(self.options), edit.what: edit.value}
        return replace(self, options=tuple(sorted(options.items())))

    def step(self) -> Pass:
        """As one pass of a search, for the program as loaded."""
        text = ",".join((*self.before, render(without(self.tree, self.left_out)), *self.after))
        return Pass("edited", as_module(text), "edited", options=self.options)


class Editor:
    """Edits pipelines of one program.

    Args:
        explorer: Of the program.
        promise: What each edit is expected to gain. Those with nothing are not tried, but for
            ``drop``, which comes last then.
        rng: Breaks ties, and draws variations.
        draft_of: The pipeline of a state.
    """

    def __init__(
        self,
        explorer: Explorer,
        promise: Mapping[Edit, float],
        rng: random.Random,
        draft_of: Callable[[Node], Draft] = Draft.of,
    ) -> None:
        self._explorer = explorer
        self._promise = promise
        self._rng = rng
        self._draft_of = draft_of

    def improve(self, node: Node) -> Node:
        """Edit the pipeline of a state while that makes it cheaper; return the best state.

        A pass whose absence makes no difference is left out for good. A state that is not
        editable is returned as it is.

        Raises:
            BudgetSpentError: No compile is left.
        """
        if not is_editable(node):
            return node
        draft = self._draft_of(node)
        current = self._reach(draft)
        if current is None or current.cost > node.cost:
            return node
        return climb(draft, current, self._promise, self._rng, self._reach)

    def vary(self, node: Node) -> None:
        """Go on from random variations of a pipeline, the best so far, until all is spent.

        Iterated local search (Lourenço, Martin & Stützle 2003): one to three edits at random,
        the promising ones more often, then ``improve`` for a few compiles.

        Args:
            node: An editable state.

        Raises:
            BudgetSpentError: No compile is left.
        """
        explorer = self._explorer
        idle = 0
        while idle < IDLE_RESTARTS:
            before = explorer.compiles
            reached = self._reach(self._variation(self._draft_of(node)))
            if reached is not None:
                with explorer.at_most(_PATIENCE):
                    self.improve(reached)
                node = min(node, explorer.best, key=lambda one: (not is_editable(one), one.cost))
            idle = idle + 1 if explorer.compiles == before else 0

    def _variation(self, draft: Draft) -> Draft:
        some = [edit for edit in self._promise if edit.kind != "drop"]
        weights = [self._promise[edit] for edit in some]
        for _ in range(self._rng.choice((1, 2, 2, 3))):
            places = list(draft.places())
            if places and self._rng.random() < 0.5:
                draft = draft.without(self._rng.choice(places))
            else:
                draft = draft.edited(self._rng.choices(some, weights)[0])
        return draft

    def _reach(self, draft: Draft) -> Node | None:
        return self._explorer.apply(self._explorer.root, draft.step())


class Priced(Protocol):
    """What a draft leads to; the same object where an edit makes no difference."""

    @property
    def cost(self) -> float:
        """Less is better."""


_Reached = TypeVar("_Reached", bound=Priced)


def climb(
    draft: Draft,
    current: _Reached,
    promise: Mapping[Edit, float],
    rng: random.Random,
    reach: Callable[[Draft], _Reached | None],
) -> _Reached:
    """The local search of ``Editor.improve`` over anything that gives drafts a cost.

    Args:
        draft: Where to start.
        current: What it leads to.
        promise: See ``Editor``.
        rng: Breaks ties.
        reach: What a draft leads to; None when it fails.
    """
    places = draft.places()
    moves: list[Place | Edit] = [*places, *(e for e in promise if e.kind != "drop")]
    rng.shuffle(moves)
    moves.sort(key=lambda m: -promise.get(m if isinstance(m, Edit) else places[m], 0.0))
    since_gain = index = 0
    while since_gain < len(moves):
        move = moves[index % len(moves)]
        index += 1
        since_gain += 1
        if isinstance(move, Edit):
            trial = draft.edited(move)
        elif move in draft.places():
            trial = draft.without(move)
        else:
            continue
        reached = reach(trial)
        if reached is not None and reached.cost < current.cost:
            draft, current, since_gain = trial, reached, 0
        elif reached is current and not isinstance(move, Edit):
            draft = trial
    return current


@functools.cache
def promising(objective: str) -> Mapping[Edit, float]:
    """What each edit gained on training modules on average, best first: ln(before ÷ after).

    Raises:
        ActionSetError: The data is for another LLVM.
    """
    content = json.loads((files(__package__) / "data" / EDITS).read_text(encoding="utf-8"))
    if content["llvm"] != llvm_release():
        raise ActionSetError(
            f"{EDITS} is for LLVM {content['llvm']}, and this is LLVM {llvm_release()}; "
            "make it again with `python -m experiments.mine_edits`"
        )
    return {Edit(*edit): gain for *edit, gain in content["edits"][objective]}
