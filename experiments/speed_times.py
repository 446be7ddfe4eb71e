"""Known pipelines by the clock, on training programs: the order in which ``speed`` times them.

``dynamic_cost`` chose them (``experiments.mine_speed``); which of them make a program faster,
plainly or after a profile of its first run, is for the clock to say. The executables of one
program take turns (``mirgym.runtime``), so that all ratios to O3 are of the same minutes. Gains
are shrunk by their noise before the greedy cover: the best of many noisy times is often only the
luckiest.
"""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from mirgym.dynamic_cost import take_step
from mirgym.errors import MirgymError
from mirgym.passes import Pass
from mirgym.programs import Program, resolve
from mirgym.programs.cache import write_atomically
from mirgym.programs.execute import run_program
from mirgym.programs.linking import link_executable
from mirgym.runtime import TimingLimits, time_executables
from mirgym.worker import WorkerSession

from .cover import greedy_cover
from .training_modules import TrainingModule

_LEVEL = "O3"
_BASELINE = Pass("O3", "default<O3>")


def time_program(
    module: TrainingModule, paths: Sequence[Sequence[Pass]], rounds: int, work: Path
) -> list[tuple[float, float]]:
    """Time ways through the passes on a program's last run.

    Returns:
        For each way ln(O3's time ÷ its time) and the standard error of that: NaN and 0
        where it fails, 0 and 0 where it makes what O3 makes. Empty when the program cannot run.
    """
    target = work / f"{module.name.replace('/', '-')}-timed-{rounds}.json"
    if target.exists():
        known = json.loads(target.read_text(encoding="utf-8"))
        if known.get("paths") == _names(paths):
            return [(math.nan if gain is None else gain, error) for gain, error in known["gains"]]
    try:
        gains = _time(resolve(module.name), paths, rounds)
    except MirgymError as error:
        print(f"{module.name}: {error}")
        gains = []
    content = {
        "paths": _names(paths),
        "gains": [(None if math.isnan(gain) else gain, error) for gain, error in gains],
    }
    write_atomically(target, json.dumps(content).encode())
    return gains


def _names(paths: Sequence[Sequence[Pass]]) -> list[str]:
    return [", ".join(step.name for step in path) for path in paths]


def _time(
    program: Program, paths: Sequence[Sequence[Pass]], rounds: int
) -> list[tuple[float, float]]:
    run = program.runs[-1]
    with tempfile.TemporaryDirectory(prefix="mirgym-time-") as name:
        folder = Path(name)
        numbers: list[int | None] = []  # of each way's executable
        known: dict[bytes, int] = {}
        expected = None
        for code in _objects(program, ((_BASELINE,), *paths)):
            if code is None or code in known:
                numbers.append(None if code is None else known[code])
                continue
            executable = folder / str(len(known))
            link_executable(code, program, executable)
            found = run_program(executable, run)
            printed = (found.exit_code, found.stdout, found.outputs)
            expected = expected or printed
            if printed != expected or found.exit_code != run.exit_code:
                executable.unlink()
                numbers.append(None)
                continue
            known[code] = len(known)
            numbers.append(known[code])
        executables = [folder / str(number) for number in range(len(known))]
        limits = TimingLimits(least_rounds=rounds, most_rounds=rounds)
        timings = time_executables(executables, run, limits) if executables else []
    if not timings or numbers[0] is None:
        return []
    by_number = [(-math.log(one.ratio), one.relative_error) for one in timings]
    return [(math.nan, 0.0) if n is None else by_number[n] for n in numbers[1:]]


def _objects(program: Program, paths: Sequence[Sequence[Pass]]) -> Iterator[bytes | None]:
    """Object code after each way; None where it fails."""
    with WorkerSession() as session:
        for path in paths:
            try:
                session.load(program.bitcode(), level=_LEVEL)
                for step in path:
                    take_step(session, step, program)
                yield session.emit("obj")
            except MirgymError:
                yield None


def shrunk(gains: np.ndarray, errors: np.ndarray) -> np.ndarray:
    """Expected gains, (programs, pipelines), given noisy ones, when true gains are normal about 0.

    What fails has none.

    >>> shrunk(np.array([[0.02, 0.02, np.nan]]), np.array([[0.0, 0.02, 0.0]])).round(4).tolist()
    [[0.02, 0.005, 0.0]]
    """
    known = np.nan_to_num(gains)
    spread = max(float((known**2).mean() - (errors**2).mean()), 1e-8)
    out: np.ndarray = known * spread / (spread + errors**2)
    return out


def clock_order(gains: np.ndarray, errors: np.ndarray) -> list[int]:
    """Pipelines that make some program faster, in the order of a greedy cover."""
    return greedy_cover(np.exp(shrunk(gains, errors)), gains.shape[1])
