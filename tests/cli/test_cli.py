from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mirgym import cli
from mirgym.agents import optimize as optimize_module
from mirgym.agents import search as search_module
from mirgym.validate import RunVerdict, Validation, validate

HELLO = '#include <stdio.h>\nint main(void) { printf("hello %d\\n", 6 * 7); return 0; }\n'
BUDGET = "25"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "hello.c"
    path.write_text(HELLO)
    return path


def _json(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict:
    assert cli.main([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_optimize_prints_one_json_object_with_the_promised_keys(capsys) -> None:
    found = _json(capsys, "optimize", "mirbench/primes", "--budget", BUDGET)
    promised = {
        "objective",
        "baselines",
        "result",
        "ratio_vs_Oz",
        "pipeline",
        "commandline",
        "compiles",
        "seconds",
    }
    assert promised <= set(found)
    assert set(found["baselines"]) == {"O0", "O1", "O2", "O3", "Os", "Oz"}
    assert found["result"] <= found["baselines"]["Oz"]
    assert found["ratio_vs_Oz"] == pytest.approx(found["baselines"]["Oz"] / found["result"])
    assert 0 < found["compiles"] <= int(BUDGET)
    assert found["validated_runs"] == 2
    assert found["fallback"] is None


def test_optimize_counts_instructions_too(capsys) -> None:
    found = _json(
        capsys, "optimize", "mirbench/primes", "--budget", "10", "--objective", "ir_instructions"
    )
    assert found["objective"] == "ir_instructions"
    assert found["result"] <= found["baselines"]["Oz"]


@pytest.mark.parametrize(
    ("name", "objective"), [("size", "text_size_bytes"), ("instructions", "ir_instructions")]
)
def test_short_names_of_objectives(name: str, objective: str, capsys) -> None:
    found = _json(
        capsys, "optimize", "mirbench/primes", "--budget", "2", "--objective", name,
        "--agent", "search",
    )  # fmt: skip
    assert (found["objective"], found["baseline"]) == (objective, "Oz")


def test_what_is_run_is_held_against_o3(capsys) -> None:
    arguments = ["optimize", "mirbench/primes", "--budget", "3", "--objective", "dynamic_cost"]
    found = _json(capsys, *arguments)
    assert found["baseline"] == "O3"
    assert found["result"] <= found["baselines"]["O3"]
    assert found["validated_runs"] == 2
    assert _json(capsys, *arguments, "--baseline", "O1")["baseline"] == "O1"


@pytest.mark.parametrize("objective", ["runtime", "runtime_ns", "dynamic_cost"])
def test_a_file_says_not_how_to_run_it(source: Path, objective: str, capsys) -> None:
    assert cli.main(["optimize", str(source), "--objective", objective]) == 1
    said = capsys.readouterr().err
    assert "nothing says how to run this program. Give it runs in a manifest.toml" in said
    assert said.count("\n") == 1


def test_runtime_is_searched_by_the_agent_for_speed(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = {}

    def optimize(program: object, config: object, **options: object) -> object:
        asked.update(config=config, **options)
        raise KeyboardInterrupt

    monkeypatch.setattr(optimize_module, "optimize", optimize)
    assert cli.main(["optimize", "mirbench/primes", "--objective", "runtime"]) == 130
    config = asked["config"]
    assert (config.objective, config.baseline) == ("runtime_ns", "O3")
    assert asked["agent"] is None
    assert search_module.default_agent(config) == "speed"


def test_optimize_is_deterministic_by_seed(capsys) -> None:
    arguments = ("optimize", "mirbench/primes", "--budget", BUDGET, "--seed", "3")
    first, second = (_json(capsys, *arguments) for _ in range(2))
    assert first["pipeline"] == second["pipeline"]
    assert first["result"] == second["result"]


def test_the_object_links_and_runs(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "hello.o"
    assert cli.main(["optimize", str(source), "-o", str(out), "--budget", BUDGET]) == 0
    subprocess.run(["cc", str(out), "-o", str(tmp_path / "hello")], check=True)
    done = subprocess.run([str(tmp_path / "hello")], capture_output=True, text=True, check=True)
    assert done.stdout == "hello 42\n"


def test_several_files_are_linked(tmp_path: Path, capsys) -> None:
    (tmp_path / "a.c").write_text("int twice(int);\nint main(void) { return twice(0); }\n")
    (tmp_path / "b.c").write_text("int twice(int x) { return 2 * x; }\n")
    out = tmp_path / "ab.ll"
    sources = [str(tmp_path / "a.c"), str(tmp_path / "b.c")]
    assert cli.main(["optimize", *sources, "-o", str(out), "--emit", "ll", "--budget", "5"]) == 0
    text = out.read_text()
    assert "define" in text
    assert "@main" in text
    assert "opt -passes=" in capsys.readouterr().out


def test_the_table_shows_every_level_and_the_pipeline(capsys) -> None:
    assert cli.main(["optimize", "mirbench/primes", "--budget", "5"]) == 0
    out = capsys.readouterr().out
    for text in ("O0", "O1", "O2", "O3", "Os", "Oz", "mirgym", "opt -passes=", "outputs equal"):
        assert text in out


def test_without_validation_the_table_says_so(capsys) -> None:
    assert cli.main(["optimize", "mirbench/primes", "--budget", "5", "--no-validate"]) == 0
    assert "validated: it was switched off" in capsys.readouterr().out


def test_a_program_without_runs_is_not_called_validated(source: Path, capsys) -> None:
    found = _json(capsys, "optimize", str(source), "--budget", "5")
    assert found["validated_runs"] == 0
    assert "nothing says how to run" in found["note"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("empty.c", "", "empty"),
        ("bad.c", "int main(void) { return x; }", "use of undeclared identifier 'x'"),
        ("bad.ll", "this is not IR", "expected top-level entity"),
        ("none.c", "int x;", "defines no function"),
        ("cut.bc", "BC\xc0\xdegarbage", "bitcode"),
        ("data.xyz", "?", "cannot tell what this is"),
    ],
)
def test_bad_input_gives_one_clear_error(tmp_path, capsys, name, content, message) -> None:
    path = tmp_path / name
    path.write_bytes(content.encode("latin-1"))
    assert cli.main(["optimize", str(path)]) == 1
    captured = capsys.readouterr()
    assert message in captured.err
    assert "Traceback" not in captured.err
    assert captured.out == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["optimize", "mirbench/crcc"], "Did you mean 'crc'"),
        (["optimize", "nothing.c"], "there is no file"),
        (["programs", "show", "mirbench/jsn"], "Did you mean 'json'"),
        (["programs", "list", "cbench-v1"], "mirgym programs fetch cbench-v1"),
        (["programs", "fetch", "nothing"], "no data set 'nothing'"),
        (["passes", "show", "mem2regg"], "Did you mean 'mem2reg'"),
    ],
)
def test_wrong_names_get_a_hint(arguments: list[str], message: str, capsys) -> None:
    assert cli.main(arguments) == 1
    assert message in capsys.readouterr().err


def test_a_wrong_value_is_a_usage_error(capsys) -> None:
    assert cli.main(["optimize", "mirbench/primes", "--budget", "0"]) == 2
    assert "expected 1 or more" in capsys.readouterr().err
    assert cli.main(["optimize", "mirbench/primes", "--agent", "serach"]) == 2
    assert "Did you mean 'search'" in capsys.readouterr().err
    assert cli.main(["passes", "list", "--group", "cor"]) == 2
    assert "Did you mean 'core'" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--help"], ["optimize", "--help"], ["programs", "--help"]])
def test_help_exits_well(arguments: list[str], capsys) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main(arguments)
    assert end.value.code == 0
    assert "usage: mirgym" in capsys.readouterr().out


def test_lists(capsys) -> None:
    assert cli.main(["programs", "list"]) == 0
    assert "mirbench" in capsys.readouterr().out
    assert cli.main(["programs", "list", "mirbench:test"]) == 0
    assert "mirbench/json" in capsys.readouterr().out
    assert cli.main(["passes", "list", "--group", "excluded"]) == 0
    assert "newgvn" in capsys.readouterr().out
    assert cli.main(["passes", "show", "constprop"]) == 0
    assert "function(instsimplify)" in capsys.readouterr().out
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("mirgym ")


def test_show_gives_the_sizes_of_a_program(capsys) -> None:
    assert cli.main(["programs", "show", "mirbench/primes"]) == 0
    out = capsys.readouterr().out
    assert "primes.4000.txt" in out
    assert "Oz" in out
    assert "bytes of .text" in out


def test_doctor_finds_everything_it_needs_here(capsys) -> None:
    assert cli.main(["doctor", "--json"]) == 0
    findings = {f["name"]: f for f in json.loads(capsys.readouterr().out)}
    assert findings["self-test"]["ok"]
    assert findings["engine"]["detail"].startswith("LLVM 23.1")
    assert cli.main(["doctor"]) == 0
    assert "self-test" in capsys.readouterr().out


def test_doctor_reports_what_is_missing(monkeypatch, tmp_path, capsys) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv("MIRGYM_CACHE", str(blocked))
    assert cli.main(["doctor", "--json"]) == 1
    findings = {f["name"]: f for f in json.loads(capsys.readouterr().out)}
    assert not findings["cache"]["ok"]
    assert "MIRGYM_CACHE" in findings["cache"]["detail"]


def test_help_is_light() -> None:
    code = (
        "import sys\nfrom mirgym import cli\n"
        "try: cli.main(['--help'])\nexcept SystemExit: pass\n"
        "print('LOADED', 'torch' in sys.modules, 'mirgym._native' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "LOADED False False" in done.stdout


def test_ctrl_c_keeps_the_best_so_far_and_leaves_no_child(tmp_path: Path) -> None:
    out = tmp_path / "trees.o"
    command = [sys.executable, "-m", "mirgym.cli", "optimize", "mirbench/trees"]
    process = subprocess.Popen(
        [*command, "--budget", "100000", "-o", str(out), "--no-validate"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    time.sleep(6)
    assert process.poll() is None, process.communicate()[1]
    os.killpg(process.pid, signal.SIGINT)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == cli.INTERRUPTED, stderr
    assert "interrupted: this is the best so far" in stdout
    assert out.stat().st_size > 0
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)


def test_a_misbehaving_result_falls_back_to_the_baseline() -> None:
    from mirgym.agents.explorer import SearchConfig
    from mirgym.programs import resolve

    wrong = RunVerdict(("4000",), "different", "stdout", "line 1")
    answers = (Validation("", (run,)) for run in (wrong, RunVerdict(("4000",), "equal")))
    found = optimize_module.optimize(
        resolve("mirbench/primes"),
        SearchConfig(budget=20),
        validator=lambda program, code: next(answers),
    )
    assert "misbehaves" in found.fallback
    assert found.result["text_size_bytes"] == found.baselines["Oz"]["text_size_bytes"]
    assert found.pipeline_text == "default<O2>"
    assert found.ratio == 1.0


def test_a_planted_miscompile_is_found() -> None:
    """The validation itself: an object whose code was changed must not pass."""
    from mirgym.programs import resolve
    from mirgym.session import InProcessSession

    program = resolve("mirbench/primes")
    with InProcessSession() as session:
        session.load(program.bitcode(), level="Oz")
        text = session.emit("ll").decode()
        broken = text.replace("add i32", "sub i32", 1)
        assert broken != text
        session.load(broken.encode())
        assert validate(program, session.emit("obj")).verdict == "different"
        session.load(text.encode())
        assert validate(program, session.emit("obj")).verdict == "equal"


FOREIGN = """target triple = "armv7-unknown-linux-gnueabi"
define i32 @f(i32 %x) {
  %y = add i32 %x, 0
  ret i32 %y
}
"""


def test_a_program_for_another_target(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "foreign.ll"
    path.write_text(FOREIGN)
    assert cli.main(["programs", "show", str(path)]) == 0
    shown = capsys.readouterr().out
    assert "Oz      1 IR instructions" in shown and ".text" not in shown
    command = ["optimize", str(path), "--objective", "instructions", "--budget", "3"]
    assert cli.main([*command, "-o", str(tmp_path / "out.o")]) == 1
    told = capsys.readouterr()
    assert "3 compiles" in told.out  # what was found is not lost
    assert "--emit bc writes bitcode" in told.err
    assert cli.main([*command, "-o", str(tmp_path / "out.bc")]) == 0


@pytest.mark.parametrize("content", ["{", "[]", '{"modules": 1}'])
def test_a_damaged_corpus(tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str) -> None:
    (tmp_path / "corpus.json").write_text(content)
    assert cli.main(["corpus", "show", str(tmp_path)]) == 1
    assert "corpus.json is no summary of a corpus" in capsys.readouterr().err


def test_a_folder_that_cannot_be_made(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["pretrain", "--shards", "/nowhere", "--output", "/proc/x"]) == 1
    assert capsys.readouterr().err.count("\n") == 1
