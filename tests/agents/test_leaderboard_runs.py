"""The leaderboard where programs are run: baselines, programs that cannot, the clock."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mirgym import cli
from mirgym.agents.leaderboard import LeaderboardConfig, jobs, run_leaderboard, runs
from mirgym.agents.leaderboard.report import write_report
from mirgym.agents.leaderboard.table import score_programs
from mirgym.runtime import RuntimeMeter, Timing
from mirgym.session import Session

LOOP = """#include <stdio.h>
int main(void) {
  unsigned sum = 1;
  for (unsigned i = 0; i < 2000; i++) sum = sum * 3 + (i ^ sum >> 7);
  printf("%u\\n", sum);
  return 0;
}
"""
SILENT = "int main(void) { return 0; }\n"
CRASH = "#include <stdlib.h>\nint main(void) { abort(); }\n"
MANIFEST = """[dataset]
name = "runs"
[[program]]
name = "loop"
sources = ["loop.c"]
[[program.run]]
[[program]]
name = "silent"
sources = ["silent.c"]
[[program]]
name = "crash"
sources = ["crash.c"]
[[program.run]]
"""


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    folder = tmp_path / "runs"
    folder.mkdir()
    for name, text in (("loop", LOOP), ("silent", SILENT), ("crash", CRASH)):
        (folder / f"{name}.c").write_text(text)
    (folder / "manifest.toml").write_text(MANIFEST)
    return folder


@pytest.fixture(autouse=True)
def forget_anchors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "_known_anchors", {})


def config_of(suite: Path, objective: str, *agents: str) -> LeaderboardConfig:
    return LeaderboardConfig(str(suite), agents, budgets=(1, 3), seeds=1, objective=objective)


def test_against_o3_by_dynamic_cost(suite: Path, tmp_path: Path) -> None:
    config = config_of(suite, "dynamic_cost", "speed", "random", "search")
    assert (config.baseline, config.other_metric) == ("O3", "text_size_bytes")
    found = run_leaderboard(config, tmp_path / "out")
    scored = [row for row in found.rows if row.program == "loop"]
    assert len(scored) == 2 * 3 and not [row.error for row in scored if row.error]
    assert {row.output for row in scored} == {"equal"}
    for row in scored:
        assert row.b_run_cost and row.run_cost and row.a_run_cost
        ratio = row.ratio("dynamic_cost")
        assert ratio == row.b_run_cost / row.run_cost
        assert row.budget == 1 or ratio >= 1
        assert row.floor is None
    (table,) = {one.programs for one in write_report(tmp_path / "out", config, found)}
    assert table == 1
    said = (tmp_path / "out" / "table.md").read_text()
    assert "B: O3; A: O2." in said and "dynamic cost vs B" in said
    assert "Left out: silent, 6 runs: " in said and "nothing says how to run this" in said
    assert "Left out: crash, 6 runs: " in said and "SIGABRT" in said
    assert "Noise floor" not in said


def test_a_program_that_cannot_run_is_tried_once(
    suite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []
    real = jobs.measure_anchors
    monkeypatch.setattr(
        jobs, "measure_anchors", lambda *given: calls.append(given[0].name) or real(*given)
    )
    run_leaderboard(config_of(suite, "dynamic_cost", "oz_twice", "random"), tmp_path / "out")
    assert sorted(calls) == ["crash", "loop", "silent"]


def test_the_clock_and_its_noise(
    suite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def measure(self: RuntimeMeter, session: Session, limits: object = None) -> Timing:
        if not self.program.runs:
            raise AssertionError("not to be timed")
        self._baseline_ns = 1000
        return Timing(1020, 1.02, 0.01, 5)  # whatever it is

    monkeypatch.setattr(RuntimeMeter, "measure", measure)
    monkeypatch.setattr(runs, "_side_by_side", lambda *_: pytest.fail("side by side"))
    (suite / "manifest.toml").write_text(MANIFEST.partition('[[program]]\nname = "silent"')[0])
    config = config_of(suite, "runtime_ns", "speed", "random")
    found = run_leaderboard(config, tmp_path / "out", jobs=2)
    scores = score_programs(found.rows, config.objective, config.other_metric)
    by_agent = {(one.agent, one.budget): one.ratio_to_b for one in scores}
    assert by_agent["speed", 3] == 1.0  # O3's own module has O3's time
    assert by_agent["random", 1] == pytest.approx(1 / 1.02, rel=1e-3)
    assert {row.floor for row in found.rows} == {1.02}
    write_report(tmp_path / "out", config, found)
    said = (tmp_path / "out" / "table.md").read_text()
    assert "Noise floor, the baseline against itself: 1.020 to 1.020" in said
    assert "run time vs B" in said


def test_the_command_takes_short_names(suite: Path, tmp_path: Path, capsys) -> None:
    out = tmp_path / "out"
    arguments = ["leaderboard", "--suite", str(suite), "--agents", "speed", "--budget", "1,2"]
    arguments += ["--seeds", "1", "--objective", "runtime", "--output", str(out), "--json"]
    (suite / "manifest.toml").write_text(MANIFEST.partition('[[program]]\nname = "silent"')[0])
    assert cli.main(arguments) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["config"]["objective"] == "runtime_ns"
    assert [one["agent"] for one in report["table"]] == ["speed", "speed"]
    assert any("Noise floor" in note for note in report["notes"])


def test_agents_that_learned_sizes_are_left_out() -> None:
    agents = LeaderboardConfig("mirbench", objective="runtime_ns").agents
    assert "speed" in agents and not {"policy", "fixed"} & set(agents)
    assert "speed" not in LeaderboardConfig("mirbench").agents
    with pytest.raises(ValueError, match="'policy' has learned text_size_bytes and ir_instruct"):
        LeaderboardConfig("mirbench", ("policy",), objective="dynamic_cost")
