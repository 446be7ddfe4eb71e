"""The benchmark of dynamic_cost: it goes on where it was, and fails when it should."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from mirgym.bench import runtime as bench
from mirgym.programs import resolve
from mirgym.runtime import TimingLimits

QUICK = TimingLimits(least_rounds=2, most_rounds=2)


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OWN_TIME", "RANKING"):
        monkeypatch.setattr(bench, name, QUICK)
    monkeypatch.setattr(bench, "resolve_all", lambda _: [resolve("mirbench/primes")])


@pytest.mark.usefixtures("short")
def test_rows_of_a_small_run(tmp_path: Path) -> None:
    report = bench.measure(repeats=3, variants=3, folder=tmp_path)
    rows = report.figures["cost, 3 times"]
    assert list(rows) == [f"primes {name}" for name in bench.PIPELINES]
    assert all(row["different"] == 0 < row["cost"] for row in rows.values())
    (row,) = report.figures["variants"].values()
    assert row["variants"] == 3 and row["rounds"] == 2
    assert -1 <= row["correlation"] <= 1 and row["slowest_to_fastest"] >= 1
    assert not list(tmp_path.glob("*.jsonl"))


@pytest.mark.usefixtures("short")
def test_an_interrupted_run_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    def repeat(_: object, pipeline: str, *__: object) -> bench.Row:
        made.append(pipeline)
        if len(made) == 3:
            raise KeyboardInterrupt
        return {"cost": 1, "different": 0, "own_ms": 1.0, "over_ms": 2.0}

    monkeypatch.setattr(bench, "repeat", repeat)
    with pytest.raises(KeyboardInterrupt):
        bench.measure(ranked=0, folder=tmp_path)
    report = bench.measure(ranked=0, folder=tmp_path)
    assert made == ["O1", "O3", "Oz", "Oz", "random"]
    assert report.figures["taken over from an interrupted run"] == 2
    assert report.ok


def test_variants_are_the_same_for_the_same_seed() -> None:
    first, again = ([bench.random_variant(random.Random(n)) for n in range(20)] for _ in range(2))
    assert first == again
    assert len(set(first)) > 15


def test_what_goes_wrong_fails_the_report() -> None:
    stable = {"p O1": {"cost": 1, "different": 1, "own_ms": 1.0, "over_ms": 21.0}}
    ranks = {
        "p": {
            "variants": 2,
            "correlation": 0.1,
            "correlation_quick": 0.1,
            "noise": 0.0,
            "clang": 1.0,
        }
    }
    report = bench._report(stable, ranks, 2, 3)
    assert not any(check.ok for check in report.checks)
