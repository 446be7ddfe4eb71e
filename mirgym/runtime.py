"""How long programs take by the clock: pinned, interleaved, repeated until it is known.

Times of different minutes are not comparable on a machine that others use, so executables take
turns: each round runs all of them, in an order that turns round with every round, and what
counts is each one's time ÷ the first one's time *of the same round*. Rounds go on until the
relative standard error of every such ratio is under 1 %, or a limit is reached. The first
executable given a second time has a ratio of 1 but for noise: the noise floor.
"""

from __future__ import annotations

import math
import os
import select
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from .errors import CompileError, NotRunnableError
from .levels import measure_level
from .programs import Program, Run
from .programs.execute import Limits, RunResult, run_program
from .programs.linking import link_executable
from .session import Session
from .wire import NO_KEY
from .worker import WorkerSession

_MOST_ROUNDS = 0.75
"""Share of the rounds that something faster must win."""
_TRIMMED = 0.1
"""Share of the rounds left out at either end: those in which another process had the core."""


@dataclass(frozen=True)
class TimingLimits:
    """When to stop."""

    relative_error: float = 0.01
    """Standard error ÷ mean of each ratio."""
    least_rounds: int = 5
    most_rounds: int = 40
    seconds: float = 60.0
    """Wall time after which no round begins, once there are ``least_rounds``."""
    slower: float = math.inf
    """What takes more than this × the first one's time, beyond two standard errors, needs no
    smaller error: a search has no use for it."""
    run_seconds: float = 60.0
    """Wall time that one run may take."""

    def suffice(self, timing: Timing) -> bool:
        """Whether a time is known well enough."""
        error = timing.relative_error
        return error <= self.relative_error or timing.ratio * (1 - 2 * error) > self.slower


@dataclass(frozen=True)
class Timing:
    """One executable.

    Attributes:
        ns: Median wall time of a run, from its start to its end.
        ratio: Its time ÷ the first executable's, trimmed mean over the rounds.
        relative_error: Standard error of the ratio ÷ ratio.
        rounds: How often it ran.
        faster_share: Share of the rounds in which it was faster than the first.
    """

    ns: int
    ratio: float
    relative_error: float
    rounds: int
    faster_share: float = 1.0

    @property
    def is_faster(self) -> bool:
        """Whether it beats the first executable beyond the noise.

        By two standard errors, and in most rounds: on a busy machine noise comes in bursts,
        which a standard error takes for less than it is.
        """
        beyond = self.ratio * (1 + 2 * self.relative_error) < 1
        return beyond and self.faster_share >= _MOST_ROUNDS

    def __str__(self) -> str:
        return f"{self.ratio:.3f} ± {self.ratio * self.relative_error:.3f} of the baseline's time"


def trimmed(values: np.ndarray) -> tuple[float, float]:
    """Trimmed mean, and its standard error from the Winsorized variance.

    Tukey & McLaughlin, "Less Vulnerable Confidence and Significance Procedures for Location
    Based on a Single Sample", Sankhyā 1963.
    """
    ordered = np.sort(values)
    count = len(ordered)
    cut = int(_TRIMMED * count)
    mean = float(ordered[cut : count - cut].mean())
    winsorized = np.clip(ordered, ordered[cut], ordered[count - cut - 1])
    error = float(winsorized.std(ddof=1)) / ((1 - 2 * cut / count) * math.sqrt(count))
    return mean, error


def time_executables(
    executables: Sequence[Path], run: Run, limits: TimingLimits | None = None
) -> list[Timing]:
    """Time executables against the first of them, on one core.

    They must have run under ``run_program`` before: here only time is limited.

    Raises:
        NotRunnableError: A run took too long, or ended with another code than it must.
    """
    limits = limits or TimingLimits()
    rounds: list[list[int]] = []
    started = time.monotonic()
    with _Pinned(), tempfile.TemporaryDirectory(prefix="mirgym-time-") as folder:
        for executable in executables:  # into the page cache
            _time_once(executable, run, Path(folder), limits)
        while len(rounds) < limits.most_rounds:
            if len(rounds) >= limits.least_rounds and (
                time.monotonic() - started > limits.seconds
                or all(limits.suffice(t) for t in _timings(rounds))
            ):
                break
            order = range(len(executables))
            times = [0] * len(executables)
            for i in order if len(rounds) % 2 else reversed(order):
                times[i] = _time_once(executables[i], run, Path(folder), limits)
            rounds.append(times)
    return _timings(rounds)


def _timings(rounds: list[list[int]]) -> list[Timing]:
    times = np.array(rounds, float)  # (rounds, executables)
    ratios = times / times[:, :1]
    found = []
    for index in range(times.shape[1]):
        ratio, error = trimmed(ratios[:, index])
        ns = int(np.median(times[:, index]))
        faster = float((ratios[:, index] < 1).mean())
        found.append(Timing(ns, ratio, error / ratio, len(rounds), faster))
    return found


class _Pinned:
    """This process and its children on one of the cores that it may use."""

    def __enter__(self) -> None:
        self._before = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()
        if self._before:
            os.sched_setaffinity(0, {max(self._before)})

    def __exit__(self, *_: object) -> None:
        if self._before:
            os.sched_setaffinity(0, self._before)


def _time_once(executable: Path, run: Run, folder: Path, limits: TimingLimits) -> int:
    """Nanoseconds of one run in an empty directory that holds its files."""
    directory = folder / "run"
    directory.mkdir()
    for file in run.files:
        shutil.copy(file, directory / file.name)
    try:
        with (run.stdin or Path(os.devnull)).open("rb") as stdin:
            started = time.perf_counter_ns()
            process = subprocess.Popen(
                ["program", *run.args],
                executable=executable,
                cwd=directory,
                env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "HOME": str(directory)},
                stdin=stdin,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
            _await_end(process, limits.run_seconds)
            taken = time.perf_counter_ns() - started
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    if process.returncode != run.exit_code:
        raise NotRunnableError(
            f"a timed run of {executable.name} ended with {process.returncode}, expected "
            f"{run.exit_code}"
        )
    return taken


def _await_end(process: subprocess.Popen[bytes], seconds: float) -> None:
    """Wait without the sleeps of ``Popen.wait(timeout)``, up to 50 ms each."""
    left = seconds
    if hasattr(os, "pidfd_open"):
        descriptor = os.pidfd_open(process.pid)
        try:
            ended = bool(select.select([descriptor], [], [], seconds)[0])
        finally:
            os.close(descriptor)
        left = 1.0 if ended else 0.0
    try:
        process.wait(left)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise NotRunnableError(f"a timed run did not end within {seconds:g} s") from None


@dataclass
class RuntimeMeter:
    """Wall time of a program's last run, the longest in ``mirbench``.

    The cost is the baseline's time, taken once, × the ratio of each candidate to the baseline
    in interleaved runs: so costs of different minutes can be compared.
    """

    program: Program
    level: str
    limits: TimingLimits = field(default_factory=TimingLimits)
    timing: Timing | None = None
    """The latest."""
    _baseline: bytes = field(default=b"", repr=False)
    _baseline_ns: int = 0
    _expected: RunResult | None = field(default=None, repr=False)

    @property
    def baseline_ns(self) -> int:
        """The baseline's time; 0 before the first measurement."""
        return self._baseline_ns

    def cost(self, session: Session) -> int:
        """Wall time in ns; see ``objective.Meter``.

        Raises:
            NotRunnableError: It cannot be run, or does not do what the baseline does.
        """
        return self.measure(session).ns

    def measure(self, session: Session, limits: TimingLimits | None = None) -> Timing:
        """The same with its error, perhaps with other limits than ``limits``."""
        if not self.program.runs:
            raise NotRunnableError(
                f"{self.program.uri}: nothing says how to run this program. Give it runs in a "
                "manifest.toml (mirgym/programs/manifest.py), or choose the objective "
                "text_size_bytes or ir_instructions"
            )
        with tempfile.TemporaryDirectory(prefix="mirgym-link-") as name:
            baseline, candidate = Path(name, "baseline"), Path(name, "candidate")
            try:
                link_executable(session.emit("obj"), self.program, candidate)
            except CompileError as error:  # a call to what no library has, for example
                raise NotRunnableError(f"{self.program.uri}: {error}") from error
            self._restore(baseline)
            self._check(candidate)
            found = time_executables((baseline, candidate), self._run, limits or self.limits)
        self._baseline_ns = self._baseline_ns or found[0].ns
        ns = round(self._baseline_ns * found[1].ratio)
        self.timing = replace(found[1], ns=ns)
        return self.timing

    @property
    def _run(self) -> Run:
        return self.program.runs[-1]

    def _restore(self, path: Path) -> None:
        """Write the baseline's executable, made at the first call."""
        if not self._baseline:
            with WorkerSession() as session:
                measure_level(session, self.program.bitcode(), self.level, NO_KEY)
                link_executable(session.emit("obj"), self.program, path)
            self._baseline = path.read_bytes()
            self._expected = run_program(path, self._run)
        path.write_bytes(self._baseline)
        path.chmod(0o755)

    def _check(self, candidate: Path) -> None:
        """Run it under all limits, and compare."""
        assert self._expected is not None
        wanted, found = self._expected, run_program(candidate, self._run, Limits())
        if wanted.exit_code != self._run.exit_code:
            how = wanted.stopped or f"ends with {wanted.exit_code}"
            raise NotRunnableError(f"{self.program.uri}: its {self.level} baseline {how}")
        for what in ("exit_code", "stdout", "outputs"):
            if getattr(found, what) != getattr(wanted, what):
                detail = f" ({found.stopped})" if found.stopped else ""
                raise NotRunnableError(
                    f"{self.program.uri}: another {what} than at {self.level}{detail}"
                )
