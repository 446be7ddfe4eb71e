"""Random passes on many programs: nothing may reach the user's process.

The work runs in child processes, half of the programs each, so that a death of the
"parent" (the process that holds the sessions) is seen and counted.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

from ..errors import MirgymError, SessionError, VerifyError, WorkerStartError
from ..passes import Pass, catalogue
from ..programs import Program, resolve, resolve_all
from ..wire import NOTHING
from ..worker import WorkerLimits, WorkerSession
from .report import Check, Report

EPISODE = 20
LIMITS = WorkerLimits(step_seconds=10.0)


@dataclass
class Tally:
    """What one child saw."""

    steps: int = 0
    episodes: int = 0
    load_failures: list[str] = field(default_factory=list)
    worker_failures: int = 0
    recoveries: int = 0
    core_failures: list[str] = field(default_factory=list)
    core_verifier_failures: list[str] = field(default_factory=list)
    other_verifier_failures: list[str] = field(default_factory=list)
    replays: int = 0
    replay_mismatches: list[str] = field(default_factory=list)
    failing_passes: dict[str, int] = field(default_factory=dict)


class Fuzzer:
    """Plays random episodes on programs and tallies what goes wrong.

    With ``excluded``, every second episode draws from the excluded and opt-in passes too.
    Only episodes of core passes are replayed: the others may be nondeterministic.
    """

    def __init__(self, programs: list[Program], excluded: bool, seed: int) -> None:
        self.programs = programs
        self.core = catalogue("core")
        self.all = catalogue("core", "opt-in", "excluded") if excluded else self.core
        self.random = random.Random(seed)
        self.tally = Tally()
        self._failing: Counter[str] = Counter()

    def run(self, steps: int, replays: int) -> Tally:
        """Play until ``steps`` are done and ``replays`` episodes were played again."""
        with WorkerSession(LIMITS) as session, WorkerSession(LIMITS) as second:
            # Episodes that fail cannot be replayed, so a few more may be needed.
            while self.programs and (self.tally.steps < steps or self.tally.replays < replays):
                program = self.programs[self.tally.episodes % len(self.programs)]
                taken, key = self._play(session, program)
                replayable = key is not None and all(p.group == "core" for p in taken)
                if replayable and self.tally.replays < replays:
                    self._replay(second, program, taken, key or 0)
        self.tally.failing_passes = dict(self._failing.most_common())
        return self.tally

    def _play(self, session: WorkerSession, program: Program) -> tuple[list[Pass], int | None]:
        """One episode; returns its passes and final key, None when it did not end well."""
        self.tally.episodes += 1
        taken: list[Pass] = []
        try:
            state = session.load(program.bitcode(), level="Oz")
        except WorkerStartError:
            raise  # no program's fault
        except MirgymError as error:
            self.tally.load_failures.append(f"{program.uri}: {str(error)[:200]}")
            self.programs = [p for p in self.programs if p is not program]
            return taken, None
        passes = self.all if self.tally.episodes % 2 else self.core
        for _ in range(EPISODE):
            chosen = self.random.choice(passes)
            taken.append(chosen)
            self.tally.steps += 1
            core_only = all(p.group == "core" for p in taken)
            try:
                state = session.step(chosen.pipeline, wanted=NOTHING)
                session.verify()
            except VerifyError as error:
                self._record_invalid(program, taken, core_only, str(error))
                return taken, None
            except SessionError as error:
                self._record_failure(session, program, taken, core_only, str(error))
                return taken, None
        return taken, state.key

    def _record_invalid(
        self, program: Program, taken: list[Pass], core_only: bool, message: str
    ) -> None:
        tally = self.tally
        where = tally.core_verifier_failures if core_only else tally.other_verifier_failures
        where.append(f"{program.uri}: {','.join(p.pipeline for p in taken)}: {message[:200]}")

    def _record_failure(
        self, session: WorkerSession, program: Program, taken: list[Pass], core_only: bool, why: str
    ) -> None:
        """Count the failure, and that the session works again."""
        self.tally.worker_failures += 1
        self._failing[taken[-1].name] += 1
        if core_only:
            self.tally.core_failures.append(f"{program.uri}: {taken[-1].name}: {why[:200]}")
        try:
            session.load(program.bitcode(), level="Oz")
            session.step("function(dce)")
            self.tally.recoveries += 1
        except SessionError:  # the report says that one more failed than recovered
            session.start_again_if_dead()

    def _replay(
        self, session: WorkerSession, program: Program, taken: list[Pass], key: int
    ) -> None:
        state = session.load(program.bitcode(), level="Oz")
        try:
            for chosen in taken:
                state = session.step(chosen.pipeline, wanted=NOTHING)
            same = state.key == key
        except SessionError:
            same = False
        self.tally.replays += 1
        if not same:
            sequence = ",".join(p.pipeline for p in taken)
            self.tally.replay_mismatches.append(f"{program.uri}: {sequence}")


def _run_child(arguments: dict[str, Any]) -> Tally:
    programs = [resolve(uri) for uri in arguments["programs"]]
    fuzzer = Fuzzer(programs, arguments["excluded"], arguments["seed"])
    return fuzzer.run(arguments["steps"], arguments["replays"])


def measure(
    steps: int = 20_000,
    csmith: int = 50,
    excluded: bool = False,
    seed: int = 0,
    replays: int = 1000,
    processes: int = 2,
) -> Report:
    """Fuzz ``mirbench`` and ``csmith`` generated programs.

    Args:
        steps: Random steps in all.
        csmith: How many csmith programs take part; 0 for none (csmith not installed).
        excluded: Draw from the excluded and opt-in passes as well.
        seed: Of the programs' numbers and of the passes.
        replays: How many episodes are played again; their hashes must be equal.
        processes: Children that share the work.
    """
    programs = [p.uri for p in resolve_all("mirbench")]
    programs += [f"csmith://{seed * 1000 + i}" for i in range(csmith)]
    for uri in programs:
        resolve(uri).bitcode()  # compiled once, before the children need it
    children = [
        _start_child(
            programs=programs[index::processes],
            excluded=excluded,
            seed=seed * processes + index,
            steps=-(-steps // processes),
            replays=-(-replays // processes),
        )
        for index in range(processes)
    ]
    outputs = [child.communicate() for child in children]
    deaths = [
        out[1][-500:] for child, out in zip(children, outputs, strict=True) if child.returncode
    ]
    tallies = [
        json.loads(out[0])
        for child, out in zip(children, outputs, strict=True)
        if not child.returncode
    ]
    return _report(_sum(tallies), deaths, len(programs), steps, replays, excluded)


def _start_child(**arguments: Any) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "mirgym.bench.fuzz", json.dumps(arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _sum(tallies: list[dict[str, Any]]) -> dict[str, Any]:
    total: dict[str, Any] = asdict(Tally())
    for tally in tallies:
        for name, value in tally.items():
            if isinstance(value, dict):
                total[name] = dict(Counter(total[name]) + Counter(value))
            else:
                total[name] += value
    return total


def _report(
    total: dict[str, Any],
    deaths: list[str],
    programs: int,
    steps: int,
    replays: int,
    excluded: bool,
) -> Report:
    report = Report("fuzz")
    report.figures = {"programs": programs, "excluded passes drawn": excluded, **total}
    report.figures["deaths of the parent"] = deaths
    unrecovered = total["worker_failures"] - total["recoveries"]
    report.checks = [
        Check("deaths of the parent", len(deaths), 0),
        Check("programs that fail to load", len(total["load_failures"]), 0),
        Check("worker failures without recovery", unrecovered, 0),
        Check("verifier failures of core passes", len(total["core_verifier_failures"]), 0),
        Check("replays with another hash", len(total["replay_mismatches"]), 0),
        Check("steps", total["steps"], steps, at_most=False),
        Check("replays", total["replays"], replays, at_most=False),
    ]
    if not excluded:
        report.checks.append(
            Check("worker failures of core passes", len(total["core_failures"]), 0)
        )
    return report


if __name__ == "__main__":
    json.dump(asdict(_run_child(json.loads(sys.argv[1]))), sys.stdout)
