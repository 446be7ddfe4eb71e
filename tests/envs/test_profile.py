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


@pytest.mark.parametrize("values", [False, True])
def test_gymnasium_checks_it(make: Make, values: bool) -> None:
    env = ProfileObservation(make(**RUNS), values=values)
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


def test_values_are_the_same_in_every_environment(make: Make) -> None:
    seen = []
    for _ in range(2):
        env = ProfileObservation(make(**RUNS), values=True)
        first, _ = env.reset(seed=0)
        after, *_ = env.step(0)
        assert first in env.observation_space and after in env.observation_space
        assert first["values"].any() and not np.array_equal(first["values"], after["values"])
        seen.append((first["values"], after["values"]))
        env.close()
    assert np.array_equal(seen[0], seen[1])


def test_what_cannot_be_run_has_none(make: Make, tmp_path: Path) -> None:
    source = tmp_path / "library.c"
    source.write_text("int twice(int x) { return 2 * x; }\n")
    env = ProfileObservation(make(programs=str(source)), values=True)
    observation, info = env.reset(seed=0)
    assert not observation["profile"].any() and not observation["values"].any()
    assert "nothing says how to run" in info["profile_error"]


def test_other_environments_are_refused() -> None:
    with pytest.raises(TypeError, match="one of mirgym's environments"):
        ProfileObservation(gym.make("CartPole-v1"))


GUIDED = {**RUNS, "actions": "passes+profile+stop", "baseline": "O3"}


def test_a_profile_is_an_action(make: Make) -> None:
    env = make(**GUIDED)
    names = env.unwrapped.passes
    env.reset(seed=0)
    *_, first = env.step(names.index("profile"))
    assert first["changed"] and first["error"] is None
    assert first["cost"] == first["start_cost"]  # the code is the same
    *_, again = env.step(names.index("profile"))
    assert not again["changed"]
    assert not env.unwrapped.action_masks()[names.index("profile")]
    *_, after = env.step(names.index("sroa<modify-cfg>"))
    assert after["error"] is None and after["cost"] < first["cost"]
    assert env.unwrapped.commandline().count("mirgym profile PROGRAM --module -") == 1
    assert env.unwrapped.validate().verdict == "equal"


def test_in_process_and_in_vectors_too(make: Make) -> None:
    keys = []
    for isolation in ("process", "none"):
        env = make(**GUIDED, isolation=isolation)
        env.reset(seed=0)
        for name in ("profile", "sroa<modify-cfg>", "simplifycfg"):
            matching = [i for i, one in enumerate(env.unwrapped.passes) if name in one]
            *_, info = env.step(matching[0])
            assert info["error"] is None
        keys.append(info["cost"])
    assert keys[0] == keys[1]


def test_what_cannot_be_run_costs_one_episode(make: Make, tmp_path: Path) -> None:
    source = tmp_path / "library.c"
    source.write_text("int twice(int x) { return 2 * x; }\n")
    env = make(programs=str(source), actions="passes+profile")
    env.reset(seed=0)
    _, _, terminated, truncated, info = env.step(env.action_space.n - 1)
    assert truncated and not terminated
    assert "nothing says how to run this program" in info["error"]


def test_passes_are_there_besides(make: Make) -> None:
    with pytest.raises(ValueError, match="holds no pass"):
        make(**{**GUIDED, "actions": "profile"}).reset(seed=0)
