"""``csmith://SEED``: a random C program, the same for the same seed and csmith."""

from __future__ import annotations

import functools
import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from ..errors import CompileError, ToolMissingError, UnknownProgramError
from .cache import cache_root, write_atomically
from .program import Program

FLAGS = ("--max-funcs", "6", "--max-block-depth", "4", "--concise")
"""Keeps the programs to a few thousand instructions."""

_INCLUDES = ("/usr/include/csmith", "/usr/local/include/csmith", "/opt/homebrew/include/csmith")


def is_installed() -> bool:
    """Whether csmith can be run."""
    return shutil.which("csmith") is not None


def _include_directory() -> str:
    for path in (os.environ.get("CSMITH_INCLUDE", ""), *_INCLUDES):
        if path and (Path(path) / "csmith.h").is_file():
            return path
    raise ToolMissingError(
        "csmith.h was not found; install it (Debian: apt-get install libcsmith-dev), or set "
        "CSMITH_INCLUDE to its directory"
    )


@functools.cache
def _version(csmith: str) -> str:
    with tempfile.TemporaryDirectory() as folder:  # it writes platform.info where it runs
        done = subprocess.run(
            [csmith, "--version"],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
            cwd=folder,
        )
    return done.stdout


def _source_path(seed: int, csmith: str) -> Path:
    """Where its source is kept: another csmith or other flags make another program."""
    key = hashlib.sha256("\0".join((_version(csmith), *FLAGS)).encode()).hexdigest()
    return cache_root() / "csmith" / key[:16] / f"{seed}.c"


def csmith_program(seed_text: str) -> Program:
    """The program of a seed.

    Raises:
        UnknownProgramError: The seed is not a number from 0 to 2^32 − 1.
        ToolMissingError: csmith is not installed.
    """
    if not seed_text.isdecimal() or int(seed_text) >= 2**32:
        raise UnknownProgramError(
            f"csmith://{seed_text}: expected a seed from 0 to {2**32 - 1}, as in csmith://7"
        )
    csmith = shutil.which("csmith")
    if csmith is None:
        raise ToolMissingError(
            "csmith is not installed (Debian: apt-get install csmith libcsmith-dev)"
        )
    seed = int(seed_text)
    include = _include_directory()
    source = _source_path(seed, csmith)
    if not source.is_file():
        try:
            done = subprocess.run(
                [csmith, "--seed", str(seed), *FLAGS],
                capture_output=True,
                timeout=60,
                check=True,
                stdin=subprocess.DEVNULL,
                cwd=_writable(source.parent),
            )
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            raise CompileError(f"csmith://{seed}: csmith failed: {error}") from error
        write_atomically(source, done.stdout)
    return Program(f"csmith://{seed}", (source,), flags=(f"-I{include}",), domain="random")


def _writable(directory: Path) -> Path:
    from .cache import make_directory

    return make_directory(directory)
