"""Planted miscompiles: one edit in the IR text of an optimised module.

An edit counts where the program's run reaches it: with a trap in its place the program dies.
Some of those change nothing that can be seen (a bound that is never met, a store that is
overwritten); what can be seen is decided by a plain ``subprocess`` and ``==``, not by the code
that is under test.
"""

from __future__ import annotations

import dataclasses
import random
import re
import shlex
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ..errors import MirgymError
from ..programs import Program, Run
from ..programs.linking import link_executable
from ..validate import validate
from ..worker import WorkerLimits, WorkerSession

_LIMITS = WorkerLimits(step_seconds=120.0)
_TRAP = "call void @llvm.trap()"
_DECLARE_TRAP = "\ndeclare void @llvm.trap()\n"
_SHELL_LIMITS = "ulimit -t 10 -v 2097152; ulimit -f 131072; "
_WALL_SECONDS = 120
_SIGILL = -4
_TRIES = 30
"""Sites that are looked at for one plant."""

_PREDICATES = {"eq": "ne", "ne": "eq"} | {
    f"{sign}{a}": f"{sign}{b}"
    for sign in "su"
    for a, b in (("lt", "le"), ("le", "lt"), ("gt", "ge"), ("ge", "gt"))
}


@dataclass(frozen=True)
class Edit:
    """A kind of edit: what a line must look like, and what becomes of it."""

    line: re.Pattern[str]
    change: Callable[[re.Match[str]], str]


EDITS = {
    "operands of a sub swapped": Edit(
        re.compile(r"(\s+%\S+ = f?sub )(?:nuw |nsw )*(\S+) (\S+), (\S+?)((?:, !.*)?)$"),
        lambda m: f"{m[1]}{m[2]} {m[4]}, {m[3]}{m[5]}",
    ),
    "another predicate": Edit(
        re.compile(rf"(\s+%\S+ = icmp (?:samesign )?)({'|'.join(_PREDICATES)})( .*)$"),
        lambda m: f"{m[1]}{_PREDICATES[m[2]]}{m[3]}",
    ),
    "store dropped": Edit(re.compile(r"\s+store (?!volatile|atomic).*$"), lambda m: ""),
    "another constant": Edit(
        re.compile(r"(\s+%\S+ = (?:add|mul|and|or|xor) )(?:nuw |nsw |disjoint )*"
                   r"(i\d+ \S+), (-?\d+)((?:, !.*)?)$"),
        lambda m: f"{m[1]}{m[2]}, {int(m[3]) + 1}{m[4]}",
    ),
    "branch turned round": Edit(
        re.compile(r"(\s+br i1 \S+), (label \S+), (label \S+?)((?:, !.*)?)$"),
        lambda m: f"{m[1]}, {m[3]}, {m[2]}{m[4]}",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Plant:
    """What became of one planted edit."""

    program: str
    kind: str
    line: str
    """The line before the edit; empty when no site was reached."""
    observable: bool = False
    """Whether the program visibly behaves otherwise."""
    verdict: str = ""
    """What validation said."""

    @property
    def reached(self) -> bool:
        """Whether the run executes what was edited."""
        return bool(self.line)


def plant(program: Program, kind: str, seed: str) -> Plant:
    """Plant one edit in a program at Oz, on its first input.

    Raises:
        MirgymError: The program itself cannot be compiled or linked.
    """
    program = dataclasses.replace(program, runs=program.runs[:1])
    (run,) = program.runs
    text = _optimised(program)
    sites = list(_sites(text, EDITS[kind]))
    random.Random(seed).shuffle(sites)
    for index, new in sites[:_TRIES]:
        lines = text.split("\n")
        old, lines[index] = lines[index], f"  {_TRAP}\n{lines[index]}"
        probe = "\n".join(lines)
        if "declare void @llvm.trap()" not in text:
            probe += _DECLARE_TRAP
        if _plain(program, run, probe)[0] != _SIGILL:
            continue
        lines[index] = new
        edited = "\n".join(lines)
        observable = _plain(program, run, edited) != _plain(program, run, text)
        verdict = validate(program, edited.encode()).verdict
        return Plant(program.name, kind, old.strip(), observable, verdict)
    return Plant(program.name, kind, "")


def _optimised(program: Program) -> str:
    with WorkerSession(_LIMITS) as session:
        session.load(program.bitcode(), level="Oz")
        session.step("default<O2>")
        return session.emit("ll").decode()


def _sites(text: str, edit: Edit) -> Iterator[tuple[int, str]]:
    """Numbers of the lines that can be edited, and what becomes of them."""
    inside = False
    for index, line in enumerate(text.split("\n")):
        inside = line.startswith("define ") or (inside and line != "}")
        match = edit.line.match(line) if inside else None
        if match:
            new = edit.change(match)
            if new != line:
                yield index, new


Behaviour = tuple[int | None, bytes, bytes, tuple[bytes | None, ...]]
"""Exit code (None: it did not end), standard output and error, output files."""


def _plain(program: Program, run: Run, text: str) -> Behaviour:
    """Run a module without anything that validation is made of."""
    with tempfile.TemporaryDirectory(prefix="mirgym-plain-") as name:
        folder = Path(name)
        try:
            with WorkerSession(_LIMITS) as session:
                session.load(text.encode())
                link_executable(session.emit("obj"), program, folder / "program")
        except MirgymError as error:
            return None, b"", str(error).encode(), ()
        for file in run.files:
            (folder / file.name).write_bytes(file.read_bytes())
        command = f"{_SHELL_LIMITS} exec ./program {shlex.join(run.args)}"
        try:
            done = subprocess.run(
                ["bash", "-c", command],
                cwd=folder,
                input=run.stdin.read_bytes() if run.stdin else b"",
                capture_output=True,
                timeout=_WALL_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return None, b"", b"", ()
        files = tuple(
            (folder / output).read_bytes() if (folder / output).is_file() else None
            for output, _ in run.outputs
        )
        return done.returncode, done.stdout, done.stderr, files
