"""Runs one program under limits, in namespaces of its own where the system allows them.

``python -I -S launcher.py STATUS ISOLATE CPU_SECONDS MEMORY_BYTES FILE_BYTES PROCESSES
EXECUTABLE ARGS…`` is started by ``execute.run_program``, which reads two lines from the
descriptor ``STATUS``: ``1`` when the program is isolated, else ``0``; then its exit code,
negative for a signal.

There are three processes: this one; the *init*, first of a new PID namespace, with whose end
the kernel ends everything in it; and the program. Without namespaces the init is a subreaper:
what the program leaves behind stays below it, and ``execute`` ends it.

The kernel's limit on processes counts those of a user, and does not hold root. So root gives
the program a user of its own, and others give it a user namespace of its own.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import resource
import signal
import sys
from pathlib import Path
from typing import NoReturn

_PDEATHSIG, _DUMPABLE, _CHILD_SUBREAPER = 1, 4, 36  # of prctl(2)
_NEWUSER, _NEWPID, _NEWNET, _NEWIPC = 0x10000000, 0x20000000, 0x40000000, 0x08000000  # unshare(2)
_OWN = _NEWPID | _NEWNET | _NEWIPC
_CANNOT_RUN = 127
_OWN_USERS = 1_900_000_000
"""From here on no system gives out users (systemd.io/UIDS-GIDS)."""


def _drop_root(libc: ctypes.CDLL) -> bool:
    """Become a user that nobody else is, who owns this directory; whether that worked."""
    own = _OWN_USERS + os.getpid()
    try:
        for path in (Path(), *Path().iterdir()):
            os.chown(path, own, own)
        os.setgroups([])
        os.setresgid(own, own, own)
        os.setresuid(own, own, own)
    except OSError:
        return False
    libc.prctl(_DUMPABLE, 1, 0, 0, 0)  # or /proc/self would still belong to root
    return True


def _isolate(libc: ctypes.CDLL, user: int, group: int) -> bool:
    """Leave the network and the other processes behind; whether that worked."""
    outside_user, outside_group = os.getuid(), os.getgid()
    if libc.unshare(_NEWUSER | _OWN) == 0:
        # The program is to see the user that it would see outside.
        for name, text in (
            ("setgroups", "deny"),
            ("uid_map", f"{user} {outside_user} 1"),
            ("gid_map", f"{group} {outside_group} 1"),
        ):
            with contextlib.suppress(OSError):
                Path("/proc/self", name).write_text(text)
        return True
    return bool(libc.unshare(_OWN) == 0)


def _others_of_user() -> int:
    """Threads of this user on the machine."""
    count = 0
    for path in Path("/proc").glob("[0-9]*/task"):
        with contextlib.suppress(OSError):
            count += len(list(path.iterdir())) if path.stat().st_uid == os.getuid() else 0
    return count


def _counts_apart() -> bool:
    """Whether a user namespace has a count of processes of its own: since Linux 5.14."""
    release = platform.release().split(".")
    return [int(part) for part in release[:2] if part.isdigit()] >= [5, 14]


def _become(executable: int, arguments: list[str], limits: dict[int, int]) -> NoReturn:
    """Set the limits and become the program."""
    os.setsid()  # a signal to its group is to reach nobody else
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)  # Python ignores them, and exec would pass that on
    for kind, value in limits.items():
        # A program that does not mind SIGXCPU is killed a second later.
        resource.setrlimit(kind, (value, value + (kind == resource.RLIMIT_CPU)))
    try:
        # The same name each time: programs print it.
        os.execve(executable, ["program", *arguments], os.environ)
    except OSError as error:
        sys.stderr.write(f"cannot be run: {error}\n")
        sys.stderr.flush()
    os._exit(_CANNOT_RUN)


def _be_init(status: int, start: int) -> None:
    """Write how the program ended, and stay while anything is left."""
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, code = os.wait()
            if pid != start:
                continue
            os.write(status, f"{os.waitstatus_to_exitcode(code)}\n".encode())
            if os.getpid() == 1:
                return


def main() -> None:
    """See the module."""
    status, isolate, cpu, memory, file, processes = map(int, sys.argv[1:7])
    executable = os.open(sys.argv[7], os.O_RDONLY | os.O_CLOEXEC)
    os.set_inheritable(status, False)
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None
    user, group = os.getuid(), os.getgid()
    isolated = counted_apart = False
    if libc is not None:
        counted_apart = user == 0 and _drop_root(libc)
        isolated = bool(isolate) and _isolate(libc, user, group)
        libc.prctl(_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    counted_apart = counted_apart or (isolated and _counts_apart())
    limits = {resource.RLIMIT_CPU: cpu, resource.RLIMIT_AS: memory, resource.RLIMIT_FSIZE: file}
    limits[resource.RLIMIT_NPROC] = processes + (0 if counted_apart else _others_of_user())
    limits = {kind: value for kind, value in limits.items() if value}
    os.write(status, f"{isolated:d}\n".encode())
    init = os.fork()
    if init == 0:
        if libc is not None:
            libc.prctl(_CHILD_SUBREAPER, 1, 0, 0, 0)
            libc.prctl(_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        start = os.fork()
        if start == 0:
            _become(executable, sys.argv[8:], {**limits, resource.RLIMIT_CORE: 0})
        _be_init(status, start)
        os._exit(0)
    os.close(status)
    os.waitpid(init, 0)


if __name__ == "__main__":
    main()
