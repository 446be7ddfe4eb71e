"""Fixtures of the engine's tests: compiled programs and both kinds of session."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mirgym.session import InProcessSession, Session
from mirgym.worker import WorkerSession

from . import sources

Modules = dict[str, bytes]


@pytest.fixture(scope="session")
def modules(compile_c: Callable[..., bytes]) -> Modules:
    """Bitcode of the small programs, by name."""
    compiled = {name: compile_c(text) for name, text in sources.C_SOURCES.items()}
    compiled["cpp"] = compile_c(sources.CPP, cpp=True)
    return compiled


@pytest.fixture(scope="session")
def real_modules(compile_c: Callable[..., bytes], modules: Modules) -> Modules:
    """The small programs and some of the bundled suite."""
    bundled = {p.stem: compile_c(p.read_text()) for p in sources.mirbench_sources(4)}
    return modules | bundled


@pytest.fixture(scope="session")
def tiny(compile_c: Callable[..., bytes]) -> bytes:
    """Two functions in a few instructions."""
    return compile_c(sources.TINY)


@pytest.fixture(params=[InProcessSession, WorkerSession], ids=["in-process", "worker"])
def session(request: pytest.FixtureRequest) -> Iterator[Session]:
    """A session of each kind."""
    with request.param() as made:
        yield made


@pytest.fixture
def local() -> Iterator[InProcessSession]:
    """A session in this process."""
    with InProcessSession() as made:
        yield made


@pytest.fixture
def worker() -> Iterator[WorkerSession]:
    """A session in a worker process."""
    with WorkerSession() as made:
        yield made


@pytest.fixture(scope="session")
def golden() -> Path:
    """The directory of golden files."""
    return Path(__file__).parents[1] / "data" / "golden"
