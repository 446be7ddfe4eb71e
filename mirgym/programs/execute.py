"""Run an optimised program and compare what it does with its reference.

Nothing runs outside a temporary directory, nor without limits on time, memory, the size
of files and the number of processes.
"""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from ..errors import CompileError, ToolMissingError
from .program import Program, Run

LINKERS = ("cc", "gcc", "clang", "c++", "g++")


@dataclass(frozen=True)
class Limits:
    """What one run may use."""

    seconds: float = 20.0
    memory_bytes: int = 2 << 30
    file_bytes: int = 64 << 20
    """Largest file it may write; also how much of its output is kept."""
    processes: int = 64
    """More processes than the user has now that it may start."""


@dataclass(frozen=True)
class RunResult:
    """What a run did. ``exit_code`` is negative for a signal, None when time ran out."""

    stdout: bytes
    stderr: bytes
    exit_code: int | None
    outputs: dict[str, bytes]
    seconds: float


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
    command = [linker, str(source), "-o", str(out), *(f"-l{lib}" for lib in libs)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode:
        raise CompileError(f"linking failed:\n{done.stderr.strip()}")


def _processes_of_user() -> int:
    count = 0
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and entry.stat().st_uid == os.getuid():
                count += len(list((entry / "task").iterdir()))
    return count


def _limit(limits: Limits, processes: int) -> None:
    cpu = int(limits.seconds) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu))
    resource.setrlimit(resource.RLIMIT_AS, (limits.memory_bytes, limits.memory_bytes))
    resource.setrlimit(resource.RLIMIT_FSIZE, (limits.file_bytes, limits.file_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # The kernel does not hold root to this one; the group is killed at the end all the same.
    resource.setrlimit(resource.RLIMIT_NPROC, (processes, processes))


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
        processes = _processes_of_user() + limits.processes
        started = time.perf_counter()
        with contextlib.ExitStack() as stack:
            # Files, not pipes: RLIMIT_FSIZE bounds them, and nobody needs to read along. They
            # have no name, so that the program cannot remove or replace them.
            out, err = (stack.enter_context(tempfile.TemporaryFile()) for _ in range(2))
            stdin = stack.enter_context(run.stdin.open("rb")) if run.stdin else subprocess.DEVNULL
            process = subprocess.Popen(
                [str(executable), *run.args],
                cwd=directory,
                env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "HOME": folder},
                stdin=stdin,
                stdout=out,
                stderr=err,
                start_new_session=True,
                preexec_fn=lambda: _limit(limits, processes),
            )
            try:
                exit_code: int | None = process.wait(limits.seconds)
            except subprocess.TimeoutExpired:
                exit_code = None
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
        return RunResult(*texts, exit_code, outputs, seconds)


def difference(run: Run, result: RunResult) -> str | None:
    """How a result differs from what the run expects; None when it does not."""
    if result.exit_code is None:
        return f"did not end within the time limit ({result.seconds:.1f} s)"
    if result.exit_code != run.exit_code:
        if result.exit_code < 0:
            return f"was killed by {signal.Signals(-result.exit_code).name}"
        return f"exit code {result.exit_code}, expected {run.exit_code}"
    if run.stdout is not None and result.stdout != run.stdout.read_bytes():
        return f"another standard output than {run.stdout.name}"
    for name, expected in run.outputs:
        if result.outputs.get(name) != expected.read_bytes():
            return f"another content of {name} than {expected.name}"
    return None


def check_output(program: Program, object_code: bytes, limits: Limits | None = None) -> list[str]:
    """Link, run on every input of the program, and compare; return the differences.

    Raises:
        ToolMissingError: There is nothing to link with.
    """
    differences = []
    with tempfile.TemporaryDirectory(prefix="mirgym-link-") as folder:
        executable = Path(folder) / "program"
        link_executable(object_code, program.libs, executable)
        for run in program.runs:
            found = difference(run, run_program(executable, run, limits))
            if found:
                differences.append(f"{program.name} {' '.join(run.args)}: {found}")
    return differences
