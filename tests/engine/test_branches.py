"""Counts of branches, and the passes that are told of them."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mirgym.dynamic_cost import CostMeter, take_step
from mirgym.errors import NotRunnableError
from mirgym.execution import Counters
from mirgym.passes import PROFILE, Pass, find, to_commandline
from mirgym.programs import resolve
from mirgym.programs.compile import find_clang
from mirgym.session import InProcessSession, Session
from mirgym.wire import FunctionBranches, Wanted

from .test_execute import Place, run

CompileC = Callable[..., bytes]

SWITCH = b"""
define i32 @pick(i32 %x) {
entry:
  switch i32 %x, label %other [ i32 0, label %same  i32 1, label %same  i32 2, label %two ]
same:
  %p = phi i32 [ 10, %entry ], [ 10, %entry ]
  br label %end
two:
  br label %end
other:
  br label %end
end:
  %r = phi i32 [ %p, %same ], [ 20, %two ], [ 30, %other ]
  ret i32 %r
}
define i32 @never(i1 %c) {
  br i1 %c, label %a, label %b
a:
  ret i32 1
b:
  ret i32 2
}
define i32 @main() {
entry:
  br label %loop
loop:
  %i = phi i32 [ 0, %entry ], [ %next, %loop ]
  %kind = urem i32 %i, 5
  %got = call i32 @pick(i32 %kind)
  %next = add i32 %i, 1
  %again = icmp slt i32 %next, 12
  br i1 %again, label %loop, label %exit
exit:
  ret i32 0
}
"""
# i mod 5 for i = 0…11: 0 and 1 three times, 2, 3 and 4 twice.
COUNTS = {"pick": (12, [4, 3, 3, 2]), "never": (0, [0, 0]), "main": (1, [11, 1])}


def branches(session: Session, place: Place) -> dict[str, tuple[int, list[int]]]:
    found = session.execute([place.request()], counters=Counters.BRANCHES)
    return {f.name: (int(f.counts[0, 0]), f.taken[0].tolist()) for f in found.functions}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def noted(counts: dict[str, tuple[int, list[int]]]) -> list[FunctionBranches]:
    return [FunctionBranches(n, calls, np.array(taken)) for n, (calls, taken) in counts.items()]


def test_every_way_of_a_switch_is_counted(session: Session, place: Place) -> None:
    session.load(SWITCH)
    assert branches(session, place) == COUNTS


def test_without_wanting_them_there_are_none(session: Session, place: Place) -> None:
    found = run(session, SWITCH, place.request(), counters=Counters.BLOCKS)
    assert [f.taken.shape for f in found.functions] == [(1, 0)] * 3


def test_counting_branches_costs_nothing(session: Session, place: Place) -> None:
    plain = run(session, SWITCH, place.request()).runs[0].cost
    assert run(session, SWITCH, place.request(), counters=Counters.BRANCHES).runs[0].cost == plain


@pytest.mark.parametrize("name", ["json", "regex", "lzhuff", "sat"])
@pytest.mark.parametrize("pipeline", ["", "default<O2>"])
def test_real_programs_are_counted_and_told(name: str, pipeline: str) -> None:
    program = resolve(f"mirbench/{name}")
    with InProcessSession() as session:
        session.load(program.bitcode(), level="O3")
        if pipeline:
            session.step(pipeline)
        profile = CostMeter(program).profile(session)
        session.note_branches(profile.branches())
        session.verify()
        text = session.emit("ll").decode()
    total = 0
    for function in profile.functions:
        counts, taken = function.counts[0], function.taken[0]
        assert taken.sum() <= counts.sum()
        assert not len(taken) or taken.max(initial=0) <= counts.max()
        total += int(taken.sum())
    assert total > 1000
    assert "!prof" in text and "ProfileSummary" in text and "function_entry_count" in text


def test_the_module_says_what_was_counted(local: InProcessSession, place: Place) -> None:
    before = local.load(SWITCH).key
    counts = branches(local, place)
    state = local.note_branches(noted(counts))
    assert state.changed and state.key != before
    local.verify()
    text = local.emit("ll").decode()
    assert '!{!"branch_weights", i32 4, i32 3, i32 3, i32 2}' in text
    assert '!{!"branch_weights", i32 11, i32 1}' in text
    assert '!{!"function_entry_count", i64 12}' in text
    never = text[text.index("@never") : text.index("@main")]
    assert "br i1" in never and "!prof" not in never.split("br i1")[1].split("\n")[0]
    assert "cold" in text
    assert not local.note_branches(noted(counts)).changed


def test_it_survives_snapshots_and_size_is_looked_at_anew(
    local: InProcessSession, place: Place
) -> None:
    wanted = Wanted.of(("text_size_bytes",))
    local.load(SWITCH, wanted=wanted)
    local.note_branches(noted(branches(local, place)))
    state = local.observe(wanted)
    again = local.restore(local.snapshot())
    assert again.key == state.key
    assert local.observe(wanted).metrics == state.metrics


def test_counts_beyond_32_bits_keep_their_proportion(local: InProcessSession) -> None:
    local.load(SWITCH)
    local.note_branches(noted({"main": (1, [3 << 40, 1 << 40])}))
    text = local.emit("ll").decode()
    (weights,) = [line for line in text.splitlines() if "branch_weights" in line]
    first, second = (
        int(part.rstrip("}").split()[-1]) % (1 << 32)  # printed with a sign
        for part in weights.split(",")[1:]
    )
    assert first / second == pytest.approx(3.0)


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ({"main": (1, [1])}, "1 branches of 'main', which has 2"),
        ({"absent": (1, [])}, "'absent', which this module does not define"),
    ],
)
def test_counts_of_another_module_are_refused(
    session: Session, counts: dict[str, tuple[int, list[int]]], message: str
) -> None:
    key = session.load(SWITCH).key
    with pytest.raises(ValueError, match=message):
        session.note_branches(noted({**COUNTS, **counts}))
    assert session.observe().key == key


def test_a_profile_changes_what_o3_makes_and_not_what_it_does() -> None:
    program = resolve("mirbench/regex")
    meter = CostMeter(program)
    with InProcessSession() as session:
        session.load(program.bitcode(), level="O3")
        meter.cost(session)  # learns what it prints
        plain = session.step("default<O3>").key
        session.load(program.bitcode(), level="O3")
        take_step(session, PROFILE, program)
        assert session.step("default<O3>").key != plain
        meter.cost(session)  # checks it


def test_a_profile_takes_a_program(session: Session) -> None:
    session.load(SWITCH)
    with pytest.raises(NotRunnableError, match="runs a program"):
        take_step(session, PROFILE, None)


def test_it_has_a_place_in_a_command_line() -> None:
    o3 = Pass("", "default<O3>", options=(("unroll-count", "2"),))
    assert find("profile") is PROFILE
    assert to_commandline([find("mem2reg"), PROFILE, o3]) == (
        "opt -preserve-bc-uselistorder -passes='function(mem2reg)' | "
        "mirgym profile PROGRAM --module - | opt -unroll-count=2 -passes='default<O3>'"
    )


def test_clang_reads_what_was_noted(tmp_path: Path, compile_c: CompileC) -> None:
    target = tmp_path / "guided.bc"
    with InProcessSession() as session:
        session.load(resolve("mirbench/crc").bitcode(), level="O3")
        take_step(session, PROFILE, resolve("mirbench/crc"))
        target.write_bytes(session.emit("bc"))
    done = subprocess.run(
        [str(find_clang()), "-O3", "-c", "-x", "ir", str(target), "-o", str(tmp_path / "o")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
