"""A miscompile as a folder that can be sent around and replayed.

::

    case.json     program, passes, level, runs, versions, verdict
    input.bc      the program before the passes
    source/       its sources, for those who read them (not for replaying)
    files/        what its runs read
    README.md     how to reproduce it
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import __version__, _native
from ..errors import UnknownProgramError
from ..passes import Pass, to_pipeline
from ..programs import Program, Run
from ..programs.cache import write_atomically
from .validation import Validation

FILE_NAME = "case.json"


@dataclass(frozen=True)
class Case:
    """What a folder holds."""

    program: Program
    """Made of the folder's own files."""
    passes: tuple[Pass, ...]
    level: str
    verdict: str
    """As it was when the case was saved."""


def save_case(
    folder: Path,
    program: Program,
    passes: Sequence[Pass],
    found: Validation,
    *,
    level: str = "Oz",
) -> Path:
    """Write a self-contained folder; returns it.

    Raises:
        CacheError: It cannot be written.
    """
    write_atomically(folder / "input.bc", program.bitcode())
    for index, source in enumerate(program.sources):
        write_atomically(folder / "source" / f"{index}-{source.name}", source.read_bytes())
    content = {
        "program": program.uri,
        "level": level,
        "passes": [one._asdict() for one in passes],
        "libs": program.libs,
        "runs": [_save_run(folder, index, run) for index, run in enumerate(program.runs)],
        "versions": {"llvm": _native.llvm_version(), "mirgym": __version__},
        "validation": found.as_dict(),
    }
    write_atomically(folder / "README.md", _readme(program, passes, found, level).encode())
    write_atomically(folder / FILE_NAME, json.dumps(content, indent=2).encode())
    return folder


def load_case(folder: Path) -> Case:
    """Read a folder that ``save_case`` wrote.

    Raises:
        UnknownProgramError: It is not such a folder.
    """
    try:
        content = json.loads((folder / FILE_NAME).read_bytes())
        program = Program(
            content["program"],
            (folder / "input.bc",),
            libs=tuple(content["libs"]),
            runs=tuple(_load_run(folder, run) for run in content["runs"]),
        )
        passes = tuple(
            Pass(**{**one, "options": tuple(map(tuple, one["options"]))})
            for one in content["passes"]
        )
        return Case(program, passes, content["level"], content["validation"]["verdict"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UnknownProgramError(
            f"{folder} is no case: {type(error).__name__}: {error}. Give a folder that `mirgym "
            "validate --save` or `mirgym bench validate` wrote"
        ) from error


def _save_run(folder: Path, index: int, run: Run) -> dict[str, Any]:
    files = folder / "files" / str(index)

    def keep(file: Path, part: str) -> str:
        copy = files / part / file.name
        write_atomically(copy, file.read_bytes())
        return str(copy.relative_to(folder))

    return {
        "args": run.args,
        "stdin": keep(run.stdin, "stdin") if run.stdin else None,
        "files": [keep(file, "in") for file in run.files],
        "outputs": [name for name, _ in run.outputs],
        "exit_code": run.exit_code,
    }


def _load_run(folder: Path, run: dict[str, Any]) -> Run:
    return Run(
        args=tuple(run["args"]),
        stdin=folder / run["stdin"] if run["stdin"] else None,
        files=tuple(folder / name for name in run["files"]),
        outputs=tuple((name, None) for name in run["outputs"]),
        exit_code=run["exit_code"],
    )


def _readme(program: Program, passes: Sequence[Pass], found: Validation, level: str) -> str:
    names = "\n".join(f"- `{one.name}`" for one in passes)
    return f"""# {program.uri} behaves otherwise after {len(passes)} passes

{names}

LLVM {_native.llvm_version()}, mirgym {__version__}, loaded at {level}. What was found:

> {found}

Reproduce it, in this folder:

    mirgym validate --case .

The same as one line of `opt`, on `input.bc` with the attributes of {level}; passes that run
together may share analyses, which mirgym makes anew for each:

    opt -passes='{to_pipeline(passes)}' input.bc
"""
