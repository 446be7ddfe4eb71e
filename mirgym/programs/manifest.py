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
from urllib.parse import quote

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
    stems = [p.stem for p in sources]
    programs = tuple(
        Program(uri_prefix + quote(p.stem if stems.count(p.stem) == 1 else p.name), (p,))
        for p in sources
    )
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
        test = set(self._texts(dataset, "split_test"))
        programs = tuple(self._program(entry, test) for entry in self._tables(content, "program"))
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
        if "/" in name:
            raise DatasetError(f"{self.directory / FILE_NAME}: the name {name!r} holds a '/'")
        return Program(
            uri=self.prefix + quote(name),
            sources=tuple(map(self._inside, self._texts(entry, "sources"))),
            flags=tuple(map(self._flag, self._texts(entry, "flags"))),
            libs=self._texts(entry, "libs"),
            runs=tuple(self._run(run) for run in self._tables(entry, "run")),
            split=("test" if name in test else "train") if test else None,
            domain=str(entry.get("domain", "")),
            description=str(entry.get("description", "")),
        )

    def _texts(self, entry: Mapping[str, Any], key: str) -> tuple[str, ...]:
        """A list of strings or numbers; a bare string would be taken apart."""
        value = entry.get(key, [])
        if not isinstance(value, list):
            raise self._wrong(key, "a list")
        return tuple(map(str, value))

    def _flag(self, flag: str) -> str:
        """The flag, with a directory of headers made absolute."""
        if not flag.startswith("-I") or Path(flag[2:]).is_absolute():
            return flag
        path = (self.directory / flag[2:]).resolve()
        if not path.is_relative_to(self.directory):
            raise DatasetError(f"{self.directory / FILE_NAME}: {flag!r} leaves the directory")
        return f"-I{path}"

    def _tables(self, entry: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
        value = entry.get(key, [])
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            raise self._wrong(key, "tables in [[double brackets]]")
        return value

    def _wrong(self, key: str, expected: str) -> DatasetError:
        return DatasetError(f"{self.directory / FILE_NAME}: {key} is not {expected}")

    def _run(self, entry: Mapping[str, Any]) -> Run:
        self._check_keys(entry, _RUN, "[[program.run]]")
        if not isinstance(entry.get("outputs", {}), dict):
            raise self._wrong("outputs", "a table of names and files")
        if not isinstance(entry.get("exit_code", 0), int):
            raise self._wrong("exit_code", "a whole number")
        return Run(
            args=self._texts(entry, "args"),
            stdin=self._inside(entry["stdin"]) if "stdin" in entry else None,
            files=tuple(map(self._inside, self._texts(entry, "files"))),
            stdout=self._inside(entry["stdout"]) if "stdout" in entry else None,
            outputs=tuple(
                (self._output_name(name), self._inside(file))
                for name, file in entry.get("outputs", {}).items()
            ),
            exit_code=entry.get("exit_code", 0),
        )

    def _output_name(self, name: str) -> str:
        """The name of a file that a run writes, in its own directory."""
        if Path(name).is_absolute() or ".." in Path(name).parts:
            raise DatasetError(f"{self.directory / FILE_NAME}: {name!r} leaves the directory")
        return name

    def _inside(self, relative: str) -> Path:
        path = (self.directory / str(relative)).resolve()
        if not path.is_relative_to(self.directory):
            raise DatasetError(f"{self.directory / FILE_NAME}: {relative!r} leaves the directory")
        if not path.is_file():
            raise DatasetError(f"{self.directory / FILE_NAME}: there is no file {relative!r}")
        return path

    def _check_keys(self, entry: Mapping[str, Any], known: set[str], where: str) -> None:
        if not isinstance(entry, dict):
            raise self._wrong(where, "a table")
        for key in entry:
            if key not in known:
                raise DatasetError(
                    f"{self.directory / FILE_NAME}: unknown key {key!r} in {where}; expected "
                    f"some of {sorted(known)}." + did_you_mean(key, known)
                )
