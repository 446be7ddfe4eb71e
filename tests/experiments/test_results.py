"""``make results``: the README's tables are what the files say."""

from __future__ import annotations

import json
import sys

import pytest

from experiments import results
from experiments.measured import LINES
from experiments.readme_tables import MISSING, TABLES, observations, pretrain, probe
from experiments.results import ENTRIES, ResultsConfig, command_of, main, make, state_of


def test_the_readme_is_what_the_files_say():
    assert main(ResultsConfig(check=True)) == 0


def test_every_block_of_the_readme_has_a_table():
    names = [name for _, name, _ in results._BLOCK.findall(results.README.read_text())]
    assert sorted(names) == sorted(TABLES)


def test_a_changed_number_is_found_and_written_back(tmp_path, monkeypatch):
    readme = tmp_path / "README.md"
    good = results.README.read_text()
    readme.write_text(good.replace("| tiny |", "| tiny | 1.000", 1))
    monkeypatch.setattr(results, "README", readme)
    assert main(ResultsConfig(check=True)) == 1
    assert main(ResultsConfig()) == 0
    assert readme.read_text() == good


def test_commands_wait_for_what_they_need(tmp_path):
    probes = next(entry for entry in ENTRIES if entry.name == "probe")
    assert command_of(probes, ResultsConfig()) is None
    assert make(probes, ResultsConfig()) == "not run: give --shards, --work, --work, --work, --work"
    command = command_of(probes, ResultsConfig(shards=tmp_path / "s", work=tmp_path / "w"))
    assert command is not None
    assert command[:3] == [sys.executable, "-m", "experiments.probe"]
    assert str(tmp_path / "s") in command


def test_the_state_of_a_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(results, "RESULTS", tmp_path)
    assert state_of("probe") == "missing"
    (tmp_path / "probe").mkdir()
    (tmp_path / "probe" / "run.json").write_text(json.dumps({"git": "abc123"}))
    assert state_of("probe") == "cached, from abc123"


def test_fresh_runs_the_command_and_tells_failure(monkeypatch):
    entry = results.Entry("x", "-c raise(SystemExit(3))")
    assert make(entry, ResultsConfig()) == "exit 3: -c raise(SystemExit(3))"
    entry = results.Entry("x", "-c pass")
    assert make(entry, ResultsConfig()) == "made now"


@pytest.mark.parametrize(("code", "told"), [(0, "made now"), (1, "a figure is past its limit")])
def test_a_benchmark_prints_its_file(tmp_path, monkeypatch, code, told):
    monkeypatch.setattr(results, "RESULTS", tmp_path)
    script = tmp_path / "bench.py"
    script.write_text(f"print('{{}}')\nraise SystemExit({code})")
    assert told in make(results.Entry("bench/x", str(script)), ResultsConfig())
    assert (tmp_path / "bench" / "x.json").read_text() == "{}\n"
    assert state_of("bench/x").startswith("cached")


def test_a_table_without_its_file_says_so(tmp_path):
    for name, table in TABLES.items():
        if name != "measured":
            assert table(tmp_path) == MISSING
    lines = TABLES["measured"](tmp_path).splitlines()
    assert len(lines) == 2 + len(LINES)
    assert all(line.endswith("| not measured yet |") for line in lines[2:])


def test_tables_by_hand(tmp_path):
    (tmp_path / "probe").mkdir()
    (tmp_path / "probe" / "probe.csv").write_text(
        "question,probe,column,mean,deviation,seeds\n"
        + "".join(
            f"{question},{kind},{column},{value},0,5\n"
            for question in ("effects", "oz", "twin", "algorithm")
            for kind, column, value in (
                ("linear", "A", 0.1),
                ("mlp", "A", 0.3),
                ("linear", "B", 0.2),
            )
        )
    )
    assert probe(tmp_path).splitlines()[2:] == [
        "| A | **0.300** | **0.300** | **0.300** | **0.300** |",
        "| B | 0.200 | 0.200 | 0.200 | 0.200 |",
    ]
    (tmp_path / "pretrain_report").mkdir()
    (tmp_path / "pretrain_report" / "report.csv").write_text(
        "encoder,metric,test,standard_error,trivial,gain\n"
        "base,mtm,1.5,0.1,2.0,0.25\n"
        "base,graph,1.0,0.1,2.0,0.5\n"
        "base,match accuracy,0.9,0.1,0.5,0.4\n"
        "base,effects,0.3,0.1,0.7,0.5\n"
        "base,contrast,0.2,0.1,3.0,0.9\n"
        "ablation: text only,mtm,1.7,0.1,2.0,0.1\n"
    )
    lines = pretrain(tmp_path).splitlines()
    assert lines[2] == "| trivial predictor | 2.000 | 2.000 | 50 % | 0.700 | 3.000 |"
    assert lines[3] == "| base | 1.500 | 1.000 | 90.0 % | 0.300 | 0.200 |"
    assert lines[4] == "| 3 minutes, text only | 1.700 |  |  |  |  |"
    (tmp_path / "train_policy").mkdir()
    (tmp_path / "train_policy" / "observations.csv").write_text(
        "objective,observation,seed,top1,top3,top10,top30\n"
        "text_size_bytes,x,0,1.0,1.1,1.2,1.3\n"
        "text_size_bytes,x,1,1.2,1.1,1.2,1.3\n"
        "ir_instructions,x,0,1.0,1.0,1.0,1.0\n"
        "ir_instructions,x,1,1.0,1.0,1.0,1.0\n"
    )
    assert observations(tmp_path).splitlines()[2] == (
        "| x | 1.100 | 1.100 | 1.200 | 1.300 | 1.000 | 1.000 | 1.000 | 1.000 |"
    )
    assert TABLES["leaderboard-mirbench-text"](tmp_path) == MISSING
    assert TABLES["ablations"](tmp_path) == MISSING
    row = {"agent": "x", "median": 1.25, "wins": 2, "ties": 0, "losses": 1, "other_to_b": None}
    row |= {"geomean_to_a": 1.3, "seconds": 2.0}
    run = {
        "config": {"objective": "text_size_bytes", "budgets": [1, 9], "agents": ["x"]},
        "notes": ["told"],
        "table": [
            {**row, "budget": 1, "geomean_to_b": 1.1, "low": None, "high": None, "grows_text": 0},
            {**row, "budget": 9, "geomean_to_b": 1.2, "low": 1.0, "high": 1.5, "grows_text": 1},
        ],
    }
    (tmp_path / "leaderboard-mirbench-text").mkdir()
    (tmp_path / "leaderboard-mirbench-text" / "run.json").write_text(json.dumps(run))
    assert TABLES["leaderboard-mirbench-text"](tmp_path).splitlines()[2:5] == [
        "| x | 1.100 | 1.200 (1.000–1.500) | 1.300 | 1.250 | 2 / 0 / 1 |  ⚠1 | 2.0 |",
        "",
        "- told",
    ]
    (tmp_path / "ablations").mkdir()
    (tmp_path / "ablations" / "table.md").write_text("| a |\n")
    assert TABLES["ablations"](tmp_path) == "| a |"


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_every_entry_is_a_command_that_there_is(entry):
    module = entry.command.split()[1]
    assert (
        module in ("mirgym.cli",)
        or (results.RESULTS.parent / module.replace(".", "/")).with_suffix(".py").exists()
    )
