"""``env.unwrapped.validate()`` and the wrapper that calls it at the end of an episode."""

from __future__ import annotations

import os
import signal

import gymnasium as gym
import pytest

from mirgym.envs import episode as episode_module
from mirgym.envs.wrappers import ValidateEpisode
from mirgym.validate import RunVerdict, Validation


def test_at_any_time(make):
    env = make(max_episode_steps=3)
    with pytest.raises(RuntimeError, match=r"call reset\(\) first"):
        env.unwrapped.validate()
    env.reset(seed=0)
    assert env.unwrapped.validate().verdict == "equal"
    before = env.unwrapped.episode.key
    for action in range(3):
        env.step(action)
    found = env.unwrapped.validate()  # also when the episode is over
    assert (found.verdict, found.equal_runs) == ("equal", 2)
    assert before


def test_a_program_without_runs(make, tmp_path):
    path = tmp_path / "a.c"
    path.write_text("int main(void) { return 0; }\n")
    env = make(programs=path)
    env.reset(seed=0)
    assert env.unwrapped.validate().note == "nothing says how to run this program"


def test_a_dead_worker_is_no_error(bare):
    env = bare()
    env.reset(seed=0)
    os.kill(env.episode.session.pid, signal.SIGKILL)
    *_, truncated, info = env.step(0)
    assert truncated
    assert info["error"]
    found = env.validate()
    assert found.verdict == "unknown"
    assert "there is nothing to run" in found.note


class TestWrapper:
    def test_only_the_last_step_is_validated(self, make):
        env = ValidateEpisode(make(max_episode_steps=2))
        env.reset(seed=0)
        assert "validation" not in env.step(0)[-1]
        *_, truncated, info = env.step(1)
        assert truncated
        assert info["validation"].verdict == "equal"

    def test_stop_ends_an_episode_too(self, make):
        env = ValidateEpisode(make(actions=["mem2reg", "stop"]))
        env.reset(seed=0)
        *_, terminated, _, info = env.step(1)
        assert terminated
        assert info["validation"].verdict == "equal"

    @pytest.mark.parametrize(("verdict", "taken_off"), [("different", 2.5), ("undefined", 0)])
    def test_penalty(self, make, monkeypatch, verdict, taken_off):
        wrong = Validation("", (RunVerdict((), verdict),))
        monkeypatch.setattr(episode_module, "validate", lambda *_, **__: wrong)
        rewards = []
        for penalty in (0.0, 2.5):
            env = ValidateEpisode(make(max_episode_steps=1), penalty=penalty)
            env.reset(seed=0)
            _, reward, _, _, info = env.step(0)
            assert info["validation"].verdict == verdict
            rewards.append(reward)
        assert rewards[0] - rewards[1] == pytest.approx(taken_off)

    def test_a_crash_raises_nothing(self, make):
        env = ValidateEpisode(make())
        env.reset(seed=0)
        os.kill(env.unwrapped.episode.session.pid, signal.SIGKILL)
        *_, truncated, info = env.step(0)
        assert truncated
        assert info["validation"].verdict == "unknown"
        env.reset()

    def test_can_be_made_again_from_its_arguments(self, make):
        env = ValidateEpisode(make(), penalty=1.0)
        assert env.spec.additional_wrappers[-1].kwargs["penalty"] == 1.0

    def test_needs_our_environment(self):
        with pytest.raises(TypeError, match="CartPoleEnv has none"):
            ValidateEpisode(gym.make("CartPole-v1"))
