"""What a session adds to the bare pass manager."""

from __future__ import annotations

import gc
import statistics
import time
from typing import NamedTuple

from ..session import InProcessSession, WireSession
from ..wire import NO_KEY, Wanted
from ..worker import WorkerSession
from .modules import SIZES, BenchModule, module_near, random_passes
from .report import Check, Report

EPISODE = 45
STEP = NO_KEY
"""A plain step: did it change, and the instruction count."""
STEP_WITH_FEATURES = Wanted.of((), ("autophase",), key=False)
STEP_WITH_KEY = Wanted.of()

LIMITS = {
    ("in-process", "S"): 1.15,
    ("in-process", "M"): 1.15,
    ("in-process", "L"): 1.15,
    ("worker", "S"): 1.4,
    ("worker", "M"): 1.05,
}
NO_CHANGE_LIMIT_US = 15.0


class Timing(NamedTuple):
    """Totals over the same passes, in seconds, and medians of no-change steps."""

    step: float
    bare: float
    steps: int
    no_change_us: float


def time_steps(session: WireSession, module: BenchModule, wanted: Wanted, episodes: int) -> Timing:
    """Time random steps around the engine's own clock for the bare pass manager.

    The bare time is taken inside the same step: parsing the pipeline, building the
    analysis managers and running the passes.
    """
    step_seconds = bare_seconds = 0.0
    no_change = []
    gc.collect()
    gc.disable()
    try:
        for episode in range(episodes):
            session.load(module.bitcode, level="Oz")
            for chosen in random_passes(episode, EPISODE):
                start = time.perf_counter()
                state = session.step(chosen.pipeline, wanted=wanted)
                seconds = time.perf_counter() - start
                step_seconds += seconds
                bare_seconds += state.pass_ns * 1e-9
                if not state.changed:
                    no_change.append(seconds * 1e6 - state.pass_ns * 1e-3)
    finally:
        gc.enable()
    over = statistics.median(no_change) if no_change else float("nan")
    return Timing(step_seconds, bare_seconds, episodes * EPISODE, over)


def measure(episodes: int = 40) -> Report:
    """Measure; ``episodes`` for S, fewer for the larger modules."""
    report = Report("engine")
    rows: dict[str, dict[str, object]] = {}
    for size, wished in SIZES.items():
        module = module_near(wished)
        count = max(2, episodes * 2 * SIZES["S"] // wished)
        for kind, make in (("in-process", InProcessSession), ("worker", WorkerSession)):
            with make() as session:
                time_steps(session, module, STEP, 1)  # warm up
                plain = time_steps(session, module, STEP, count)
                features = time_steps(session, module, STEP_WITH_FEATURES, count)
                keyed = time_steps(session, module, STEP_WITH_KEY, count)
            ratio = plain.step / plain.bare
            rows[f"{size} {kind}"] = {
                "instructions": module.instructions,
                "steps": plain.steps,
                "bare us": plain.bare / plain.steps * 1e6,
                "step us": plain.step / plain.steps * 1e6,
                "step / bare": ratio,
                "with autophase": features.step / features.bare,
                "with hash": keyed.step / keyed.bare,
                "no-change us over bare": plain.no_change_us,
            }
            if (kind, size) in LIMITS:
                limit = LIMITS[kind, size]
                name = f"step / bare pass manager, {kind}, {module.instructions} instructions"
                report.checks.append(Check(name, ratio, limit))
            if kind == "in-process" and size == "S":
                name = "no-change step over the bare run, microseconds"
                report.checks.append(Check(name, plain.no_change_us, NO_CHANGE_LIMIT_US))
    report.figures["steps"] = rows
    return report
