"""Modules made from whole pipelines, one ``opt`` each, and what they cost.

A search steps pass by pass and measures function by function; a user runs one pipeline and
has one object. This is the user's side.
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from ..dynamic_cost import take_step
from ..errors import CodegenError, MirgymError, SessionError, WorkerStartError
from ..objective import LEVEL_PIPELINES, measure_level, run_meter
from ..passes import Pass, is_profile, run_of
from ..programs import Program
from ..runtime import RuntimeMeter, Timing
from ..wire import NOTHING, Wanted
from ..worker import WorkerSession
from .explorer import SearchConfig
from .strategies import o_level

Rows = dict[str, dict[str, int]]
"""Costs by level and metric; none for a level that LLVM fails on."""

_SIZES = Wanted.of(("object_text_size_bytes",))
"""The search measures function by function; what is reported is the whole object's."""

_FRESH_ANALYSES = ",invalidate<all>,"
"""Between two passes of one ``opt``: analyses kept from before a pass can change what the
next one does, and a search steps with fresh ones."""

_SHARES = (("Oz", "O3", "O0"), ("O2", "O1", "Os"))
"""Levels measured one after another, and beside the others: shares that take equally long."""


@dataclass(frozen=True)
class Made:
    """A module that is in the maker's session now."""

    steps: tuple[Pass, ...]
    runs: tuple[Pass, ...]
    sizes: dict[str, int]
    key: int
    """Its structural hash."""
    timing: Timing | None = None
    """Against the baseline, where the objective is measured by the clock."""


class Maker:
    """Runs whole pipelines on a program, in a session of its own."""

    def __init__(self, program: Program, config: SearchConfig) -> None:
        self.config = config
        self.program = program
        self.module = program.bitcode()
        self.meter = run_meter(config.objective, program, config.baseline)
        self.timing: Timing | None = None
        """The latest."""
        # One request does here what took many in the search.
        patient = config.limits.step_seconds * 10
        self.session = WorkerSession(dataclasses.replace(config.limits, step_seconds=patient))

    def run(self, runs: Sequence[Pass]) -> int:
        """Run these on the program, as loaded at the baseline's level; return the key."""
        state = self.session.load(
            self.module, level=self.config.baseline, growth_limit=self.config.growth_limit
        )
        for one in runs:
            state = take_step(self.session, one, self.program)
        return state.key

    def make(self, steps: tuple[Pass, ...], key: int | None = None) -> Made:
        """Run steps as one pipeline.

        Raises:
            SessionError: The module is not the one with this key.
        """
        for separator in (",", _FRESH_ANALYSES):
            runs = as_runs(steps, separator)
            reached = self.run(runs)
            if key is None or reached == key:
                return Made(steps, runs, self._sizes(self.session), reached, self.timing)
        raise SessionError("run at once, the passes give another module than one by one")

    def _sizes(self, session: WorkerSession) -> dict[str, int]:
        """Both metrics of the module in a session, and its cost when that takes running it."""
        try:
            metrics = session.observe(_SIZES).metrics
        except CodegenError:
            if self.config.objective != "ir_instructions":
                raise  # code is what the others need
            metrics = session.observe(NOTHING).metrics
        sizes = {"ir_instructions": metrics["ir_instructions"]}
        if "object_text_size_bytes" in metrics:
            sizes["text_size_bytes"] = metrics["object_text_size_bytes"]
        if isinstance(self.meter, RuntimeMeter):
            self.timing = self.meter.measure(session)
            sizes[self.config.objective] = self.timing.ns
        elif self.meter is not None:
            sizes[self.config.objective] = self.meter.cost(session)
        return sizes

    @contextlib.contextmanager
    def measured_levels(self) -> Iterator[Callable[[], Rows]]:
        """Measure all levels beside what the caller does; what it is given waits for them.

        What is found out by running the program is measured before the caller goes on: a
        clock wants the machine for itself. A level that takes longer than its limit is one
        that LLVM fails on, and leaving the block ends whatever is still measured.
        """
        if self.meter is not None:
            rows = self._at_levels(self.session, LEVEL_PIPELINES)
            yield lambda: rows
            return
        sessions = [WorkerSession(self.config.limits, spin_us=0) for _ in _SHARES]
        pool = ThreadPoolExecutor(len(_SHARES))
        try:
            shares = [
                pool.submit(self._at_levels, session, levels)
                for session, levels in zip(sessions, _SHARES, strict=True)
            ]

            def wait() -> Rows:
                found: Rows = {}
                for share in shares:
                    found.update(share.result())
                return {level: found[level] for level in LEVEL_PIPELINES}

            yield wait
        finally:
            for session in sessions:
                session.kill()
            pool.shutdown()
            for session in sessions:
                session.close()

    def _at_levels(self, session: WorkerSession, levels: Iterable[str]) -> Rows:
        rows: Rows = {}
        for level in levels:
            try:
                measure_level(session, self.module, level, NOTHING)
                rows[level] = self._sizes(session)
                if level == self.config.baseline and self.timing is not None:
                    # Against itself it is 1 but for noise, and what the others are held against.
                    cost = round(self.timing.ns / self.timing.ratio)
                    rows[level][self.config.objective] = cost
            except WorkerStartError:
                raise
            except MirgymError:
                if level == self.config.baseline:
                    raise
                rows[level] = {}
        return rows


def baseline_steps(config: SearchConfig) -> tuple[Pass, ...]:
    """The baseline's own pipeline, if it has one."""
    pipeline = LEVEL_PIPELINES[config.baseline]
    return () if pipeline is None else (o_level(pipeline),)


def as_runs(steps: Sequence[Pass], separator: str = ",") -> tuple[Pass, ...]:
    """Steps as few runs of ``opt``: options hold for a whole one.

    >>> [run.pipeline for run in as_runs([Pass("a", "a"), Pass("b", "b")])]
    ['a,b']
    """
    runs = []
    for _, group in itertools.groupby(steps, key=run_of):
        members = list(group)
        if is_profile(members[0]):
            runs += members
            continue
        pipeline = separator.join(member.pipeline for member in members)
        runs.append(
            Pass("+".join(member.name for member in members), pipeline, options=members[0].options)
        )
    return tuple(runs)
