from __future__ import annotations

from pathlib import Path

import pytest

from mirgym.bench import optimize
from mirgym.bench.optimize import measure, text_bytes
from mirgym.errors import MirgymError
from mirgym.levels import measure_level
from mirgym.programs import resolve
from mirgym.session import InProcessSession
from mirgym.wire import NOTHING, Wanted


def test_the_whole_command_is_held_against_oz_and_itself() -> None:
    report = measure(instructions=500, repeats=1, programs=1, budget=3)
    checks = {check.name: check for check in report.checks}
    assert checks["worst clang -Oz ÷ result"].value >= 1
    assert checks["programs with another result the second time"].value == 0
    assert 0.1 < report.figures["zero-shot, median of the command's seconds"] < 120


def test_another_result_and_a_worse_one_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    ratios = iter([1.0, 1.0, 0.9, 0.9, 1.0, 1.1])
    sizes = iter([90, 100, 200, 200])  # clang's, and what was written

    def timed(source: str, budget: int, *options: str) -> tuple[float, dict[str, object]]:
        ratio = next(ratios)
        for path in options[1:]:
            Path(path).write_bytes(b"")
        return 2.5, {"result": int(ratio * 100), "commandline": "opt", "ratio_vs_Oz": ratio}

    monkeypatch.setattr(optimize, "_timed", timed)
    monkeypatch.setattr(optimize, "text_bytes", lambda _: next(sizes))
    report = measure(instructions=500, repeats=2, programs=2)
    values = {check.name: (check.value, check.ok) for check in report.checks}
    assert values["zero-shot, shortest of the command's seconds"] == (2.5, False)
    assert values["worst clang -Oz ÷ result"] == (0.9, False)
    assert values["programs with another result the second time"] == (1, False)


def test_the_reader_of_objects_agrees_with_the_engine() -> None:
    with InProcessSession() as session:
        measure_level(session, resolve("mirbench/crc").bitcode(), "O2", NOTHING)
        sizes = session.observe(Wanted.of(("object_text_size_bytes",))).metrics
        assert text_bytes(session.emit("obj")) == sizes["object_text_size_bytes"] > 1000
    with pytest.raises(MirgymError, match="ELF objects"):
        text_bytes(b"MZ" + bytes(100))
