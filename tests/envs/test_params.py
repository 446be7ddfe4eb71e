"""``mir-llvm-params-v0``: the catalogue of parameters, and its environments."""

from __future__ import annotations

import os
import signal
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode

from mirgym.envs import LlvmParamsEnv, LlvmParamsVectorEnv
from mirgym.errors import UnknownParameterError, UnknownPassError
from mirgym.objective import Scale
from mirgym.parameters import catalogue, indices, render, select
from mirgym.passes import catalogue as core
from mirgym.passes import find, to_commandline
from mirgym.programs import resolve
from mirgym.session import InProcessSession

from .conftest import ADPCM, PRIMES, SMALL, equal, replayed_key

Params = Callable[..., LlvmParamsEnv]
MODES = ["one-shot", "coordinates"]
OBSERVATION = ["autophase", "history", "parameters"]
FEW = ["inline-threshold", "unroll-count", "lsr"]


@pytest.fixture
def params() -> Iterator[Params]:
    made: list[LlvmParamsEnv] = []

    def build(**arguments: Any) -> LlvmParamsEnv:
        made.append(LlvmParamsEnv(**{**SMALL, "observation": OBSERVATION, **arguments}))
        return made[-1]

    yield build
    for env in made:
        env.close()


# -- the catalogue --------------------------------------------------------------------


def test_catalogue() -> None:
    knobs = catalogue()
    assert len({k.name for k in knobs}) == len(knobs) >= 40
    options = [k.values[1].options[0][0] for k in knobs if k.values[1].options]
    assert len(set(options)) == len(options)  # no two knobs set one option
    names = {p.name for p in core()}
    for knob in knobs:
        values = [v.name for v in knob.values]
        assert values[0] == "default" and len(set(values)) == len(values) > 1
        assert knob.values[0][1:] == ((), "")
        assert knob.about and knob.default and set(knob.passes) <= names
        assert all(v.options or v.after for v in knob.values[1:])


def test_llvm_takes_every_value() -> None:
    with InProcessSession() as session:
        session.load(b"define i32 @f() {\n  ret i32 0\n}\n")
        for knob in catalogue():
            for value in knob.values:
                session.step(*render({knob.name: value.name}))


def test_render() -> None:
    assert render({}) == ("default<O2>", {})
    assert render([0] * len(catalogue()), pipeline="default<O3>") == ("default<O3>", {})
    text, options = render({"lsr": "lsr-insns-cost=false", "unroll-count": "4"})
    assert text == "default<O2>,function(loop(loop-reduce))"
    assert options == {"unroll-count": "4", "lsr-insns-cost": "false"}
    few = select(FEW)
    assert [k.name for k in few] == FEW
    assert render([0, 2, 1], knobs=few)[1] == {"unroll-count": few[1].values[2].name}
    assert indices({"lsr": "early"}, few) == (0, 0, 1)


@pytest.mark.parametrize(
    ("choice", "error", "match"),
    [
        ({"unrol-count": "2"}, UnknownParameterError, "Did you mean 'unroll-count'"),
        ({"unroll-count": "3"}, UnknownParameterError, "does not take '3'; expected one of"),
        ([0, 0], ValueError, "2 values for 3 parameters"),
        ([0, 0, 9], ValueError, r"parameter 'lsr' has no value 9; expected an index in \[0, 5\)"),
        ([0, 0, -1], ValueError, "parameter 'lsr' has no value -1"),
    ],
    ids=str,
)
def test_bad_choices(choice: Any, error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        render(choice, knobs=select(FEW))


@pytest.mark.parametrize(
    ("name", "level"),
    [("inline-threshold", "Oz"), ("force-vector-width", "O3"), ("lsr", "Oz"), ("consthoist", "O3")],
)
def test_values_have_an_effect(name: str, level: str) -> None:
    """A sample; ``python -m experiments.parameters`` looks at all."""
    (knob,) = select([name])
    differs = set()
    with InProcessSession() as session:
        for program in (PRIMES, ADPCM, "mirbench/kmeans"):
            keys = {}
            for value in knob.values:
                session.load(resolve(program).bitcode(), level=level)
                keys[value.name] = session.step(*render({name: value.name})).key
            differs |= {v for v, key in keys.items() if key != keys["default"]}
    assert len(differs) >= min(2, len(knob.values) - 1)


def test_to_commandline() -> None:
    assert to_commandline([]) == ""
    option = (("inline-threshold", "0"),)
    inline = find("inline")._replace(options=option)
    line = to_commandline([find("mem2reg"), find("gvn"), inline, inline])
    assert line == (
        "opt -preserve-bc-uselistorder -passes='function(mem2reg),function(gvn)' | "
        "opt -inline-threshold=0 -passes='cgscc(inline),cgscc(inline)'"
    )


# -- the contract ---------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("observation", ["parameters", OBSERVATION], ids=str)
def test_gymnasium_check_env(mode: str, observation: Any) -> None:
    env = gym.make(
        "mir-llvm-params-v0", **SMALL, mode=mode, observation=observation, render_mode="ansi"
    )
    env.reset()  # third parties warn when they are imported
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(env.unwrapped, skip_render_check=False)
    env.close()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("observation", ["embedding", "parameters", OBSERVATION], ids=str)
def test_stable_baselines_check_env(params: Params, mode: str, observation: Any) -> None:
    checker = pytest.importorskip("stable_baselines3.common.env_checker")
    env = params(mode=mode, observation=observation)
    env.reset()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        checker.check_env(env, warn=True)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("isolation", ["process", "none"])
def test_twins_are_equal(params: Params, mode: str, isolation: str) -> None:
    first = params(mode=mode, programs=[PRIMES, ADPCM])
    second = params(mode=mode, programs=[PRIMES, ADPCM], isolation=isolation)
    for seed in range(3):
        a, b = first.reset(seed=seed), second.reset(seed=seed)
        assert equal(a[0], b[0]) and a[1] == b[1]
        first.action_space.seed(seed)
        for _ in range(1 if mode == "one-shot" else 3):
            action = first.action_space.sample()
            a, b = first.step(action), second.step(action)
            assert a[0] in first.observation_space
            assert equal(a[0], b[0]) and a[1:] == b[1:]


# -- one shot -------------------------------------------------------------------------


@pytest.mark.parametrize("baseline", ["O3", "Oz"])
def test_defaults_are_the_plain_pipeline(params: Params, baseline: str) -> None:
    pipeline = "default<O3>" if baseline == "O3" else "default<O2>"
    env = params(baseline=baseline, isolation="none")
    env.reset(seed=0)
    sent: list[Any] = []
    session = env.episode.session
    original = session.step  # type: ignore[union-attr]

    def step(*arguments: Any, **named: Any) -> Any:
        sent.append(arguments)
        return original(*arguments, **named)

    session.step = step  # type: ignore[union-attr, method-assign]
    _, reward, terminated, truncated, info = env.step([0] * len(env.knobs))
    assert sent == [(pipeline, {})]
    assert (terminated, truncated) == (True, False) and reward == pytest.approx(1.0, abs=1e-12)
    assert info["cost"] == info["baseline_cost"]
    assert info["commandline"] == f"opt -passes='{pipeline}'"
    with InProcessSession() as plain:
        plain.load(resolve(PRIMES).bitcode(), level=baseline)
        assert session.observe().key == plain.step(pipeline).key  # type: ignore[union-attr]
    with pytest.raises(RuntimeError, match="call reset"):
        env.step([0] * len(env.knobs))


def test_one_shot_replays(params: Params) -> None:
    env = params(programs=ADPCM)
    for seed in range(3):
        env.reset(seed=seed)
        env.action_space.seed(seed)
        action = env.action_space.sample()
        observation, reward, terminated, _, info = env.step(action)
        assert terminated and info["error"] is None
        assert env.episode.session is not None
        assert env.episode.session.observe().key == replayed_key(info["commandline"], ADPCM)
        assert reward == Scale(info["start_cost"], info["baseline_cost"]).reward(
            info["start_cost"], info["cost"]
        )
        ends = np.cumsum([0, *map(len, env.knobs.values())])
        ones = np.flatnonzero(observation["parameters"])
        assert ones.tolist() == (ends[:-1] + action).tolist()


@pytest.mark.parametrize(
    ("action", "match"),
    [
        ([0, 0], "is not 3 integers"),
        ([0, 0, 0.5], "is not 3 integers"),
        (3, "is not 3 integers"),
        ([0, 0, 5], r"sets 'lsr' to value 5, which is not in \[0, 5\)"),
        ([-1, 0, 0], "sets 'inline-threshold' to value -1"),
    ],
    ids=str,
)
def test_bad_actions(params: Params, action: Any, match: str) -> None:
    env = params(knobs=FEW)
    env.reset(seed=0)
    with pytest.raises(ValueError, match=match):
        env.step(action)
    assert env.step([0, 0, 0])[4]["error"] is None


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({"mode": "one-shoot"}, ValueError, "Did you mean 'one-shot'"),
        ({"knobs": ["lrs"]}, UnknownParameterError, "Did you mean 'lsr'"),
        ({"knobs": []}, ValueError, "one or several distinct names"),
        ({"knobs": "lsr"}, ValueError, "expected a list of names"),
        ({"baseline": "O0"}, ValueError, "give one, such as pipeline="),
        ({"actions": "passes"}, TypeError, "unknown argument 'actions' for mir-llvm-params-v0"),
        ({"objective": "text_size"}, ValueError, "Did you mean 'text_size_bytes'"),
    ],
    ids=str,
)
def test_bad_arguments(params: Params, arguments: Any, error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        params(**arguments)


@pytest.mark.parametrize("mode", MODES)
def test_pipeline_that_does_not_parse(params: Params, mode: str) -> None:
    env = params(mode=mode, pipeline="defualt<O2>", knobs=FEW)
    with pytest.raises(UnknownPassError, match="defualt"):
        env.reset(seed=0)
        env.step([0, 0, 0])


# -- coordinates ----------------------------------------------------------------------


def test_coordinates(params: Params) -> None:
    env = params(mode="coordinates", programs=ADPCM, knobs=FEW)
    names = env.passes
    assert names[0] == "inline-threshold=default" and names[-1] == "stop"
    _, info = env.reset(seed=0)
    assert info["cost"] == info["baseline_cost"] < info["start_cost"]
    assert env.episode.key == replayed_key("opt -passes='default<O2>'", ADPCM)
    total = 0.0
    for name in ("inline-threshold=-50", "unroll-count=4", "lsr=early", "unroll-count=default"):
        observation, reward, terminated, truncated, info = env.step(names.index(name))
        assert not terminated and not truncated
        total += reward
        assert env.episode.key == replayed_key(info["commandline"], ADPCM)
        assert observation["parameters"][names.index(name)] == 1.0
        assert not env.action_masks()[names.index(name)]
    assert info["commandline"] == (
        "opt -inline-threshold=-50 -passes='default<O2>,function(loop(loop-reduce))'"
    )
    scale = Scale(info["start_cost"], info["baseline_cost"])
    assert total == pytest.approx(scale.reward(scale.baseline, info["cost"]), abs=1e-12)
    twin = env.fork()
    assert twin.episode.key == env.episode.key
    assert np.array_equal(twin.action_masks(), env.action_masks())
    results = [e.step(names.index("lsr=default")) for e in (env, twin)]
    assert results[0][1:] == results[1][1:] and equal(results[0][0], results[1][0])
    twin.close()
    same = env.step(names.index("lsr=default"))  # in force: nothing runs
    assert same[1] == 0.0 and not same[4]["changed"]
    assert env.step(names.index("stop"))[2]


@pytest.mark.parametrize("mode", MODES)
def test_a_crash_costs_one_episode(params: Params, mode: str) -> None:
    env = params(mode=mode, knobs=FEW)
    action = [1, 0, 0] if mode == "one-shot" else 1
    env.reset(seed=0)
    os.kill(env.episode.session.pid, signal.SIGKILL)  # type: ignore[union-attr]
    observation, reward, terminated, truncated, info = env.step(action)
    assert (reward, terminated, truncated) == (0.0, False, True) and "SIGKILL" in info["error"]
    assert observation in env.observation_space
    assert env.reset()[1]["error"] is None
    assert env.step(action)[4]["error"] is None


# -- vectors --------------------------------------------------------------------------


def test_vector_agrees_with_gymnasiums(params: Params) -> None:
    kwargs = {**SMALL, "observation": OBSERVATION, "knobs": FEW}
    ours = LlvmParamsVectorEnv(2, **kwargs, autoreset_mode="SameStep")
    theirs = gym.make_vec(
        "mir-llvm-params-v0",
        num_envs=2,
        vectorization_mode="sync",
        vector_kwargs={"autoreset_mode": AutoresetMode.SAME_STEP},
        **kwargs,
    )
    try:
        assert ours.action_space == theirs.action_space
        a, b = ours.reset(seed=0)[0], theirs.reset(seed=0)[0]
        assert equal(a, b)
        ours.action_space.seed(0)
        for _ in range(3):
            action = ours.action_space.sample()
            a, b = ours.step(action), theirs.step(action)
            assert equal(a[0], b[0]) and np.array_equal(a[1], b[1]) and np.array_equal(a[2], b[2])
            assert a[2].all()
            lines = [list(x[4]["final_info"]["commandline"]) for x in (a, b)]
            assert lines[0] == lines[1]
    finally:
        ours.close()
        theirs.close()


def test_make_vec() -> None:
    envs = gym.make_vec(
        "mir-llvm-params-v0",
        num_envs=2,
        vectorization_mode="vector_entry_point",
        mode="coordinates",
        **SMALL,
    )
    try:
        assert isinstance(envs.unwrapped, LlvmParamsVectorEnv)
        envs.reset(seed=0)
        assert envs.step(envs.action_space.sample())[1].shape == (2,)
    finally:
        envs.close()
