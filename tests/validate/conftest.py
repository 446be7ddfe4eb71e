"""Fixtures of the tests of validation: C programs with runs, and what they leave behind."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mirgym.bench.hostile import left_behind, own_temporary_folder
from mirgym.programs import Program, Run
from mirgym.session import InProcessSession

MakeProgram = Callable[..., Program]


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache for one test."""
    if not shutil.which("cc"):
        pytest.skip("needs a C compiler")
    path = tmp_path / "own-cache"
    monkeypatch.setenv("MIRGYM_CACHE", str(path))
    return path


@pytest.fixture
def make_program(tmp_path: Path) -> MakeProgram:
    """``make_program("return 3;", Run(…))`` is a program whose main has that body."""
    count = 0

    def make(body: str, *runs: Run, **fields: object) -> Program:
        nonlocal count
        count += 1
        path = tmp_path / f"p{count}.c"
        headers = ("stdio", "stdlib", "string", "unistd")
        lines = [f"#include <{name}.h>" for name in headers]
        path.write_text(
            "\n".join(lines) + f"\nint main(int argc, char **argv) {{\n{body}\nreturn 0; }}\n"
        )
        return Program(path.as_uri(), (path,), runs=runs or (Run(),), **fields)

    return make


@pytest.fixture
def object_of() -> Callable[[Program], bytes]:
    """Object code of a program as it is."""

    def emit(program: Program) -> bytes:
        with InProcessSession() as session:
            session.load(program.bitcode())
            return session.emit("obj")

    return emit


@pytest.fixture
def nothing_left() -> Iterator[None]:
    """Fails when a run leaves processes or files behind."""
    with own_temporary_folder() as folder:
        yield
        assert left_behind(folder) == []
