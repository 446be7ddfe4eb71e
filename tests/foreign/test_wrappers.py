"""``EmbedObservation`` and ``VectorEmbedObservation`` around environments that know no mirgym."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import SyncVectorEnv

import mirgym
from mirgym import errors
from mirgym.envs.wrappers import EmbedObservation, VectorEmbedObservation

TEXTS = (
    "define i32 @f(i32 %x) {\n  ret i32 %x\n}\n",
    "define i32 @f(i32 %x) {\n  %y = mul i32 %x, %x\n  ret i32 %y\n}\n",
    "define i32 @g() {\n  ret i32 7\n}\n\ndefine i32 @f() {\n"
    "  %y = call i32 @g()\n  ret i32 %y\n}\n",
)


class TextEnv(gym.Env[int, Any]):
    """Knows three modules as text; action ``i`` goes to module ``i``."""

    metadata = {"render_modes": []}

    def __init__(self) -> None:
        self.observation_space, self.action_space = spaces.Discrete(3), spaces.Discrete(3)
        self.place, self.closed = 0, False

    def text(self) -> str:
        return TEXTS[self.place]

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        self.place = int(self.np_random.integers(3))
        return self.place, {}

    def step(self, action: Any) -> Any:
        self.place = int(action)
        return self.place, 0.0, False, False, {}

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def single(model: str) -> Iterator[Callable[..., EmbedObservation]]:
    made: list[EmbedObservation] = []

    def build(**arguments: Any) -> EmbedObservation:
        arguments = {"ir": lambda env: env.unwrapped.text(), "model": model, **arguments}
        made.append(EmbedObservation(TextEnv(), **arguments))
        return made[-1]

    yield build
    for env in made:
        env.close()


@pytest.fixture
def vector(model: str) -> Iterator[Callable[..., VectorEmbedObservation]]:
    made: list[VectorEmbedObservation] = []

    def build(**arguments: Any) -> VectorEmbedObservation:
        envs = SyncVectorEnv([TextEnv, TextEnv])
        arguments = {"ir": lambda env: env.call("text"), "model": model, **arguments}
        made.append(VectorEmbedObservation(envs, **arguments))
        return made[-1]

    yield build
    for env in made:
        env.close()


@pytest.mark.parametrize("keep", [True, False])
def test_the_checker_has_nothing_to_say(single: Any, keep: bool) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # That there is a wrapper is the point.
        warnings.filterwarnings("ignore", ".*different from the unwrapped version.*")
        # The checker's advice for every unbounded Box; an embedding has no bounds.
        warnings.filterwarnings("ignore", ".*Box observation space m..imum value is -?infinity.*")
        check_env(single(keep=keep), skip_render_check=True)


def test_keep(single: Any) -> None:
    env = single(keep=True)
    assert set(env.observation_space) == {"observation", "embedding"}
    observation, _ = env.reset(seed=1)
    assert observation["observation"] == env.unwrapped.place
    assert env.observation_space.contains(observation)


def test_without_keep(single: Any) -> None:
    env = single(keep=False)
    observation, _ = env.reset(seed=1)
    assert isinstance(env.observation_space, spaces.Box)
    assert observation.shape == env.observation_space.shape
    assert env.observation_space.contains(observation)


def test_it_is_the_embedding_of_the_text(single: Any, model: str) -> None:
    env = single(keep=False)
    env.reset(seed=0)
    for place, text in enumerate(TEXTS):
        observation = env.step(place)[0]
        assert np.allclose(observation, mirgym.embed(text, model), atol=2e-5)


def test_bitcode_and_text_are_the_same(single: Any) -> None:
    from mirgym.session import InProcessSession

    with InProcessSession() as session:
        session.load(TEXTS[1].encode())
        bitcode = session.emit("bc")
    as_text, as_bitcode = single(keep=False), single(keep=False, ir=lambda env: bitcode)
    as_text.reset(seed=0)
    as_bitcode.reset(seed=0)
    assert np.array_equal(as_text.step(1)[0], as_bitcode.step(1)[0])


def test_a_worker_that_died_is_started_again(single: Any) -> None:
    env = single(keep=False)
    env.reset(seed=0)
    before = env.step(2)[0]
    env._embedder._session._process.kill()
    with pytest.raises(errors.SessionError):
        env._embedder._session.observe()
    assert np.array_equal(env.step(2)[0], before)


def test_close_ends_the_worker_and_the_environment(single: Any) -> None:
    env = single()
    env.reset(seed=0)
    popen = env._embedder._session._process._popen
    assert popen.poll() is None
    env.close()
    assert popen.poll() is not None
    assert env.unwrapped.closed
    env.close()


@pytest.mark.parametrize("keep", [True, False])
def test_vector_rows_are_the_single_ones(vector: Any, model: str, keep: bool) -> None:
    envs = vector(keep=keep)
    observations, _ = envs.reset(seed=0)
    assert envs.observation_space.contains(observations)
    observations = envs.step(np.array([2, 1]))[0]
    assert envs.observation_space.contains(observations)
    if keep:
        assert observations["observation"].tolist() == [2, 1]
        observations = observations["embedding"]
    assert observations.shape == (2, 258)
    for row, place in zip(observations, (2, 1), strict=True):
        assert np.allclose(row, mirgym.embed(TEXTS[place], model), atol=2e-5)


def test_vector_close_ends_the_worker(vector: Any) -> None:
    envs = vector()
    envs.reset(seed=0)
    popen = envs._embedder._session._process._popen
    envs.close()
    assert popen.poll() is not None
    assert all(env.closed for env in envs.unwrapped.envs)


def test_around_a_registered_environment(model: str) -> None:
    """Gymnasium's checker makes the wrapper again from its arguments."""

    def bitcode(env: Any) -> bytes:
        return env.unwrapped.episode.session.emit("bc")

    env = gym.make("mir-llvm-v0", programs="mirbench/crc", observation="history")
    wrapped = EmbedObservation(env, bitcode, model=model, keep=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # infinite bounds, and not the unwrapped environment
        check_env(wrapped, skip_render_check=True)
    wrapped.close()
