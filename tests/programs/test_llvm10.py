"""Bitcode of LLVM 10, with its typed pointers: as cBench is published."""

from __future__ import annotations

from pathlib import Path

import pytest

from mirgym.programs import Program, resolve
from mirgym.session import InProcessSession

HERE = Path(__file__).parents[1] / "data" / "llvm10"
FILES = sorted(HERE.glob("*.bc"))


@pytest.fixture(params=FILES, ids=lambda path: path.stem)
def program(request) -> Program:
    """A program of LLVM 10 with the small run of its twin in mirbench."""
    path: Path = request.param
    twin = resolve(f"mirbench/{path.stem}")
    return Program(f"file://{path}", (path,), libs=twin.libs, runs=twin.runs[:1])


def test_there_are_three():
    assert [path.stem for path in FILES] == ["adpcm", "crc", "primes"]


def test_files_are_of_llvm_10(program: Program):
    raw = program.sources[0].read_bytes()
    assert raw.startswith(b"BC\xc0\xde")
    assert b"10.0." in raw
    assert b"p0i8" in raw  # a typed pointer in an intrinsic's name


def test_loads_and_keeps_triple_and_layout(program: Program):
    with InProcessSession() as session:
        state = session.load(program.sources[0].read_bytes())
        assert state.metrics["ir_instructions"] > 200
        session.verify()
        text = session.emit("ll").decode()
    assert 'target triple = "x86_64-pc-linux-gnu"' in text
    layout = "e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-"
    assert f'target datalayout = "{layout}' in text
    assert " ptr " in text
    assert "i8*" not in text


def test_runs_as_it_should(program: Program, run_module):
    assert run_module(program) == []
    assert run_module(program, level="Oz", pipeline="default<O2>") == []


def test_links_with_new_code(make_file, run_module):
    old = HERE / "primes.bc"
    new = make_file("extra.c", "int extra(int x) { return x + 1; }\n")
    linked = resolve([old, new])
    twin = resolve("mirbench/primes")
    assert run_module(Program(linked.uri, linked.sources, runs=twin.runs[:1])) == []
