"""``mirgym validate``."""

from __future__ import annotations

import dataclasses
import json as jsonlib
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from ..errors import MirgymError, UnknownProgramError
from .output import console

if TYPE_CHECKING:
    from ..passes import Pass
    from ..programs import Program
    from ..programs.execute import Limits
    from ..validate import Validation

_STATUS = {"equal": 0, "different": 1, "undefined": 2, "unknown": 2}
_STYLES = {"equal": "green", "different": "bold red", "undefined": "yellow", "unknown": "yellow"}


@dataclass(frozen=True)
class Validate:
    """Run an optimised program on its inputs and compare it with the unoptimised one.

    Exit status 0: equal; 1: different; 2: cannot say, because the program itself has undefined
    behaviour, or cannot be run.
    """

    program: Annotated[str | None, tyro.conf.Positional] = None
    """A program such as mirbench/crc, or a file."""
    passes: str | None = None
    """Passes to run on it: names of `mirgym passes list` or pipelines of opt, with commas."""
    module: Path | None = None
    """An optimised module of the program (.bc, .ll) or its object (.o), instead of passes."""
    case: Path | None = None
    """Replay a folder that --save wrote, instead of a program."""
    args: str | None = None
    """Run it with these arguments only, instead of the inputs that it comes with."""
    level: Literal["O0", "O1", "O2", "O3", "Os", "Oz", "as-is"] = "Oz"
    """Size attributes that functions get before the passes."""
    seconds: float = 20.0
    """CPU time of each run."""
    sanitize: bool = True
    """Where a run differs, look for undefined behaviour in the program; --no-sanitize does not."""
    save: Path | None = None
    """Should it differ, reduce the passes and save the case in this folder."""
    json: bool = False
    """Print one JSON object instead of a table."""

    def run(self) -> int:
        """Compare and print.

        Raises:
            ValueError: Options that do not fit together.
        """
        if sum(one is not None for one in (self.passes, self.module, self.case)) != 1:
            raise ValueError("give one of --passes, --module and --case")
        if (self.case is None) == (self.program is None):
            raise ValueError("give a program, or a folder with --case")
        try:
            return self._run()
        except MirgymError as error:  # whose usual status would say "different"
            sys.stderr.write(f"mirgym: {error}\n")
            return _STATUS["unknown"]

    def _run(self) -> int:
        from ..programs.execute import Limits
        from ..validate import load_case, optimised_object, validate

        level: str = self.level
        passes: tuple[Pass, ...] = ()
        if self.case is not None:
            case = load_case(self.case)
            program, passes, level = case.program, case.passes, case.level
        else:
            program, passes = self._program(), self._passes()
        limits = Limits(seconds=self.seconds)
        if self.module is not None:
            module = _read(self.module)
        else:
            module = optimised_object(program, passes, level=level)
        found = validate(program, module, limits=limits, sanitize=self.sanitize)
        if self.json:
            sys.stdout.write(jsonlib.dumps(found.as_dict()) + "\n")
        else:
            _print(found)
        if self.save is not None and found.verdict == "different" and self.module is None:
            self._reduce(self.save, program, passes, level, limits)
        return _STATUS[found.verdict]

    def _passes(self) -> tuple[Pass, ...]:
        from ..passes import parse_passes

        return parse_passes(self.passes or "")

    def _program(self) -> Program:
        from ..programs import Run, resolve

        program = resolve(self.program or "")
        if self.args is None:
            return program
        return dataclasses.replace(program, runs=(Run(tuple(shlex.split(self.args))),))

    def _reduce(
        self, folder: Path, program: Program, passes: tuple[Pass, ...], level: str, limits: Limits
    ) -> None:
        from ..validate import optimised_object, save_case, shortest_failing, validate

        shortest = shortest_failing(program, passes, level=level, limits=limits)
        module = optimised_object(program, shortest, level=level)
        found = validate(program, module, limits=limits, sanitize=self.sanitize)
        save_case(folder, program, shortest, found, level=level)
        if not self.json:
            names = ",".join(one.name for one in shortest)
            console().print(f"still differs after {names}; saved in {folder}", soft_wrap=True)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UnknownProgramError(f"cannot read {path}: {error.strerror}") from error


def _print(found: Validation) -> None:
    from rich.table import Table

    screen = console()
    table = Table("arguments", "verdict", "", title=found.program)
    for run in found.runs:
        told = [run.detail, run.undefined and f"the program itself: {run.undefined}", run.note]
        text = "\n".join(part for part in told if part)
        verdict = f"[{_STYLES[run.verdict]}]{run.verdict}[/]"
        table.add_row(" ".join(run.args), verdict, text.replace("[", r"\["))
    if found.runs:
        screen.print(table)
        if not all(run.isolated for run in found.runs):
            screen.print("this system allows no isolation: the network could be used", style="dim")
    else:
        screen.print(f"cannot say: {found.note}; --args gives its arguments", soft_wrap=True)
