from __future__ import annotations

import sys
from dataclasses import asdict
from types import SimpleNamespace

import pytest

from mirgym.bench import fuzz
from mirgym.errors import WorkerStartError
from mirgym.passes import find
from mirgym.programs import resolve


def test_a_short_run_replays_equally() -> None:
    tally = fuzz.Fuzzer([resolve("mirbench/primes")], excluded=False, seed=1).run(40, 2)
    assert tally.steps >= 40
    assert tally.replays == 2
    assert tally.replay_mismatches == []
    assert tally.core_verifier_failures == []


def test_a_crash_is_counted_and_recovered_from() -> None:
    fuzzer = fuzz.Fuzzer([resolve("mirbench/matrix")], excluded=True, seed=0)
    fuzzer.core = fuzzer.all = (find("unify-loop-exits"), find("loop-rotate"))
    tally = fuzzer.run(40, 0)
    assert tally.worker_failures > 0
    assert tally.recoveries == tally.worker_failures
    assert tally.failing_passes["unify-loop-exits"] == tally.worker_failures
    assert tally.core_failures == []


def test_a_death_of_the_parent_is_seen(monkeypatch) -> None:
    def start_dying_child(**_: object):
        command = [sys.executable, "-c", "import os; os.abort()"]
        return fuzz.subprocess.Popen(
            command, stdout=fuzz.subprocess.PIPE, stderr=fuzz.subprocess.PIPE, text=True
        )

    monkeypatch.setattr(fuzz, "_start_child", start_dying_child)
    report = fuzz.measure(steps=20, csmith=0, replays=0, processes=1)
    failed = {check.name for check in report.checks if not check.ok}
    assert "deaths of the parent" in failed


def test_a_program_that_does_not_load_is_counted_apart() -> None:
    broken = SimpleNamespace(uri="broken", bitcode=lambda: b"not a module")
    fuzzer = fuzz.Fuzzer([broken, resolve("mirbench/crc")], excluded=False, seed=0)
    tally = fuzzer.run(50, 1)
    assert len(tally.load_failures) == 1
    assert tally.load_failures[0].startswith("broken: ")
    assert tally.steps >= 50
    assert tally.worker_failures == 0


def test_nothing_loads() -> None:
    broken = SimpleNamespace(uri="broken", bitcode=lambda: b"not a module")
    tally = fuzz.Fuzzer([broken], excluded=False, seed=0).run(10, 0)
    assert (len(tally.load_failures), tally.steps) == (1, 0)
    report = fuzz._report(asdict(tally), [], 1, 10, 0, False)
    failed = {check.name: check.value for check in report.checks if not check.ok}
    assert failed == {"programs that fail to load": 1, "steps": 0}


def test_a_worker_that_cannot_start_is_no_load_failure(monkeypatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr("mirgym.worker.socket.socketpair", refuse)
    fuzzer = fuzz.Fuzzer([resolve("mirbench/crc")], excluded=False, seed=0)
    with pytest.raises(WorkerStartError, match="Too many open files"):
        fuzzer.run(10, 0)
    assert fuzzer.tally.load_failures == []
