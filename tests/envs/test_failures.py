"""What can go wrong in an episode: each ends it, says so, and the next reset works."""

from __future__ import annotations

import os
import signal
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mirgym.envs import LlvmEnv, LlvmVectorEnv
from mirgym.envs.pool import ProgramPool
from mirgym.errors import SessionCrashedError, SessionError, WorkerStartError
from mirgym.passes import Pass
from mirgym.worker import WorkerLimits

from .conftest import ADPCM, PRIMES, Bare

Vector = Callable[..., LlvmVectorEnv]
CRASHER = "unify-loop-exits"
HASHTABLE = "mirbench/hashtable"
HEAVY = Pass("heavy", ",".join(["default<O3>"] * 2000))


def worker_pid(env: LlvmEnv) -> int:
    pid = env.episode.session.pid  # type: ignore[union-attr]
    assert isinstance(pid, int)
    return pid


def check_failed(env: LlvmEnv, outcome: Any, match: str) -> None:
    """A failed step, then an episode on the same program that works."""
    observation, reward, terminated, truncated, info = outcome
    assert (reward, terminated, truncated) == (0.0, False, True)
    assert match in info["error"]
    assert observation in env.observation_space
    uri, cost = info["program"], info["start_cost"]
    with pytest.raises(RuntimeError, match="call reset"):
        env.step(0)
    with pytest.raises(RuntimeError, match="call reset"):
        env.fork()
    _, info = env.reset()
    assert (info["program"], info["cost"], info["error"]) == (uri, cost, None)
    assert env.step(env.passes.index("mem2reg"))[4]["changed"]


@pytest.mark.parametrize("first", [[], ["mem2reg"]], ids=["at-once", "later"])
def test_crashing_pass(bare: Bare, first: list[str]) -> None:
    env = bare(programs=HASHTABLE, actions=[CRASHER, "mem2reg"], observation="history")
    env.reset(seed=0)
    for name in first:
        assert env.step(env.passes.index(name))[4]["error"] is None
    outcome = env.step(0)
    assert outcome[0][0] == np.float32(1 / 45)
    check_failed(env, outcome, CRASHER)


def test_worker_killed_in_an_episode(bare: Bare) -> None:
    env = bare()
    env.reset(seed=0)
    env.step(0)
    os.kill(worker_pid(env), signal.SIGKILL)
    check_failed(env, env.step(1), "SIGKILL")


def test_worker_killed_between_episodes(bare: Bare) -> None:
    env = bare(programs=[PRIMES, ADPCM])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for program in (None, PRIMES, ADPCM, None):
            options = {} if program is None else {"program": program}
            _, info = env.reset(options=options)
            assert info["error"] is None
            os.kill(worker_pid(env), signal.SIGKILL)
            time.sleep(0.05)
    assert len(env.episode.pool.members) == 2


def test_interrupted_step(bare: Bare) -> None:
    env = bare()
    env.reset(seed=0)
    env.episode.send(0)  # Ctrl-C here: nobody receives
    _, info = env.reset()
    assert info["error"] is None and info["cost"] == info["start_cost"]
    assert env.step(env.passes.index("mem2reg"))[4]["changed"]


def test_hang(bare: Bare) -> None:
    limits = WorkerLimits(step_seconds=2.5, grace_seconds=1.0)
    env = bare(actions=[HEAVY, "mem2reg"], limits=limits)
    env.reset(seed=0)
    before = time.monotonic()
    outcome = env.step(0)
    assert time.monotonic() - before < 5
    check_failed(env, outcome, "2.5 s")


def test_growth_limit(bare: Bare, exploding: Path) -> None:
    env = bare(programs=exploding, actions=["always-inline", "mem2reg"], baseline="O0")
    _, info = env.reset(seed=0)
    outcome = env.step(0)
    assert outcome[1:4] == (0.0, False, True)
    assert "over the limit" in outcome[4]["error"]
    assert outcome[4]["cost"] == info["cost"]
    assert env.reset()[1]["cost"] == info["cost"]


def test_growth_limit_can_be_raised(bare: Bare, exploding: Path) -> None:
    env = bare(programs=exploding, actions=["always-inline"], baseline="O0", growth_limit=10_000.0)
    env.reset()
    _, reward, _, truncated, info = env.step(0)
    assert not truncated and info["cost"] > 100_000 and reward < 0


# -- programs whose baseline fails -------------------------------------------------------


def fail_on_adpcm(patch: pytest.MonkeyPatch) -> None:
    original = ProgramPool.costs

    def costs(self: ProgramPool, program: Any, session: Any) -> Any:
        if program.name == "adpcm":
            raise SessionCrashedError("the worker process crashed: test")
        return original(self, program, session)

    patch.setattr(ProgramPool, "costs", costs)


def test_program_without_baseline_is_left_out(bare: Bare, monkeypatch: pytest.MonkeyPatch) -> None:
    fail_on_adpcm(monkeypatch)
    env = bare(programs=[PRIMES, ADPCM])
    with pytest.warns(UserWarning, match=r"mirbench/adpcm is left out: its Oz baseline fails"):
        for seed in range(12):
            assert env.reset(seed=seed)[1]["program"].endswith("/primes")
    assert [p.name for p in env.episode.pool.members] == ["primes"]


def test_explicit_program_without_baseline_raises(
    bare: Bare, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_on_adpcm(monkeypatch)
    env = bare(programs=[PRIMES, ADPCM])
    env.reset(options={"program": PRIMES})
    with pytest.raises(SessionError, match="crashed: test"):
        env.reset(options={"program": ADPCM})
    with pytest.raises(RuntimeError, match="call reset"):
        env.step(0)
    assert env.reset(options={"program": PRIMES})[1]["error"] is None


def test_last_program_without_baseline_raises(bare: Bare, monkeypatch: pytest.MonkeyPatch) -> None:
    fail_on_adpcm(monkeypatch)
    env = bare(programs=ADPCM)
    with pytest.raises(SessionError, match="crashed: test"):
        env.reset()


# -- no worker at all --------------------------------------------------------------------


@pytest.mark.parametrize("call", ["subprocess.Popen", "socket.socketpair"])
def test_worker_that_cannot_start_drops_no_program(
    bare: Bare, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise OSError(24, "Too many open files")

    env = bare(programs=[ADPCM, PRIMES])
    with monkeypatch.context() as patch:
        patch.setattr(f"mirgym.worker.{call}", refuse)
        with pytest.raises(WorkerStartError, match=r"cannot start a worker.*Too many open files"):
            env.reset(seed=0)
    assert len(env.episode.pool.members) == 2
    env.reset(seed=0)


@pytest.mark.parametrize("options", [{}, {"program": PRIMES}], ids=["sampled", "chosen"])
def test_worker_that_always_dies_drops_no_program(
    bare: Bare, monkeypatch: pytest.MonkeyPatch, options: dict[str, str]
) -> None:
    env = bare(programs=[ADPCM, PRIMES])
    with monkeypatch.context() as patch:
        patch.setattr("mirgym.worker._BOOT", "raise SystemExit(3)")
        with pytest.raises(WorkerStartError, match="workers end whatever they load"):
            env.reset(seed=0, options=options)
    assert len(env.episode.pool.members) == 2
    env.reset(seed=0)


# -- vector ---------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["NextStep", "SameStep"])
def test_a_crash_does_not_disturb_the_other_copy(vector: Vector, bare: Bare, mode: str) -> None:
    envs = vector(programs=HASHTABLE, actions=[CRASHER, "mem2reg", "gvn"], autoreset_mode=mode)
    alone = bare(programs=HASHTABLE, actions=[CRASHER, "mem2reg", "gvn"])
    envs.reset(seed=0)
    alone.reset()
    for mine, other in [(1, 1), (0, 2), (1, 1), (2, 2)]:
        observations, rewards, _, truncated, infos = envs.step(np.array([mine, other]))
        expected = alone.step(other)
        assert np.array_equal(observations[1], expected[0]) and rewards[1] == expected[1]
        assert not truncated[1] and infos["cost"][1] == expected[4]["cost"]
        if mine == 0:
            assert truncated[0] and rewards[0] == 0.0
            last = infos if mode == "NextStep" else infos["final_info"]
            assert CRASHER in last["error"][0]
        else:
            assert not truncated[0]


def test_killed_worker_in_vector(vector: Vector) -> None:
    envs = vector()
    envs.reset(seed=0)
    os.kill(envs.episodes[1].session.pid, signal.SIGKILL)  # type: ignore[union-attr, arg-type]
    _, _, _, truncated, infos = envs.step(np.array([0, 0]))
    assert truncated.tolist() == [False, True] and "SIGKILL" in infos["error"][1]
    _, rewards, _, truncated, infos = envs.step(np.array([1, 1]))
    assert not truncated.any() and rewards[1] == 0.0
    assert infos["cost"][1] == infos["start_cost"][1]


def test_asynchronous_hang(vector: Vector) -> None:
    limits = WorkerLimits(step_seconds=2.5, grace_seconds=1.0)
    envs = vector(actions=[HEAVY, "mem2reg"], limits=limits)
    envs.reset(seed=0)
    envs.send([0, 1])
    done = envs.receive(1)
    assert done.indices.tolist() == [1] and not done.truncated[0]
    hung = envs.receive(1)
    assert hung.indices.tolist() == [0] and hung.truncated[0]
    assert "2.5 s" in hung.infos[0]["error"]
