"""What only a worker can do: die, hang or grow, and leave its parent well."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest

from mirgym import errors
from mirgym.wire import Wanted
from mirgym.worker import WorkerLimits, WorkerSession

from . import sources

HASTY = WorkerLimits(step_seconds=0.3, grace_seconds=0.3)


def assert_recovers(session: WorkerSession, module: bytes) -> None:
    """No worker is left, requests say so, and a load starts a new one."""
    assert session.pid is None
    assert session.fileno() == -1
    with pytest.raises(errors.SessionError, match="no module is loaded; load a program first"):
        session.step("function(dce)")
    assert session.load(module).metrics["ir_instructions"] > 0
    assert session.step("function(mem2reg)").changed


class TestDeath:
    @pytest.mark.parametrize("name", ["SIGKILL", "SIGSEGV", "SIGABRT", "SIGBUS", "SIGTERM"])
    def test_between_requests(self, worker, modules, name):
        worker.load(modules["loops"])
        os.kill(worker.pid, signal.Signals[name])
        time.sleep(0.05)
        with pytest.raises(errors.SessionCrashedError, match=r"worker process.*load a program"):
            worker.step("function(mem2reg)")
        assert_recovers(worker, modules["loops"])

    def test_names_the_signal(self, worker, modules):
        worker.load(modules["loops"])
        os.kill(worker.pid, signal.SIGKILL)
        time.sleep(0.05)
        with pytest.raises(errors.SessionCrashedError, match="killed by SIGKILL"):
            worker.step("function(mem2reg)")

    @pytest.mark.parametrize("verb", ["observe", "snapshot", "verify", "functions", "fork"])
    def test_is_seen_by_every_request(self, worker, modules, verb):
        worker.load(modules["loops"])
        os.kill(worker.pid, signal.SIGKILL)
        with pytest.raises(errors.SessionCrashedError, match="worker process"):
            getattr(worker, verb)()
        assert_recovers(worker, modules["loops"])

    def test_during_a_request(self, worker, compile_c, modules):
        worker.load(compile_c(sources.CPP, cpp=True))
        killer = threading.Timer(0.02, os.kill, (worker.pid, signal.SIGKILL))
        killer.start()
        with pytest.raises(errors.SessionCrashedError, match="SIGKILL"):
            for _ in range(100):
                worker.step("default<O3>")
                worker.load(modules["cpp"])
        assert_recovers(worker, modules["loops"])

    def test_a_pass_that_crashes(self, worker, modules):
        worker.load(modules["features"])
        worker.send_step("function(unify-loop-exits)")
        message = r"crashed during 'function\(unify-loop-exits\)': .*(SIGSEGV|SIGABRT)"
        with pytest.raises(errors.SessionCrashedError, match=message):
            worker.receive_state()
        assert_recovers(worker, modules["loops"])

    def test_a_step_that_crashes_names_its_pipeline(self, worker, modules):
        worker.load(modules["features"])
        with pytest.raises(errors.SessionCrashedError, match="unify-loop-exits"):
            worker.step("function(unify-loop-exits)")
        assert_recovers(worker, modules["loops"])

    def test_llvm_gives_up(self, worker, modules):
        worker.load(modules["loops"])
        with pytest.raises(errors.SessionCrashedError, match="requires MemorySSA"):
            worker.step("function(loop(licm))")
        assert_recovers(worker, modules["loops"])

    def test_of_a_fork_leaves_the_origin(self, worker, modules):
        key = worker.load(modules["features"]).key
        with worker.fork() as twin:
            with pytest.raises(errors.SessionCrashedError, match="unify-loop-exits"):
                twin.step("function(unify-loop-exits)")
            assert worker.observe().key == key
            assert_recovers(twin, modules["loops"])


class TestHang:
    def test_a_stopped_worker(self, modules):
        with WorkerSession(HASTY) as session:
            session.load(modules["loops"])
            os.kill(session.pid, signal.SIGSTOP)
            start = time.monotonic()
            with pytest.raises(
                errors.SessionTimeoutError, match=r"0\.3 s.*killed.*raise WorkerLimits"
            ):
                session.step("function(mem2reg)")
            assert time.monotonic() - start < 5
            assert_recovers(session, modules["loops"])

    def test_a_stopped_worker_is_sent_more_than_a_socket_holds(self, modules):
        with WorkerSession(HASTY) as session:
            session.load(modules["loops"])
            os.kill(session.pid, signal.SIGSTOP)
            with pytest.raises(errors.SessionTimeoutError, match=r"0\.3 s"):
                session.load(bytes(8 << 20))
            assert_recovers(session, modules["loops"])

    def test_fork_of_a_stopped_worker(self, modules):
        with WorkerSession(HASTY) as session:
            session.load(modules["loops"])
            os.kill(session.pid, signal.SIGSTOP)
            with pytest.raises(errors.SessionTimeoutError, match="during 'fork'"):
                session.fork()
            assert_recovers(session, modules["loops"])

    def test_a_pass_that_takes_too_long(self, worker, modules):
        worker.load(modules["cpp"])
        worker.limits = WorkerLimits(step_seconds=0.005)
        with pytest.raises(
            errors.SessionTimeoutError, match=r"0\.005 s during 'default<O3>'.*stopped itself"
        ):
            worker.step("default<O3>")
        worker.limits = WorkerLimits()
        assert_recovers(worker, modules["loops"])

    def test_code_generation_that_takes_too_long(self, worker, modules):
        worker.load(modules["cpp"])
        worker.limits = WorkerLimits(step_seconds=0.005)
        with pytest.raises(errors.SessionTimeoutError, match="stopped itself"):
            worker.observe(Wanted.of(("object_text_size_bytes",)))
        worker.limits = WorkerLimits()
        assert_recovers(worker, modules["loops"])

    def test_closing_a_stopped_worker(self, modules):
        session = WorkerSession()
        session.load(modules["loops"])
        pid = session.pid
        os.kill(pid, signal.SIGSTOP)
        session.close()
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


class TestGrowth:
    def test_memory_limit(self, compile_c, modules):
        with WorkerSession(WorkerLimits(memory_bytes=320 << 20)) as session:
            session.load(modules["loops"])
            session.load(compile_c(sources.inlining_bomb(24)), growth_limit=float("inf"))
            with pytest.raises(errors.SessionCrashedError, match=r"(?i)memory|alloc|SIG"):
                session.step("always-inline")
            assert_recovers(session, modules["loops"])

    def test_too_little_memory_to_start(self, modules):
        with (
            WorkerSession(WorkerLimits(memory_bytes=32 << 20)) as session,
            pytest.raises(errors.SessionCrashedError, match="exit code"),
        ):
            session.load(modules["loops"])

    def test_growth_by_inlining(self, worker, compile_c, modules):
        plain = sources.inlining_bomb(12).replace("inline __attribute__((always_inline))", "")
        worker.load(compile_c(plain), growth_limit=1.0)
        with pytest.raises(errors.ModuleTooLargeError, match=r"over the limit of 10000"):
            worker.step("cgscc(inline)", {"inline-threshold": "1000000"})
        pid = worker.pid
        assert worker.load(modules["loops"]).metrics["ir_instructions"] > 0
        assert worker.pid == pid  # the worker itself is well


class TestInterrupt:
    def test_the_next_load_works(self, worker, modules):
        worker.load(modules["loops"])
        os.kill(worker.pid, signal.SIGSTOP)
        threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()
        with pytest.raises(KeyboardInterrupt):
            worker.step("function(mem2reg)")
        assert worker.load(modules["loops"]).metrics["ir_instructions"] > 0

    def test_the_next_step_does_not_get_the_old_reply(self, worker, modules):
        worker.load(modules["loops"])
        worker.send_step("function(mem2reg)")
        with pytest.raises(errors.SessionError, match="interrupted; load a program"):
            worker.observe()
        assert_recovers(worker, modules["loops"])


class TestTwoHalves:
    def test_several_workers_at_once(self, modules):
        sessions = [WorkerSession(spin_us=0) for _ in range(3)]
        try:
            for session in sessions:
                session.load(modules["strings"])
            for session in sessions:
                session.send_step("function(sroa)")
            states = [s.receive_state() for s in sessions]
            assert len({s.key for s in states}) == 1
            assert all(s.changed for s in states)
        finally:
            for session in sessions:
                session.close()

    def test_a_failed_step_can_be_followed_by_another(self, worker, modules):
        worker.load(modules["strings"])
        worker.send_step("function(nonsense)")
        with pytest.raises(errors.UnknownPassError, match="nonsense"):
            worker.receive_state()
        assert worker.step("function(sroa)").changed

    def test_large_replies(self, worker, modules, compile_c):
        """More than a socket holds, both ways."""
        worker.load(compile_c(sources.inlining_bomb(12)), growth_limit=1000.0)
        worker.step("always-inline")
        text = worker.emit("ll")
        assert len(text) > 500_000
        assert worker.load(text, growth_limit=1.0).metrics["ir_instructions"] > 10_000

    def test_start_is_lazy(self, modules):
        with WorkerSession() as session:
            assert session.pid is None
            session.start()
            pid = session.pid
            session.start()
            session.load(modules["loops"])
            assert session.pid == pid
