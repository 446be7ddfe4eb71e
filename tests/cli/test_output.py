from __future__ import annotations

import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from mirgym import cli
from mirgym.cli import optimize as optimize_command
from mirgym.cli.output import OutputError, write_output

PRIMES = ("optimize", "mirbench/primes", "--budget", "3", "--no-validate")


def test_a_place_that_cannot_be_written_is_told_before_the_search(
    tmp_path: Path, capsys, monkeypatch
) -> None:
    monkeypatch.setattr("mirgym.agents.optimize.ALGORITHMS", {})  # must not be reached
    assert cli.main([*PRIMES, "-o", str(tmp_path / "no" / "x.o")]) == 1
    assert f"there is no directory {tmp_path / 'no'}" in capsys.readouterr().err
    assert cli.main([*PRIMES, "-o", str(tmp_path)]) == 1
    assert "it is a directory" in capsys.readouterr().err
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert cli.main([*PRIMES, "-o", str(tmp_path / "x.o")]) == 1
    assert "no permission" in capsys.readouterr().err


def test_a_full_disk_loses_the_file_but_not_the_result(tmp_path: Path, capsys, monkeypatch) -> None:
    def full(path: Path, content: bytes) -> None:
        raise OutputError(f"cannot write {path}: No space left on device")

    monkeypatch.setattr(optimize_command, "write_output", full)
    assert cli.main([*PRIMES, "-o", str(tmp_path / "x.o")]) == 1
    captured = capsys.readouterr()
    assert "opt -passes=" in captured.out
    assert "written to" not in captured.out
    assert "No space left" in captured.err


@pytest.mark.parametrize(
    ("name", "more", "start"),
    [
        ("x.o", (), b"\x7fELF"),
        ("x", (), b"\x7fELF"),
        ("x.bc", (), b"BC\xc0\xde"),
        ("x.ll", (), b"; ModuleID"),
        ("x.txt", ("--emit", "ll"), b"; ModuleID"),
    ],
)
def test_the_name_says_what_to_write(tmp_path: Path, name: str, more, start: bytes) -> None:
    out = tmp_path / name
    assert cli.main([*PRIMES, "-o", str(out), *more]) == 0
    assert out.read_bytes().startswith(start)


def test_without_o_nothing_is_written(tmp_path: Path, capsys, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main([*PRIMES]) == 0
    assert list(tmp_path.iterdir()) == []
    assert "-o OUT writes the result" in capsys.readouterr().out


def test_a_file_is_whole_or_as_it_was(tmp_path: Path) -> None:
    out = tmp_path / "x.o"
    out.write_bytes(b"old")
    out.chmod(0o640)
    write_output(out, b"new")
    assert out.read_bytes() == b"new"
    assert out.stat().st_mode & 0o777 == 0o640
    assert list(tmp_path.iterdir()) == [out]
    with pytest.raises(OutputError, match=r"cannot write .*No such file"):
        write_output(tmp_path / "no" / "x", b"")


def test_a_new_file_follows_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_output(tmp_path / "x", b"")
    finally:
        os.umask(before)
    assert (tmp_path / "x").stat().st_mode & 0o777 == 0o640


def test_a_device_is_written_and_stays_one() -> None:
    write_output(Path("/dev/null"), b"gone")
    assert Path("/dev/null").is_char_device()


def test_a_link_is_followed(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_bytes(b"old")
    link.symlink_to(target)
    write_output(link, b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"


def test_the_ratio_to_oz_is_there_for_every_baseline(capsys) -> None:
    assert cli.main([*PRIMES, "--baseline", "O3", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    costs = found["baselines"]
    assert found["baseline"] == "O3"
    assert found["result"] <= costs["O3"]
    assert found["ratio_vs_Oz"] == pytest.approx(costs["Oz"] / found["result"])
    assert found["ratio_vs_baseline"] == pytest.approx(costs["O3"] / found["result"])
    assert (found["validated"], found["interrupted"], found["fallback"]) == (False, False, None)


def test_no_source_is_a_usage_error(capsys) -> None:
    with pytest.raises(SystemExit) as end:
        raise SystemExit(cli.main(["optimize"]))
    assert end.value.code == 2
    assert "source" in capsys.readouterr().err


def test_an_option_of_another_benchmark_is_a_usage_error(capsys) -> None:
    assert cli.main(["bench", "engine", "--steps", "5"]) == 2
    assert "bench engine has no --steps; it takes no options" in capsys.readouterr().err
    assert cli.main(["bench", "size", "--csmith", "5"]) == 2
    assert "it takes --steps, --seed" in capsys.readouterr().err


def test_options_reach_the_benchmark(monkeypatch) -> None:
    seen = {}

    def run(name: str, *, json: bool, **options: object) -> int:
        seen.update(options, name=name, json=json)
        return 1

    monkeypatch.setattr("mirgym.bench.run", run)
    arguments = ["--steps", "7", "--csmith", "0", "--excluded", "--seed", "0", "--json"]
    assert cli.main(["bench", "fuzz", *arguments]) == 1
    assert seen == {
        "name": "fuzz",
        "json": True,
        "steps": 7,
        "csmith": 0,
        "excluded": True,
        "seed": 0,
    }


def test_a_warning_is_one_line(capsys, monkeypatch) -> None:
    def warn(self: object) -> int:
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.warn("not kept: full disk", stacklevel=1)
        return 0

    monkeypatch.setattr(cli.Doctor, "run", warn)
    assert cli.main(["doctor"]) == 0
    assert capsys.readouterr().err == "mirgym: warning: not kept: full disk\n"


def test_ctrl_c_before_a_result_is_one_line(capsys, monkeypatch) -> None:
    def interrupted(self: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(optimize_command.Optimize, "run", interrupted)
    assert cli.main([*PRIMES]) == cli.INTERRUPTED
    assert capsys.readouterr().err == "mirgym: interrupted before there was a result\n"


def test_a_closed_pipe_is_no_error() -> None:
    command = f"{sys.executable} -m mirgym.cli passes list | head -n 1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert done.stderr == ""


def test_tables_in_a_pipe_are_not_folded(capsys) -> None:
    assert cli.main(["passes", "list", "--group", "core"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any("gvn<memoryssa;no-memdep>" in line and "core" in line for line in lines)


def test_a_broken_installation_is_a_finding(capsys, monkeypatch) -> None:
    def broken() -> str:
        raise RuntimeError("boom")

    monkeypatch.setattr("mirgym.doctor._engine", broken)
    assert cli.main(["doctor", "--json"]) == 1
    found = {f["name"]: f for f in json.loads(capsys.readouterr().out)}
    assert found["engine"] == {
        "name": "engine",
        "ok": False,
        "detail": "RuntimeError: boom",
        "needed": True,
    }
