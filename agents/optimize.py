"""From a program to a smaller one that is verified, checked, and never worse.

The steps behind ``mirgym optimize``: search, replay on a fresh session, LLVM's verifier,
the program's own inputs, and the baseline wherever one of these fails.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..errors import MirgymError, ToolMissingError
from ..objective import LEVEL_PIPELINES, measure_level
from ..passes import Pass, to_pipeline
from ..programs import Program
from ..programs.execute import check_output
from ..session import WireSession
from ..wire import Wanted
from ..worker import WorkerSession
from .explorer import SearchConfig
from .search import OnProgress, SearchResult, o_level, search

METRICS = ("text_size_bytes", "ir_instructions")
_BOTH = Wanted.of(("text_size_bytes",))

Check = Callable[[Program, bytes], list[str]]
"""From a program and its optimised object to what differs from its reference."""


@dataclass(frozen=True)
class Optimized:
    """An optimised program.

    Attributes:
        program: What was optimised.
        config: How.
        baselines: Both metrics at each of ``O0 O1 O2 O3 Os Oz``; empty values for a level
            that LLVM fails on.
        result: Both metrics of the result.
        pipeline: The passes of the result.
        search: The search behind it.
        checked_runs: How many of the program's runs gave the expected output.
        fallback: Why the baseline's pipeline was taken instead, empty when it was not.
        note: What could not be checked, and why.
    """

    program: Program
    config: SearchConfig
    baselines: dict[str, dict[str, int]]
    result: dict[str, int]
    pipeline: tuple[Pass, ...]
    search: SearchResult
    checked_runs: int
    fallback: str
    note: str

    @property
    def ratio(self) -> float:
        """Baseline ÷ result in the objective: 1 or more."""
        baseline = self.baselines[self.config.baseline][self.config.objective]
        return max(baseline, 1) / max(self.result[self.config.objective], 1)

    @property
    def opt_pipeline(self) -> str:
        """The argument of ``opt -passes=``."""
        return to_pipeline(self.pipeline)

    def emit(self, kind: str) -> bytes:
        """The optimised module as ``obj``, ``bc`` or ``ll``."""
        with WorkerSession(self.config.limits) as session:
            _replay(session, self.program.bitcode(), self.config, self.pipeline)
            return session.emit(kind)


def optimize(
    program: Program,
    config: SearchConfig | None = None,
    *,
    check: Check | None = check_output,
    on_progress: OnProgress | None = None,
) -> Optimized:
    """Search for a better pipeline and make sure of it.

    Args:
        program: What to optimise.
        config: Objective, baseline, budget and seed.
        check: Compares the result's behaviour on the program's runs; None for no check.
        on_progress: Called after each compile.

    Raises:
        MirgymError: The program cannot be compiled, or the baseline fails on it.
    """
    config = config or SearchConfig()
    module = program.bitcode()
    found = search(module, config, on_progress)
    with WorkerSession(config.limits) as session:
        baselines = _baselines(session, module, config)
        steps, fallback = found.pipeline, ""
        try:
            metrics = _replay(session, module, config, steps)
            session.verify()
            fallback = _disagreement(metrics, found, config)
        except MirgymError as error:
            fallback = f"the pipeline found does not hold: {error}"
        checked, note = 0, ""
        if not fallback:
            checked, fallback, note = _check(program, session, check)
        if fallback:
            pipeline = LEVEL_PIPELINES[config.baseline]
            steps = () if pipeline is None else (o_level(pipeline),)
            metrics = _replay(session, module, config, steps)
            checked, broken, note = _check(program, session, check)
            if broken:
                note = f"the baseline itself differs from the expected output: {broken}"
    return Optimized(
        program, config, baselines, metrics, steps, found, checked, fallback, note
    )


def _baselines(
    session: WireSession, module: bytes, config: SearchConfig
) -> dict[str, dict[str, int]]:
    wanted = _wanted(config)
    rows = {}
    for level in LEVEL_PIPELINES:
        try:
            metrics = measure_level(session, module, level, wanted)
            rows[level] = {name: metrics[name] for name in METRICS if name in metrics}
        except MirgymError:
            if level == config.baseline:
                raise
            rows[level] = {}
    return rows


def _wanted(config: SearchConfig) -> Wanted:
    """Both metrics; the text size only where it is asked for on a target without code."""
    return _BOTH if config.objective == "text_size_bytes" else Wanted.of()


def _replay(
    session: WireSession, module: bytes, config: SearchConfig, steps: tuple[Pass, ...]
) -> dict[str, int]:
    """Run the steps from the program; returns the metrics after."""
    state = session.load(
        module,
        level=config.baseline,
        wanted=_wanted(config),
        growth_limit=config.growth_limit,
    )
    for step in steps:
        state = session.step(step.pipeline, dict(step.options), wanted=_wanted(config))
    return {name: state.metrics[name] for name in METRICS if name in state.metrics}


def _disagreement(metrics: dict[str, int], found: SearchResult, config: SearchConfig) -> str:
    cost = metrics[config.objective]
    if cost > found.baseline_cost:
        return f"the replay costs {cost}, more than the baseline's {found.baseline_cost}"
    return ""


def _check(
    program: Program, session: WireSession, check: Check | None
) -> tuple[int, str, str]:
    """Runs that gave the expected output, what differed, and what could not be checked."""
    if check is None:
        return 0, "", "not run: checking was switched off"
    if not program.runs:
        return 0, "", "not run: nothing says how to run this program"
    try:
        differences = check(program, session.emit("obj"))
    except ToolMissingError as error:
        return 0, "", f"not run: {error}"
    if differences:
        return 0, f"the optimised program misbehaves: {'; '.join(differences)}", ""
    return len(program.runs), "", ""
