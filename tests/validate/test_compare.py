"""What counts as a difference, and how it is told."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from mirgym.programs import Run
from mirgym.programs.execute import RunResult
from mirgym.validate.compare import difference, unmet

GOOD = RunResult(b"one\ntwo\n", b"", 0, {"f": b"1"}, 0.1)
RUN = Run(outputs=(("f", None),))


def test_none():
    assert difference(RUN, dataclasses.replace(GOOD, seconds=9.0, isolated=True), GOOD) is None


@pytest.mark.parametrize(
    ("change", "what", "detail"),
    [
        ({"exit_code": 3}, "exit code", "exit code 3; the reference: exit code 0"),
        ({"exit_code": -11}, "end", "was killed by SIGSEGV; the reference: exit code 0"),
        ({"exit_code": -63}, "end", "was killed by signal 63; the reference: exit code 0"),
        ({"exit_code": None, "stopped": "slow"}, "end", "slow; the reference: exit code 0"),
        ({"stdout": b"one\n2\n"}, "stdout", "stdout: line 2 is '2' instead of 'two'"),
        ({"stdout": b"one"}, "stdout", "stdout: line 2 is the end instead of 'two'"),
        ({"stdout": b"one\ntwo"}, "stdout", "stdout: line 3 is the end instead of ''"),
        ({"stdout": b"\xff\ntwo\n"}, "stdout", r"stdout: line 1 is '\\xff' instead of 'one'"),
        ({"stderr": b"x"}, "stderr", "stderr: line 1 is 'x' instead of ''"),
        ({"outputs": {"f": b"2"}}, "f", "f: line 1 is '2' instead of '1'"),
        ({"outputs": {}}, "f", "f: was not written"),
    ],
)
def test_each_kind(change, what, detail):
    found = difference(RUN, dataclasses.replace(GOOD, **change), GOOD)
    assert found is not None
    assert (found.what, found.detail) == (what, detail)


def test_a_file_that_should_not_be_there():
    found = difference(RUN, GOOD, dataclasses.replace(GOOD, outputs={}))
    assert found is not None
    assert found.detail == "f: was written, and should not be"


def test_long_lines_are_cut():
    found = difference(RUN, dataclasses.replace(GOOD, stdout=b"x" * 1000), GOOD)
    assert found is not None
    assert len(found.detail) < 150


class TestUnmet:
    """What a run says to expect, against the reference."""

    @pytest.fixture
    def run(self, tmp_path: Path) -> Run:
        for name, content in (("want.txt", "one\ntwo\n"), ("want.f", "1")):
            (tmp_path / name).write_text(content)
        return Run(stdout=tmp_path / "want.txt", outputs=(("f", tmp_path / "want.f"),))

    def test_met(self, run):
        assert unmet(run, GOOD) == ""

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"exit_code": 3}, "exit code 3, expected 0"),
            ({"exit_code": -11}, "was killed by SIGSEGV"),
            ({"exit_code": None, "stopped": "too slow"}, "too slow"),
            (
                {"stdout": b"other"},
                "another standard output than want.txt: line 1 is 'other' instead of 'one'",
            ),
            (
                {"outputs": {"f": b"2"}},
                "another content of f than want.f: line 1 is '2' instead of '1'",
            ),
            ({"outputs": {}}, "another content of f than want.f: was not written"),
        ],
    )
    def test_unmet(self, run, change, message):
        assert unmet(run, dataclasses.replace(GOOD, **change)) == message
