"""The `.text` reward: incremental emission against emission of the whole module."""

from __future__ import annotations

import time

from ..session import InProcessSession
from ..wire import NOTHING, Wanted
from .modules import module_near, random_passes
from .report import Check, Report

INCREMENTAL = Wanted.of(("text_size_bytes",))
WHOLE = Wanted.of(("object_text_size_bytes",))


def measure(steps: int = 200, instructions: int = 5_500, seed: int = 0) -> Report:
    """After each random step, take the size both ways and time them.

    Steps that change nothing cost neither way anything and are counted apart.
    """
    report = Report("size")
    module = module_near(instructions)
    incremental = whole = worst = 0.0
    changed = 0
    with InProcessSession() as session:
        session.load(module.bitcode, level="Oz", wanted=INCREMENTAL)
        for number, chosen in enumerate(random_passes(seed, steps)):
            if number and number % 45 == 0:
                session.load(module.bitcode, level="Oz", wanted=INCREMENTAL)
            state = session.step(chosen.pipeline, wanted=NOTHING)
            start = time.perf_counter()
            quick = session.observe(INCREMENTAL).metrics["text_size_bytes"]
            middle = time.perf_counter()
            full = session.observe(WHOLE).metrics["object_text_size_bytes"]
            end = time.perf_counter()
            worst = max(worst, abs(quick - full) / full)
            if state.changed:
                changed += 1
                incremental += middle - start
                whole += end - middle
    report.figures = {
        "instructions": module.instructions,
        "steps": steps,
        "steps that changed the module": changed,
        "incremental, ms a changed step": incremental / changed * 1e3,
        "whole module, ms a changed step": whole / changed * 1e3,
        "largest relative difference": worst,
    }
    report.checks = [
        Check("whole-module time / incremental time", whole / incremental, 4.0, at_most=False),
        Check("largest relative difference of the sizes", worst, 0.002),
        Check("instructions of the module", module.instructions, 5_000, at_most=False),
    ]
    return report
