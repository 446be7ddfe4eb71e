"""Programs that would harm the machine end in one clear error, and leave nothing behind."""

from __future__ import annotations

import dataclasses

import pytest

from mirgym.bench.hostile import HOSTILE, hostile_program
from mirgym.programs import execute
from mirgym.programs.execute import Limits
from mirgym.validate import validate

LIMITS = Limits(seconds=1.5, folder_bytes=64 << 20)


@pytest.mark.parametrize("name", HOSTILE)
def test_the_program_itself(tmp_path, nothing_left, name):
    program = hostile_program(name, tmp_path)
    found = validate(program, program.bitcode(), limits=LIMITS, sanitize=False)
    assert found.verdict == "unknown"
    assert HOSTILE[name][1] in str(found)
    assert "\n" not in str(found)


@pytest.mark.parametrize("name", HOSTILE)
def test_only_after_the_passes(tmp_path, make_program, nothing_left, name):
    program = make_program("")
    hostile = hostile_program(name, tmp_path).bitcode()
    found = validate(program, hostile, limits=LIMITS, sanitize=False)
    assert (found.verdict, found.runs[0].what) == ("different", "end")
    assert HOSTILE[name][1] in str(found)


@pytest.mark.parametrize("name", [name for name in HOSTILE if "bomb" in name])
def test_without_namespaces(tmp_path, nothing_left, monkeypatch, name):
    monkeypatch.setattr(execute, "ISOLATE", False)
    program = hostile_program(name, tmp_path)
    found = validate(program, program.bitcode(), limits=LIMITS, sanitize=False)
    assert HOSTILE[name][1] in str(found)
    assert not found.runs[0].isolated


def test_the_kernel_bounds_a_bomb_too(tmp_path, nothing_left, monkeypatch):
    """The watch looks now and then; between two looks there may be no more than this."""
    monkeypatch.setattr(execute, "WATCH_SECONDS", 2.0)
    program = hostile_program("fork bomb", tmp_path)
    source = program.sources[0]
    body = """#include <stdio.h>
    #include <unistd.h>
    int main(void) { int n = 0; for (int i = 0; i < 300; ++i) { int pid = fork();
    if (!pid) { sleep(60); _exit(0); } n += pid > 0; } printf("%d", n); return 7; }"""
    source.write_text(body)
    program = dataclasses.replace(program, uri="file:///bounded.c")
    found = validate(program, program.bitcode(), limits=LIMITS, sanitize=False)
    assert "exit code 7" in str(found) or "started more than" in str(found)
