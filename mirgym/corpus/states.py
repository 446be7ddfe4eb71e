"""The functions of one module in several states, with what each pass would do to them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from ..errors import SessionError
from ..objective import LEVEL_PIPELINES
from ..passes import catalogue, find
from ..session import Session
from ..views import FunctionView, ModuleView
from ..wire import NO_KEY, FunctionRecord, Wanted
from ..worker import WorkerLimits, WorkerSession
from .schema import EFFECT_PASSES, UNKNOWN, seed_of

LARGEST_MODULE = 30_000
"""Modules of more instructions are left out: their passes take minutes."""

FUNCTION_SIZES = range(2, 2001)
"""Instructions of the functions that become rows; 99.7 % of the corpus."""

LONGEST_SEQUENCE = 16
LEVEL = "Oz"
OZ_PIPELINE = str(LEVEL_PIPELINES[LEVEL])

_FUNCTIONS = Wanted.of(views=("functions",), key=False)


class FunctionState(NamedTuple):
    """One row of the corpus, without its place in it."""

    name: str
    state: int
    view: FunctionView
    effects: np.ndarray  # (P,) int16
    changed: np.ndarray  # (P,) uint8
    oz_instructions: int


def module_states(bitcode: bytes, *, seed: int, sequences: int) -> list[FunctionState]:
    """The functions of a module as it is and after random sequences of core passes.

    A state whose passes crash or take too long is left out.

    Raises:
        MirgymError: The module cannot be loaded.
    """
    rows: list[FunctionState] = []
    # One bad pass costs ten seconds at most; modules are small.
    with WorkerSession(WorkerLimits(step_seconds=5.0, memory_bytes=3 << 30)) as session:
        state = session.load(bitcode, level=LEVEL, wanted=NO_KEY)
        if not 0 < state.metrics["ir_instructions"] <= LARGEST_MODULE:
            return []
        for number in range(sequences + 1):
            try:
                snapshot = reach(session, bitcode, number, seed)
                rows += _describe(session, snapshot, number)
            except SessionError:
                session.start_again_if_dead()
    return rows


def reach(session: Session, bitcode: bytes, number: int, seed: int) -> bytes:
    """Load a module, run the sequence of its state ``number``, and return the result.

    Raises:
        SessionError: A pass crashed or took too long.
    """
    session.load(bitcode, level=LEVEL, wanted=NO_KEY)
    if number:
        generator = random.Random(seed_of(seed, number))
        core = catalogue()
        for _ in range(generator.randint(1, LONGEST_SEQUENCE)):
            session.step(generator.choice(core).pipeline, wanted=NO_KEY)
    return session.snapshot()


def _describe(session: Session, snapshot: bytes, number: int) -> Iterator[FunctionState]:
    session.restore(snapshot)
    module = session.observe(_FUNCTIONS).views["functions"]
    assert isinstance(module, ModuleView)
    before = {record.name: record for record in session.functions()}
    effects = {name: np.full(len(EFFECT_PASSES), UNKNOWN, np.int16) for name in before}
    changed = {name: np.zeros(len(EFFECT_PASSES), np.uint8) for name in before}
    for index, pass_name in enumerate(EFFECT_PASSES):
        after = _apply(session, snapshot, find(pass_name).pipeline)
        for name, old in before.items():
            if after is None:
                effects[name][index] = 0
            elif name in after:
                difference = after[name].instructions - old.instructions
                effects[name][index] = np.clip(difference, UNKNOWN + 1, -UNKNOWN - 1)
                changed[name][index] = after[name].key != old.key
    oz = _apply(session, snapshot, OZ_PIPELINE)
    if oz is None:
        oz = before
    for name, view in zip(module.names, module.functions, strict=True):
        if view is not None and view.tokens.shape[1] in FUNCTION_SIZES:
            size = oz[name].instructions if name in oz else -1
            yield FunctionState(name, number, view, effects[name], changed[name], size)


def _apply(session: Session, snapshot: bytes, pipeline: str) -> dict[str, FunctionRecord] | None:
    """The functions after a pipeline, by name; None when it changed nothing.

    The session is left at the snapshot. Empty when the pipeline failed.
    """
    try:
        if not session.step(pipeline, wanted=NO_KEY).changed:
            return None
        after = {record.name: record for record in session.functions()}
    except SessionError:
        assert isinstance(session, WorkerSession)
        session.start_again_if_dead()
        after = {}
    session.restore(snapshot)
    return after
