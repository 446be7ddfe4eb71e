"""``mirgym profile``."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from mirgym import cli
from mirgym.session import InProcessSession


def test_it_shows_where_the_time_goes(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["profile", "mirbench/primes", "--top", "3"]) == 0
    out = capsys.readouterr().out
    assert "where one run spends its instructions" in " ".join(out.split())
    assert out.count("%") == 3


def test_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["profile", "mirbench/primes", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["main"]["calls"] == 1
    assert 0.5 < sum(row["share"] for row in found.values()) <= 1.0
    assert all(row["blocks that ran"] <= row["blocks"] for row in found.values())


def test_it_writes_what_clang_and_opt_read(tmp_path: Path) -> None:
    target = tmp_path / "guided.ll"
    assert cli.main(["profile", "mirbench/primes", "-o", str(target)]) == 0
    assert "branch_weights" in target.read_text()


def test_as_a_filter(tmp_path: Path, monkeypatch, capsysbinary) -> None:
    plain = tmp_path / "plain.bc"
    assert cli.main(["optimize", "mirbench/primes", "--budget", "2", "-o", str(plain)]) == 0
    capsysbinary.readouterr()
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(plain.read_bytes())))
    assert cli.main(["profile", "mirbench/primes", "--module", "-"]) == 0
    with InProcessSession() as session:
        session.load(capsysbinary.readouterr().out)
        assert "function_entry_count" in session.emit("ll").decode()


def test_what_is_wrong_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["profile", "mirbench/primes", "--module", str(tmp_path / "no.bc")]) == 1
    assert "cannot read" in capsys.readouterr().err
    source = tmp_path / "library.c"
    source.write_text("int twice(int x) { return 2 * x; }\n")
    assert cli.main(["profile", str(source)]) == 1
    assert "nothing says how to run this program" in capsys.readouterr().err
    source.write_text('#include <stdio.h>\nint main(void) { puts("hello"); return 0; }\n')
    assert cli.main(["profile", str(source), "--args", ""]) == 0
    target = tmp_path / "no-such-folder" / "x.bc"
    assert cli.main(["profile", str(source), "--args", "", "-o", str(target)]) == 1
    assert "no-such-folder" in capsys.readouterr().err
