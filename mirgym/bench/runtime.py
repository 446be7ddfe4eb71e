"""Is ``dynamic_cost`` the same every time, is it quick, and does it rank as the clock does?

Each row is written down as it is done: an interrupted benchmark goes on where it was.
"""

from __future__ import annotations

import hashlib
import random
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from .. import _native
from ..dynamic_cost import CostMeter
from ..errors import MirgymError, ToolMissingError, WorkerStartError
from ..levels import LEVEL_PIPELINES, measure_level
from ..passes import Pass, catalogue
from ..programs import Program, resolve_all
from ..programs.cache import cache_root
from ..programs.linking import build_from_source, link_executable
from ..runtime import TimingLimits, time_executables
from ..wire import NO_KEY, NOTHING
from ..worker import WorkerLimits, WorkerSession
from .journal import Bar, Journal, Row
from .report import Check, Report

PIPELINES = ("O1", "O3", "Oz", "random")
"""Three levels, and a random sequence of core passes."""
LEVEL = "O3"
"""The attributes that variants are loaded with, and what they are timed against."""
LIMITS = WorkerLimits(step_seconds=30.0)
OWN_TIME = TimingLimits(most_rounds=10)
RANKING = TimingLimits(most_rounds=10, seconds=45.0)
"""All variants of a program take turns, so a round is long."""
MOST_MS = 20.0
_TRIES = 4
"""Random sequences tried for each variant wanted: many lead to the same module."""


def measure(
    programs: int = 20,
    repeats: int = 20,
    ranked: int = 10,
    variants: int = 30,
    seed: int = 0,
    folder: Path | None = None,
) -> Report:
    """Measure on ``mirbench``.

    Args:
        programs: Programs whose cost is measured again and again, after each of ``PIPELINES``.
        repeats: How often.
        ranked: Programs for which cost and time are compared.
        variants: Different modules of each of these.
        seed: Of the random passes.
        folder: For what an interrupted run has done; default in the cache.

    Raises:
        ToolMissingError: scipy is not installed.
    """
    _need_scipy()
    suite = [program for program in resolve_all("mirbench") if program.runs]
    repeated = [(p, name) for p in suite[:programs] for name in PIPELINES]
    compared = suite[:ranked]
    name = _digest(suite, seed, repeats, variants)
    journal = Journal((folder or cache_root() / "bench-runtime") / f"{name}.jsonl")
    stable: dict[str, Row] = {}
    ranks: dict[str, Row] = {}
    with Bar("measuring", len(repeated) + len(compared)) as advance:
        for program, pipeline in repeated:
            key = f"{program.name} {pipeline}"
            stable[key] = journal.get(
                f"repeat {key}",
                lambda: repeat(program, pipeline, repeats, seed),  # noqa: B023
            )
            advance()
        for program in compared:
            ranks[program.name] = journal.get(
                f"rank {program.name}",
                lambda: rank(program, variants, seed),  # noqa: B023
            )
            advance()
    report = _report(stable, ranks, repeats, variants)
    report.figures["taken over from an interrupted run"] = journal.resumed
    journal.path.unlink(missing_ok=True)
    return report


def repeat(program: Program, pipeline: str, repeats: int, seed: int) -> Row:
    """Measure the cost of one module again and again, in two workers.

    Returns:
        ``over_ms`` is the median time of an evaluation less ``own_ms``, the median time of the
        linked executable on the same input.
    """
    costs, seconds = set(), []
    for count in (repeats - repeats // 2, repeats // 2):
        with WorkerSession(LIMITS) as session:
            _make(session, program, pipeline, seed)
            meter = CostMeter(program)
            for _ in range(count):
                started = time.perf_counter()
                costs.add(meter.cost(session))
                seconds.append(time.perf_counter() - started)
            object_code = session.emit("obj") if count else b""
        if count:
            kept = object_code
    with tempfile.TemporaryDirectory(prefix="mirgym-link-") as name:
        executable = Path(name, "program")
        link_executable(kept, program, executable)
        (own,) = time_executables((executable,), program.runs[0], OWN_TIME)
    evaluation_ms = statistics.median(seconds) * 1e3
    return {
        "cost": min(costs),
        "different": len(costs) - 1,
        "own_ms": own.ns / 1e6,
        "over_ms": evaluation_ms - own.ns / 1e6,
    }


def _make(session: WorkerSession, program: Program, pipeline: str, seed: int) -> None:
    if pipeline in LEVEL_PIPELINES:
        measure_level(session, program.bitcode(), pipeline, NO_KEY)
        return
    session.load(program.bitcode(), level=LEVEL)
    for step in random_variant(random.Random(f"{seed}:{program.name}")):
        session.step(step.pipeline)


def random_variant(generator: random.Random) -> tuple[Pass, ...]:
    """Core passes, for every second variant before or after one of clang's levels."""
    passes = generator.choices(catalogue("core"), k=generator.randint(1, 30))
    if generator.random() < 0.5:
        level = generator.choice([text for text in LEVEL_PIPELINES.values() if text])
        passes.insert(generator.choice((0, len(passes))), Pass(level, level))
    return tuple(passes)


def rank(program: Program, variants: int, seed: int) -> Row:
    """Compare cost and time over variants of one program, on its last and longest run.

    Returns:
        ``correlation`` is Spearman's, of the cost of that run with its time;
        ``correlation_quick`` with the cost of the first run, which is what ``dynamic_cost``
        measures. ``noise`` is how far the baseline's second copy is from the first, and
        ``clang`` the time of what ``clang -O3`` makes of the source ÷ the baseline's, which is
        generated as for all other levels.
    """
    with tempfile.TemporaryDirectory(prefix="mirgym-link-") as name:
        folder = Path(name)
        costs = _build_variants(program, variants, seed, folder)
        build_from_source(program, ["-O3"], folder / "clang")
        executables = [folder / "baseline", folder / "again", folder / "clang"]
        executables += [folder / str(index) for index in range(len(costs))]
        timings = time_executables(executables, program.runs[-1], RANKING)
    ratios = [timing.ratio for timing in timings[3:]]
    quick, long = zip(*costs, strict=True)
    return {
        "variants": len(costs),
        "correlation": _spearman(long, ratios),
        "correlation_quick": _spearman(quick, ratios),
        "slowest_to_fastest": max(ratios) / min(ratios),
        "noise": abs(timings[1].ratio - 1.0),
        "clang": timings[2].ratio,
        "relative_error": statistics.median(t.relative_error for t in timings[1:]),
        "rounds": timings[0].rounds,
        "baseline_ms": timings[0].ns / 1e6,
    }


def _build_variants(
    program: Program, variants: int, seed: int, folder: Path
) -> list[tuple[int, int]]:
    """Link the baseline twice, and different variants; their costs on the first and last run."""
    runs = (program.runs[0], program.runs[-1])
    meter = CostMeter(program, runs)
    generator = random.Random(f"{seed}:{program.name}:rank")
    costs: list[tuple[int, int]] = []
    seen: set[bytes] = set()
    with WorkerSession(LIMITS) as session:
        measure_level(session, program.bitcode(), LEVEL, NO_KEY)
        for name in ("baseline", "again"):
            link_executable(session.emit("obj"), program, folder / name)
        for _ in range(_TRIES * variants):
            if len(costs) == variants:
                break
            try:
                session.load(program.bitcode(), level=LEVEL, wanted=NOTHING)
                for step in random_variant(generator):
                    session.step(step.pipeline)
                object_code = session.emit("obj")
                if object_code in seen:
                    continue
                seen.add(object_code)
                first, last = meter.measure(session)
            except WorkerStartError:
                raise
            except MirgymError:  # a pass failed, or broke the program
                continue
            link_executable(object_code, program, folder / str(len(costs)))
            costs.append((first.cost, last.cost))
    return costs


def _need_scipy() -> None:
    try:
        import scipy.stats  # noqa: F401
    except ImportError as error:
        raise ToolMissingError(
            "bench runtime needs scipy; install it with: pip install 'mirgym[train]'"
        ) from error


def _spearman(left: Any, right: Any) -> float:
    from scipy.stats import spearmanr

    return float(spearmanr(left, right).statistic)


def _digest(programs: list[Program], *settings: int) -> str:
    """Of all that decides the rows."""
    passes = [one.pipeline for one in catalogue("core")]
    parts = [
        "with clang -O3",
        _native.llvm_version(),
        *settings,
        *passes,
        *(one.digest() for one in programs),
    ]
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()[:16]


def _report(stable: dict[str, Row], ranks: dict[str, Row], repeats: int, variants: int) -> Report:
    over = sorted(row["over_ms"] for row in stable.values())
    report = Report("runtime")
    report.figures = {
        f"cost, {repeats} times": stable,
        "variants": ranks,
        "evaluation over the program's own time, ms": _spread(over, worst=max),
        **{
            f"{name}, over programs": _spread([row[name] for row in ranks.values()], worst=min)
            for name in ("correlation", "correlation_quick")
        },
        "clang -O3's own object ÷ the baseline, by the clock, geometric mean": (
            statistics.geometric_mean([row["clang"] for row in ranks.values()]) if ranks else None
        ),
        "noise floor": _spread([row["noise"] for row in ranks.values()], worst=max),
    }
    report.checks = [
        Check("modules whose cost differs", sum(r["different"] > 0 for r in stable.values()), 0),
        Check("evaluation over own time, median ms", statistics.median(over or [0.0]), MOST_MS),
        Check(
            "programs with all variants",
            sum(row["variants"] >= variants for row in ranks.values()),
            len(ranks),
            at_most=False,
        ),
    ]
    return report


def _spread(values: list[float], worst: Any) -> dict[str, float]:
    return {"median": statistics.median(values), "worst": worst(values)} if values else {}
