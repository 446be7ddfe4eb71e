"""What a program's execution costs: weighted instructions, the same every time.

The session's module is run on the program's inputs with a counter in each block. An
instruction weighs what the target's tables give as its reciprocal throughput, a branch 1, and
library calls on memory and strings a charge by length (native/instrument.h). So a miss in a
cache or of a branch predictor costs nothing: ``mirgym bench runtime`` says how well this ranks
what a clock measures.
"""

from __future__ import annotations

import errno
import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from .errors import NotRunnableError
from .execution import Counters, Ending, Execution, ExecutionLimits, RunReport, RunRequest
from .passes import Pass, is_profile
from .profile import Profile
from .programs import Program, Run
from .programs.linking import runtime_libraries
from .session import Session
from .traces import DEFAULT_EVENTS, Trace, TracedExecution
from .wire import NOTHING, State, Wanted

_Done = TypeVar("_Done", Execution, TracedExecution)

_SHOWN = 60
"""Bytes of an output that an error quotes."""


@dataclass
class CostMeter:
    """Measures one program; what its runs must print is learnt from the first measurement.

    A module that does less than the program is no cheap program: a run that ends otherwise
    than it must, or that prints or writes something else, is an error.
    """

    program: Program
    runs: tuple[Run, ...] = ()
    """What to run; empty for the program's first run, the quickest one in ``mirbench``."""
    limits: ExecutionLimits = field(default_factory=ExecutionLimits)
    _expected: dict[int, dict[str, bytes]] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self.runs = self.runs or self.program.runs[:1]

    def cost(self, session: Session) -> int:
        """Cost of the module that the session holds, over all runs.

        Raises:
            NotRunnableError: It cannot be run, or does not do what it must.
        """
        return sum(report.cost for report in self.measure(session))

    def measure(self, session: Session) -> tuple[RunReport, ...]:
        """One report for each run. See ``cost``."""
        return self._execute(session, Counters.NONE).runs

    def profile(self, session: Session, *, values: bool = False) -> Profile:
        """How often each block ran, and each branch was taken. See ``cost``.

        With ``values``, also samples of what was computed.
        """
        counters = Counters.VALUES if values else Counters.BRANCHES
        return Profile.of(self._execute(session, counters))

    def trace(
        self,
        session: Session,
        *,
        limit: int = DEFAULT_EVENTS,
        skip: int = 0,
        snapshots: int = 0,
        every: int = 1,
    ) -> Trace:
        """What the first run did, in order: see ``Session.trace`` and ``cost``."""

        def traced(requests: list[RunRequest], libraries: Sequence[str]) -> TracedExecution:
            return session.trace(
                requests[:1],
                libraries=libraries,
                limits=self.limits,
                limit=limit,
                skip=skip,
                snapshots=snapshots,
                every=every,
            )

        return self._run(traced).traces[0]

    def _execute(self, session: Session, counters: Counters) -> Execution:
        def executed(requests: list[RunRequest], libraries: Sequence[str]) -> Execution:
            return session.execute(
                requests, libraries=libraries, limits=self.limits, counters=counters
            )

        return self._run(executed)

    def _run(self, execute: Callable[[list[RunRequest], Sequence[str]], _Done]) -> _Done:
        """Run in fresh directories, and check what came of it."""
        if not self.runs:
            raise NotRunnableError(
                f"{self.program.uri}: nothing says how to run this program. Give it runs in a "
                "manifest.toml (mirgym/programs/manifest.py), or choose the objective "
                "text_size_bytes or ir_instructions"
            )
        with tempfile.TemporaryDirectory(prefix="mirgym-run-", ignore_cleanup_errors=True) as name:
            folder = Path(name)
            folder.chmod(0o711)  # root runs it as another user
            requests = [_prepare(folder / str(i), run) for i, run in enumerate(self.runs)]
            try:
                done = execute(requests, runtime_libraries(self.program))
            except NotRunnableError as error:
                raise NotRunnableError(f"{self.program.uri}: {error}") from error
            for index, (request, report) in enumerate(zip(requests, done.runs, strict=False)):
                self._check(index, request, report)
        return done

    def _check(self, index: int, request: RunRequest, report: RunReport) -> None:
        run = self.runs[index]
        trouble = self._trouble_of_end(run, report)
        if not trouble:
            found = _outputs(run, request)
            wanted = self._expected.setdefault(index, _wanted(run, found))
            differing = next((n for n in wanted if found.get(n) != wanted[n]), None)
            if differing is not None:
                got = found.get(differing)
                shown = "nothing" if got is None else repr(got[:_SHOWN])
                trouble = f"gives another {differing} than before: {shown}"
        if trouble:
            what = " ".join(run.args) or "no arguments"
            raise NotRunnableError(f"{self.program.uri}, run with {what}: it {trouble}")

    def _trouble_of_end(self, run: Run, report: RunReport) -> str:
        """What is wrong with how a run ended; empty when nothing is."""
        if report.ending == Ending.TIMED_OUT or report[:2] == (Ending.SIGNALLED, signal.SIGXCPU):
            limits = self.limits
            return (
                f"did not end within {limits.cpu_seconds:g} s of CPU time, or "
                f"{limits.wall_seconds:g} s"
            )
        if report.ending == Ending.NOT_STARTED:
            return f"could not be started: {os.strerror(report.code or errno.ENOENT)}"
        if report.ending == Ending.SIGNALLED:
            return f"was killed by {_signal_name(report.code)}"
        if report.code != run.exit_code:
            return f"ended with exit code {report.code}, expected {run.exit_code}"
        return ""


def take_step(
    session: Session, step: Pass, program: Program | None, wanted: Wanted = NOTHING
) -> State:
    """Run one step of a pipeline: a pass of LLVM with its options, or ``PROFILE``.

    Args:
        session: Holds the program's module, perhaps changed by passes.
        step: What to run.
        program: Says how to run it; only ``PROFILE`` asks. It takes the first run, so that
            time can be measured on another.
        wanted: Metrics and views for the returned state.

    Raises:
        SessionError: The step failed; ``NotRunnableError`` when there is nothing to profile.
    """
    if not is_profile(step):
        return session.step(step.pipeline, dict(step.options), wanted=wanted)
    if program is None:
        raise NotRunnableError("the step 'profile' runs a program, and here is only a module")
    return session.note_branches(CostMeter(program).profile(session).branches(), wanted=wanted)


def _prepare(folder: Path, run: Run) -> RunRequest:
    """Make the directory of a run, beside what it prints."""
    folder.mkdir()
    for file in run.files:
        shutil.copy(file, folder / file.name)
    stdin = str(run.stdin.absolute()) if run.stdin else ""
    return RunRequest(str(folder), stdin, f"{folder}.out", f"{folder}.err", run.args)


def _outputs(run: Run, request: RunRequest) -> dict[str, bytes]:
    """All that a run left, by name."""
    paths = {"standard output": Path(request.stdout)}
    paths |= {name: Path(request.directory, name) for name, _ in run.outputs}
    return {
        name: path.read_bytes()
        for name, path in paths.items()
        if path.is_file() and not path.is_symlink()
    }


def _wanted(run: Run, found: dict[str, bytes]) -> dict[str, bytes]:
    """What the run's files say, and for the rest what the first measurement found."""
    wanted = dict(found)
    if run.stdout is not None:
        wanted["standard output"] = run.stdout.read_bytes()
    return wanted | {name: file.read_bytes() for name, file in run.outputs if file is not None}


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
