"""Run an optimised program and compare what it does with its reference.

Nothing runs outside a temporary directory, nor without limits on time, memory, the size
of files and the number of processes.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from ..errors import CompileError, ToolMissingError
from .compile import cpp_flags, find_clang, is_cpp
from .program import Program, Run

LINK_LIMIT_SECONDS = 120
WATCH_SECONDS = 0.05
"""How often the number of processes is looked at."""

LINKERS = ("cc", "gcc", "clang", "c++", "g++")


@dataclass(frozen=True)
class Limits:
    """What one run may use."""

    seconds: float = 20.0
    memory_bytes: int = 2 << 30
    file_bytes: int = 64 << 20
    """Largest file it may write; also how much of its output is kept."""
    processes: int = 64
    """Processes that it may have at a time."""


@dataclass(frozen=True)
class RunResult:
    """What a run did. ``exit_code`` is negative for a signal, None when it was stopped."""

    stdout: bytes
    stderr: bytes
    exit_code: int | None
    outputs: dict[str, bytes]
    seconds: float
    stopped: str = ""
    """Why it was stopped: a limit, in words."""


def link_executable(object_code: bytes, libs: tuple[str, ...], out: Path) -> None:
    """Link one object into an executable.

    Raises:
        ToolMissingError: No C compiler to link with.
        CompileError: The linker refused; its message is in the text.
    """
    linker = next((path for name in LINKERS if (path := shutil.which(name))), None)
    if linker is None:
        raise ToolMissingError("no linker was found; install a C compiler (cc, gcc or clang)")
    source = out.with_suffix(".o")
    source.write_bytes(object_code)
    _build([linker, str(source), "-o", str(out), *_link_flags(libs)], "linking")


def _link_flags(libs: tuple[str, ...]) -> list[str]:
    return [f"-l{lib}" for lib in libs]


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


def _processes_in_session(session: int) -> int:
    """How many processes of a session there are; 0 where /proc does not tell."""
    count = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            # "pid (name) state ppid pgrp session …"; a name may hold anything
            count += int(path.read_bytes().rpartition(b")")[2].split()[3]) == session
    return count


# Sets the limits and becomes the program. A function that runs between fork and exec
# would do the same, but may deadlock in a process with threads.
_LAUNCHER = """
import os, resource, signal, sys
for number in (signal.SIGPIPE, signal.SIGXFSZ):
    signal.signal(number, signal.SIG_DFL)  # Python ignores them, and exec would pass that on
cpu, memory, file = map(int, sys.argv[1:4])
for kind, value in (
    (resource.RLIMIT_CPU, cpu),
    (resource.RLIMIT_FSIZE, file),
    (resource.RLIMIT_CORE, 0),
    (resource.RLIMIT_AS, memory),
):
    resource.setrlimit(kind, (value, value))
os.execv(sys.argv[4], sys.argv[4:])
"""


def _launch_command(executable: Path, args: tuple[str, ...], limits: Limits) -> list[str]:
    values = (int(limits.seconds) + 1, limits.memory_bytes, limits.file_bytes)
    python = [sys.executable, "-I", "-S", "-c", _LAUNCHER]
    return [*python, *map(str, values), str(executable), *args]


def _wait(process: subprocess.Popen[bytes], limits: Limits) -> str:
    """Wait for the end; return which limit was passed, if one was.

    RLIMIT_NPROC would count all processes of the user, and does not hold root.
    """
    deadline = time.monotonic() + limits.seconds
    while (left := deadline - time.monotonic()) > 0:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(min(left, WATCH_SECONDS))
            return ""
        if _processes_in_session(process.pid) > limits.processes:
            return f"started more than {limits.processes} processes"
    return f"did not end within the time limit ({limits.seconds:g} s)"


def run_program(executable: Path, run: Run, limits: Limits | None = None) -> RunResult:
    """Run once, in a fresh temporary directory and a process group of its own.

    Everything it started is killed at the end, also when it detached itself from its
    parent but not from the group.
    """
    limits = limits or Limits()
    with tempfile.TemporaryDirectory(prefix="mirgym-run-") as folder:
        directory = Path(folder)
        for file in run.files:
            shutil.copy(file, directory / file.name)
        started = time.perf_counter()
        with contextlib.ExitStack() as stack:
            # Files, not pipes: RLIMIT_FSIZE bounds them, and nobody needs to read along. They
            # have no name, so that the program cannot remove or replace them.
            out, err = (stack.enter_context(tempfile.TemporaryFile()) for _ in range(2))
            stdin = stack.enter_context(run.stdin.open("rb")) if run.stdin else subprocess.DEVNULL
            process = subprocess.Popen(
                _launch_command(executable, run.args, limits),
                cwd=directory,
                env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "HOME": folder},
                stdin=stdin,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )
            try:
                stopped = _wait(process, limits)
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            seconds = time.perf_counter() - started
            out.seek(0)
            err.seek(0)
            texts = out.read(), err.read()
        outputs = {
            name: (directory / name).read_bytes()
            for name, _ in run.outputs
            if (directory / name).is_file()
        }
        exit_code = None if stopped else process.returncode
        return RunResult(*texts, exit_code, outputs, seconds, stopped)


def difference(run: Run, result: RunResult, reference: RunResult | None = None) -> str | None:
    """How a result differs from what the run expects; None when it does not.

    Args:
        run: Says what is expected, as far as that is known.
        result: What happened.
        reference: Stands in for the expected files that the run does not name.
    """
    if result.exit_code is None:
        return result.stopped
    if result.exit_code != run.exit_code:
        if result.exit_code < 0:
            return f"was killed by {_signal_name(-result.exit_code)}"
        return f"exit code {result.exit_code}, expected {run.exit_code}"
    wanted, source = reference.stdout if reference else result.stdout, "the reference"
    if run.stdout is not None:
        wanted, source = run.stdout.read_bytes(), run.stdout.name
    if result.stdout != wanted:
        return f"another standard output than {source}"
    for name, file in run.outputs:
        content, source = result.outputs.get(name), "the reference"
        if file is not None:
            content, source = file.read_bytes(), file.name
        elif reference is not None:
            content = reference.outputs.get(name)
        if result.outputs.get(name) != content:
            return f"another content of {name} than {source}"
    return None


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def check_output(program: Program, object_code: bytes, limits: Limits | None = None) -> list[str]:
    """Link, run on every input of the program, and compare; return the differences.

    Where a run does not say what to expect, the program is built without optimisation and
    run, too.

    Raises:
        ToolMissingError: There is nothing to link or, for a reference, to compile with.
        CompileError: It cannot be linked.
    """
    differences = []
    with tempfile.TemporaryDirectory(prefix="mirgym-link-") as folder:
        executable, reference = Path(folder) / "program", Path(folder) / "reference"
        link_executable(object_code, _libs(program), executable)
        for run in program.runs:
            expected = None
            if run.stdout is None or any(file is None for _, file in run.outputs):
                if not reference.exists():
                    _build_reference(program, reference)
                expected = run_program(reference, run, limits)
            found = expected and difference(run, expected)
            if found:
                found = f"the program is no reference, for it {found}"
            else:
                found = difference(run, run_program(executable, run, limits), expected)
            if found:
                differences.append(f"{program.name} {' '.join(run.args)}: {found}")
    return differences


def _cpp_flags(program: Program) -> tuple[str, ...]:
    return cpp_flags(find_clang()) if any(map(is_cpp, program.sources)) else ()


def _libs(program: Program) -> tuple[str, ...]:
    flags = _cpp_flags(program)
    if not flags:
        return program.libs
    return (*program.libs, "stdc++" if "-stdlib=libstdc++" in flags else "c++")


def _build_reference(program: Program, out: Path) -> None:
    """Build from the sources with clang -O0."""
    sources = [str(source.resolve()) for source in program.sources]
    flags = [*_cpp_flags(program), "-O0", "-w", *program.flags]
    command = [str(find_clang()), *flags, *sources, "-o", str(out)]
    _build([*command, *_link_flags(program.libs)], "building the reference")
