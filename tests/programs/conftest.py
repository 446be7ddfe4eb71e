"""Fixtures of the tests of programs: the test's own cache, C files, running on the spot."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mirgym.programs import compile as front_end
from mirgym.programs.execute import Limits
from mirgym.programs.program import Program
from mirgym.session import InProcessSession
from mirgym.validate import validate

MakeFile = Callable[..., Path]
RunProgram = Callable[..., list[str]]


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache for one test."""
    path = tmp_path / "own-cache"
    monkeypatch.setenv("MIRGYM_CACHE", str(path))
    return path


@pytest.fixture
def fresh_clang() -> Iterator[None]:
    """Look for clang anew, before and after the test."""

    def forget() -> None:
        front_end.find_clang.cache_clear()
        front_end.clang_version.cache_clear()

    forget()
    yield
    forget()


@pytest.fixture
def make_file(tmp_path: Path) -> MakeFile:
    """``make_file("a.c", "int a;")`` writes a file below ``tmp_path``."""

    def make(name: str, content: str | bytes = "") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return make


@pytest.fixture(scope="session")
def run_module() -> RunProgram:
    """``run_module(program, level=, pipeline=)`` gives what its runs did otherwise."""
    if not shutil.which("cc"):
        pytest.skip("no linker on this machine")

    def run(
        program: Program, *, level: str = "as-is", pipeline: str = "", limits: Limits | None = None
    ) -> list[str]:
        with InProcessSession() as session:
            session.load(program.bitcode(), level=level)
            if pipeline:
                session.step(pipeline)
            session.verify()
            found = validate(program, session.emit("obj"), limits=limits)
        return [str(run) for run in found.runs if run.verdict != "equal"]

    return run
