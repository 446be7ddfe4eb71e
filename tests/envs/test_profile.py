"""``ProfileObservation``: where the program spends its time, among the observations."""

from __future__ import annotations

import warnings
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from mirgym.envs.wrappers import ProfileObservation

from .conftest import Make

RUNS = {"objective": "dynamic_cost", "observation": "history", "actions": ["sroa", "lower-expect"]}


def test_gymnasium_checks_it(make: Make) -> None:
    env = ProfileObservation(make(**RUNS))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", ".*different from the unwrapped version")
        check_env(env, skip_render_check=True)


def test_it_changes_with_the_program_and_only_then(make: Make) -> None:
    env = ProfileObservation(make(**RUNS))
    first, _ = env.reset(seed=0)
    assert first in env.observation_space
    counted = env.profile
    idle, *_, info = env.step(1)
    assert not info["changed"]
    assert env.profile is counted
    assert np.array_equal(idle["profile"], first["profile"])
    after, *_, info = env.step(0)
    assert info["changed"]
    assert env.profile is not None and counted is not None
    assert env.profile.cost == info["cost"] < counted.cost
    assert after["profile"][0] < first["profile"][0]
    again, _ = env.reset(seed=0)
    assert np.array_equal(again["profile"], first["profile"])


def test_what_cannot_be_run_has_none(make: Make, tmp_path: Path) -> None:
    source = tmp_path / "library.c"
    source.write_text("int twice(int x) { return 2 * x; }\n")
    env = ProfileObservation(make(programs=str(source)))
    observation, info = env.reset(seed=0)
    assert not observation["profile"].any()
    assert "nothing says how to run" in info["profile_error"]


def test_other_environments_are_refused() -> None:
    with pytest.raises(TypeError, match="one of mirgym's environments"):
        ProfileObservation(gym.make("CartPole-v1"))
