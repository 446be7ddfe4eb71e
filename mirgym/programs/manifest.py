"""``manifest.toml``: what a directory of programs says about itself.

    [dataset]
    name = "mine"                  # required
    version = "1"
    license = "MIT"
    description = "one line"
    split_test = ["b"]             # programs never to be trained on

    [[program]]
    name = "b"                     # required
    sources = ["b.c", "lib/x.c"]   # required; linked into one module
    domain = "sorting"
    description = "one line"
    flags = ["-DN=3"]              # for clang
    libs = ["m"]                   # for the linker

    [[program.run]]
    args = ["10"]
    stdin = "in.txt"
    files = ["table.bin"]          # copied into the directory it runs in
    stdout = "expected/b.10.txt"
    outputs = { "out.bin" = "expected/out.bin" }
    exit_code = 0

All paths are relative to the directory and stay inside it. Without a manifest every
source file is a program of its own, named by its stem.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import DatasetError, did_you_mean
from .program import SOURCE_SUFFIXES, Program, Run

FILE_NAME = "manifest.toml"
_DATASET = {"name", "version", "license", "description", "split_test"}
_PROGRAM = {"name", "sources", "domain", "description", "flags", "libs", "run"}
_RUN = {"args", "stdin", "files", "stdout", "outputs", "exit_code"}


@dataclass(frozen=True)
class Manifest:
    """The contents of a ``manifest.toml``, or what stands for one."""

    name: str
    programs: tuple[Program, ...]
    version: str = ""
    license: str = ""
    description: str = ""


def read_directory(directory: Path, uri_prefix: str) -> Manifest:
    """Read a directory of programs, with or without a manifest.

    Raises:
        DatasetError: The manifest is not valid, or there are no programs.
    """
    path = directory / FILE_NAME
    if path.is_file():
        return _Reader(directory, uri_prefix).read(path)
    sources = sorted(p for p in directory.iterdir() if p.suffix in SOURCE_SUFFIXES)
    programs = tuple(Program(f"{uri_prefix}{p.stem}", (p,)) for p in sources)
    if not programs:
        raise DatasetError(
            f"{directory} holds no programs: neither a {FILE_NAME} nor a file that ends in "
            f"{', '.join(SOURCE_SUFFIXES)}"
        )
    return Manifest(directory.name, programs)


class _Reader:
    """Checks everything while it reads, so that errors name the place."""

    def __init__(self, directory: Path, uri_prefix: str) -> None:
        self.directory = directory.resolve()
        self.prefix = uri_prefix

    def read(self, path: Path) -> Manifest:
        try:
            content = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise DatasetError(f"{path}: not a valid TOML file: {error}") from error
        self._check_keys(content, {"dataset", "program"}, path.name)
        dataset = content.get("dataset", {})
        self._check_keys(dataset, _DATASET, "[dataset]")
        test = set(dataset.get("split_test", ()))
        programs = tuple(self._program(entry, test) for entry in content.get("program", ()))
        names = [program.name for program in programs]
        if not programs or len(set(names)) != len(names):
            raise DatasetError(f"{path}: expected programs with distinct names, got {names}")
        for name in test - set(names):
            raise DatasetError(f"{path}: split_test names {name!r}, which is not a program here")
        texts = {key: str(dataset.get(key, "")) for key in ("version", "license", "description")}
        return Manifest(str(dataset.get("name", self.directory.name)), programs, **texts)

    def _program(self, entry: Mapping[str, Any], test: set[str]) -> Program:
        self._check_keys(entry, _PROGRAM, "[[program]]")
        if not entry.get("name") or not entry.get("sources"):
            raise DatasetError(f"{self.directory}: a [[program]] needs a name and sources")
        name = str(entry["name"])
        return Program(
            uri=f"{self.prefix}{name}",
            sources=tuple(self._inside(source) for source in entry["sources"]),
            flags=tuple(map(str, entry.get("flags", ()))),
            libs=tuple(map(str, entry.get("libs", ()))),
            runs=tuple(self._run(run) for run in entry.get("run", ())),
            split=("test" if name in test else "train") if test else None,
            domain=str(entry.get("domain", "")),
            description=str(entry.get("description", "")),
        )

    def _run(self, entry: Mapping[str, Any]) -> Run:
        self._check_keys(entry, _RUN, "[[program.run]]")
        return Run(
            args=tuple(map(str, entry.get("args", ()))),
            stdin=self._inside(entry["stdin"]) if "stdin" in entry else None,
            files=tuple(self._inside(file) for file in entry.get("files", ())),
            stdout=self._inside(entry["stdout"]) if "stdout" in entry else None,
            outputs=tuple(
                (str(name), self._inside(file)) for name, file in entry.get("outputs", {}).items()
            ),
            exit_code=int(entry.get("exit_code", 0)),
        )

    def _inside(self, relative: str) -> Path:
        path = (self.directory / str(relative)).resolve()
        if not path.is_relative_to(self.directory):
            raise DatasetError(f"{self.directory / FILE_NAME}: {relative!r} leaves the directory")
        if not path.is_file():
            raise DatasetError(f"{self.directory / FILE_NAME}: there is no file {relative!r}")
        return path

    def _check_keys(self, entry: Mapping[str, Any], known: set[str], where: str) -> None:
        for key in entry:
            if key not in known:
                raise DatasetError(
                    f"{self.directory / FILE_NAME}: unknown key {key!r} in {where}; expected "
                    f"some of {sorted(known)}." + did_you_mean(key, known)
                )
