"""Runs, resumption, errors and the command; the numbers are in ``test_leaderboard_table``."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from mirgym import cli
from mirgym.agents import search as algorithms
from mirgym.agents.explorer import SearchConfig
from mirgym.agents.leaderboard import LeaderboardConfig, jobs, run_leaderboard, runs
from mirgym.agents.leaderboard.anchors import measure_anchors
from mirgym.agents.leaderboard.records import Records
from mirgym.agents.leaderboard.report import write_report
from mirgym.agents.search import ALGORITHMS
from mirgym.agents.traits import TRAITS, Traits, data_version
from mirgym.errors import DatasetError, ToolMissingError, UnknownProgramError, WorkerStartError
from mirgym.programs import resolve
from mirgym.validate import RunVerdict, Validation

PLAIN = """define i32 @f(i32 %x) {
  %p = alloca i32
  store i32 %x, ptr %p
  %y = load i32, ptr %p
  %z = mul i32 %y, 8
  ret i32 %z
}
define i32 @g(i32 %x) {
  %z = call i32 @f(i32 %x)
  ret i32 %z
}
"""
HELLO = '#include <stdio.h>\nint main(void) { puts("hello"); return 0; }\n'
MANIFEST = """[dataset]
name = "two"
[[program]]
name = "hello"
sources = ["hello.c"]
[[program.run]]
[[program]]
name = "plain"
sources = ["plain.ll"]
"""


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    folder = tmp_path / "two"
    folder.mkdir()
    (folder / "plain.ll").write_text(PLAIN)
    (folder / "hello.c").write_text(HELLO)
    (folder / "manifest.toml").write_text(MANIFEST)
    return folder


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    folder = tmp_path / "plain"
    folder.mkdir()
    (folder / "plain.ll").write_text(PLAIN)
    return folder


def config_of(suite: Path | str, **options: object) -> LeaderboardConfig:
    options = {"agents": ("search", "fixed"), "budgets": (1, 3), "seeds": 2, **options}
    return LeaderboardConfig(str(suite), **options)


def test_the_cells_are_all_there_and_outputs_are_checked(suite: Path, tmp_path: Path) -> None:
    seen = []
    found = run_leaderboard(config_of(suite), tmp_path / "out", on_progress=seen.append)
    # Two programs, two budgets; search has two seeds and fixed needs one.
    assert len(found.rows) == 2 * 2 * 3
    assert (found.missing, seen[0].total, seen[-1].done) == (0, 12, 12)
    assert not [row.error for row in found.rows if row.error]
    assert {row.output for row in found.rows if row.program == "hello"} == {"equal"}
    assert all(
        row.output.startswith("cannot run: nothing says")
        for row in found.rows
        if row.program == "plain"
    )
    assert all(row.compiles <= row.budget for row in found.rows)
    assert {row.seed for row in found.rows if row.agent == "fixed"} == {0}
    assert {row.agent_data for row in found.rows if row.agent == "fixed"} == {
        data_version("fixed", "text_size_bytes")
    }
    one = next(row for row in found.rows if row.budget == 1)
    assert one.ratio("text_size_bytes") == 1.0  # the one compile is Oz itself


def test_a_second_call_runs_only_the_rest(suite: Path, tmp_path: Path, monkeypatch) -> None:
    whole = run_leaderboard(config_of(suite), tmp_path / "whole")

    def interrupt(progress: runs.Progress) -> None:
        if progress.done >= 5:
            os.kill(os.getpid(), signal.SIGINT)

    out = tmp_path / "out"
    half = run_leaderboard(config_of(suite), out, on_progress=interrupt)
    assert half.missing > 0
    kept = len((out / "runs.jsonl").read_text().splitlines())
    assert kept == len(half.rows) >= 5
    with (out / "runs.jsonl").open("a") as file:
        file.write('{"program": "torn')  # killed while it wrote
    ran = []
    original = runs.run_job

    def counted(job: jobs.Job) -> list:
        rows = original(job)
        ran.extend(rows)
        return rows

    monkeypatch.setattr(runs, "run_job", counted)
    again = run_leaderboard(config_of(suite), out)
    assert len(ran) == half.missing
    assert again.missing == 0

    def timeless(rows: tuple) -> list:
        return [dataclasses.replace(row, seconds=0.0) for row in rows]

    assert timeless(again.rows) == timeless(whole.rows)
    ran.clear()
    run_leaderboard(config_of(suite, budgets=(1, 2, 3), agents=("fixed",)), out)
    assert {row.budget for row in ran} == {2}


def test_processes_and_the_cache_change_nothing(suite: Path, tmp_path: Path) -> None:
    config = config_of(suite, agents=("fixed", "oz_twice"))
    alone = run_leaderboard(config, tmp_path / "alone")
    cached = dataclasses.replace(config, transitions=tmp_path / "transitions")
    both = run_leaderboard(cached, tmp_path / "both", jobs=2)
    for one, other in zip(alone.rows, both.rows, strict=True):
        assert (one.run_key, one.key, one.pipeline) == (other.run_key, other.key, other.pipeline)


def test_what_cannot_load_is_a_row_with_the_reason(plain: Path, tmp_path: Path) -> None:
    (plain / "bad.ll").write_text("define i32 @f( {")
    config = config_of(plain, agents=("oz_twice",), budgets=(2,))
    found = run_leaderboard(config, tmp_path / "out")
    bad, good = sorted(found.rows, key=lambda row: row.program)
    assert "bad.ll: line 1" in bad.error
    assert str(tmp_path) not in bad.error
    assert good.error == ""
    table = write_report(tmp_path / "out", config, found)
    assert [one.programs for one in table] == [1]
    assert "Left out: bad, 1 run: " in (tmp_path / "out" / "table.md").read_text()


def test_an_agent_that_raises_counts_as_oz_and_is_tried_again(
    plain: Path, tmp_path: Path, monkeypatch
) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError("out of\nluck")

    monkeypatch.setitem(ALGORITHMS, "broken", fails)
    config = config_of(plain, agents=("broken",), budgets=(2,), seeds=1)
    (row,) = run_leaderboard(config, tmp_path / "out").rows
    assert row.error == "RuntimeError: out of luck"
    assert (row.ratio("text_size_bytes"), row.falls_back) == (1.0, row.error)
    monkeypatch.setitem(ALGORITHMS, "broken", algorithms.search)
    (row,) = run_leaderboard(config, tmp_path / "out").rows
    assert row.error == ""
    assert len((tmp_path / "out" / "runs.jsonl").read_text().splitlines()) == 2


@pytest.mark.parametrize("kind", [ToolMissingError, WorkerStartError])
def test_an_agent_that_cannot_run_here_has_no_score(
    plain: Path, tmp_path: Path, monkeypatch, kind: type[Exception]
) -> None:
    def cannot(*_: object) -> None:
        raise kind("it is not there")

    monkeypatch.setitem(ALGORITHMS, "broken", cannot)
    config = config_of(plain, agents=("oz_twice", "broken"), budgets=(2,), seeds=1)
    with pytest.raises(kind, match="it is not there"):
        run_leaderboard(config, tmp_path / "out")
    assert [row.agent for row in Records(tmp_path / "out")._rows.values()] == ["oz_twice"]


def test_an_agent_that_overspends_is_an_error(plain: Path, tmp_path: Path, monkeypatch) -> None:
    def greedy(module: bytes, config: SearchConfig, tick: object, program: object) -> object:
        return algorithms.search(module, dataclasses.replace(config, budget=9), tick)

    monkeypatch.setitem(ALGORITHMS, "glutton", greedy)
    config = config_of(plain, agents=("glutton",), budgets=(2,), seeds=1)
    (row,) = run_leaderboard(config, tmp_path / "out").rows
    assert "9 compiles were spent of 2" in row.error


def test_a_result_that_differs_counts_as_oz(suite: Path, tmp_path: Path, monkeypatch) -> None:
    wrong = Validation("x", (RunVerdict((), "different", "stdout", "line 1 is 'b'"),))
    monkeypatch.setattr(jobs, "validate", lambda *_: wrong)
    config = config_of(suite, agents=("oz_twice",), budgets=(2,))
    found = run_leaderboard(config, tmp_path / "out")
    row = next(row for row in found.rows if row.program == "hello")
    assert row.output == "differs: no arguments: different: line 1 is 'b'"
    assert dataclasses.replace(row, text_size_bytes=1).ratio("text_size_bytes") == 1.0
    write_report(tmp_path / "out", config, found)
    assert "Count as Oz: hello, oz_twice" in (tmp_path / "out" / "table.md").read_text()


@pytest.mark.parametrize("agent", [name for name, one in TRAITS.items() if one.anytime])
def test_an_anytime_agent_does_at_first_what_it_does_with_less(agent: str, tmp_path: Path) -> None:
    if agent == "optuna":
        pytest.importorskip("optuna")
    module = tmp_path / "plain.ll"
    module.write_text(PLAIN)
    config = config_of(module, agents=(agent,), budgets=(5, 12), seeds=1)
    together = run_leaderboard(config, tmp_path / "together").rows
    apart = run_leaderboard(dataclasses.replace(config, budgets=(5,)), tmp_path / "apart").rows
    assert (together[0].key, together[0].compiles) == (apart[0].key, apart[0].compiles)
    assert together[0].pipeline == apart[0].pipeline


def test_other_data_is_another_run(plain: Path, tmp_path: Path, monkeypatch) -> None:
    config = config_of(plain, agents=("search",), budgets=(1,), seeds=1)
    for version in ("1", "2", "2"):
        monkeypatch.setitem(TRAITS, "search", Traits(data_version=lambda _, v=version: v))
        (row,) = run_leaderboard(config, tmp_path / "out").rows
        assert row.agent_data == version
    assert len((tmp_path / "out" / "runs.jsonl").read_text().splitlines()) == 2


def test_training_programs_are_never_scored() -> None:
    programs = config_of("mirbench").programs()
    assert len(programs) > 1
    assert {program.split for program in programs} == {"test"}
    assert config_of("mirbench").suite_name == "mirbench:test"
    with pytest.raises(UnknownProgramError, match="training programs only"):
        config_of("mirbench:train").programs()


def test_wrong_options_say_what_is_right(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Did you mean 'search'"):
        config_of("mirbench", agents=("serch",))
    with pytest.raises(ValueError, match="expected 1 compile or more"):
        config_of("mirbench", budgets=(0, 1))
    (tmp_path / "runs.jsonl").write_text('{"some": "thing"}\n')
    with pytest.raises(DatasetError, match="line 1: not a row of this leaderboard"):
        Records(tmp_path)


def test_the_old_oz_is_larger_than_the_new() -> None:
    anchors = measure_anchors(resolve("mirbench/radixtrie"))
    assert anchors.a is not None
    assert anchors.a.ir_instructions > anchors.b.ir_instructions
    assert anchors.a.text_size_bytes > anchors.b.text_size_bytes


def _dies(job: jobs.Job) -> list:
    if job.agent == "search":
        os._exit(9)
    time.sleep(0.05)
    return job.rows("0")


def test_a_process_that_dies_is_a_row_with_an_error(plain, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(runs, "run_job", _dies)
    config = config_of(plain, agents=("search", "oz_twice"), budgets=(1,), seeds=1)
    found = run_leaderboard(config, tmp_path / "out", jobs=2)
    assert [row.error for row in found.rows if row.agent == "search"] == [runs._DIED]


def test_the_command_writes_everything(suite: Path, tmp_path: Path, capsys) -> None:
    out = tmp_path / "out"
    arguments = ["leaderboard", "--suite", str(suite), "--agents", "fixed,oz_twice"]
    arguments += ["--budget", "1,2", "--seeds", "1", "--output", str(out)]
    assert cli.main([*arguments, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["missing"] == 0
    assert [(one["agent"], one["budget"]) for one in report["table"]] == [
        ("fixed", 1), ("fixed", 2), ("oz_twice", 1), ("oz_twice", 2),
    ]  # fmt: skip
    assert {"config", "git", "machine", "packages", "overlap", "notes"} <= set(report)
    assert str(tmp_path) not in (out / "run.json").read_text()
    assert pq.read_table(out / "results.parquet").num_rows == 8
    for name in ("table.csv", "per_program.csv", "versus.csv"):
        assert len((out / name).read_text().splitlines()) > 1
    for name in ("curves.png", "bars.png"):
        assert (out / name).stat().st_size > 5000
    assert cli.main(arguments) == 0
    assert "| oz_twice | 2 | " in capsys.readouterr().out


def test_the_command_refuses_what_is_no_budget(capsys) -> None:
    arguments = ["leaderboard", "--suite", "mirbench", "--output", "x", "--budget", "1,ten"]
    assert cli.main(arguments) == 2
    assert "expected numbers with commas" in capsys.readouterr().err
