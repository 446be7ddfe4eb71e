"""From a program to a smaller one that is verified, validated, and never worse.

The steps behind ``mirgym optimize``: search, run the pipeline found as one ``opt`` would
on a fresh session, LLVM's verifier, the size of the whole object, the program's own
inputs; and the baseline wherever one of these fails.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..errors import CodegenError, MirgymError, SessionError
from ..objective import LEVEL_PIPELINES, measure_level, run_meter
from ..passes import Pass, to_commandline, to_pipeline
from ..programs import Program
from ..runtime import RuntimeMeter, Timing
from ..validate import Validation, validate
from ..wire import NOTHING, Wanted
from ..worker import WorkerSession
from .explorer import SearchConfig
from .search import ALGORITHMS, OnProgress, SearchResult, check_agent, default_agent
from .strategies import o_level

Validator = Callable[[Program, bytes], Validation]
"""Compares an optimised object with the program's reference."""

_SIZES = Wanted.of(("object_text_size_bytes",))
"""The search measures function by function; what is reported is the whole object's."""

_FRESH_ANALYSES = ",invalidate<all>,"
"""Between two passes of one ``opt``: analyses kept from before a pass can change what the
next one does, and a search steps with fresh ones."""


@dataclass(frozen=True)
class Optimized:
    """An optimised program.

    Attributes:
        program: What was optimised.
        config: How.
        baselines: ``text_size_bytes`` (of the whole object) and ``ir_instructions`` at each
            of ``O0 O1 O2 O3 Os Oz``, and the objective; empty for a level that LLVM fails on, and
            without the size where there is no code generator for the program's target.
        result: The same of the result.
        pipeline: The passes of the result.
        runs: The same as runs of ``opt``: one, or more where LLVM options change between.
        search: The search behind it.
        validated_runs: How many of the program's runs did what its reference does.
        fallback: Why the baseline's pipeline was taken instead, empty when it was not.
        note: What could not be validated, and why.
    """

    program: Program
    config: SearchConfig
    baselines: dict[str, dict[str, int]]
    result: dict[str, int]
    pipeline: tuple[Pass, ...]
    runs: tuple[Pass, ...]
    search: SearchResult
    validated_runs: int
    fallback: str
    note: str

    @property
    def ratio(self) -> float:
        """Baseline ÷ result in the objective: 1 or more."""
        return self.ratio_to(self.config.baseline)

    def ratio_to(self, level: str) -> float:
        """A level's cost ÷ the result's; 0 for a level that LLVM fails on."""
        objective = self.config.objective
        return self.baselines[level].get(objective, 0) / max(self.result[objective], 1)

    @property
    def commandline(self) -> str:
        """The ``opt`` commands that make the result; empty when nothing has to run."""
        return to_commandline(self.runs)

    @property
    def pipeline_text(self) -> str | None:
        """The result as one argument of ``opt -passes=``; None if it takes LLVM options."""
        return None if any(run.options for run in self.runs) else to_pipeline(self.runs)

    def emit(self, kind: str) -> bytes:
        """The optimised module as ``obj``, ``bc`` or ``ll``."""
        maker = _Maker(self.program, self.config)
        with maker.session:
            maker.run(self.runs)
            return maker.session.emit(kind)


def optimize(
    program: Program,
    config: SearchConfig | None = None,
    *,
    agent: str | None = None,
    validator: Validator | None = validate,
    on_progress: OnProgress | None = None,
) -> Optimized:
    """Search for a better pipeline and make sure of it.

    Args:
        program: What to optimise.
        config: Objective, baseline, budget and seed.
        agent: A name in ``agents.search.ALGORITHMS``; None for its ``default_agent``.
        validator: Compares the result's behaviour on the program's runs; None to skip that.
        on_progress: Called after each compile.

    Raises:
        MirgymError: The program cannot be compiled, or the baseline fails on it.
        ValueError: No such agent, or it knows nothing of the objective.
    """
    config = config or SearchConfig()
    name = default_agent(config) if agent is None else check_agent(agent, config.objective)
    if name == "policy" and config.budget == 1:  # what is worse than the baseline falls back
        config = dataclasses.replace(config, from_baseline=False)
    maker = _Maker(program, config)
    with maker.session:
        baselines = maker.baselines()
        found = ALGORITHMS[name](maker.module, config, on_progress, program)
        limit = baselines[config.baseline][config.objective]
        made, fallback = _make(maker, found, limit)
        validated, note = 0, ""
        if made is not None:
            validated, fallback, note = _validate(program, maker.session, validator)
        if made is None or fallback:
            made = maker.make(_baseline_steps(config))
            validated, broken, note = _validate(program, maker.session, validator)
            if broken:
                note = f"the baseline differs from the reference too: {broken}"
    is_baseline = made.steps == _baseline_steps(config)
    return Optimized(
        program=program,
        config=config,
        baselines=baselines,
        result=baselines[config.baseline] if is_baseline else made.sizes,
        pipeline=made.steps,
        runs=made.runs,
        search=found,
        validated_runs=validated,
        fallback=fallback,
        note=note,
    )


def as_runs(steps: Sequence[Pass], separator: str = ",") -> tuple[Pass, ...]:
    """Steps as few runs of ``opt``: options hold for a whole one.

    >>> [run.pipeline for run in as_runs([Pass("a", "a"), Pass("b", "b")])]
    ['a,b']
    """
    runs = []
    for options, group in itertools.groupby(steps, key=lambda step: step.options):
        members = list(group)
        pipeline = separator.join(member.pipeline for member in members)
        runs.append(Pass("+".join(member.name for member in members), pipeline, options=options))
    return tuple(runs)


def _make(maker: _Maker, found: SearchResult, limit: int) -> tuple[_Made | None, str]:
    """The result of the search if it holds, else None and the reason."""
    reason = ""
    for steps in dict.fromkeys((found.pipeline, found.unpruned)):
        try:
            made = maker.make(steps, found.key if steps == found.pipeline else None)
            maker.session.verify()
        except MirgymError as error:
            reason = f"the pipeline found does not hold: {error}"
            continue
        if steps == _baseline_steps(maker.config):
            return made, ""
        reason = _trouble(made, maker.config, limit)
        if not reason:
            return made, ""
    return None, reason


def _trouble(made: _Made, config: SearchConfig, limit: int) -> str:
    """Why a result is no better than the baseline; empty when it may stay."""
    timing = made.timing
    if timing is not None:
        return "" if timing.is_faster else f"timed again, it is no faster than noise: {timing}"
    cost = made.sizes[config.objective]
    if cost <= limit:
        return ""
    return f"the whole module costs {cost}, more than the baseline's {limit}"


def _baseline_steps(config: SearchConfig) -> tuple[Pass, ...]:
    pipeline = LEVEL_PIPELINES[config.baseline]
    return () if pipeline is None else (o_level(pipeline),)


@dataclass(frozen=True)
class _Made:
    """A module that is in the maker's session now."""

    steps: tuple[Pass, ...]
    runs: tuple[Pass, ...]
    sizes: dict[str, int]
    timing: Timing | None = None
    """Against the baseline, where the objective is measured by the clock."""


class _Maker:
    """Runs whole pipelines from the program, on a session of its own."""

    def __init__(self, program: Program, config: SearchConfig) -> None:
        self.config = config
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
            state = self.session.step(one.pipeline, dict(one.options))
        return state.key

    def make(self, steps: tuple[Pass, ...], key: int | None = None) -> _Made:
        """Run steps as one pipeline.

        Raises:
            SessionError: The module is not the one with this key.
        """
        for separator in (",", _FRESH_ANALYSES):
            runs = as_runs(steps, separator)
            if self.run(runs) == key or key is None:
                return _Made(steps, runs, self.sizes(), self.timing)
        raise SessionError("run at once, the passes give another module than one by one")

    def sizes(self) -> dict[str, int]:
        """Both metrics of the module in the session, and its cost when that takes running it."""
        try:
            metrics = self.session.observe(_SIZES).metrics
        except CodegenError:
            if self.config.objective != "ir_instructions":
                raise  # code is what the others need
            metrics = self.session.observe(NOTHING).metrics
        sizes = {"ir_instructions": metrics["ir_instructions"]}
        if "object_text_size_bytes" in metrics:
            sizes["text_size_bytes"] = metrics["object_text_size_bytes"]
        if isinstance(self.meter, RuntimeMeter):
            self.timing = self.meter.measure(self.session)
            sizes[self.config.objective] = self.timing.ns
        elif self.meter is not None:
            sizes[self.config.objective] = self.meter.cost(self.session)
        return sizes

    def baselines(self) -> dict[str, dict[str, int]]:
        """Sizes at every level."""
        rows = {}
        for level in LEVEL_PIPELINES:
            try:
                measure_level(self.session, self.module, level, NOTHING)
                rows[level] = self.sizes()
                if level == self.config.baseline and self.timing is not None:
                    # Against itself it is 1 but for noise, and what the others are held against.
                    cost = round(self.timing.ns / self.timing.ratio)
                    rows[level][self.config.objective] = cost
            except MirgymError:
                if level == self.config.baseline:
                    raise
                rows[level] = {}
        return rows


def _validate(
    program: Program, session: WorkerSession, validator: Validator | None
) -> tuple[int, str, str]:
    """Runs that did what the reference does, what differed, and what could not be validated."""
    if validator is None:
        return 0, "", "not validated: it was switched off"
    if not program.runs:
        return 0, "", "not validated: nothing says how to run this program"
    try:
        object_code = session.emit("obj")
    except CodegenError as error:
        return 0, "", f"not validated: {error}"
    found = validator(program, object_code)
    if found.verdict == "different":
        return 0, f"the optimised program misbehaves: {found}", ""
    if found.verdict == "undefined":
        return 0, f"the program itself has undefined behaviour: {found}", ""
    note = f"not validated: {found}" if found.verdict == "unknown" else ""
    return found.equal_runs, "", note
