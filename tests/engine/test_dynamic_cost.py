"""The objective dynamic_cost: what it measures, and what it refuses."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

from mirgym.dynamic_cost import CostMeter
from mirgym.errors import NotRunnableError
from mirgym.execution import ExecutionLimits
from mirgym.levels import measure_level
from mirgym.objective import cost_of, run_meter
from mirgym.programs import Program, Run, resolve
from mirgym.wire import NO_KEY
from mirgym.worker import WorkerSession

SHORT = ExecutionLimits(cpu_seconds=1, wall_seconds=1.5)

Make = Callable[..., Program]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """A program of this C source."""

    def build(source: str, *runs: Run) -> Program:
        path = tmp_path / "a.c"
        path.write_text(source)
        return Program(path.as_uri(), (path,), runs=runs or (Run(),))

    return build


def cost(program: Program, session: WorkerSession, level: str = "O0", **how: object) -> int:
    measure_level(session, program.bitcode(), level, NO_KEY)
    return CostMeter(program, **how).cost(session)  # type: ignore[arg-type]


def test_the_levels_of_bundled_programs_are_in_order(worker: WorkerSession) -> None:
    for name in ("crc", "sparse", "trees"):
        program = resolve(f"mirbench/{name}")
        costs = {level: cost(program, worker, level) for level in ("O0", "O1", "O3")}
        assert costs["O3"] < costs["O0"] / 2
        assert costs["O1"] < costs["O0"]
        assert costs == {level: cost(program, worker, level) for level in costs}


def test_all_runs_are_added_up(worker: WorkerSession) -> None:
    program = resolve("mirbench/crc")
    first, second = (cost(program, worker, "O1", runs=(run,)) for run in program.runs)
    assert cost(program, worker, "O1") == first
    assert cost(program, worker, "O1", runs=program.runs) == first + second


def test_input_and_files(worker: WorkerSession, make: Make, tmp_path: Path) -> None:
    text = """
#include <stdio.h>
int main(int n, char **v) {
  int a, b; FILE *f = fopen("in.txt", "r"), *o = fopen("out.txt", "w");
  if (n != 2 || !f || fscanf(f, "%d", &a) != 1 || scanf("%d", &b) != 1) return 9;
  fprintf(o, "%d", a + b);
  return v[1][0] - '0';
}
"""
    names = {"in.txt": "20", "stdin": "22", "wanted": "42"}
    files = {name: tmp_path / name for name in names}
    for name, path in files.items():
        path.write_text(names[name])
    run = Run(
        args=("3",), stdin=files["stdin"], files=(files["in.txt"],),
        outputs=(("out.txt", files["wanted"]),), exit_code=3,
    )  # fmt: skip
    assert cost(make(text, run), worker) > 0
    files["wanted"].write_text("41")
    with pytest.raises(NotRunnableError, match=r"run with 3: it gives another out\.txt.*b'42'"):
        cost(make(text, run), worker)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("return 1;", "it ended with exit code 1, expected 0"),
        ("exit(2);", "it ended with exit code 2, expected 0"),
        ("abort();", "it was killed by SIGABRT"),
        ("for (;;);", "it did not end within 1 s of CPU time, or 1.5 s"),
        ("for (;;) fork();", "it did not end within"),
        ("return fork() < 0;", "it ended with exit code 1"),
    ],
)
def test_what_misbehaves_is_one_clear_error(
    worker: WorkerSession, make: Make, body: str, message: str
) -> None:
    program = make(f"#include <stdlib.h>\n#include <unistd.h>\nint main(void) {{ {body} }}")
    with pytest.raises(NotRunnableError, match=f"no arguments: {message}"):
        cost(program, worker, limits=SHORT)
    assert worker.observe().metrics["ir_instructions"] > 0


def test_a_program_without_runs(worker: WorkerSession, make: Make) -> None:
    program = dataclasses.replace(make("int main(void) { return 0; }"), runs=())
    with pytest.raises(NotRunnableError, match="nothing says how to run this program"):
        cost(program, worker)


def test_a_program_without_main(worker: WorkerSession, make: Make) -> None:
    with pytest.raises(NotRunnableError, match=r"a\.c: the module defines no function 'main'"):
        cost(make("int f(void) { return 0; }"), worker)


def test_a_module_that_does_less_is_not_cheap(worker: WorkerSession, make: Make) -> None:
    meter = CostMeter(make('#include <stdio.h>\nint main(void) { puts("it works"); }'))
    worker.load(meter.program.bitcode())
    assert meter.cost(worker) > 0
    worker.load(b"define i32 @main() {\n  ret i32 0\n}\n")
    with pytest.raises(NotRunnableError, match="another standard output than before: b''"):
        meter.cost(worker)


def test_meters_by_objective(worker: WorkerSession) -> None:
    program = resolve("mirbench/primes")
    assert run_meter("ir_instructions", None, "Oz") is None
    with pytest.raises(ValueError, match="dynamic_cost takes running a program"):
        run_meter("dynamic_cost", None, "Oz")
    state = worker.load(program.bitcode())
    assert cost_of(state, "ir_instructions", worker, None) == state.metrics["ir_instructions"]
    meter = run_meter("dynamic_cost", program, "Oz")
    assert cost_of(state, "dynamic_cost", worker, meter) > 1_000_000
