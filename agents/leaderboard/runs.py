"""All runs of a leaderboard: planned, left out where they are done, run side by side."""

from __future__ import annotations

import contextlib
import dataclasses
import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from types import FrameType
from typing import NamedTuple, NoReturn

from ...errors import MirgymError
from ...programs import Program
from ..traits import traits_of
from .config import LeaderboardConfig
from .jobs import Job, run_job
from .records import Records, Row

CHECKS = "checks"
_DIED = "the process of this run died; is there enough memory?"


class Progress(NamedTuple):
    """Where a leaderboard stands."""

    done: int
    """Rows that are there, with those of earlier runs."""
    total: int
    latest: Row | None
    """The row that came last; None at the start."""


class Runs(NamedTuple):
    """What came of a leaderboard."""

    rows: tuple[Row, ...]
    """Of this configuration, in the order of its agents; rows of others stay in the file."""
    missing: int
    """Rows that an interruption left out."""


def run_leaderboard(
    config: LeaderboardConfig,
    folder: Path,
    *,
    jobs: int = 1,
    on_progress: Callable[[Progress], None] | None = None,
) -> Runs:
    """Run what is not done yet; each row is on disk as soon as it is known.

    Ctrl-C ends it with the rows so far, and the same call goes on from there.

    Args:
        config: What is compared.
        folder: Where the rows are kept.
        jobs: Processes side by side; 1 runs all in this one, as the clock always does: what
            runs beside a measured program would be measured, too.
        on_progress: Called at the start and after each row.

    Raises:
        ToolMissingError, WorkerStartError: See ``jobs.run_job``; the rows so far are kept.
        UnknownProgramError: The suite names no programs that may be scored.
        DatasetError: The folder cannot be written.
    """
    if jobs < 1:
        raise ValueError(f"jobs are {jobs}; expected 1 or more")
    if config.objective == "runtime_ns":
        jobs = 1
    programs = config.programs()
    records = Records(folder)
    planned = [job for program in programs for job in _plan(config, program, folder / CHECKS)]
    rows = [row for job in planned for row in job.rows(_digest(job.program))]
    done = sum(records.is_done(row.run_key) for row in rows)
    tell = on_progress or (lambda progress: None)
    tell(Progress(done, len(rows), None))
    todo = [left for job in planned if (left := _rest(job, records)) is not None]
    todo.sort(key=lambda job: (-job.weight, -max(job.budgets)))
    results = map(run_job, todo) if jobs == 1 else _side_by_side(todo, jobs)
    with contextlib.suppress(KeyboardInterrupt):
        for finished in results:
            records.add(finished)
            for row in finished:
                done += 1
                tell(Progress(done, len(rows), row))
    found = [records.get(row.run_key) for row in rows]
    present = tuple(row for row in found if row is not None)
    return Runs(present, len(rows) - len(present))


def _digest(program: Program) -> str:
    try:
        return program.digest()
    except MirgymError:
        return ""


def _plan(config: LeaderboardConfig, program: Program, checks: Path) -> Iterator[Job]:
    """All jobs of one program."""
    try:
        weight = len(program.bitcode())
    except MirgymError:
        weight = 0
    for agent in config.agents:
        traits = traits_of(agent)
        together = _together(config.budgets, anytime=traits.anytime)
        for seed in range(1 if traits.seedless else config.seeds):
            for budgets in together:
                yield Job(
                    program,
                    config.suite_name,
                    agent,
                    seed,
                    budgets,
                    config.objective,
                    checks,
                    config.transitions,
                    weight,
                )


def _together(budgets: Sequence[int], *, anytime: bool) -> list[tuple[int, ...]]:
    """Budgets that one run serves. One compile is a run of its own: see ``jobs``."""
    if not anytime:
        return [(budget,) for budget in budgets]
    larger = tuple(budget for budget in budgets if budget > 1)
    return [*([(1,)] if 1 in budgets else []), *([larger] if larger else [])]


def _rest(job: Job, records: Records) -> Job | None:
    """What is not done of a job; None when all is."""
    rows = job.rows(_digest(job.program))
    left = tuple(row.budget for row in rows if not records.is_done(row.run_key))
    return dataclasses.replace(job, budgets=left) if left else None


def _side_by_side(jobs: Sequence[Job], processes: int) -> Iterator[list[Row]]:
    """Run jobs in processes; one that kills its process gives rows with an error."""
    todo = deque(jobs)
    others = set(multiprocessing.active_children())
    pool = _pool(processes)
    flight: dict[Future[list[Row]], Job] = {}
    try:
        while todo or flight:
            try:
                while todo and len(flight) < processes:
                    flight[pool.submit(run_job, todo[0])] = todo[0]
                    todo.popleft()
                for future in wait(flight, return_when=FIRST_COMPLETED).done:
                    yield future.result()
                    del flight[future]
            except BrokenProcessPool:
                # One of these is to blame: each gets a process of its own.
                suspects = list(flight.values())
                flight.clear()
                pool.shutdown()
                for job in suspects:
                    yield _alone(job)
                pool = _pool(processes)
    except BaseException:
        for child in set(multiprocessing.active_children()) - others:
            child.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _alone(job: Job) -> list[Row]:
    with _pool(1) as pool:
        try:
            return pool.submit(run_job, job).result()
        except BrokenProcessPool:
            return job.failed(_DIED)


def _pool(processes: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(
        processes, mp_context=multiprocessing.get_context("spawn"), initializer=_start
    )


def _start() -> None:
    """In a new process: Ctrl-C is the parent's, which ends this one; one thread for each."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _end)


def _end(number: int, frame: FrameType | None) -> NoReturn:
    """End by an exception, so that temporary folders are removed."""
    raise SystemExit(128 + number)
