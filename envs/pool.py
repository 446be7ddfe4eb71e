"""The programs that an environment plays on, with their start and baseline costs."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from ..errors import (
    CodegenError,
    SessionError,
    UnknownProgramError,
    WorkerStartError,
    did_you_mean,
)
from ..objective import Meter, Scale, cost_of, run_level, run_meter, wanted_for
from ..programs import Program, resolve, resolve_all
from ..session import Session
from ..wire import State


class Costs(NamedTuple):
    """Costs of one program: before any pass, and after the baseline."""

    start: int
    baseline: int

    @property
    def scale(self) -> Scale:
        """The reward's scale."""
        return Scale(self.start, self.baseline)


@dataclass
class ProgramPool:
    """Resolves programs, samples them, and remembers what their baselines cost.

    One pool may serve many environments of one process: each program is compiled and
    its baseline measured once.
    """

    programs: Any
    objective: str
    level: str
    members: list[Program] = field(init=False)
    _costs: dict[str, Costs] = field(init=False, default_factory=dict)
    _meters: dict[str, Meter | None] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.members = resolve_all(self.programs)
        if not self.members:
            raise UnknownProgramError(f"programs={self.programs!r} names no program")

    def sample(self, generator: np.random.Generator) -> Program:
        """One program, uniformly."""
        return self.members[int(generator.integers(len(self.members)))]

    def choose(self, spec: str | Program | Sequence[str]) -> Program:
        """The program that ``reset(options={"program": spec})`` asks for."""
        if isinstance(spec, Program):
            return spec
        if isinstance(spec, str):
            for program in self.members:
                if spec in (program.uri, program.name):
                    return program
            if "/" not in spec and "." not in spec and ":" not in spec:
                names = [p.name for p in self.members]
                raise UnknownProgramError(
                    f"unknown program {spec!r}; this environment holds {names[:8]}"
                    f"{' …' if len(names) > 8 else ''}." + did_you_mean(spec, names)
                )
        return resolve(spec)

    def known(self, program: Program) -> bool:
        """Whether ``costs`` would answer without work."""
        return program.uri in self._costs

    def costs(self, program: Program, session: Session) -> Costs:
        """Start and baseline cost; measured in ``session`` at the first call.

        Raises:
            WorkerStartError: No worker lives, whatever it loads.
            SessionError: LLVM fails on this program at the baseline level.
        """
        found = self._costs.get(program.uri)
        if found is None:
            try:
                found = self._measure(program, session)
            except SessionError as error:
                _check_worker(session, error)
                raise
            self._costs[program.uri] = found
        return found

    def _measure(self, program: Program, session: Session) -> Costs:
        wanted = wanted_for(self.objective)
        start = session.load(program.bitcode(), level=self.level, wanted=wanted)
        start_cost = self.cost(program, start, session)
        after = run_level(session, start, self.level, wanted)
        return Costs(start_cost, self.cost(program, after, session))

    def cost(self, program: Program, state: State, session: Session) -> int:
        """Cost of the program's module that a session holds, whose state this is.

        Raises:
            NotRunnableError: It takes running the program, which does not do what it must.
        """
        if program.uri not in self._meters:
            self._meters[program.uri] = run_meter(self.objective, program, self.level)
        return cost_of(state, self.objective, session, self._meters[program.uri])

    def drop(self, program: Program, error: Exception, why: str = "") -> None:
        """Leave a program out of sampling: its baseline cannot be built, unless ``why`` says.

        Raises:
            Exception: ``error`` itself, when no other program would be left.
        """
        if len(self.members) == 1 or isinstance(error, CodegenError):
            raise error
        why = why or f"its {self.level} baseline fails: {error}"
        warnings.warn(f"{program.uri} is left out: {why}", stacklevel=3)
        self.members = [p for p in self.members if p.uri != program.uri]


_TRIVIAL = b"define void @mirgym_trivial() {\n  ret void\n}\n"


def _check_worker(session: Session, error: SessionError) -> None:
    """Raise unless ``error`` was the program's fault: the worker still loads a trivial one.

    Raises:
        WorkerStartError: It does not, so leaving the program out would not help.
    """
    try:
        session.load(_TRIVIAL)
    except WorkerStartError:
        raise
    except SessionError as again:
        raise WorkerStartError(
            f"workers end whatever they load, last with: {again}. See `mirgym doctor`"
        ) from error
