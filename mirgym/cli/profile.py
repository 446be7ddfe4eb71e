"""``mirgym profile``."""

from __future__ import annotations

import dataclasses
import json as jsonlib
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from ..errors import UnknownProgramError
from .output import console

if TYPE_CHECKING:
    from ..profile import Profile
    from ..programs import Program

_STREAM = "-"


@dataclass(frozen=True)
class ProfileProgram:
    """Run a program once, and say where it spends its time, or tell the passes.

    With -o the module is written with branch weights and call counts, as clang makes it with
    -fprofile-use: what `opt` or `clang` make of it is for runs like this one.
    """

    program: Annotated[str, tyro.conf.Positional]
    """A program such as mirbench/crc, or a file."""
    module: str | None = None
    """An optimised module of the program (.bc, .ll) instead of its own; - reads it from the
    standard input, and writes to the standard output unless -o says where to."""
    output: Annotated[str | None, tyro.conf.arg(aliases=["-o"])] = None
    """Write the module with its profile (.bc, or .ll); - for the standard output."""
    args: str | None = None
    """Run it with these arguments, instead of the first inputs that it comes with."""
    top: int = 10
    """Functions that the table shows."""
    json: bool = False
    """Print one JSON object instead of a table: share of the cost, calls and blocks by function."""

    def run(self) -> int:
        """Profile and print, or write."""
        from ..dynamic_cost import CostMeter
        from ..worker import WorkerSession

        program = self._program()
        target = self.output or (_STREAM if self.module == _STREAM else None)
        with WorkerSession() as session:
            session.load(_read(self.module) if self.module else program.bitcode())
            profile = CostMeter(program).profile(session)
            if target is not None:
                session.note_branches(profile.branches())
                _write(target, session.emit("ll" if target.endswith(".ll") else "bc"))
        if self.json and target != _STREAM:
            sys.stdout.write(jsonlib.dumps(_summary(profile)) + "\n")
        elif target is None:
            _print(program, profile, self.top)
        return 0

    def _program(self) -> Program:
        from ..programs import Run, resolve

        program = resolve(self.program)
        if self.args is None:
            return program
        return dataclasses.replace(program, runs=(Run(tuple(shlex.split(self.args))),))


def _read(source: str) -> bytes:
    if source == _STREAM:
        return sys.stdin.buffer.read()
    try:
        return Path(source).read_bytes()
    except OSError as error:
        raise UnknownProgramError(f"cannot read {source}: {error.strerror}") from error


def _write(target: str, content: bytes) -> None:
    if target == _STREAM:
        sys.stdout.buffer.write(content)
    else:
        Path(target).write_bytes(content)


def _summary(profile: Profile) -> dict[str, dict[str, float]]:
    functions = {f.name: f for f in profile.functions}
    return {
        name: {
            "share": share,
            "calls": int(functions[name].counts[:, 0].sum()),
            "blocks": functions[name].counts.shape[1],
            "blocks that ran": int(functions[name].counts.any(0).sum()),
        }
        for name, share in profile.shares().items()
    }


def _print(program: Program, profile: Profile, top: int) -> None:
    from rich.table import Table

    table = Table("function", title=f"{program.uri}: where one run spends its instructions")
    for heading in ("share", "calls", "blocks that ran"):
        table.add_column(heading, justify="right")
    for name, row in list(_summary(profile).items())[:top]:
        ran = f"{row['blocks that ran']:,.0f} of {row['blocks']:,.0f}"
        table.add_row(name, f"{row['share']:.1%}", f"{row['calls']:,.0f}", ran)
    console().print(table)
