from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from mirgym.agents import optimize as module_under_test
from mirgym.agents.explorer import SearchConfig
from mirgym.agents.maker import Maker
from mirgym.agents.optimize import Optimized, optimize
from mirgym.agents.search import SearchResult, random_search, search
from mirgym.agents.strategies import o_level
from mirgym.errors import InvalidModuleError, SessionError, WorkerStartError
from mirgym.passes import Pass, find, to_pipeline
from mirgym.programs import linking, resolve
from mirgym.session import InProcessSession
from mirgym.validate import RunVerdict, Validation
from mirgym.wire import State, Wanted
from mirgym.worker import WorkerSession

SMALL = "mirbench/primes"
SIZES = Wanted.of(("object_text_size_bytes",))
MEM2REG = find("mem2reg")
RIGHT = Validation(SMALL, (RunVerdict(("4000",), "equal"), RunVerdict(("60000",), "equal")))
WRONG = Validation(
    SMALL, (RunVerdict(("4000",), "different", "stdout", "line 2 is 'b' instead of 'a'"),)
)


@pytest.fixture(scope="module")
def primes() -> Optimized:
    return optimize(resolve(SMALL), SearchConfig(budget=60))


def baseline_kept(found: Optimized) -> bool:
    return (
        found.commandline == "opt -passes='default<O2>'"
        and found.ratio == 1.0
        and found.result == found.baselines["Oz"]
    )


def replay(session, runs):
    for run in runs:
        state = session.step(run.pipeline, dict(run.options), wanted=SIZES)
    return state


def with_result(monkeypatch: pytest.MonkeyPatch, **changes: object) -> None:
    """Let the search return something else than it found."""

    def changed(
        module: bytes, config: SearchConfig, on_progress: object, program: object = None
    ) -> SearchResult:
        return dataclasses.replace(search(module, config), **changes)

    monkeypatch.setitem(module_under_test.ALGORITHMS, "search", changed)
    monkeypatch.setattr(module_under_test, "default_agent", lambda _: "search")


def test_the_pipeline_in_one_go_gives_the_result(primes: Optimized) -> None:
    """The printed line is the result: no step by step, no hidden state."""
    with InProcessSession() as session:
        session.load(resolve(SMALL).bitcode(), level="Oz")
        state = replay(session, primes.runs)
        assert state.key == primes.search.key
        assert state.metrics["object_text_size_bytes"] == primes.result["text_size_bytes"]
        assert state.metrics["ir_instructions"] == primes.result["ir_instructions"]
        assert session.emit("obj") == primes.emit("obj")


def test_the_result_is_validated_and_smaller(primes: Optimized) -> None:
    assert primes.validated_runs == 2
    assert (primes.fallback, primes.note) == ("", "")
    assert primes.ratio > 1
    assert primes.ratio == primes.ratio_to("Oz")
    assert primes.ratio_to("O0") > primes.ratio


def test_it_holds_for_what_clang_gives_at_oz(primes: Optimized, tmp_path: Path, compile_c) -> None:
    """The note under the table: the line works on the bitcode of ``clang -Oz``."""
    (source,) = resolve(SMALL).sources
    at_oz = compile_c(source.read_text(), "-Oz")
    with InProcessSession() as session:
        session.load(at_oz, level="as-is")
        sizes = replay(session, primes.runs).metrics
    assert sizes["object_text_size_bytes"] == primes.result["text_size_bytes"]


@pytest.mark.parametrize("kind", ["obj", "bc", "ll"])
def test_every_output_compiles_to_the_same_size(primes: Optimized, kind: str) -> None:
    content = primes.emit(kind)
    if kind == "obj":
        assert content.startswith(b"\x7fELF")
        return
    with InProcessSession() as session:
        sizes = session.load(content, wanted=SIZES).metrics
    assert sizes["object_text_size_bytes"] == primes.result["text_size_bytes"]


def test_the_object_runs(primes: Optimized, tmp_path: Path) -> None:
    (tmp_path / "p.o").write_bytes(primes.emit("obj"))
    subprocess.run(["cc", "p.o", "-lm", "-o", "p"], cwd=tmp_path, check=True)
    run = resolve(SMALL).runs[0]
    done = subprocess.run([tmp_path / "p", *run.args], capture_output=True, check=True)
    assert done.stdout == run.stdout.read_bytes()


# -- fallbacks --------------------------------------------------------------------------


def test_a_wrong_output_falls_back(primes: Optimized) -> None:
    answers = iter([WRONG, RIGHT])
    found = optimize(resolve(SMALL), SearchConfig(budget=5), validator=lambda *_: next(answers))
    assert "misbehaves: 4000: different: line 2 is 'b' instead of 'a'" in found.fallback
    assert baseline_kept(found)
    assert found.validated_runs == 2


def test_a_reference_that_nothing_meets_is_told_apart() -> None:
    found = optimize(resolve(SMALL), SearchConfig(budget=5), validator=lambda *_: WRONG)
    assert baseline_kept(found)
    assert found.validated_runs == 0
    assert "the baseline differs from the reference too" in found.note


def test_a_program_that_is_undefined_falls_back() -> None:
    undefined = RunVerdict(("4000",), "undefined", undefined="a.c:1: overflow")
    answers = iter([Validation(SMALL, (undefined,)), RIGHT])
    found = optimize(resolve(SMALL), SearchConfig(budget=5), validator=lambda *_: next(answers))
    assert "the program itself has undefined behaviour" in found.fallback
    assert "a.c:1: overflow" in found.fallback
    assert baseline_kept(found)


def test_no_linker_means_unvalidated_and_said(monkeypatch) -> None:
    monkeypatch.setattr(linking, "LINKERS", ())
    found = optimize(resolve(SMALL), SearchConfig(budget=40))
    assert "not validated" in found.note
    assert "no linker was found" in found.note
    assert found.validated_runs == 0
    assert found.fallback == ""
    assert found.ratio > 1


def test_another_module_on_replay_falls_back(monkeypatch) -> None:
    wrong = (MEM2REG,)
    with_result(monkeypatch, pipeline=wrong, unpruned=(*wrong, MEM2REG), key=1)
    found = optimize(resolve(SMALL), SearchConfig(budget=5))
    assert "more than the baseline's" in found.fallback
    assert baseline_kept(found)


def test_the_unpruned_pipeline_is_the_second_try(monkeypatch) -> None:
    good = search(resolve(SMALL).bitcode(), SearchConfig(budget=40))
    with_result(monkeypatch, pipeline=(MEM2REG,), key=1, unpruned=good.unpruned)
    found = optimize(resolve(SMALL), SearchConfig(budget=40))
    assert found.fallback == ""
    assert found.pipeline == good.unpruned
    assert found.ratio > 1


def test_a_pipeline_that_crashes_falls_back(monkeypatch) -> None:
    crash = (Pass("unify-loop-exits", "function(unify-loop-exits)"),)
    with_result(monkeypatch, pipeline=crash, unpruned=crash)
    found = optimize(resolve("mirbench/hashtable"), SearchConfig(budget=2))
    assert "does not hold" in found.fallback
    assert baseline_kept(found)


def test_a_result_with_llvm_options_is_made_emitted_and_told(monkeypatch) -> None:
    few = Pass("O2:few", "default<O2>", options=(("inline-threshold", "-50"),))
    with_result(monkeypatch, pipeline=(few, MEM2REG), unpruned=(few, MEM2REG))
    found = optimize(resolve(SMALL), SearchConfig(budget=1), validator=None)
    assert found.fallback == ""
    assert [run.options for run in found.runs] == [few.options, ()]
    assert "opt -preserve-bc-uselistorder -inline-threshold=-50" in found.commandline
    assert found.pipeline_text is None
    assert found.emit("obj").startswith(b"\x7fELF")


def test_fresh_analyses_are_asked_for_where_they_matter(monkeypatch) -> None:
    """When one go differs from step by step, the analyses between are invalidated."""
    asked = []
    run = Maker.run

    def differs_at_first(self, runs) -> int:
        asked.append(to_pipeline(runs))
        key = run(self, runs)
        return key + 1 if len(asked) == 1 else key

    with_result(
        monkeypatch,
        pipeline=(o_level("default<O2>"), MEM2REG),
        unpruned=(o_level("default<O2>"), MEM2REG),
    )
    monkeypatch.setattr(Maker, "run", differs_at_first)
    found = optimize(resolve(SMALL), SearchConfig(budget=1))
    assert asked[0] == "default<O2>,function(mem2reg)"
    assert asked[1] == "default<O2>,invalidate<all>,function(mem2reg)"
    assert asked[1] == to_pipeline(found.runs)
    assert found.fallback == ""


# -- configurations and inputs ----------------------------------------------------------


def test_o0_as_the_baseline_has_an_empty_pipeline_at_worst() -> None:
    answers = iter([WRONG, RIGHT])
    config = SearchConfig(budget=3, baseline="O0")
    found = optimize(resolve(SMALL), config, validator=lambda *_: next(answers))
    assert found.commandline == ""
    assert found.result == found.baselines["O0"]
    assert found.emit("obj").startswith(b"\x7fELF")


def test_instructions_can_be_counted_for_a_foreign_target(tmp_path: Path) -> None:
    path = tmp_path / "foreign.ll"
    path.write_text(
        'target triple = "hexagon-unknown-elf"\n'
        "define i32 @f(i32 %x) {\n  %p = alloca i32\n  store i32 %x, ptr %p\n"
        "  %y = load i32, ptr %p\n  ret i32 %y\n}\n"
    )
    found = optimize(resolve(path), SearchConfig(budget=5, objective="ir_instructions"))
    assert found.result == {"ir_instructions": 1}
    assert "text_size_bytes" not in found.baselines["Oz"]


def test_what_is_no_module_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "bad.ll"
    path.write_text("define i32 @f( {")
    with pytest.raises(InvalidModuleError):
        optimize(resolve(path), SearchConfig(budget=5))


def test_one_compile_is_the_policys_choice_and_never_worse_than_the_baseline():
    found = optimize(resolve("mirbench/primes"), SearchConfig(budget=1), agent="policy")
    assert found.search.compiles == 1
    (step,) = found.search.pipeline
    assert (step.pipeline, step.options) != ("default<O2>", ())
    assert found.ratio >= 1


def test_a_pass_that_needs_a_code_generator_costs_one_candidate(tmp_path):
    source = tmp_path / "a.ll"
    source.write_text('target triple = "sparc"\ndefine i32 @f(i32 %x) {\n  ret i32 %x\n}\n')
    needs = find("typepromotion")
    config = SearchConfig(objective="ir_instructions", candidates=(needs,), budget=5)
    found = random_search(resolve(str(source)).bitcode(), config)
    assert any(
        "CodegenError" in failure.error and needs in failure.passes for failure in found.failures
    )


def test_size_and_time_with_weights() -> None:
    objective = "text_size_bytes*0.5+dynamic_cost*0.5"
    found = optimize(resolve(SMALL), SearchConfig(objective, "O3", budget=12))
    assert found.baselines["O3"][objective] == 1_000_000 >= found.result[objective]
    assert found.validated_runs == 2
    assert found.search.compiles == 12


def test_another_module_than_was_validated_is_not_written(primes: Optimized) -> None:
    with pytest.raises(SessionError, match="another module now"):
        dataclasses.replace(primes, key=primes.key ^ 1).emit("obj")


def test_levels_still_measured_are_ended_with_the_block() -> None:
    """A search that fails does not wait for a level that hangs."""
    maker = Maker(resolve(SMALL), SearchConfig())
    stepped = threading.Event()
    step = WorkerSession.step

    def slow(self: WorkerSession, *arguments: Any, **options: Any) -> State:
        stepped.set()
        os.kill(self.pid or 0, signal.SIGSTOP)
        return step(self, *arguments, **options)

    started = time.monotonic()
    with (
        pytest.MonkeyPatch.context() as patch,
        pytest.raises(RuntimeError, match="the search failed"),
        maker.measured_levels(),
    ):
        patch.setattr(WorkerSession, "step", slow)
        assert stepped.wait(20)
        raise RuntimeError("the search failed")
    assert time.monotonic() - started < 8


def test_a_level_without_room_for_a_worker_is_no_level_that_fails(monkeypatch) -> None:
    def refuse(*_: object) -> None:
        raise WorkerStartError("no room")

    maker = Maker(resolve(SMALL), SearchConfig())
    monkeypatch.setattr(WorkerSession, "start", refuse)
    with maker.measured_levels() as measured, pytest.raises(WorkerStartError, match="no room"):
        measured()
