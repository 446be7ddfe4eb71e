"""The `.text` reward: incremental emission against emission of the whole module."""

from __future__ import annotations

import time

from ..session import InProcessSession
from ..wire import NO_KEY, Wanted
from .modules import module_near, random_passes
from .report import Check, Report

INCREMENTAL = Wanted.of(("text_size_bytes",))
WHOLE = Wanted.of(("object_text_size_bytes",))


def measure(steps: int = 200, instructions: int = 5_000, seed: int = 0) -> Report:
    """Take the size after each step of one random sequence both ways, and time them.

    The whole-module way emits the object after every step; the incremental way knows which
    steps changed nothing, and which functions the others changed.
    """
    report = Report("size")
    module = module_near(instructions)
    incremental = incremental_changed = whole = whole_changed = worst = 0.0
    changed = 0
    with InProcessSession() as session:
        session.load(module.bitcode, level="Oz", wanted=INCREMENTAL)
        for chosen in random_passes(seed, steps):
            state = session.step(chosen.pipeline, wanted=NO_KEY)
            start = time.perf_counter()
            quick = session.observe(INCREMENTAL).metrics["text_size_bytes"]
            middle = time.perf_counter()
            session.emit("obj")
            end = time.perf_counter()
            full = session.observe(WHOLE).metrics["object_text_size_bytes"]
            worst = max(worst, abs(quick - full) / full)
            incremental += middle - start
            whole += end - middle
            if state.changed:
                changed += 1
                incremental_changed += middle - start
                whole_changed += end - middle
    report.figures = {
        "instructions": module.instructions,
        "steps": steps,
        "steps that changed the module": changed,
        "incremental, ms a step": incremental / steps * 1e3,
        "whole module, ms a step": whole / steps * 1e3,
        "times faster on the steps that changed the module": whole_changed / incremental_changed,
        "largest relative difference": worst,
    }
    report.checks = [
        Check("whole-module time / incremental time", whole / incremental, 4.0, at_most=False),
        Check("largest relative difference of the sizes", worst, 0.002),
        Check("instructions of the module", module.instructions, instructions, at_most=False),
    ]
    return report
