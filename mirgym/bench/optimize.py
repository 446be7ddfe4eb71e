"""``mirgym optimize`` as a user meets it: a command that starts from nothing.

Zero-shot is two compiles: the baseline, and what the policy takes first. The time is that of
the whole process, with the start of Python and the reading of weights.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from ..programs import resolve_all
from .modules import module_near
from .report import Check, Report

_SECONDS = 2.0
_PATIENCE = 300
"""Seconds until a command that hangs is given up."""


def measure(
    instructions: int = 5_000, repeats: int = 5, programs: int | None = None, budget: int = 10
) -> Report:
    """Time the command, and hold its results against Oz and against themselves.

    Args:
        instructions: Of the program that is timed, before any pass.
        repeats: Times it is timed.
        programs: How many of mirbench's are optimised, smallest files first; None for all.
        budget: Compiles for each of them.
    """
    report = Report("optimize")
    module = module_near(instructions)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "program.bc"
        path.write_bytes(module.bitcode)
        timed = [_timed(str(path), 2) for _ in range(repeats)]
    seconds = sorted(seconds for seconds, _ in timed)
    every = resolve_all("mirbench")[:programs]
    worst, unlike = float("inf"), len({_result(found) for _, found in timed}) - 1
    for program in every:
        name = program.uri.removeprefix("benchmark://")
        first, second = (_timed(name, budget)[1] for _ in range(2))
        unlike += _result(first) != _result(second)
        worst = min(worst, first["ratio_vs_Oz"])
    report.figures = {
        "instructions": module.instructions,
        "zero-shot, median of the command's seconds": seconds[len(seconds) // 2],
        "zero-shot, longest": seconds[-1],
        "zero-shot, Oz ÷ result": timed[0][1]["ratio_vs_Oz"],
        "programs optimised twice": len(every),
        "compiles for each": budget,
    }
    report.checks = [
        Check("zero-shot, shortest of the command's seconds", seconds[0], _SECONDS),
        Check("worst Oz ÷ result", worst, 1.0, at_most=False),
        Check("programs with another result the second time", unlike, 0),
    ]
    return report


def _timed(source: str, budget: int) -> tuple[float, dict[str, Any]]:
    """Seconds of one command, and what it printed."""
    command = [sys.executable, "-m", "mirgym.cli", "optimize", source, "--json"]
    start = time.perf_counter()
    done = subprocess.run(
        [*command, "--budget", str(budget)],
        capture_output=True,
        text=True,
        check=True,
        timeout=_PATIENCE,
    )
    seconds = time.perf_counter() - start
    found: dict[str, Any] = json.loads(done.stdout)
    return seconds, found


def _result(found: dict[str, Any]) -> tuple[int, str]:
    return found["result"], found["commandline"]
