"""Modules in the middle of being optimised, and what each pass would do to them next.

A state is a module of ``own_modules`` after ``mem2reg`` or ``sroa``, a few random passes of the
core, and a short cleanup. The gain of a pass is ``ln(instructions ÷ instructions after the pass
and the same cleanup)``. Everything drawn depends on the module's URI and the state's number only.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

import numpy as np

from ..errors import SessionError
from ..passes import catalogue, find
from ..wire import NO_KEY, Wanted
from ..worker import WorkerLimits, WorkerSession
from .own_modules import VIEWS, OwnModule, code_of

PASSES = (
    "mem2reg", "sroa<modify-cfg>", "early-cse", "early-cse<memssa>", "gvn",
    "instcombine<no-verify-fixpoint>", "instsimplify", "aggressive-instcombine", "simplifycfg",
    "simplifycfg<no-keep-loops>", "simplifycfg<hoist-common-insts;sink-common-insts>",
    "jump-threading", "reassociate", "licm<allowspeculation>", "sccp", "ipsccp",
    "correlated-propagation", "indvars", "dse", "loop-rotate", "bdce", "adce", "gvn-hoist",
    "inline", "globalopt", "sink", "mldst-motion", "loop-deletion",
    "slp-vectorizer", "loop-unroll-full", "loop-idiom", "memcpyopt", "simple-loop-unswitch",
    "constraint-elimination", "tailcallelim", "nary-reassociate", "deadargelim", "vector-combine",
    "load-store-vectorizer",
)  # fmt: skip
"""What is chosen among: passes of the core that may leave fewer instructions. Not
``scc-oz-module-inliner``, which is a pipeline: in four of five states it would be the best."""

CLEANUP = "function(instsimplify,simplifycfg,adce)"
FIRST = ("mem2reg", "sroa<modify-cfg>")
LENGTHS = (2, 8)
"""Of the random sequences, at least and at most."""
LARGEST = 6_000
"""Instructions of a module as clang writes it; larger ones take too long."""
LIMITS = WorkerLimits(step_seconds=20.0, memory_bytes=3 << 30)

_CODE = Wanted.of(views=VIEWS, key=False)


def states(modules: Sequence[OwnModule], per_module: int) -> Iterator[dict[str, np.ndarray]]:
    """Code and gains of each state in which some pass gains; others leave nothing to choose.

    A state that a pass crashes on the way to is left out; a pass that crashes gains nothing.
    """
    with WorkerSession(LIMITS) as session:
        for row, one in enumerate(modules):
            for number in range(per_module):
                try:
                    start = _reach(session, one, number)
                except SessionError:
                    session.start_again_if_dead()
                    continue
                if start is None:
                    continue
                snapshot, size, code = start
                gains = np.array([_gain(session, snapshot, size, name) for name in PASSES])
                if gains.max() > 0:
                    yield {"row": np.array(row), "gains": gains, **code}


def sequence(uri: str, number: int) -> list[str]:
    """Pipelines of the passes that lead to a state."""
    generator = random.Random(f"{uri}/{number}")
    core = catalogue()
    first = find(generator.choice(FIRST)).pipeline
    return [first, *(generator.choice(core).pipeline for _ in range(generator.randint(*LENGTHS)))]


def _reach(
    session: WorkerSession, one: OwnModule, number: int
) -> tuple[bytes, int, dict[str, np.ndarray]] | None:
    """The state, its instructions and its code; None for a module that is too large."""
    loaded = session.load(one.program.bitcode(), level="Oz", wanted=NO_KEY)
    if loaded.metrics["ir_instructions"] > LARGEST:
        return None
    for pipeline in sequence(one.program.uri, number):
        session.step(pipeline, wanted=NO_KEY)
    state = session.step(CLEANUP, wanted=_CODE)
    return session.snapshot(), state.metrics["ir_instructions"], code_of(state.views)


def _gain(session: WorkerSession, snapshot: bytes, size: int, name: str) -> float:
    """The session is at the snapshot before and after."""
    try:
        if not session.step(find(name).pipeline, wanted=NO_KEY).changed:
            return 0.0
        after = session.step(CLEANUP, wanted=NO_KEY).metrics["ir_instructions"]
    except SessionError:
        session.start_again_if_dead()
        after = size
    session.restore(snapshot)
    return float(np.log(size / max(after, 1)))
