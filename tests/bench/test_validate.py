"""The benchmark of validation: plants, resuming, and a report that fails when it should."""

from __future__ import annotations

from pathlib import Path

import pytest

from mirgym.bench import validate as bench
from mirgym.bench.plants import EDITS, Plant, _sites, plant
from mirgym.errors import SessionCrashedError, VerifyError
from mirgym.passes import find
from mirgym.programs import Program, Run, resolve
from mirgym.validate import load_case

HOSTILE = {"loop": {"verdict": "unknown", "as expected": True, "left behind": 0}}

LINES = {
    "operands of a sub swapped": ("%a = sub nuw i32 %b, 1", "%a = sub i32 1, %b"),
    "another predicate": ("%a = icmp slt i32 %b, %c", "%a = icmp sle i32 %b, %c"),
    "store dropped": ("store i32 %a, ptr %p, align 4", ""),
    "another constant": ("%a = add nsw i64 %b, -1, !dbg !3", "%a = add i64 %b, 0, !dbg !3"),
    "branch turned round": (
        "br i1 %a, label %x, label %y, !prof !1",
        "br i1 %a, label %y, label %x, !prof !1",
    ),
}


@pytest.mark.parametrize("kind", EDITS)
def test_only_lines_of_functions_are_edited(kind: str) -> None:
    before, after = LINES[kind]
    text = f"  {before}\ndefine void @f() {{\n  {before}\n  ret void\n}}\n  {before}"
    assert [(i, new.strip()) for i, new in _sites(text, EDITS[kind])] == [(2, after)]


def test_an_edit_is_reached_seen_and_found() -> None:
    found = plant(resolve("mirbench/primes"), "another constant", "0")
    assert found.reached
    assert found.verdict == ("different" if found.observable else "equal")


def test_a_program_without_such_a_line_is_not_planted_in(tmp_path: Path) -> None:
    path = tmp_path / "a.c"
    path.write_text("int main(void) { return 0; }\n")
    found = plant(Program(path.as_uri(), (path,), runs=(Run(),)), "store dropped", "0")
    assert (found.reached, found.verdict) == (False, "")


def test_an_edit_that_is_not_reached_is_not_planted(tmp_path: Path) -> None:
    path = tmp_path / "a.c"
    path.write_text("int kept;\nint main(int n, char **v) { if (n > 5) kept = n; return 0; }\n")
    found = plant(Program(path.as_uri(), (path,), runs=(Run(),)), "store dropped", "0")
    assert not found.reached


def test_sequences_are_the_same_for_the_same_seed() -> None:
    assert bench.random_sequence(1, 2) == bench.random_sequence(1, 2)
    assert bench.random_sequence(1, 2) != bench.random_sequence(1, 3)
    assert all(10 <= len(bench.random_sequence(0, i)) <= 45 for i in range(50))


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One program, no hostile ones; lists the sequences that are run."""
    ran: list[int] = []

    def run(program: Program, passes: object, case: Path) -> bench.Row:
        ran.append(int(case.name.partition("-")[2]))
        if len(ran) == 3:
            raise KeyboardInterrupt
        return {"outcome": "equal", "seconds": 0.1}

    monkeypatch.setattr(bench, "run_sequence", run)
    monkeypatch.setattr(bench, "run_hostile", lambda: HOSTILE)
    monkeypatch.setattr(bench, "resolve_all", lambda _: [resolve("mirbench/primes")])
    return ran


def test_an_interrupted_run_goes_on(short: list[int], tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        bench.measure(sequences=4, plants=0, folder=tmp_path)
    (journal,) = tmp_path.glob("*.jsonl")
    with journal.open("a") as file:
        file.write('{"key": "sequ')
    report = bench.measure(sequences=4, plants=0, folder=tmp_path)
    assert short == [0, 1, 2, 2, 3]
    assert report.figures["taken over from an interrupted run"] == 2
    assert report.figures["sequences"] == {"equal": 4}
    assert report.ok
    assert not journal.exists()


def test_a_miscompile_is_reduced_and_saved(tmp_path: Path) -> None:
    """Undefined IR without source: what a pass makes of it looks like a miscompile."""
    path = tmp_path / "undefined.ll"
    path.write_text(
        "define i32 @main(i32 %n, ptr %v) {\n  %p = alloca i32\n  store i32 2147483647, ptr %p\n"
        "  %x = load volatile i32, ptr %p\n  %y = add nsw i32 %x, %n\n"
        "  %c = icmp sgt i32 %y, %x\n  %r = select i1 %c, i32 1, i32 0\n  ret i32 %r\n}\n"
    )
    program = Program(path.as_uri(), (path,), runs=(Run(),))
    passes = tuple(find(name) for name in ("adce", "instcombine<no-verify-fixpoint>", "dse"))
    row = bench.run_sequence(program, passes, tmp_path / "case")
    assert (row["outcome"], row["reduced"]) == ("different", ["instcombine<no-verify-fixpoint>"])
    assert load_case(tmp_path / "case").verdict == "different"


@pytest.mark.parametrize(
    ("error", "outcome"),
    [(SessionCrashedError("crashed"), "failed"), (VerifyError("bad phi"), "invalid")],
)
def test_a_pass_that_fails_is_no_miscompile(tmp_path, monkeypatch, error, outcome) -> None:
    def fail(*_: object, **__: object) -> bytes:
        raise error

    monkeypatch.setattr(bench, "optimised_object", fail)
    row = bench.run_sequence(resolve("mirbench/primes"), (find("adce"),), tmp_path)
    assert (row["outcome"], row["detail"]) == (outcome, str(error))


def test_what_goes_wrong_fails_the_report() -> None:
    seen = Plant("p", "store dropped", "store", observable=True, verdict="equal")
    silent = Plant("p", "store dropped", "store", observable=False, verdict="different")
    unreached = Plant("p", "store dropped", "")
    rows = [{"outcome": name} for name in ("equal", "different", "invalid", "failed", "unknown")]
    hostile = {"loop": {"verdict": "equal", "as expected": False, "left behind": 1}}
    report = bench._report(rows, [seen, silent, unreached], hostile)
    assert not any(check.ok for check in report.checks)
    expected = {"tried": 3, "planted": 2, "observable": 1, "found": 0}
    assert report.figures["planted edits"]["all"] == expected
    assert bench._report([{"outcome": "equal"}], [], HOSTILE).ok
