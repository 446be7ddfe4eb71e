"""``mirgym optimize`` as a user meets it: a command that starts from nothing.

Zero-shot is two compiles: the baseline, and what the policy takes first. The time is that of
the whole process, with the start of Python and the reading of weights. Whether a result is worse
than Oz is asked of the object file that was written and of what clang's own ``-Oz`` makes of the
source, not of what the command says of itself. Both are code of the same LLVM: clang may be of
another patch release, whose code generator differs by some bytes.
"""

from __future__ import annotations

import json
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from ..errors import MirgymError
from ..programs import Program, resolve_all
from ..programs.compile import find_clang
from ..worker import WorkerSession
from .modules import module_near
from .report import Check, Report

_SECONDS = 2.0
_EXECUTABLE = 4
"""``SHF_EXECINSTR``."""
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
    unlike = len({_result(found) for _, found in timed}) - 1
    ratios = []
    with tempfile.TemporaryDirectory() as folder:
        ours, clangs = Path(folder) / "ours.o", Path(folder) / "clangs.bc"
        for program in every:
            name = program.uri.removeprefix("benchmark://")
            first, second = (_timed(name, budget, "-o", str(ours))[1] for _ in range(2))
            unlike += _result(first) != _result(second)
            ratios.append(_clangs_oz(program, clangs) / text_bytes(ours.read_bytes()))
    report.figures = {
        "instructions": module.instructions,
        "zero-shot, median of the command's seconds": seconds[len(seconds) // 2],
        "zero-shot, longest": seconds[-1],
        "zero-shot, Oz ÷ result": timed[0][1]["ratio_vs_Oz"],
        "programs optimised twice": len(every),
        "compiles for each": budget,
        "clang -Oz ÷ result, geometric mean": statistics.geometric_mean(ratios),
    }
    report.checks = [
        Check("zero-shot, shortest of the command's seconds", seconds[0], _SECONDS),
        Check("worst clang -Oz ÷ result", min(ratios), 1.0, at_most=False),
        Check("programs with another result the second time", unlike, 0),
    ]
    return report


def _clangs_oz(program: Program, target: Path) -> int:
    """Bytes of ``.text`` after ``clang -Oz`` of a program of one source."""
    (source,) = program.sources
    command = [str(find_clang()), "-Oz", "-w", *program.flags, "-emit-llvm", "-c", str(source)]
    subprocess.run([*command, "-o", str(target)], check=True, timeout=_PATIENCE)
    with WorkerSession() as session:
        session.load(target.read_bytes(), level="as-is")
        return text_bytes(session.emit("obj"))


def text_bytes(elf: bytes) -> int:
    """Bytes of the executable sections of an ELF object of 64 bits.

    Raises:
        MirgymError: It is another kind of file.
    """
    if elf[:6] != b"\x7fELF\x02\x01":
        raise MirgymError("bench optimize reads ELF objects of 64 bits, little-endian, only")
    (start,) = struct.unpack_from("<Q", elf, 0x28)
    size, count = struct.unpack_from("<HH", elf, 0x3A)
    sections = (struct.unpack_from("<IIQQQQ", elf, start + i * size) for i in range(count))
    return sum(length for _, _, flags, _, _, length in sections if flags & _EXECUTABLE)


def _timed(source: str, budget: int, *options: str) -> tuple[float, dict[str, Any]]:
    """Seconds of one command, and what it printed."""
    command = [sys.executable, "-m", "mirgym.cli", "optimize", source, "--json", *options]
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
