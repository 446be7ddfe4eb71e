"""A program: sources, how to build it, and how to run it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

from ..errors import CompileError, InvalidModuleError, UnknownProgramError
from .compile import SUFFIXES, compile_source

IR_SUFFIXES = (".ll", ".bc")
SOURCE_SUFFIXES = (*SUFFIXES, *IR_SUFFIXES)


@dataclass(frozen=True)
class Run:
    """One way to run a program, and what it must then do."""

    args: tuple[str, ...] = ()
    stdin: Path | None = None
    """File that is given as standard input; empty when None."""
    files: tuple[Path, ...] = ()
    """Files that are copied into the directory it runs in."""
    stdout: Path | None = None
    """File with the expected standard output; None when the reference must be made."""
    outputs: tuple[tuple[str, Path | None], ...] = ()
    """Files that it must write: name in its directory, file with the expected content, or
    None when the reference must be made."""
    exit_code: int = 0


@dataclass(frozen=True)
class Program:
    """One program, linked into one module. Equal URIs mean the same program."""

    uri: str
    sources: tuple[Path, ...] = field(compare=False)
    flags: tuple[str, ...] = field(default=(), compare=False)
    libs: tuple[str, ...] = field(default=(), compare=False)
    runs: tuple[Run, ...] = field(default=(), compare=False)
    split: str | None = field(default=None, compare=False)
    """``train`` or ``test`` where the data set says so."""
    domain: str = field(default="", compare=False)
    description: str = field(default="", compare=False)

    @property
    def name(self) -> str:
        """Last part of the URI, unquoted."""
        return unquote(self.uri.rstrip("/").rsplit("/", 1)[-1])

    def bitcode(self) -> bytes:
        """LLVM 23 bitcode without any optimisation, compiled and linked once.

        A changed source is seen at the next call, a changed header in the next process.

        Raises:
            UnknownProgramError: A source does not exist.
            CompileError: clang refused a source.
            InvalidModuleError: Not a module, or one without any function body.
        """
        known = _built.get(self.uri)
        stamp = _stamp(self)
        if known is None or known[0] != stamp:
            known = _built[self.uri] = (stamp, _build(self))
        return known[1]

    def digest(self) -> str:
        """sha256 of the bitcode, in hex."""
        return hashlib.sha256(self.bitcode()).hexdigest()


_built: dict[str, tuple[object, bytes]] = {}
"""Modules of this process by URI, with the state of their files."""


def _stamp(program: Program) -> object:
    try:
        stats = [path.stat() for path in program.sources]
    except OSError as error:
        raise UnknownProgramError(
            f"{program.uri}: cannot read {error.filename}: {error.strerror}"
        ) from error
    return program.sources, program.flags, tuple((s.st_mtime_ns, s.st_size) for s in stats)


def _build(program: Program) -> bytes:
    from .. import _native

    modules = [_module(path, program.flags) for path in program.sources]
    try:
        linked = modules[0] if len(modules) == 1 else _native.link_bitcode(modules)
    except _native.EngineError as error:
        raise InvalidModuleError(f"{program.uri}: {error}") from error
    if not _native.has_function_body(linked):
        raise InvalidModuleError(
            f"{program.uri}: the module defines no function, so there is nothing to optimise"
        )
    return linked


def _module(path: Path, flags: tuple[str, ...]) -> bytes:
    from .. import _native

    if path.suffix not in SOURCE_SUFFIXES:
        raise InvalidModuleError(
            f"{path}: cannot tell what this is; expected a name that ends in one of "
            f"{', '.join(SOURCE_SUFFIXES)}"
        )
    if path.stat().st_size == 0:
        raise InvalidModuleError(f"{path}: the file is empty (0 bytes)")
    if path.suffix in SUFFIXES:
        compiled = compile_source(path, flags)
        try:
            # Another vendor's clang may write bitcode that this LLVM cannot read.
            return _native.read_module(compiled, str(path))
        except _native.EngineError as error:
            raise CompileError(f"clang's output cannot be read: {error}") from error
    try:
        return _native.read_module(path.read_bytes(), str(path))
    except _native.EngineError as error:
        raise InvalidModuleError(str(error)) from error
