"""Nothing is left behind: processes, descriptors, memory."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mirgym.session import InProcessSession
from mirgym.worker import WorkerSession

PARENT = """
import os, signal, sys, time
from mirgym.worker import WorkerSession
session = WorkerSession()
session.load(open(sys.argv[1], "rb").read())
twin = session.fork()
third = twin.fork()
interrupts = []
signal.signal(signal.SIGINT, lambda *_: interrupts.append(1))
print(session.pid, twin.pid, third.pid, flush=True)
for round in range(600):
    time.sleep(0.1)
    if interrupts:
        interrupts.clear()
        same = session.observe().key == twin.observe().key == third.observe().key
        print("workers live" if same else "workers differ", flush=True)
"""


def is_alive(pid: int) -> bool:
    """Whether the process runs; one that only waits to be reaped does not."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rsplit(")", 1)[1].split()[0] not in "ZX"


def wait_until_dead(pids: list[int], seconds: float = 10.0) -> list[int]:
    """The processes that still run after a while."""
    end = time.monotonic() + seconds
    while (left := [p for p in pids if is_alive(p)]) and time.monotonic() < end:
        time.sleep(0.02)
    return left


def own_children() -> set[int]:
    """Children of this process, zombies too."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            text = stat.read_text(encoding="ascii", errors="replace")
            if int(text.rsplit(")", 1)[1].split()[1]) == os.getpid():
                found.add(int(stat.parent.name))
    return found


def open_descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def resident_mib(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


@pytest.fixture
def parent(modules, tmp_path):
    """A process of its own group with a worker, a fork of it and a fork of that."""
    path = tmp_path / "module.bc"
    path.write_bytes(modules["loops"])
    process = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(path)],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        cwd=Path(__file__).parents[2],
    )
    try:
        assert process.stdout is not None
        process.workers = [int(p) for p in process.stdout.readline().split()]
        yield process
    finally:
        process.kill()
        process.communicate()


def test_workers_die_with_a_killed_parent(parent):
    assert len(parent.workers) == 3
    assert all(map(is_alive, parent.workers))
    parent.kill()
    parent.wait()
    assert wait_until_dead(parent.workers) == []


def test_interrupting_the_group_leaves_the_workers(parent):
    os.killpg(parent.pid, signal.SIGINT)
    assert parent.stdout.readline() == "workers live\n"
    assert all(map(is_alive, parent.workers))


def test_close_ends_every_process(modules):
    before = own_children()
    session = WorkerSession()
    session.load(modules["loops"])
    twin = session.fork()
    third = twin.fork()
    pids = [session.pid, twin.pid, third.pid]
    assert own_children() - before == {session.pid}
    for each in (session, third, twin):
        each.close()
    assert wait_until_dead(pids) == []
    assert own_children() <= before  # no zombie either


def test_a_session_that_nobody_closed(modules):
    session = WorkerSession()
    session.load(modules["loops"])
    pid = session.pid
    del session
    assert wait_until_dead([pid]) == []


def test_a_dead_worker_is_reaped(modules):
    before = own_children()
    with WorkerSession() as session:
        session.load(modules["loops"])
        os.kill(session.pid, signal.SIGKILL)
        with pytest.raises(Exception, match="SIGKILL"):
            session.step("function(dce)")
        assert own_children() <= before


def test_descriptors_do_not_leak(modules):
    with WorkerSession() as origin:
        origin.load(modules["loops"])
        origin.fork().close()
        origin.observe()  # the worker closes its end after it has answered
        before = open_descriptors()
        inside = len(os.listdir(f"/proc/{origin.pid}/fd"))
        for _ in range(180):
            with origin.fork() as twin:
                twin.observe()
        for _ in range(20):
            with WorkerSession() as session:
                session.start()
        for _ in range(5):
            with WorkerSession() as session:
                session.start()
                os.kill(session.pid, signal.SIGKILL)
                with pytest.raises(Exception, match="worker process"):
                    session.load(modules["loops"])
        origin.observe()
        assert open_descriptors() == before
        assert len(os.listdir(f"/proc/{origin.pid}/fd")) == inside


def test_workers_inherit_no_descriptors(modules, tmp_path):
    with (tmp_path / "secret").open("w") as secret, WorkerSession() as session:
        os.set_inheritable(secret.fileno(), True)
        session.load(modules["loops"])
        links = [os.readlink(p) for p in Path(f"/proc/{session.pid}/fd").iterdir()]
        assert not any("secret" in link for link in links)
        assert sum("socket" in link for link in links) == 1


@pytest.mark.parametrize("kind", [InProcessSession, WorkerSession])
def test_memory_does_not_leak(modules, kind):
    with kind() as session:

        def load_and_step(times: int) -> float:
            for i in range(times):
                session.load(modules["strings"], level=("Oz", "O3")[i % 2])
                session.step("function(sroa,simplifycfg)")
            return resident_mib(getattr(session, "pid", None) or os.getpid())

        before = load_and_step(50)
        assert load_and_step(300) - before < 8
