"""Each program of the bundled suite compiles, runs and survives the standard pipeline."""

from __future__ import annotations

import dataclasses

import pytest

from mirgym.programs import Program, resolve_all
from mirgym.programs.compile import find_clang

pytestmark = pytest.mark.usefixtures("needs_clang")


@pytest.fixture(scope="module")
def needs_clang() -> None:
    find_clang()


@pytest.mark.parametrize("program", resolve_all("mirbench"), ids=lambda p: p.name)
def test_runs_as_it_should_before_and_after_passes(program: Program, run_module):
    small = dataclasses.replace(program, runs=program.runs[:1])
    assert small.bitcode().startswith(b"BC\xc0\xde")
    assert run_module(small) == []
    assert run_module(small, level="Oz", pipeline="default<O2>") == []


@pytest.mark.parametrize("program", resolve_all("mirbench"), ids=lambda p: p.name)
def test_program_is_of_a_size_to_read(program: Program):
    lines = sum(len(source.read_text().splitlines()) for source in program.sources)
    assert lines <= 600


def test_digest_is_that_of_the_bitcode():
    first, second = resolve_all("mirbench")[:2]
    assert first.digest() == first.digest() != second.digest()
    assert len(first.digest()) == 64
