"""``mir-llvm-v0`` as Gymnasium sees it: contract, rewards, programs, seeds, bad arguments."""

from __future__ import annotations

import math
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from mirgym.encoder.weights import weights_path
from mirgym.envs import LlvmEnv
from mirgym.envs.pool import ProgramPool
from mirgym.errors import MirgymError, UnknownProgramError
from mirgym.objective import Scale
from mirgym.passes import Pass
from mirgym.programs import resolve
from mirgym.session import InProcessSession
from mirgym.wire import Wanted

from .conftest import ADPCM, OBJECTIVES, PRIMES, URI, Bare, Make, equal, rollout

OBSERVATIONS = ["autophase", "instcount", "history", ["autophase", "history"]]


# -- the Gymnasium contract -----------------------------------------------------------


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("observation", [*OBSERVATIONS, "ir"], ids=str)
def test_gymnasium_check_env(make: Make, observation: Any, objective: str) -> None:
    env = make(observation=observation, objective=objective).unwrapped
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(env, skip_render_check=False)
    assert env.unwrapped.episode.program.uri == URI


@pytest.mark.parametrize("name", ["mir-llvm-v0", "mir-llvm-params-v0", "mir-llvm-loops-v0"])
def test_both_checkers_are_silent_about_the_default_observation(name: str) -> None:
    checker = pytest.importorskip("stable_baselines3.common.env_checker")
    with gym.make(name, programs="mirbench/crc") as env, warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(env.unwrapped, skip_render_check=True)
        checker.check_env(env.unwrapped)


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("observation", OBSERVATIONS, ids=str)
def test_stable_baselines_check_env(bare: Bare, observation: Any, objective: str) -> None:
    checker = pytest.importorskip("stable_baselines3.common.env_checker")
    env = bare(observation=observation, objective=objective)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        checker.check_env(env, warn=True, skip_render_check=False)
    assert env.episode.taken


def test_make_with_module_prefix() -> None:
    env = gym.make("mirgym:mir-llvm-v0", programs=PRIMES)
    try:
        assert isinstance(env.unwrapped, LlvmEnv)
        assert env.spec is not None and env.spec.max_episode_steps == 45
        assert env.unwrapped.config.objective == "text_size_bytes"
        assert env.unwrapped.config.baseline == "Oz"
    finally:
        env.close()


def test_import_loads_no_torch() -> None:
    code = (
        "import sys, mirgym, mirgym.envs; "
        "print([m for m in ('torch', 'stable_baselines3', 'mirgym._native') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("observation", [*OBSERVATIONS, "ir"], ids=str)
def test_spaces_contain_a_random_episode(make: Make, observation: Any) -> None:
    env = make(observation=observation, programs=ADPCM)
    seen, _ = env.reset(seed=3)
    env.action_space.seed(3)
    steps, over = 0, False
    while not over:
        assert seen in env.observation_space
        seen, reward, terminated, truncated, _ = env.step(env.action_space.sample())
        assert isinstance(reward, float) and math.isfinite(reward)
        steps, over = steps + 1, terminated or truncated
    assert seen in env.observation_space
    assert steps == 45


def test_observations_are_the_callers_own(make: Make) -> None:
    env = make()
    first, _ = env.reset(seed=0)
    kept = first.copy()
    first[:] = -1
    again, _ = env.reset(seed=0)
    assert np.array_equal(again, kept)


# -- rewards --------------------------------------------------------------------------


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_rewards_telescope(make: Make, objective: str) -> None:
    env = make(objective=objective)
    _, info = env.reset(seed=5)
    env.action_space.seed(5)
    total, costs = 0.0, [info["cost"]]
    for _ in range(45):
        before = info["cost"]
        _, reward, _, _, info = env.step(env.action_space.sample())
        scale = Scale(info["start_cost"], info["baseline_cost"])
        assert reward == scale.reward(before, info["cost"])
        total += reward
        costs.append(info["cost"])
    start, baseline = info["start_cost"], info["baseline_cost"]
    assert costs[0] == start and len(set(costs)) > 1
    expected = math.log(start / costs[-1]) / max(math.log(start / baseline), math.log(1.01))
    assert total == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("baseline", ["O1", "O3", "Oz"])
def test_reaching_the_baseline_earns_one(bare: Bare, baseline: str, objective: str) -> None:
    level = {"O1": "default<O1>", "O3": "default<O3>", "Oz": "default<O2>"}[baseline]
    whole = Pass("whole-level", level)
    env = bare(baseline=baseline, objective=objective, actions=[whole])
    env.reset()
    _, reward, _, _, info = env.step(0)
    assert info["cost"] == info["baseline_cost"] < info["start_cost"]
    assert reward == pytest.approx(1.0, abs=1e-12)


def test_baseline_without_gain_uses_the_floor(bare: Bare) -> None:
    env = bare(baseline="O0", actions=["mem2reg"])
    _, info = env.reset()
    assert info["baseline_cost"] == info["start_cost"]
    _, reward, _, _, after = env.step(0)
    assert after["cost"] < info["cost"]
    assert reward == pytest.approx(math.log(info["cost"] / after["cost"]) / math.log(1.01))


def test_costs_are_those_of_a_session(bare: Bare) -> None:
    env = bare(objective="text_size_bytes")
    _, info = env.reset()
    wanted = Wanted.of(("text_size_bytes",))
    with InProcessSession() as session:
        start = session.load(resolve(PRIMES).bitcode(), level="Oz", wanted=wanted)
        after = session.step("default<O2>", wanted=wanted)
    assert info["start_cost"] == info["cost"] == start.metrics["text_size_bytes"]
    assert info["baseline_cost"] == after.metrics["text_size_bytes"]


# -- programs and seeds -----------------------------------------------------------------


def test_twins_with_one_seed_are_equal(make: Make) -> None:
    programs = [PRIMES, ADPCM, "mirbench/crc"]
    observation = ["autophase", "history"]
    first, second = (
        rollout(make(programs=programs, observation=observation), seed=11) for _ in range(2)
    )
    assert equal(first[0][0], second[0][0]) and first[0][1] == second[0][1]
    for a, b in zip(first[1:], second[1:], strict=True):
        assert a[0] == b[0] and equal(a[1], b[1]) and a[2:] == b[2:]


def test_seed_decides_the_programs(bare: Bare) -> None:
    programs = [PRIMES, ADPCM, "mirbench/crc"]

    def drawn(seed: int) -> list[str]:
        env = bare(programs=programs)
        infos = [env.reset(seed=seed)[1], *(env.reset()[1] for _ in range(7))]
        return [info["program"] for info in infos]

    assert drawn(1) == drawn(1)
    assert len({tuple(drawn(seed)) for seed in range(4)}) > 1
    assert len(set(drawn(1))) > 1


def test_sampler_covers_the_suite() -> None:
    pool = ProgramPool("mirbench", "ir_instructions", "Oz")
    generator = np.random.default_rng(0)
    counts: dict[str, int] = {p.uri: 0 for p in pool.members}
    for _ in range(100 * len(counts)):
        counts[pool.sample(generator).uri] += 1
    assert len(counts) >= 24
    assert min(counts.values()) > 50 and max(counts.values()) < 160


@pytest.mark.parametrize("how", ["name", "short", "uri", "path", "program", "outside"])
def test_reset_chooses_the_program(bare: Bare, how: str, tmp_path: Path) -> None:
    env = bare(programs=[ADPCM, PRIMES])
    path = tmp_path / "copy of primes.bc"
    path.write_bytes(resolve(PRIMES).bitcode())
    spec, uri = {
        "name": ("primes", URI),
        "short": (PRIMES, URI),
        "uri": (URI, URI),
        "path": (str(path), path.as_uri()),
        "program": (resolve(PRIMES), URI),
        "outside": ("mirbench/crc", "benchmark://mirbench/crc"),
    }[how]
    for _ in range(2):
        _, info = env.reset(options={"program": spec})
        assert info["program"] == uri
    assert env.step(0)[4]["program"] == uri


def test_unknown_program_says_what_is_near(bare: Bare) -> None:
    env = bare(programs=[ADPCM, PRIMES])
    with pytest.raises(UnknownProgramError, match="Did you mean 'primes'"):
        env.reset(options={"program": "prines"})
    with pytest.raises(UnknownProgramError, match="prines"):
        env.reset(options={"program": "mirbench/prines"})
    assert env.reset(options={"program": "primes"})[1]["program"] == URI


def test_isolation_makes_no_difference(make: Make) -> None:
    first, second = (
        rollout(make(isolation=kind, programs=ADPCM, observation="instcount"), seed=21, steps=40)
        for kind in ("process", "none")
    )
    assert equal(first[0][0], second[0][0]) and first[0][1] == second[0][1]
    for a, b in zip(first[1:], second[1:], strict=True):
        assert a[0] == b[0] and equal(a[1], b[1]) and a[2:] == b[2:]


# -- bad arguments ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({"objective": "text_size"}, ValueError, "Did you mean 'text_size_bytes'"),
        ({"baseline": "O4"}, ValueError, "unknown baseline 'O4'.*'O3'"),
        ({"observation": "autofase"}, ValueError, "Did you mean 'autophase'"),
        ({"observation": []}, ValueError, "one or several distinct names"),
        ({"observation": ["ir", "ir"]}, ValueError, "one or several distinct names"),
        ({"isolation": "thread"}, ValueError, "unknown isolation 'thread'"),
        ({"objectiv": "x"}, TypeError, "unknown argument 'objectiv'.*Did you mean 'objective'"),
        ({"render_mode": "human"}, ValueError, "unknown render_mode 'human'"),
    ],
)
def test_bad_arguments(
    bare: Bare,
    vector: Callable[..., Any],
    arguments: dict[str, Any],
    error: type[Exception],
    match: str,
) -> None:
    with pytest.raises(error, match=match):
        bare(**arguments)
    with pytest.raises(error, match=match):
        vector(**arguments)


@pytest.mark.parametrize("programs", ["mirbench/prines", "mirbensch", "nowhere.c", []])
def test_bad_programs(bare: Bare, programs: Any) -> None:
    env = bare(programs=programs)  # a constructor does no work
    with pytest.raises(UnknownProgramError):
        env.reset()


def test_bad_reset_and_step(bare: Bare) -> None:
    env = bare()
    with pytest.raises(RuntimeError, match="call reset"):
        env.step(0)
    with pytest.raises(ValueError, match=r"unknown reset options \['programm'\]"):
        env.reset(options={"programm": PRIMES})
    env.reset()
    for action in (-1, 115):
        with pytest.raises(ValueError, match=rf"action {action} is not in \[0, 115\)"):
            env.step(action)
    assert env.episode.taken == []
    assert env.step(0)[4]["error"] is None
    env.close()
    env.close()
    with pytest.raises(RuntimeError, match="call reset"):
        env.step(0)


def test_several_objectives_with_weights(make: Make) -> None:
    weights = {"size": 1, "dynamic_cost": 1}
    actions = ["sroa", "instcombine", "simplifycfg"]
    with make(programs=PRIMES, objective=weights, actions=actions) as env:
        _, info = env.reset(seed=0)
        assert info["baseline_cost"] == 1_000_000 < info["start_cost"]
        total = 0.0
        for action in range(3):
            _, reward, _, _, info = env.step(action)
            total += reward
        gained = math.log(info["start_cost"] / info["cost"])
        assert total == pytest.approx(gained / math.log(info["start_cost"] / 1e6)) and total > 0


# -- whose embedding ------------------------------------------------------------------


@pytest.mark.parametrize("name", ["mir-llvm-v0", "mir-llvm-params-v0", "mir-llvm-loops-v0"])
def test_the_encoder_can_be_chosen(name: str, tmp_path: Path) -> None:
    weights = tmp_path / "own.safetensors"
    weights.write_bytes(weights_path("base").read_bytes())
    seen = {}
    for encoder in ("tiny", "base", str(weights)):
        options = {"observation": ["embedding"], "encoder": encoder}
        with gym.make(name, programs="mirbench/crc", **options) as env:
            observation, _ = env.reset(seed=0)
            assert env.observation_space.contains(observation)
            seen[encoder] = observation["embedding"]
    assert len(seen["tiny"]) < len(seen["base"])
    assert np.array_equal(seen["base"], seen[str(weights)])


def test_an_encoder_that_is_not_there_is_one_clear_error() -> None:
    with pytest.raises(MirgymError, match="no weights at tinny"):
        gym.make("mir-llvm-v0", programs="mirbench/crc", encoder="tinny")
