"""Parameters among the actions of ``mir-llvm-v0``."""

from __future__ import annotations

import numpy as np
import pytest

from mirgym.envs import LlvmEnv
from mirgym.errors import UnknownParameterError, UnknownPassError
from mirgym.passes import Pass
from mirgym.passes import catalogue as core
from mirgym.programs import resolve
from mirgym.session import InProcessSession

from .conftest import ADPCM, Bare, replayed_key


def test_passes_and_parameters_replay(bare: Bare) -> None:
    env = bare(programs=ADPCM, actions="passes+parameters", observation=["autophase", "parameters"])
    _, info = env.reset(seed=0)
    assert info["commandline"] == ""
    generator = np.random.default_rng(0)
    settings = list(env.episode.actions.settings)
    key = env.episode.key
    for step in range(40):
        pool = settings if step % 2 else range(len(core()))
        action = int(generator.choice(pool))
        observation, reward, _, _, info = env.step(action)
        assert observation in env.observation_space
        if action in settings:
            assert reward == 0.0 and not info["changed"] and env.episode.key == key
            assert not env.action_masks()[action]
        key = env.episode.key
    assert info["commandline"].count(" | ") > 5
    assert key == replayed_key(info["commandline"], ADPCM)
    with InProcessSession() as session:
        session.load(resolve(ADPCM).bitcode(), level="Oz")
        for one in env.episode.runs():
            session.step(one.pipeline, dict(one.options))
        assert session.observe().key == key


def test_a_setting_holds_until_it_is_set_again(bare: Bare) -> None:
    setting, back = "inline-threshold=-50", "inline-threshold=default"
    env = bare(actions=["inline", setting, back, "stop"], observation="parameters")
    inline, low, default = (env.passes.index(n) for n in ("inline", setting, back))
    first, _ = env.reset(seed=0)
    assert env.action_masks().tolist() == [True, True, False, True]
    changed = env.step(low)[0]
    assert not np.array_equal(first, changed) and first.sum() == changed.sum()
    env.step(inline)
    assert not env.step(inline)[4]["changed"]
    assert env.action_masks().tolist() == [False, False, True, True]
    twin = env.fork()
    assert np.array_equal(twin.action_masks(), env.action_masks())
    for one in (env, twin):
        assert np.array_equal(one.step(default)[0], first)
        assert one.action_masks()[inline]  # may do something now
        one.step(inline)
    assert env.episode.key == twin.episode.key == replayed_key(env.commandline())
    before, after = env.commandline().split(" | ")
    assert "-inline-threshold=-50" in before and after == "opt -passes='cgscc(inline)'"
    twin.close()


def test_bad_settings(bare: Bare) -> None:
    with pytest.raises(UnknownParameterError, match="does not take '3'"):
        bare(actions=["gvn", "unroll-count=3"])
    with pytest.raises(UnknownPassError, match="unrol-count=2"):
        bare(actions=["gvn", "unrol-count=2"])
    with pytest.raises(ValueError, match="holds no pass"):
        bare(actions="parameters+stop")
    with pytest.raises(ValueError, match=r"actions='passes\+parameters'"):
        bare(observation="parameters")


def test_without_parameters_nothing_changes(bare: Bare) -> None:
    env = bare(
        actions=["mem2reg", Pass("own", "cgscc(inline)", options=(("inline-threshold", "0"),))]
    )
    _, info = env.reset(seed=0)
    assert "commandline" not in info
    env.step(0)
    env.step(1)
    assert isinstance(env, LlvmEnv)
    assert env.episode.key == replayed_key(env.commandline())
