"""The shortest part of a pass sequence that still miscompiles.

Delta debugging, after Zeller & Hildebrandt, "Simplifying and Isolating Failure-Inducing
Input", TSE 2002: leave out ever smaller parts, then single passes until none can go.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from ..dynamic_cost import take_step
from ..errors import MirgymError, SessionError
from ..passes import Pass
from ..programs import Program
from ..programs.execute import Limits
from ..session import Session
from ..worker import WorkerLimits, WorkerSession
from .validation import validate


def run_passes(session: Session, program: Program, passes: Sequence[Pass], level: str) -> int:
    """Run passes on a program one by one, as an environment does; return the module's key.

    Raises:
        SessionError: A pass crashed, took too long, or made the module grow past its limit.
        UnknownPassError: LLVM cannot parse one.
    """
    key = session.load(program.bitcode(), level=level).key
    for step in passes:
        key = take_step(session, step, program).key
    return key


def optimised_object(
    program: Program,
    passes: Sequence[Pass],
    *,
    level: str = "Oz",
    session_limits: WorkerLimits | None = None,
) -> bytes:
    """Object code of a program after these passes, which LLVM's verifier accepts.

    Raises:
        MirgymError: A pass failed, or the module is no longer valid.
    """
    with WorkerSession(session_limits) as session:
        run_passes(session, program, passes, level)
        session.verify()
        return session.emit("obj")


def shortest_failing(
    program: Program,
    passes: Sequence[Pass],
    *,
    level: str = "Oz",
    limits: Limits | None = None,
    session_limits: WorkerLimits | None = None,
) -> tuple[Pass, ...]:
    """The shortest part of a sequence after which the program still misbehaves.

    No single pass can be left out of it. A part that makes LLVM itself fail is no such part:
    that would be another fault.

    Args:
        program: What is miscompiled; only the first run that differs is used.
        passes: The sequence.
        level: As which the program is loaded.
        limits: What each run may use.
        session_limits: What each pass may use.

    Raises:
        ValueError: The whole sequence does not fail.
    """
    with WorkerSession(session_limits) as session:
        trial = _Trial(session, program, level, limits)
        if not trial.fails(tuple(passes)):
            raise ValueError(
                f"{program.uri} behaves as its reference after these {len(passes)} passes: there "
                "is nothing to reduce"
            )
        return _drop_singles(trial, _halve(trial, tuple(passes)))


def _halve(trial: _Trial, passes: tuple[Pass, ...]) -> tuple[Pass, ...]:
    """Leave out ever smaller parts (ddmin)."""
    parts = 2
    while len(passes) >= 2:
        size = -(-len(passes) // parts)
        for start in range(0, len(passes), size):
            rest = passes[:start] + passes[start + size :]
            if trial.fails(rest):
                passes, parts = rest, max(parts - 1, 2)
                break
        else:
            if parts >= len(passes):
                break
            parts = min(parts * 2, len(passes))
    return passes


def _drop_singles(trial: _Trial, passes: tuple[Pass, ...]) -> tuple[Pass, ...]:
    """Leave out one pass at a time until none can go, the last first."""
    index = len(passes) - 1
    while index >= 0:
        rest = passes[:index] + passes[index + 1 :]
        if trial.fails(rest):
            passes = rest
            index = len(passes)
        index -= 1
    return passes


class _Trial:
    """Tells whether a sequence fails; equal modules are run once."""

    def __init__(
        self, session: WorkerSession, program: Program, level: str, limits: Limits | None
    ) -> None:
        self.session, self.program = session, program
        self.level, self.limits = level, limits
        self._by_key: dict[int, bool] = {}

    def fails(self, passes: tuple[Pass, ...]) -> bool:
        """Whether the program misbehaves after these passes."""
        try:
            key = run_passes(self.session, self.program, passes, self.level)
            if key not in self._by_key:
                self._by_key[key] = self._misbehaves(self.session.emit("obj"))
        except SessionError:
            return False
        except MirgymError:
            if not self._by_key:  # the whole sequence: its error is the caller's to see
                raise
            return False
        return self._by_key[key]

    def _misbehaves(self, object_code: bytes) -> bool:
        found = validate(self.program, object_code, limits=self.limits, sanitize=False)
        if found.verdict != "different":
            return False
        runs = zip(self.program.runs, found.runs, strict=True)
        first = next(run for run, verdict in runs if verdict.verdict == "different")
        self.program = dataclasses.replace(self.program, runs=(first,))
        return True
