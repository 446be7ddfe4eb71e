"""From a program to a smaller one that is verified, validated, and never worse.

The steps behind ``mirgym optimize``: search, run the pipeline found as one ``opt`` would
on a fresh session, LLVM's verifier, the size of the whole object, the program's own
inputs; and the baseline wherever one of these fails.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

from ..errors import CodegenError, MirgymError, SessionError
from ..passes import Pass, to_commandline, to_pipeline
from ..programs import Program
from ..validate import Validation, validate
from ..worker import WorkerSession
from .explorer import SearchConfig
from .maker import Made, Maker, baseline_steps
from .search import ALGORITHMS, OnProgress, SearchResult, check_agent, default_agent

Validator = Callable[[Program, bytes], Validation]
"""Compares an optimised object with the program's reference."""


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
        key: Structural hash of the result, as it was measured, verified and validated.
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
    key: int
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
        """The optimised module as ``obj``, ``bc`` or ``ll``.

        Raises:
            SessionError: LLVM makes another module of it than the one that was validated.
            CodegenError: There is no code generator for an ``obj`` of its target.
        """
        maker = Maker(self.program, self.config)
        with maker.session:
            if maker.run(self.runs) != self.key:
                raise SessionError(
                    "the same passes give another module now than when they were validated; "
                    "nothing is written"
                )
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
    maker = Maker(program, config)
    with maker.session, maker.measured_levels() as measured:
        found = ALGORITHMS[name](maker.module, config, on_progress, program)
        baselines = measured()
        limit = baselines[config.baseline][config.objective]
        made, fallback = _make(maker, found, limit)
        validated, note = 0, ""
        if made is not None:
            validated, fallback, note = _validate(program, maker.session, validator)
        if made is None or fallback:
            made = maker.make(baseline_steps(config))
            validated, broken, note = _validate(program, maker.session, validator)
            if broken:
                note = f"the baseline differs from the reference too: {broken}"
    is_baseline = made.steps == baseline_steps(config)
    return Optimized(
        program=program,
        config=config,
        baselines=baselines,
        result=baselines[config.baseline] if is_baseline else made.sizes,
        pipeline=made.steps,
        runs=made.runs,
        key=made.key,
        search=found,
        validated_runs=validated,
        fallback=fallback,
        note=note,
    )


def _make(maker: Maker, found: SearchResult, limit: int) -> tuple[Made | None, str]:
    """The result of the search if it holds, else None and the reason."""
    reason = ""
    for steps in dict.fromkeys((found.pipeline, found.unpruned)):
        try:
            made = maker.make(steps, found.key if steps == found.pipeline else None)
            maker.session.verify()
        except MirgymError as error:
            reason = f"the pipeline found does not hold: {error}"
            continue
        if steps == baseline_steps(maker.config):
            return made, ""
        reason = _trouble(made, maker.config, limit)
        if not reason:
            return made, ""
    return None, reason


def _trouble(made: Made, config: SearchConfig, limit: int) -> str:
    """Why a result is no better than the baseline; empty when it may stay."""
    timing = made.timing
    if timing is not None:
        return "" if timing.is_faster else f"timed again, it is no faster than noise: {timing}"
    cost = made.sizes[config.objective]
    if cost <= limit:
        return ""
    return f"the whole module costs {cost}, more than the baseline's {limit}"


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
