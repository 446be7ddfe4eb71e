"""Run a program: in a temporary directory, under limits, without a network where possible.

Time, memory, files and processes are limited, and nothing that the program started is left
behind: see ``launcher`` for how.
"""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from .program import Run

WATCH_SECONDS = 0.05
"""How often it is looked at what the program uses, unless the limits say otherwise."""
WALL_FACTOR = 4
"""Wall time ÷ CPU time that a program may take: others use the machine, too."""
LAUNCH_SECONDS = 60
LARGEST_FOLDER = 10_000
"""Files that a program may have in its directory."""
ISOLATE = True
"""Use namespaces where the system allows them."""

_LAUNCHER = Path(__file__).with_name("launcher.py")
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Limits:
    """What one run may use."""

    seconds: float = 20.0
    """CPU time of all its processes; four times as much of wall time."""
    memory_bytes: int = 2 << 30
    """Address space of each process, and resident memory of all together; 0 for no limit."""
    file_bytes: int = 64 << 20
    """Largest file it may write; also how much of its output is kept."""
    folder_bytes: int = 256 << 20
    """All files in its directory together."""
    processes: int = 64
    """Processes that it may have at a time."""
    watch_seconds: float | None = None
    """How often it is looked at what it uses; ``WATCH_SECONDS`` when None. Looking takes a few
    ms of a core, so a program that measures itself wants it seldom."""


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
    isolated: bool = False
    """Whether it ran without a network, in a process namespace of its own."""


def run_program(
    executable: Path,
    run: Run,
    limits: Limits | None = None,
    environment: Mapping[str, str] | None = None,
) -> RunResult:
    """Run once, in a fresh temporary directory.

    Everything it started is killed at the end, also what detached itself.

    Args:
        executable: What to run.
        run: Arguments, standard input, files in and out.
        limits: What it may use.
        environment: Variables besides ``PATH``, ``HOME`` and ``LC_ALL``.
    """
    limits = limits or Limits()
    with tempfile.TemporaryDirectory(prefix="mirgym-run-", ignore_cleanup_errors=True) as folder:
        directory = Path(folder)
        for file in run.files:
            shutil.copy(file, directory / file.name)
        variables = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "HOME": folder, **(environment or {})}
        started = time.perf_counter()
        with contextlib.ExitStack() as stack:
            # Files, not pipes: RLIMIT_FSIZE bounds them, and nobody needs to read along. They
            # have no name, so that the program cannot remove or replace them.
            out, err = (stack.enter_context(tempfile.TemporaryFile()) for _ in range(2))
            stdin = stack.enter_context(run.stdin.open("rb")) if run.stdin else subprocess.DEVNULL
            status, theirs = os.pipe()
            stack.callback(os.close, status)
            try:
                process = subprocess.Popen(
                    _launch_command(theirs, executable, run.args, limits),
                    cwd=directory,
                    env=variables,
                    stdin=stdin,
                    stdout=out,
                    stderr=err,
                    pass_fds=(theirs,),
                    start_new_session=True,
                )
            finally:
                os.close(theirs)
            try:
                end = _watch(process.pid, status, directory, limits)
                if not end.stopped:
                    with contextlib.suppress(subprocess.TimeoutExpired):
                        process.wait(WATCH_SECONDS)
            finally:
                _end(process)
            seconds = time.perf_counter() - started
            out.seek(0)
            err.seek(0)
            texts = out.read(), err.read()
        outputs = {
            name: (directory / name).read_bytes()
            for name, _ in run.outputs
            if (directory / name).is_file() and not (directory / name).is_symlink()
        }
        return RunResult(*texts, end.exit_code, outputs, seconds, end.stopped, end.isolated)


def _launch_command(
    status: int, executable: Path, args: tuple[str, ...], limits: Limits
) -> list[str]:
    python = [sys.executable, "-I", "-S", str(_LAUNCHER)]
    # The kernel counts threads; and the watch is to see more processes than there may be.
    tasks = 2 * limits.processes + 16
    values = (int(limits.seconds) + 1, limits.memory_bytes, limits.file_bytes, tasks)
    return [*python, *map(str, (status, int(ISOLATE), *values)), str(executable), *args]


class _End(NamedTuple):
    """How a run ended."""

    exit_code: int | None
    stopped: str
    isolated: bool


def _watch(launcher: int, status: int, directory: Path, limits: Limits) -> _End:
    """Wait for the end, or for a limit to be passed."""
    poll = select.poll()
    poll.register(status, select.POLLIN)
    deadline = time.monotonic() + LAUNCH_SECONDS
    pause_seconds = WATCH_SECONDS if limits.watch_seconds is None else limits.watch_seconds
    text = b""
    while True:
        stopped = ""
        if poll.poll(pause_seconds * 1000):
            piece = os.read(status, 64)
            if not text:  # the launcher's own start does not count
                deadline = time.monotonic() + limits.seconds * WALL_FACTOR
            text += piece
            if text.count(b"\n") < 2 and piece:
                continue
            isolated, _, code = text.decode().partition("\n")
            if code and int(code) == -signal.SIGXCPU:
                return _End(None, _out_of_time(limits), isolated == "1")
            if code:
                return _End(int(code), "", isolated == "1")
            stopped = "could not be started, or its launcher was killed"
        if time.monotonic() > deadline:
            stopped = f"did not end within {limits.seconds * WALL_FACTOR:g} s"
        stopped = stopped or _excess(launcher, directory, limits)
        if stopped:
            return _End(None, stopped, text.startswith(b"1"))


class _Process(NamedTuple):
    """One line of /proc/*/stat."""

    pid: int
    parent: int
    cpu_seconds: float
    memory_bytes: int


def _processes_below(root: int) -> list[_Process]:
    """All that descend from a process; empty where /proc does not tell."""
    children: dict[int, list[_Process]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            # "pid (name) state ppid …" as in proc(5); a name may hold anything
            words = path.read_bytes().rpartition(b")")[2].split()
            ticks = sum(map(int, words[11:15]))
            parent, memory = int(words[1]), int(words[21]) * _PAGE_BYTES
            one = _Process(int(path.parent.name), parent, ticks / _TICKS, memory)
            children.setdefault(parent, []).append(one)
    found, new = [], children.get(root, [])
    while new:
        found += new
        new = [child for one in new for child in children.get(one.pid, [])]
    return found


def _excess(launcher: int, directory: Path, limits: Limits) -> str:
    """Which limit was passed, in words; empty when none was.

    The kernel's own limits, set by the launcher, hold single processes.
    """
    below = _processes_below(launcher)
    its_own = [one for one in below if one.parent != launcher]  # without the init
    if len(its_own) > limits.processes:
        return f"started more than {limits.processes} processes"
    if sum(one.cpu_seconds for one in below) > limits.seconds:
        return _out_of_time(limits)
    if 0 < limits.memory_bytes < sum(one.memory_bytes for one in its_own):
        return f"used more than {limits.memory_bytes >> 20} MiB of memory"
    return _excess_of_files(directory, limits)


def _out_of_time(limits: Limits) -> str:
    return f"did not end within the time limit ({limits.seconds:g} s)"


def _excess_of_files(directory: Path, limits: Limits) -> str:
    count = size_bytes = 0
    for folder, _, names in os.walk(directory):
        for name in names:
            with contextlib.suppress(OSError):
                size_bytes += os.lstat(Path(folder) / name).st_blocks * 512
        count += len(names)
        if count > LARGEST_FOLDER:
            return f"wrote more than {LARGEST_FOLDER} files"
        if size_bytes > limits.folder_bytes:
            return f"wrote more than {limits.folder_bytes >> 20} MiB of files"
    return ""


def _end(launcher: subprocess.Popen[bytes]) -> None:
    """Kill all that is left, and wait until it is gone: then the launcher ends by itself.

    A namespace ends with its init. Without one the init must live until the others are gone:
    what loses its parent becomes the init's child, and so stays below it.
    """
    while launcher.poll() is None:
        below = _processes_below(launcher.pid)
        victims = [one for one in below if one.parent == launcher.pid and _is_apart(one.pid)]
        victims = victims or [one for one in below if one.parent != launcher.pid]
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for one in victims:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(one.pid, number)
        time.sleep(0.002)


def _is_apart(pid: int) -> bool:
    """Whether a process is in another PID namespace than this one."""
    try:
        return Path(f"/proc/{pid}/ns/pid").stat().st_ino != Path("/proc/self/ns/pid").stat().st_ino
    except OSError:
        return False
