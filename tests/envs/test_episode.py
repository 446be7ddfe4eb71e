"""An episode of ``mir-llvm-v0``: its end, actions, masks, forks and rendering."""

from __future__ import annotations

import math
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from mirgym.envs.actions import build_actions
from mirgym.errors import UnknownPassError
from mirgym.passes import Pass, catalogue
from mirgym.programs import resolve
from mirgym.session import InProcessSession
from mirgym.wire import Wanted

from .conftest import OBJECTIVES, PRIMES, URI, Bare, Make, equal


def index(env: gym.Env[Any, Any], name: str) -> int:
    return env.unwrapped.passes.index(name)  # type: ignore[attr-defined]


# -- the end of an episode ----------------------------------------------------------------


@pytest.mark.parametrize("limit", [None, 7])
def test_time_limit(make: Make, limit: int | None) -> None:
    more = {} if limit is None else {"max_episode_steps": limit, "horizon": limit}
    env = make(observation="history", **more)
    for _ in range(2):
        observation, _ = env.reset(seed=0)
        assert observation[-3] == 1.0
        remaining = []
        for step in range(1, (limit or 45) + 1):
            observation, _, terminated, truncated, info = env.step(step % 3)
            remaining.append(float(observation[-3]))
            assert not terminated and truncated == (step == (limit or 45))
            assert info["error"] is None
        assert remaining == sorted(remaining, reverse=True) and remaining[-1] == 0.0
        assert observation[:-3].sum() == pytest.approx(1.0, abs=1e-5)


def test_no_time_limit(make: Make) -> None:
    env = make(observation="history", max_episode_steps=-1)
    observation, _ = env.reset(seed=0)
    assert observation in env.observation_space and observation[-3] == 1.0
    for _ in range(50):
        observation, _, terminated, truncated, _ = env.step(0)
        assert observation in env.observation_space
        assert not terminated and not truncated


def test_stop_terminates(make: Make) -> None:
    env = make(actions="passes+stop")
    assert env.unwrapped.passes[-1] == "stop"  # type: ignore[attr-defined]
    first, info = env.reset(seed=0)
    last, reward, terminated, truncated, after = env.step(115)
    assert (reward, terminated, truncated) == (0.0, True, False)
    assert np.array_equal(first, last) and after == info
    with pytest.raises(RuntimeError, match="call reset"):
        env.step(0)
    assert env.reset()[1]["error"] is None


def test_history_counts_actions_and_costs(bare: Bare) -> None:
    env = bare(observation="history", actions=["mem2reg", "adce"])
    observation, info = env.reset()
    start, baseline = info["start_cost"], info["baseline_cost"]
    expected = [0, 0, 1, 0, math.log(start / baseline)]
    assert observation == pytest.approx(np.float32(expected))
    for action in (0, 0, 1):
        observation, _, _, _, info = env.step(action)
    cost = info["cost"]
    expected = [2 / 45, 1 / 45, 42 / 45, math.log(cost / start), math.log(cost / baseline)]
    assert observation == pytest.approx(np.float32(expected))


# -- actions ----------------------------------------------------------------------------


def test_action_sets() -> None:
    core = build_actions("passes")
    assert len(core.passes) == 115 and core.stop == -1
    assert core.passes == catalogue("core")
    stopping = build_actions("passes + stop")
    assert stopping.names == (*core.names, "stop") and stopping.stop == 115
    assert build_actions(["gvn", "stop", "mem2reg"]).names == ("gvn", "stop", "mem2reg")
    assert build_actions("opt-in").passes == catalogue("opt-in")
    own = Pass("mine", "function(mem2reg,gvn)")
    assert build_actions([own, "-sroa"]).names[0] == "mine"
    compilergym = build_actions("compilergym")
    assert "mem2reg" in compilergym.names and "attributor" not in compilergym.names
    assert len(set(compilergym.names)) == len(compilergym.names) > 60


@pytest.mark.parametrize(
    ("actions", "error", "match"),
    [
        ("pases", UnknownPassError, r"unknown action group 'pases'.*Did you mean 'passes'"),
        (["mem2regg"], UnknownPassError, r"unknown pass 'mem2regg'.*Did you mean 'mem2reg'"),
        (["-attributor"], UnknownPassError, r"no counterpart in LLVM 23"),
        (["gvn", "adce", "gvn"], ValueError, r"\['gvn'\] more than once"),
        ("stop+passes+stop", ValueError, r"\['stop'\] more than once"),
        ([], ValueError, "holds no pass"),
        ("stop", ValueError, "holds no pass"),
        ("", UnknownPassError, "unknown action group ''"),
    ],
)
def test_bad_actions(bare: Bare, actions: Any, error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        bare(actions=actions)


# -- masks ------------------------------------------------------------------------------


def test_masks_follow_the_module(bare: Bare) -> None:
    env = bare(actions=["mem2reg", "instcombine<no-verify-fixpoint>", "stop"])
    env.reset()
    assert env.action_masks().tolist() == [True, True, True]
    assert env.step(0)[4]["changed"]
    assert env.action_masks().tolist() == [True, True, True]
    assert not env.step(0)[4]["changed"]
    assert env.action_masks().tolist() == [False, True, True]
    assert env.step(1)[4]["changed"]
    assert env.action_masks().tolist() == [True, True, True]
    env.step(0)
    while env.step(1)[4]["changed"]:
        env.step(0)
    env.step(0)
    assert env.action_masks().tolist() == [False, False, True]
    env.reset()
    assert env.action_masks().all()


def test_all_masked_gives_all_true(bare: Bare) -> None:
    env = bare(actions=["mem2reg"])
    env.reset()
    env.step(0)
    assert not env.step(0)[4]["changed"]
    mask = env.action_masks()
    assert mask.dtype == bool and mask.tolist() == [True]
    mask[:] = False  # the caller's own
    assert env.action_masks().tolist() == [True]


def test_masks_never_lie(make: Make) -> None:
    env = make()
    env.reset(seed=9)
    env.action_space.seed(9)
    for _ in range(30):
        env.step(env.action_space.sample())
    masked = np.flatnonzero(~env.unwrapped.action_masks())  # type: ignore[attr-defined]
    assert len(masked) > 0
    episode = env.unwrapped.episode  # type: ignore[attr-defined]
    for action in masked:
        chosen = episode.actions.passes[action]
        assert not episode.session.step(chosen.pipeline).changed


def test_known_no_op_is_skipped_and_counts(bare: Bare, monkeypatch: pytest.MonkeyPatch) -> None:
    env = bare(actions=["mem2reg", "adce"], observation="history")
    env.reset()
    env.step(0)
    before = env.step(0)
    assert not before[4]["changed"]
    sent: list[str] = []
    session = env.episode.session
    original = session.send_step  # type: ignore[union-attr]
    monkeypatch.setattr(
        session, "send_step", lambda p, *a, **k: (sent.append(p), original(p, *a, **k))
    )
    after = env.step(0)
    assert sent == [] and env.episode.taken == [0, 0, 0]
    assert after[1:] == before[1:] and after[1] == 0.0
    assert after[0][0] == np.float32(3 / 45) and after[0][-3] == np.float32(42 / 45)
    env.step(1)
    assert sent == ["function(adce)"]


# -- fork, render, info -------------------------------------------------------------------


@pytest.mark.parametrize("isolation", ["process", "none"])
def test_fork(bare: Bare, isolation: str) -> None:
    env = bare(isolation=isolation, observation=["autophase", "history"])
    env.reset(seed=2)
    for name in ("mem2reg", "adce", "mem2reg"):
        env.step(index(env, name))
    twin = env.fork()
    try:
        assert twin.episode.key == env.episode.key
        assert np.array_equal(twin.action_masks(), env.action_masks())
        assert equal(twin.episode.observation(), env.episode.observation())
        key = env.episode.key
        twin.step(index(env, "simplifycfg"))
        assert env.episode.key == key != twin.episode.key
        assert len(env.episode.taken) == 3 and len(twin.episode.taken) == 4
        env.step(index(env, "simplifycfg"))
        assert env.episode.key == twin.episode.key
        for name in ("gvn", "dse", "adce", "gvn"):
            a, b = (e.step(index(env, name)) for e in (env, twin))
            assert equal(a[0], b[0]) and a[1:] == b[1:]
        assert env.episode.key == twin.episode.key
        env.close()
        assert twin.step(index(env, "adce"))[4]["error"] is None
        assert twin.reset(seed=2)[1]["cost"] == twin.episode.costs.start
    finally:
        twin.close()


def test_fork_needs_an_episode(bare: Bare) -> None:
    env = bare()
    with pytest.raises(RuntimeError, match="no running episode to fork"):
        env.fork()
    with pytest.raises(RuntimeError, match="no running episode"):
        _ = env.episode.key


def opt_line(text: str) -> str:
    (line,) = [line for line in text.splitlines() if line.startswith("opt -passes='")]
    return line.removeprefix("opt -passes='").removesuffix("'")


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_render_replays(make: Make, objective: str) -> None:
    env = make(render_mode="ansi", actions="passes+stop", objective=objective)
    assert "call reset() first" in env.unwrapped.render()  # type: ignore[operator]
    env.reset(seed=4)
    assert opt_line(env.render()) == ""  # type: ignore[arg-type]
    rng = np.random.default_rng(4)
    for action in rng.integers(0, 115, 20):
        _, _, _, _, info = env.step(action)
    text = env.render()
    episode = env.unwrapped.episode  # type: ignore[attr-defined]
    wanted = Wanted.of((objective,) if objective == "text_size_bytes" else ())
    with InProcessSession() as session:
        session.load(resolve(PRIMES).bitcode(), level="Oz")
        state = session.step(opt_line(text), wanted=wanted)  # type: ignore[arg-type]
        assert session.observe().key == episode.key
    assert state.metrics[objective] == info["cost"]
    assert f"program  {URI}" in text and "steps    20 of 45" in text
    table = {row.split()[0]: row.split()[1:] for row in text.splitlines()[-3:]}  # type: ignore[union-attr]
    assert table["now"][0] == str(info["cost"])
    assert table["start"][0] == str(info["start_cost"])
    assert table["Oz"] == [str(info["baseline_cost"]), "1.000"]
    env.step(115)
    assert opt_line(env.render()) == opt_line(text)  # type: ignore[arg-type]


def test_info_keys(make: Make) -> None:
    env = make()
    keys = {"program", "cost", "start_cost", "baseline_cost", "changed", "error"}
    _, info = env.reset(seed=0)
    assert set(info) == keys
    assert info["cost"] == info["start_cost"] and not info["changed"]
    _, _, _, _, info = env.step(index(env, "mem2reg"))
    assert set(info) == keys and info["changed"] is True and info["error"] is None
    assert all(type(info[k]) is int for k in ("cost", "start_cost", "baseline_cost"))
