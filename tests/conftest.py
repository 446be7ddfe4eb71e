"""Fixtures for every test: a private cache, a C compiler, repeatable hypothesis runs."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

CompileC = Callable[..., bytes]

settings.register_profile(
    "mirgym",
    deadline=None,  # two busy cores
    database=None,  # nothing is written outside tmp_path
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("mirgym")


@pytest.fixture(scope="session", autouse=True)
def private_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Point mirgym's cache at an empty directory, so that no test sees the user's."""
    path = tmp_path_factory.mktemp("mirgym-cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MIRGYM_CACHE", str(path))
        yield path


def find_clang(name: str) -> str | None:
    """The clang beside this interpreter (a wheel), else the one on PATH."""
    beside = Path(sys.executable).parent / name
    return str(beside) if beside.exists() else shutil.which(name)


@pytest.fixture(scope="session")
def compile_c(tmp_path_factory: pytest.TempPathFactory) -> CompileC:
    """``compile_c(source, *flags, cpp=False)`` gives unoptimised bitcode, once per source."""
    directory = tmp_path_factory.mktemp("compiled")
    memo: dict[tuple[str, bool, tuple[str, ...]], bytes] = {}

    def compile_source(source: str, *flags: str, cpp: bool = False) -> bytes:
        key = (source, cpp, flags)
        if key not in memo:
            clang = find_clang("clang++" if cpp else "clang")
            if clang is None:
                pytest.skip("no clang on this machine")
            path = directory / f"{len(memo)}.{'cc' if cpp else 'c'}"
            path.write_text(source, encoding="utf-8")
            output = path.with_suffix(".bc")
            command = [clang, "-O2", "-Xclang", "-disable-llvm-passes", "-emit-llvm", "-c"]
            done = subprocess.run(
                [*command, *flags, str(path), "-o", str(output)],
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, done.stderr
            memo[key] = output.read_bytes()
        return memo[key]

    return compile_source
