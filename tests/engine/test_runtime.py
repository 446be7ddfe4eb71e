"""The objective runtime_ns: the protocol, and what it refuses."""

from __future__ import annotations

import math
import os
from pathlib import Path

import numpy as np
import pytest

from mirgym.errors import NotRunnableError
from mirgym.programs import Program, Run, resolve
from mirgym.programs.linking import build_from_source
from mirgym.runtime import RuntimeMeter, TimingLimits, time_executables, trimmed
from mirgym.worker import WorkerSession

QUICK = TimingLimits(most_rounds=5, seconds=10, run_seconds=5)


def build(folder: Path, name: str, body: str) -> Path:
    source, out = folder / f"{name}.c", folder / name
    source.write_text(f"#include <stdlib.h>\n#include <unistd.h>\nint main(void) {{ {body} }}")
    build_from_source(Program(source.as_uri(), (source,)), ("-O1",), out)
    return out


def test_trimmed_mean_in_closed_form() -> None:
    mean, error = trimmed(np.array([5.0, 1.0, 3.0]))
    assert (mean, error) == (3.0, pytest.approx(2 / math.sqrt(3)))
    values = np.array([1.0] * 9 + [100.0])
    assert trimmed(values) == (1.0, 0.0)
    assert trimmed(values[:-1]) == (1.0, 0.0)


def test_longer_takes_longer(tmp_path: Path) -> None:
    body = "for (volatile int i = 0; i < {}000000; i++); return 0;"
    short, long = (build(tmp_path, f"p{n}", body.format(n)) for n in (10, 60))
    before = os.sched_getaffinity(0)
    first, again, other = time_executables((short, short, long), Run(), QUICK)
    assert os.sched_getaffinity(0) == before
    assert first.ratio == 1.0 and first.relative_error == 0.0
    assert 0.3 < again.ratio < 2.0
    assert other.ratio > 2.0
    assert other.ns > first.ns > 1_000_000
    assert first.rounds == other.rounds == 5


def test_rounds_end_when_the_time_is_known(tmp_path: Path) -> None:
    program = build(tmp_path, "p", "return 0;")
    sure = TimingLimits(relative_error=10.0, least_rounds=3)
    assert time_executables((program, program), Run(), sure)[1].rounds == 3
    slow = TimingLimits(relative_error=0.0, least_rounds=2, seconds=0.0)
    assert time_executables((program, program), Run(), slow)[1].rounds == 2


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("for (;;);", "did not end within 0.5 s"),
        ("for (;;) pause();", "did not end within 0.5 s"),
        ("abort();", "ended with -6, expected 0"),
        ("return 4;", "ended with 4, expected 0"),
    ],
)
def test_what_misbehaves(tmp_path: Path, body: str, message: str) -> None:
    program = build(tmp_path, "p", body)
    with pytest.raises(NotRunnableError, match=message):
        time_executables((program,), Run(), TimingLimits(run_seconds=0.5))


def test_the_meter(worker: WorkerSession, tmp_path: Path) -> None:
    source = tmp_path / "a.c"
    source.write_text(
        "int main(void) { unsigned s = 1; for (unsigned i = 0; i < 50000000; i++) s += i;"
        " return s == 0; }"  # at O3 there is no loop left
    )
    program = Program(source.as_uri(), (source,), runs=(Run(),))
    meter = RuntimeMeter(program, "O3", QUICK)
    worker.load(program.bitcode(), level="O3")
    slow = meter.measure(worker)
    worker.step("default<O3>")
    fast = meter.measure(worker)
    assert slow.ratio > 2 * fast.ratio
    assert fast.ns == round(meter._baseline_ns * fast.ratio)
    assert meter.cost(worker) < slow.ns


def test_the_meter_refuses(worker: WorkerSession, tmp_path: Path) -> None:
    program = resolve("mirbench/primes")
    worker.load(b"define i32 @main() {\n  ret i32 0\n}\n")
    with pytest.raises(NotRunnableError, match="another stdout than at O3"):
        RuntimeMeter(program, "O3", QUICK).cost(worker)
    source = tmp_path / "a.c"
    source.write_text("int main(void) { return 1; }")
    for runs, message in (((), "nothing says how"), ((Run(),), "its Oz baseline ends with 1")):
        own = Program(source.as_uri(), (source,), runs=runs)
        with pytest.raises(NotRunnableError, match=message):
            RuntimeMeter(own, "Oz", QUICK).cost(worker)
    worker.load(
        b"declare i32 @nowhere()\ndefine i32 @main() {\n  %x = call i32 @nowhere()\n"
        b"  ret i32 %x\n}\n"
    )
    with pytest.raises(NotRunnableError, match="(?s)primes: .*nowhere"):
        RuntimeMeter(program, "O3", QUICK).cost(worker)
