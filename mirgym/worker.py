"""A session in a process of its own, so that a crash costs one episode.

The child is a bare interpreter (``-I -S``: no site, no numpy) that loads the engine
and serves requests from one end of a socket pair; it starts in about 40 ms. It ends
when the socket closes, so no child outlives its parent. It reports its own crashes and
time-outs with a last reply; when even that fails the parent kills it.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn

from . import wire
from ._native import receive_reply, send_request
from .errors import (
    SessionCrashedError,
    SessionError,
    SessionTimeoutError,
    WorkerStartError,
)
from .session import WireSession

_LENGTH = struct.Struct("<I")
_FATAL = (8, 9)  # status of a reply that was the worker's last

_BOOT = """
import importlib.util, resource, sys
fd, path, memory = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
if memory:
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
spec = importlib.util.spec_from_file_location("_native", path)
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
module.serve(fd)
"""


# A pass allocates and frees megabytes: keep them, in huge pages, instead of giving them
# back to the kernel after every step. Worth about 2 % of the time of a step.
_MALLOC = {
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
    "MALLOC_TRIM_THRESHOLD_": str(1 << 30),
    "MALLOC_TOP_PAD_": str(32 << 20),
    "MALLOC_MMAP_THRESHOLD_": str(1 << 30),
}


@dataclass(frozen=True)
class WorkerLimits:
    """What one worker may use."""

    step_seconds: float = 10.0
    """Wall time of one request; the worker is stopped when it takes longer."""
    memory_bytes: int = 4 << 30
    """Address space of the worker; 0 for no limit."""
    grace_seconds: float = 2.0
    """How long past ``step_seconds`` the parent waits before it kills the worker."""


class _Process:
    """The worker's process: started here (reaped here), or forked by another worker."""

    def __init__(self, pid: int, popen: subprocess.Popen[bytes] | None) -> None:
        self.pid = pid
        self._popen = popen

    def kill(self) -> None:
        """End it now. A forked worker is reaped by init or by its own parent."""
        if self._popen is not None:
            self._popen.kill()
            self._popen.wait()
        else:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    def describe_death(self) -> str:
        """How it ended, in words."""
        if self._popen is None:
            return "the worker process died"
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._popen.wait(timeout=1.0)
        code = self._popen.returncode
        if code is not None and code < 0:
            return f"the worker process was killed by {signal.Signals(-code).name}"
        return f"the worker process died with exit code {code}"

    def reap(self) -> None:
        """Wait for the end that closing the socket brings; kill if it does not come."""
        if self._popen is None:
            return
        try:
            self._popen.wait(timeout=1.0)
        except subprocess.TimeoutExpired:
            self.kill()


def _start_error(error: OSError) -> WorkerStartError:
    return WorkerStartError(
        f"cannot start a worker process: {error}. Close other environments, or raise the "
        "limits on processes and open files (ulimit -u, ulimit -n)"
    )


def _start_process(limits: WorkerLimits) -> tuple[_Process, socket.socket]:
    from . import _native

    try:
        ours, theirs = socket.socketpair()
    except OSError as error:
        raise _start_error(error) from error
    try:
        popen = subprocess.Popen(
            [
                sys.executable,
                "-I",
                "-S",
                "-c",
                _BOOT,
                str(theirs.fileno()),
                str(_native.__file__),
                str(limits.memory_bytes),
            ],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env={**os.environ, **_MALLOC},
        )
    except OSError as error:
        ours.close()
        raise _start_error(error) from error
    except BaseException:
        ours.close()
        raise
    finally:
        theirs.close()
    return _Process(popen.pid, popen), ours


class WorkerSession(WireSession):
    """A session in a worker process. After a crash the next ``load`` starts a new one.

    The process starts at the first ``load`` or ``restore``, not in the constructor.
    ``send_step`` and ``receive_state`` are the two halves of ``step``, for callers that
    keep several workers busy at once.
    """

    def __init__(self, limits: WorkerLimits | None = None, *, spin_us: int = 2000) -> None:
        self.limits = limits or WorkerLimits()
        self.spin_us = spin_us
        """How long to look for a reply before sleeping, in microseconds; 0 when the core
        is wanted by other workers."""
        self._process: _Process | None = None
        self._socket: socket.socket | None = None
        self._deadline = 0.0
        self._pending = ""
        self._awaiting = False
        self._closed = False

    @property
    def pid(self) -> int | None:
        """Process id of the live worker, None when there is none."""
        return self._process.pid if self._process else None

    def fileno(self) -> int:
        """Descriptor that is readable when a reply has come, −1 without a worker."""
        return self._socket.fileno() if self._socket is not None else -1

    def start(self) -> None:
        """Start the process now, if there is none, so that the first load need not."""
        if self._closed:
            raise ValueError("the session is closed; make a new one")
        if self._socket is None:
            self._adopt(*_start_process(self.limits))
            if self._closed:  # by ``kill``, meanwhile
                self._discard()
                raise ValueError("the session is closed; make a new one")

    def start_again_if_dead(self) -> None:
        """Replace a worker that died while idle or was interrupted, so that a load works."""
        if self._socket is None:
            return
        # From an idle worker nothing but its end can come.
        if self._awaiting or select.select([self._socket], [], [], 0)[0]:
            self._discard()
            self.start()

    def _adopt(self, process: _Process, connection: socket.socket) -> None:
        self._process, self._socket = process, connection
        self._awaiting = False

    # -- one request ------------------------------------------------------------

    def _send(self, request: bytes, what: str, extra_seconds: float = 0.0) -> None:
        if self._closed:
            raise ValueError("the session is closed; make a new one")
        starts_over = request[0] in (wire.Verb.LOAD, wire.Verb.RESTORE)
        if self._awaiting:
            # An interrupt (Ctrl-C) left a reply unread, which must not pass for the next.
            self._discard()
            if not starts_over:
                raise SessionError("the last request was interrupted; load a program to go on")
        if self._socket is None:
            if not starts_over:
                raise SessionError("no module is loaded; load a program first")
            self.start()
        assert self._socket is not None
        self._pending = what
        limit = self.limits.step_seconds + extra_seconds
        self._deadline = time.monotonic() + limit + self.limits.grace_seconds
        self._awaiting = True
        limit_ms = max(int(limit * 1000), 1)
        try:
            sent = send_request(self._socket.fileno(), request, limit_ms, self._deadline)
        except TimeoutError:
            self._fail_timeout()
        if not sent:
            self._fail_crashed()

    def _receive(self) -> bytes:
        assert self._socket is not None
        try:
            reply = receive_reply(self._socket.fileno(), self._deadline, self.spin_us)
        except TimeoutError:
            self._fail_timeout()
        except EOFError:
            self._fail_crashed()
        self._awaiting = False
        if reply[0] in _FATAL:
            self._fail_with_last_words(reply)
        return reply

    def _request(self, request: bytes, extra_seconds: float = 0.0) -> bytes:
        self._send(request, "", extra_seconds)
        return self._receive()

    def step(
        self,
        pipeline: str,
        options: Mapping[str, str] | None = None,
        *,
        wanted: wire.Wanted = wire.NOTHING,
    ) -> wire.State:
        """See ``Session.step``."""
        self.send_step(pipeline, options, wanted=wanted)
        return self.receive_state(wanted)

    # -- step in two halves -----------------------------------------------------

    def send_step(
        self,
        pipeline: str,
        options: Mapping[str, str] | None = None,
        *,
        wanted: wire.Wanted = wire.NOTHING,
    ) -> None:
        """Send a step without waiting for it; ``receive_state`` must follow."""
        self._send(wire.step_request(pipeline, options, wanted), pipeline)

    def receive_state(self, wanted: wire.Wanted = wire.NOTHING) -> wire.State:
        """Wait for the state that ``send_step`` asked for."""
        return wire.decode_state(self._receive(), wanted)

    # -- what can go wrong --------------------------------------------------------

    def _discard(self) -> None:
        process, connection = self._process, self._socket
        self._process = self._socket = None
        self._awaiting = False
        if connection is not None:
            connection.close()
        if process is not None:
            process.kill()

    def _where(self) -> str:
        return f" during '{self._pending}'" if self._pending else ""

    def _fail_crashed(self) -> NoReturn:
        death = self._process.describe_death() if self._process else "the worker process died"
        self._discard()
        raise SessionCrashedError(f"{death}{self._where()}; load a program to go on")

    def _fail_timeout(self) -> NoReturn:
        self._discard()
        raise SessionTimeoutError(
            f"no answer within {self.limits.step_seconds:g} s{self._where()}; the worker was "
            "killed. Load a program to go on, or raise WorkerLimits.step_seconds"
        )

    def _fail_with_last_words(self, reply: bytes) -> NoReturn:
        text = reply[1:].decode(errors="replace")
        where = self._where()
        self._discard()
        if reply[0] == 9:
            raise SessionTimeoutError(
                f"no answer within {self.limits.step_seconds:g} s{where}; the worker stopped "
                "itself. Load a program to go on, or raise WorkerLimits.step_seconds"
            )
        raise SessionCrashedError(f"the worker process crashed{where}: {text}")

    # -- fork and close -----------------------------------------------------------

    def fork(self) -> WorkerSession:
        """A worker process in the same state, by OS fork: copy-on-write, no parsing."""
        self._send(wire.simple_request(wire.Verb.FORK), "fork")
        assert self._socket is not None
        self._socket.settimeout(max(self._deadline - time.monotonic(), 0.001))
        try:
            frame, descriptors, _, _ = socket.recv_fds(self._socket, 4096, 1)
        except TimeoutError:
            self._fail_timeout()
        except ConnectionError:
            self._fail_crashed()
        self._socket.settimeout(None)
        if len(frame) < _LENGTH.size:
            self._fail_crashed()
        self._awaiting = False
        pid = wire.decode_pid(frame[_LENGTH.size :])
        twin = WorkerSession(self.limits, spin_us=self.spin_us)
        twin._adopt(_Process(pid, None), socket.socket(fileno=descriptors[0]))
        return twin

    def kill(self) -> None:
        """End the process at once; may be called from another thread than the session's.

        A request under way there fails with ``SessionCrashedError``, later ones with
        ``ValueError``.
        """
        self._closed = True
        process = self._process
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)

    def close(self) -> None:
        """End the process; may be called again."""
        self._closed = True
        process, connection = self._process, self._socket
        self._process = self._socket = None
        if connection is not None:
            connection.close()
        if process is not None:
            process.reap()

    def __del__(self) -> None:
        with contextlib.suppress(Exception):
            self.close()
