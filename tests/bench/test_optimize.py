from __future__ import annotations

import pytest

from mirgym.bench import optimize
from mirgym.bench.optimize import measure


def test_the_whole_command_is_held_against_oz_and_itself() -> None:
    report = measure(instructions=500, repeats=1, programs=1, budget=3)
    checks = {check.name: check for check in report.checks}
    assert checks["worst Oz ÷ result"].value >= 1
    assert checks["programs with another result the second time"].value == 0
    assert 0.1 < report.figures["zero-shot, median of the command's seconds"] < 120


def test_another_result_and_a_worse_one_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    ratios = iter([1.0, 1.0, 0.9, 0.9, 1.0, 1.1])

    def timed(source: str, budget: int) -> tuple[float, dict[str, object]]:
        ratio = next(ratios)
        return 2.5, {"result": int(ratio * 100), "commandline": "opt", "ratio_vs_Oz": ratio}

    monkeypatch.setattr(optimize, "_timed", timed)
    report = measure(instructions=500, repeats=2, programs=2)
    values = {check.name: (check.value, check.ok) for check in report.checks}
    assert values["zero-shot, shortest of the command's seconds"] == (2.5, False)
    assert values["worst Oz ÷ result"] == (0.9, False)
    assert values["programs with another result the second time"] == (1, False)
