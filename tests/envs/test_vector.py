"""``LlvmVectorEnv``: the same episodes as ``LlvmEnv``, several at once."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

from mirgym.envs import LlvmEnv, LlvmVectorEnv
from mirgym.objective import Scale

from .conftest import ADPCM, PRIMES

Bare = Callable[..., LlvmEnv]
Vector = Callable[..., LlvmVectorEnv]
BOTH = {"program": [PRIMES, ADPCM]}


def row(observations: Any, i: int) -> Any:
    if isinstance(observations, dict):
        return {name: value[i] for name, value in observations.items()}
    return observations[i]


def same(a: Any, b: Any) -> bool:
    if isinstance(a, dict):
        return all(np.array_equal(a[k], b[k]) for k in b)
    return bool(np.array_equal(a, b))


def test_make_vec() -> None:
    envs = gym.make_vec(
        "mir-llvm-v0",
        num_envs=2,
        vectorization_mode="vector_entry_point",
        programs=PRIMES,
        objective="ir_instructions",
    )
    try:
        assert isinstance(envs.unwrapped, LlvmVectorEnv)
        assert envs.unwrapped.max_episode_steps == 45
        assert envs.metadata["autoreset_mode"] is AutoresetMode.NEXT_STEP
        observations, infos = envs.reset(seed=1)
        assert observations.shape == (2, 258) and observations in envs.observation_space
        assert infos["program"].tolist() == ["benchmark://mirbench/primes"] * 2
        observations, rewards, terminated, truncated, _ = envs.step(envs.action_space.sample())
        assert observations in envs.observation_space
        assert rewards.shape == terminated.shape == truncated.shape == (2,)
    finally:
        envs.close()


def test_make_vec_sync_agrees(vector: Vector) -> None:
    """Gymnasium's own vector environment around ``LlvmEnv`` gives the same episodes."""
    kwargs = {"programs": PRIMES, "objective": "ir_instructions", "observation": "history"}
    theirs = gym.make_vec(
        "mir-llvm-v0",
        num_envs=2,
        vectorization_mode="sync",
        max_episode_steps=5,
        horizon=5,
        **kwargs,
    )
    try:
        ours = vector(observation="history", max_episode_steps=5)
        a, b = theirs.reset(seed=3), ours.reset(seed=3)
        assert np.array_equal(a[0], b[0])
        rng = np.random.default_rng(3)
        for _ in range(13):
            actions = rng.integers(0, 115, 2)
            a, b = theirs.step(actions), ours.step(actions)
            assert all(np.array_equal(x, y) for x, y in zip(a[:4], b[:4], strict=True))
            assert a[4].keys() == b[4].keys()
            assert all(np.array_equal(a[4][k], b[4][k]) for k in a[4])
    finally:
        theirs.close()


@pytest.mark.parametrize("observation", ["autophase", ["instcount", "history"]], ids=str)
def test_copies_play_single_episodes(vector: Vector, bare: Bare, observation: Any) -> None:
    envs = vector(programs=[PRIMES, ADPCM], observation=observation)
    singles = [bare(programs=p, observation=observation) for p in (PRIMES, ADPCM)]
    observations, infos = envs.reset(seed=5, options=BOTH)
    for i, single in enumerate(singles):
        first, info = single.reset()
        assert same(row(observations, i), first) and infos["program"][i] == info["program"]
    rng = np.random.default_rng(5)
    totals = np.zeros(2)
    for _ in range(30):
        actions = rng.integers(0, 115, 2)
        observations, rewards, _, truncated, infos = envs.step(actions)
        assert observations in envs.observation_space and not truncated.any()
        for i, single in enumerate(singles):
            expected, reward, _, _, info = single.step(actions[i])
            assert same(row(observations, i), expected)
            assert rewards[i] == reward and infos["cost"][i] == info["cost"]
        masks = np.stack([single.action_masks() for single in singles])
        assert np.array_equal(envs.action_masks(), masks)
        totals += rewards
    for i in range(2):
        scale = Scale(int(infos["start_cost"][i]), int(infos["baseline_cost"][i]))
        assert totals[i] == pytest.approx(scale.reward(scale.start, infos["cost"][i]), abs=1e-12)


def test_seeds(vector: Vector) -> None:
    programs = [PRIMES, ADPCM, "mirbench/crc"]

    def drawn(seed: Any) -> list[list[str]]:
        envs = vector(programs=programs)
        first = envs.reset(seed=seed)[1]["program"].tolist()
        return [first, *(envs.reset()[1]["program"].tolist() for _ in range(5))]

    assert drawn(4) == drawn([4, 5])
    mixed = list(zip(*drawn([4, 4]), strict=True))
    assert mixed[0] == mixed[1]
    with pytest.raises(ValueError, match="3 seeds for 2 environments"):
        vector().reset(seed=[1, 2, 3])


def test_next_step_autoreset(vector: Vector) -> None:
    envs = vector(max_episode_steps=3, observation="history", actions=["mem2reg", "gvn", "stop"])
    first, _ = envs.reset(seed=0)
    envs.step(np.array([0, 0]))
    _, _, terminated, truncated, _ = envs.step(np.array([2, 1]))
    assert terminated.tolist() == [True, False] and not truncated.any()
    # copy 0 resets, whatever its action; copy 1 takes its third step
    observations, rewards, terminated, truncated, infos = envs.step(np.array([1, 1]))
    assert np.array_equal(observations[0], first[0]) and rewards[0] == 0.0
    assert infos["cost"][0] == infos["start_cost"][0]
    assert not terminated.any() and truncated.tolist() == [False, True]
    assert observations[1][-3] == 0.0
    assert "final_obs" not in infos
    observations, _, _, truncated, _ = envs.step(np.array([0, 0]))
    assert observations[0][0] == np.float32(1 / 3) and np.array_equal(observations[1], first[1])
    assert not truncated.any()


def test_same_step_autoreset(vector: Vector) -> None:
    envs = vector(
        max_episode_steps=3,
        observation="history",
        actions=["mem2reg", "gvn", "stop"],
        autoreset_mode="SameStep",
    )
    assert envs.metadata["autoreset_mode"] is AutoresetMode.SAME_STEP
    first, _ = envs.reset(seed=0)
    before = envs.step(np.array([0, 0]))
    observations, _, terminated, truncated, infos = envs.step(np.array([2, 1]))
    assert terminated.tolist() == [True, False] and not truncated.any()
    assert np.array_equal(observations[0], first[0])
    assert infos["_final_obs"].tolist() == infos["_final_info"].tolist() == [True, False]
    assert infos["final_obs"][0][:3] == pytest.approx([1 / 3, 0, 1 / 3])
    assert infos["final_info"]["cost"][0] == before[4]["cost"][0] < infos["cost"][0]
    observations, rewards, _, truncated, infos = envs.step(np.array([0, 1]))
    assert truncated.tolist() == [False, True] and np.array_equal(observations[1], first[1])
    assert infos["final_obs"][1][-3] == 0.0 and infos["_final_obs"].tolist() == [False, True]
    assert rewards[0] == before[1][0]


@pytest.mark.parametrize("mode", ["NextStep", "SameStep", "Disabled"])
def test_reset_mask(vector: Vector, mode: str) -> None:
    envs = vector(observation="history", autoreset_mode=mode)
    first, _ = envs.reset(seed=0)
    observations, *_ = envs.step(np.array([1, 1]))
    options = {"reset_mask": np.array([False, True])}
    after, infos = envs.reset(options=options)
    assert np.array_equal(after[0], observations[0]) and np.array_equal(after[1], first[1])
    assert infos["_program"].tolist() == [False, True]
    assert options.keys() == {"reset_mask"}
    assert [len(e.taken) for e in envs.episodes] == [1, 0]


def test_reset_options(vector: Vector) -> None:
    envs = vector()
    _, infos = envs.reset(options={"program": ADPCM})
    assert [u.rsplit("/")[-1] for u in infos["program"]] == ["adpcm"] * 2
    _, infos = envs.reset(options=BOTH)
    assert [u.rsplit("/")[-1] for u in infos["program"]] == ["primes", "adpcm"]
    with pytest.raises(ValueError, match=r"unknown reset options \['programs'\]"):
        envs.reset(options={"programs": ADPCM})
    with pytest.raises(ValueError, match="3 programs for 2 environments"):
        envs.reset(options={"program": [ADPCM] * 3})


@pytest.mark.parametrize("at_least", [1, 2])
def test_asynchronous_equals_synchronous(vector: Vector, at_least: int) -> None:
    lists = np.random.default_rng(8).integers(0, 115, (2, 20))
    arguments = {"observation": ["autophase", "history"], "max_episode_steps": 8}
    together, apart = vector(**arguments), vector(**arguments)
    together.reset(seed=8, options=BOTH)
    apart.reset(seed=8, options=BOTH)
    expected: list[list[Any]] = [[], []]
    for actions in lists.T:
        observations, rewards, terminated, truncated, infos = together.step(actions)
        for i in range(2):
            outcome = (rewards[i], terminated[i], truncated[i], infos["cost"][i])
            expected[i].append((row(observations, i), outcome))
    found: list[list[Any]] = [[], []]
    apart.send(lists[:, 0])
    while min(map(len, found)) < 20:
        flying = sum(len(f) < 20 for f in found)
        batch = apart.receive(min(at_least, flying))
        assert len(batch.indices) >= min(at_least, flying)
        for k, i in enumerate(batch.indices):
            info = batch.infos[k]
            outcome = (batch.rewards[k], batch.terminated[k], batch.truncated[k], info["cost"])
            found[i].append((row(batch.observations, k), outcome))
            if len(found[i]) < 20:
                apart.send([lists[i, len(found[i])]], [int(i)])
    for i in range(2):
        for (seen, outcome), (wanted, right) in zip(found[i], expected[i], strict=True):
            assert same(seen, wanted) and outcome == right


def test_asynchronous_errors(vector: Vector) -> None:
    envs = vector()
    envs.reset(seed=0)
    with pytest.raises(ValueError, match="at_least=1, but 0 copies are stepping"):
        envs.receive()
    envs.send([3], [1])
    with pytest.raises(RuntimeError, match="copy 1 is still stepping"):
        envs.send([0, 0])
    with pytest.raises(RuntimeError, match="copy 1 is still stepping"):
        envs.step(np.array([0, 0]))
    with pytest.raises(RuntimeError, match="receive their results first"):
        envs.reset()
    with pytest.raises(ValueError, match="at_least=2, but 1 copies are stepping"):
        envs.receive(2)
    with pytest.raises(ValueError, match="at_least=0"):
        envs.receive(0)
    assert envs.receive().indices.tolist() == [1]
    assert [len(e.taken) for e in envs.episodes] == [0, 1]


@pytest.mark.parametrize("actions", [[0, 115], [0], [0, 0, 0]], ids=str)
def test_bad_actions_leave_no_copy_stepping(vector: Vector, actions: list[int]) -> None:
    envs = vector()
    envs.reset(seed=0)
    with pytest.raises(ValueError, match=r"not in \[0, 115\)|expected one for each"):
        envs.step(np.array(actions))
    assert [len(e.taken) for e in envs.episodes] == [0, 0]
    assert not envs.step(np.array([0, 0]))[3].any()
    assert [len(e.taken) for e in envs.episodes] == [1, 1]


def test_step_before_reset(vector: Vector) -> None:
    envs = vector()
    with pytest.raises(RuntimeError, match="call reset"):
        envs.step(np.array([0, 0]))
    with pytest.raises(ValueError, match="num_envs=0"):
        vector(0)


def test_render(vector: Vector) -> None:
    envs = vector(render_mode="ansi")
    envs.reset(options=BOTH)
    envs.step(np.array([0, 1]))
    texts = envs.render()
    assert texts is not None and len(texts) == 2
    for text, name, action in zip(texts, ("primes", "adpcm"), (0, 1), strict=True):
        pipeline = envs.episodes[0].actions.passes[action].pipeline
        assert f"mirbench/{name}" in text and f"opt -passes='{pipeline}'" in text
    assert vector().render() is None


def test_close_leaves_no_worker(vector: Vector) -> None:
    envs = vector(3)
    envs.reset(seed=0)
    pids = [e.session.pid for e in envs.episodes]  # type: ignore[union-attr]
    assert len(set(pids)) == 3 and all(os.path.exists(f"/proc/{pid}") for pid in pids)
    envs.send([0, 0, 0])  # closed in flight
    envs.close()
    assert not any(os.path.exists(f"/proc/{pid}") for pid in pids)
    envs.close()
    assert envs.closed


def test_copies_share_baselines(vector: Vector, monkeypatch: pytest.MonkeyPatch) -> None:
    import mirgym.envs.pool as pool

    measured: list[str] = []
    original = pool.run_level
    monkeypatch.setattr(pool, "run_level", lambda *a: (measured.append(a[2]), original(*a))[1])
    envs = vector(3)
    envs.reset(seed=0)
    envs.reset()
    assert measured == ["Oz"]
