"""Objects and sources to executables."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from ..errors import CompileError, ToolMissingError
from .compile import cpp_flags, find_clang, is_cpp
from .program import Program

LINK_LIMIT_SECONDS = 120
LINKERS = ("cc", "gcc", "clang", "c++", "g++")


def find_linker() -> str:
    """The compiler that links.

    Raises:
        ToolMissingError: There is none.
    """
    linker = next((path for name in LINKERS if (path := shutil.which(name))), None)
    if linker is None:
        raise ToolMissingError("no linker was found; install a C compiler (cc, gcc or clang)")
    return linker


def link_executable(object_code: bytes, program: Program, out: Path) -> None:
    """Link the object of a program into an executable.

    Raises:
        ToolMissingError: No C compiler to link with.
        CompileError: The linker refused; its message is in the text.
    """
    linker = find_linker()
    source = out.with_suffix(".o")
    source.write_bytes(object_code)
    libs = _link_flags(runtime_libraries(program))
    _build([linker, str(source), "-o", str(out), *libs], "linking")


def runtime_libraries(program: Program) -> tuple[str, ...]:
    """What a program needs besides the C library, by the names that ``-l`` takes."""
    if flags := _cpp_flags(program):
        return (*program.libs, "stdc++" if "-stdlib=libstdc++" in flags else "c++")
    return program.libs


def build_from_source(program: Program, flags: Sequence[str], out: Path) -> None:
    """Build an executable from the sources with clang and these flags.

    Raises:
        ToolMissingError: There is no clang.
        CompileError: clang refused.
    """
    sources = [str(source.resolve()) for source in program.sources]
    command = [str(find_clang()), *_cpp_flags(program), "-w", *program.flags, *flags, *sources]
    _build([*command, "-o", str(out), *_link_flags(program.libs)], "building from source")


def _link_flags(libs: tuple[str, ...]) -> list[str]:
    return [f"-l{lib}" for lib in libs]


def _cpp_flags(program: Program) -> tuple[str, ...]:
    return cpp_flags(find_clang()) if any(map(is_cpp, program.sources)) else ()


def _build(command: list[str], what: str) -> None:
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=LINK_LIMIT_SECONDS,
            stdin=subprocess.DEVNULL,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise CompileError(f"{what} did not finish within {LINK_LIMIT_SECONDS} s") from None
    if done.returncode:
        raise CompileError(f"{what} failed:\n{done.stderr.strip()}")
