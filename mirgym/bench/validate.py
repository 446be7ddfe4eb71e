"""Validation on random sequences, on planted miscompiles and on hostile programs.

What was done is written down as it is done: an interrupted benchmark goes on where it was.
Miscompiles are reduced and saved below ``folder``, replayed by ``mirgym validate --case``.
"""

from __future__ import annotations

import dataclasses
import hashlib
import random
import time
from collections import Counter
from pathlib import Path

from .. import _native
from ..errors import MirgymError, SessionError, VerifyError, WorkerStartError
from ..passes import Pass, catalogue
from ..programs import Program, resolve_all
from ..programs.cache import cache_root
from ..validate import optimised_object, save_case, shortest_failing, validate
from ..worker import WorkerLimits
from .hostile import run_hostile
from .journal import Bar, Journal, Row
from .plants import EDITS, Plant, plant
from .report import Check, Report

SHORTEST, LONGEST = 10, 45
"""Passes in a sequence."""
LIMITS = WorkerLimits(step_seconds=30.0)


def random_sequence(seed: int, index: int) -> tuple[Pass, ...]:
    """Core passes; the same for the same numbers."""
    generator = random.Random(f"{seed}:{index}")
    return tuple(generator.choices(catalogue("core"), k=generator.randint(SHORTEST, LONGEST)))


def run_sequence(program: Program, passes: tuple[Pass, ...], case: Path) -> Row:
    """Validate a program after these passes; a miscompile is reduced and saved.

    Returns:
        ``outcome`` is a verdict, ``invalid`` for IR that LLVM's verifier rejects, or ``failed``
        when a pass crashed or took too long.
    """
    started = time.perf_counter()
    row: Row = {"program": program.uri, "passes": [one.name for one in passes]}
    try:
        found = validate(program, optimised_object(program, passes, session_limits=LIMITS))
    except WorkerStartError:
        raise  # no program's fault
    except VerifyError as error:
        return {**row, "outcome": "invalid", "detail": str(error)[:300]}
    except SessionError as error:
        return {**row, "outcome": "failed", "detail": str(error)[:300]}
    row |= {"outcome": found.verdict, "seconds": time.perf_counter() - started}
    if found.verdict != "equal":
        row["detail"] = str(found)[:1000]
    if found.verdict == "different":
        row |= _reduce(program, passes, case)
    return row


def _reduce(program: Program, passes: tuple[Pass, ...], case: Path) -> Row:
    try:
        shortest = shortest_failing(program, passes, session_limits=LIMITS)
        found = validate(program, optimised_object(program, shortest, session_limits=LIMITS))
        save_case(case, program, shortest, found)
    except (MirgymError, ValueError) as error:
        return {"reduced": None, "why": str(error)[:300]}
    return {"reduced": [one.name for one in shortest], "case": case.name}


def measure(
    sequences: int = 1000, plants: int = 165, seed: int = 0, folder: Path | None = None
) -> Report:
    """Validate ``mirbench`` after random sequences, with planted edits; and hostile programs.

    Args:
        sequences: Random sequences of core passes, the programs in turn.
        plants: Edits that are planted in optimised modules, the kinds in turn.
        seed: Of the sequences and edits.
        folder: For saved cases and for what an interrupted run has done; default in the cache.
    """
    folder = folder or cache_root() / "bench-validate"
    programs = [program for program in resolve_all("mirbench") if program.runs]
    journal = Journal(folder / f"{_digest(programs, seed)}.jsonl")
    kinds = list(EDITS)
    with Bar("validating", sequences + plants) as advance:
        rows = []
        for index in range(sequences):
            program, passes = programs[index % len(programs)], random_sequence(seed, index)
            case = folder / "cases" / f"{seed}-{index}"
            key = f"sequence {index}"
            rows.append(journal.get(key, lambda: run_sequence(program, passes, case)))  # noqa: B023
            advance()
        planted = []
        for index in range(plants):
            program, kind = programs[index % len(programs)], kinds[index % len(kinds)]
            name = f"{seed}:{index}"
            row = journal.get(
                f"plant {index}",
                lambda: dataclasses.asdict(plant(program, kind, name)),  # noqa: B023
            )
            planted.append(Plant(**row))
            advance()
    report = _report(rows, planted, run_hostile())
    report.figures["taken over from an interrupted run"] = journal.resumed
    journal.path.unlink(missing_ok=True)
    return report


def _digest(programs: list[Program], seed: int) -> str:
    """Of all that decides the rows."""
    passes = [one.pipeline for one in catalogue("core")]
    parts = [_native.llvm_version(), seed, *passes, *(one.digest() for one in programs)]
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()[:16]


def _report(rows: list[Row], plants: list[Plant], hostile: dict[str, Row]) -> Report:
    outcomes = Counter(row["outcome"] for row in rows)
    reached = [one for one in plants if one.reached]
    observable = [one for one in reached if one.observable]
    found = sum(one.verdict == "different" for one in observable)
    silent = [one for one in reached if not one.observable]
    false_alarms = sum(one.verdict != "equal" for one in silent)
    seconds = [row["seconds"] for row in rows if "seconds" in row]
    report = Report("validate")
    report.figures = {
        "sequences": dict(outcomes),
        "seconds a sequence": sum(seconds) / len(seconds) if seconds else 0.0,
        "not equal": [row for row in rows if row["outcome"] != "equal"],
        "planted edits": _by_kind(plants),
        "not found": [dataclasses.asdict(p) for p in observable if p.verdict != "different"],
        "hostile programs": hostile,
    }
    report.checks = [
        Check("sequences", len(rows) - outcomes["failed"], len(rows), at_most=False),
        Check("sequences with another output", outcomes["different"], 0),
        Check("sequences with invalid IR", outcomes["invalid"], 0),
        Check("sequences that could not be judged", outcomes["unknown"] + outcomes["undefined"], 0),
        Check("observable planted miscompiles found", found, len(observable), at_most=False),
        Check("planted edits without effect that were reported", false_alarms, 0),
        Check("hostile programs without one clear error", _unclear(hostile), 0),
        Check(
            "processes and folders left behind", sum(r["left behind"] for r in hostile.values()), 0
        ),
    ]
    return report


def _by_kind(plants: list[Plant]) -> dict[str, Row]:
    """How many were planted where the run comes by, can be seen, and were found."""
    rows: dict[str, Row] = {}
    for kind in (*EDITS, "all"):
        some = [one for one in plants if kind in (one.kind, "all") and one.reached]
        seen = [one for one in some if one.observable]
        rows[kind] = {
            "tried": sum(kind in (one.kind, "all") for one in plants),
            "planted": len(some),
            "observable": len(seen),
            "found": sum(one.verdict == "different" for one in seen),
        }
    return rows


def _unclear(hostile: dict[str, Row]) -> int:
    return sum(not row["as expected"] for row in hostile.values())
