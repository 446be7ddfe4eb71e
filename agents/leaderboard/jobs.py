"""One job: an agent runs on a program, its result is measured and its behaviour checked.

With one compile an agent shows its first choice, which may be worse than the baseline. With
more, the first of them is the baseline's own pipeline, so that no result is worse.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import time
from dataclasses import dataclass
from pathlib import Path

from ... import _native
from ...errors import MirgymError, SessionError, ToolMissingError, WorkerStartError
from ...passes import Pass
from ...programs import Program
from ...programs.cache import write_atomically
from ...provenance import git_revision
from ...validate import validate
from ..explorer import Progress, SearchConfig
from ..search import ALGORITHMS, SearchResult, default_baseline
from ..traits import data_version, traits_of
from .anchors import Anchors, Made, make, measure_anchors, why
from .records import Row

_LONGEST_NOTE = 300
_VERDICTS = {"different": "differs: ", "undefined": "undefined: ", "unknown": "cannot run: "}


@dataclass(frozen=True)
class Job:
    """One run of an agent on a program, which gives a row for each budget.

    Only an agent that is ``anytime`` has several budgets; it runs with the largest.
    """

    program: Program
    suite: str
    agent: str
    seed: int
    budgets: tuple[int, ...]
    objective: str
    checks: Path
    """Folder with what came of the checks, by module."""
    transitions: Path | None = None
    weight: int = 0
    """Bytes of the module: large ones are run first."""

    def rows(self, digest: str) -> list[Row]:
        """The rows, not filled in yet."""
        return [
            Row(
                program=self.program.name,
                suite=self.suite,
                digest=digest,
                agent=self.agent,
                agent_data=data_version(self.agent, self.objective),
                commit=_commit(),
                seed=self.seed,
                budget=budget,
                objective=self.objective,
                llvm=_native.llvm_version(),
            )
            for budget in self.budgets
        ]

    def failed(self, reason: str) -> list[Row]:
        """The rows of a job that could not run."""
        try:
            digest = self.program.digest()
        except MirgymError:
            digest = ""
        for folder in {f"{source.parent}/" for source in self.program.sources}:
            reason = reason.replace(folder, "")  # it names somebody's machine
        return [dataclasses.replace(row, error=reason) for row in self.rows(digest)]


@functools.cache
def _commit() -> str:
    return git_revision() or ""


def run_job(job: Job) -> list[Row]:
    """Run a job. What fails becomes rows with an error.

    Raises:
        KeyboardInterrupt: The agent was interrupted; there is no result.
        ToolMissingError: A package that the agent needs is not installed.
        WorkerStartError: The machine has no room for a worker.
    """
    try:
        rows = job.rows(job.program.digest())
        anchors = _anchors(job.program, job.objective)
    except Exception as error:
        return job.failed(why(error))
    rows = [row.with_anchors(anchors) for row in rows]
    try:
        found, clock = _search(job)
    except (ToolMissingError, WorkerStartError):
        raise  # no fault of the agent's: it has no result, not a bad one
    except Exception as error:
        return [dataclasses.replace(row, error=why(error)) for row in rows]
    return [_finish(job, row, found, clock, anchors) for row in rows]


_known_anchors: dict[tuple[str, str], Anchors | MirgymError] = {}
"""Of this process, by digest and objective; or why there are none."""


def _anchors(program: Program, objective: str) -> Anchors:
    name = program.digest(), objective
    if name not in _known_anchors:
        try:
            _known_anchors[name] = measure_anchors(program, objective)
        except MirgymError as error:
            _known_anchors[name] = error
    known = _known_anchors[name]
    if isinstance(known, MirgymError):
        raise known
    return known


def _search(job: Job) -> tuple[SearchResult, list[float]]:
    """What the agent found, and the seconds after each compile."""
    config = SearchConfig(
        objective=job.objective,
        baseline=default_baseline(job.objective),
        budget=max(job.budgets),
        seed=job.seed,
        from_baseline=max(job.budgets) > 1,
        transitions=job.transitions,
    )
    started = time.perf_counter()
    clock = [0.0]

    def tick(progress: Progress) -> None:
        clock.append(time.perf_counter() - started)

    found = ALGORITHMS[job.agent](job.program.bitcode(), config, tick, job.program)
    if found.interrupted:
        raise KeyboardInterrupt
    if found.compiles > config.budget:
        raise SessionError(f"{found.compiles} compiles were spent of {config.budget}")
    return found, clock


def _finish(job: Job, row: Row, found: SearchResult, clock: list[float], anchors: Anchors) -> Row:
    """Measure and check the result of one budget."""
    steps, compiles, seconds = found.pipeline, found.compiles, found.cold_seconds
    if row.budget < max(job.budgets):
        assert traits_of(job.agent).anytime
        steps = next(path for spent, path in reversed(found.trail) if spent <= row.budget)
        compiles = min(row.budget, found.compiles)
        # Of the seconds without a cache, its part of those that passed.
        seconds *= clock[min(compiles, len(clock) - 1)] / max(clock[-1], 1e-9)
    row = dataclasses.replace(
        row,
        compiles=compiles,
        cached=found.cached,
        seconds=round(seconds, 4),
        pipeline=" | ".join(map(_as_text, steps)),
    )
    try:
        made = make(
            job.program.bitcode(),
            steps,
            level=default_baseline(job.objective),
            meter=anchors.meter,
            known=anchors,
            program=job.program,
        )
        if steps == found.pipeline and made.key != found.key:
            raise SessionError("the pipeline gave another module when it was run again")
        row = dataclasses.replace(row.with_sizes(made.sizes), key=f"{made.key:016x}")
        return dataclasses.replace(row, output=_check(job, row.digest, made))
    except Exception as error:
        return dataclasses.replace(row, error=why(error))


def _as_text(step: Pass) -> str:
    options = (f" -{name}={value}" for name, value in step.options)
    return step.pipeline + "".join(options)


def _check(job: Job, digest: str, made: Made) -> str:
    """What running the result says; each distinct module is run once."""
    if not job.program.runs:
        return "cannot run: nothing says how to run this program"
    if made.object_code is None:
        return "cannot run: there is no code generator for its target"
    entry = job.checks / f"{digest[:16]}-{made.key:016x}.json"
    try:
        return str(json.loads(entry.read_text())["output"])
    except (OSError, ValueError, KeyError, TypeError):
        pass
    found = validate(job.program, made.object_code)
    output = "equal"
    if found.verdict != "equal":
        output = (_VERDICTS[found.verdict] + " ".join(str(found).split()))[:_LONGEST_NOTE]
    if found.verdict != "unknown":  # which another time it may not be
        write_atomically(entry, json.dumps({"output": output}).encode())
    return output
