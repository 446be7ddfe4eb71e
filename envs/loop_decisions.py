"""The loops that there is something to decide about, and the pipelines before and after it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ..levels import O3_BEFORE_VECTORIZER, O3_FROM_VECTORIZER, O3_OPTIONS
from ..loops import LoopFacts, LoopView
from ..passes import Pass
from ..session import Session
from ..views import ModuleView
from ..wire import NO_KEY, Wanted
from .loop_observations import LoopCode, OwnChoice, own_choice

BEFORE = Pass(
    "before the vectorizer", O3_BEFORE_VECTORIZER, "level", options=tuple(O3_OPTIONS.items())
)
REST = Pass(
    "from the vectorizer",
    O3_FROM_VECTORIZER,
    "level",
    options=(("hints-allow-reordering", "false"),),
)
"""LLVM takes a vector width for leave to reorder floating-point arithmetic, which would give
other results: it is told not to."""

_LOOPS = Wanted.of(views=("loops", "functions"), key=False)


class Decision(NamedTuple):
    """One loop that a step decides about."""

    number: int
    facts: LoopFacts
    code: LoopCode


def decisions(session: Session, *, innermost: bool) -> tuple[Decision, ...]:
    """The loops of a session's module, in order; only the innermost ones if so wanted."""
    views = session.observe(_LOOPS).views
    loops, module = views["loops"], views["functions"]
    assert isinstance(loops, LoopView)
    assert isinstance(module, ModuleView)
    found = []
    for number, (facts, alone) in enumerate(zip(*loops, strict=True)):
        function = module.functions[facts.function]
        assert function is not None
        if not (innermost and facts.children):
            found.append(Decision(number, facts, LoopCode(function, alone)))
    return tuple(found)


def own_choices(session: Session, decided: Sequence[Decision]) -> tuple[OwnChoice, ...]:
    """What LLVM does with each loop when it is told nothing; the session stays as it is."""
    names = [record.name for record in session.functions()]
    before = session.snapshot()
    session.step(REST.pipeline, dict(REST.options), wanted=NO_KEY)
    position = {record.name: at for at, record in enumerate(session.functions())}
    loops = session.observe(Wanted.of(views=("loops",), key=False)).views["loops"]
    session.restore(before)
    assert isinstance(loops, LoopView)
    found = []
    for decision in decided:
        function = position.get(names[decision.facts.function], -1)
        after = [facts for facts in loops.facts if facts.function == function]
        found.append(own_choice(decision.facts, after))
    return tuple(found)
