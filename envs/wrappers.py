"""Embeddings in the observations of other environments.

Your environment holds LLVM IR in some form; ``ir`` says how to get it. Works with
environments that are not mirgym's: nothing but the IR is asked of them.

    >>> env = EmbedObservation(MyEnv(), ir=lambda env: env.unwrapped.bitcode)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.vector import VectorEnv, VectorObservationWrapper
from gymnasium.vector.utils import batch_space

from ..embedding import ProgramEmbedder

if TYPE_CHECKING:
    from ..embedding import Source


class EmbedObservation(gym.ObservationWrapper[Any, Any, Any], gym.utils.RecordConstructorArgs):
    """Adds the embedding of the current IR to an environment's observations.

    Args:
        env: Any Gymnasium environment.
        ir: Gives the current IR of ``env``: bitcode, IR text, a path or a program.
        model: ``"tiny"``, ``"base"``, or a path to weights.
        keep: Observe ``{"observation": the environment's own, "embedding": …}``; without it,
            the embedding alone.
    """

    def __init__(
        self,
        env: gym.Env[Any, Any],
        ir: Callable[[gym.Env[Any, Any]], Source],
        *,
        model: str = "tiny",
        keep: bool = True,
    ) -> None:
        gym.utils.RecordConstructorArgs.__init__(self, ir=ir, model=model, keep=keep)
        gym.ObservationWrapper.__init__(self, env)
        self._ir, self._keep = ir, keep
        self._embedder = ProgramEmbedder(model)
        self.observation_space = _space(env.observation_space, self._embedder.size, keep=keep)

    def observation(self, observation: Any) -> Any:
        """The observation with its embedding."""
        (vector,) = self._embedder.modules([self._ir(self.env)])
        return {"observation": observation, "embedding": vector} if self._keep else vector

    def close(self) -> None:
        """Close the environment and the worker that reads its IR."""
        self._embedder.close()
        super().close()


class VectorEmbedObservation(VectorObservationWrapper):
    """As ``EmbedObservation``, for a vector environment; one batch of the encoder a step.

    Like all of Gymnasium's vector observation wrappers, not for ``SAME_STEP`` autoreset.

    Args:
        env: Any Gymnasium vector environment.
        ir: Gives the current IR of each of its copies.
        model: See ``EmbedObservation``.
        keep: See ``EmbedObservation``.
    """

    def __init__(
        self,
        env: VectorEnv[Any, Any, Any],
        ir: Callable[[VectorEnv[Any, Any, Any]], Sequence[Source]],
        *,
        model: str = "tiny",
        keep: bool = True,
    ) -> None:
        super().__init__(env)
        self._ir, self._keep = ir, keep
        self._embedder = ProgramEmbedder(model)
        size = self._embedder.size
        self.single_observation_space = _space(env.single_observation_space, size, keep=keep)
        self.observation_space = batch_space(self.single_observation_space, env.num_envs)

    def observations(self, observations: Any) -> Any:
        """A batch of observations with their embeddings, shape ``(num_envs, size)``."""
        vectors = self._embedder.modules(self._ir(self.env))
        return {"observation": observations, "embedding": vectors} if self._keep else vectors

    def close(self, **kwargs: Any) -> None:
        """Close the environment and the worker that reads its IR."""
        self._embedder.close()
        super().close(**kwargs)


def _space(own: spaces.Space[Any], size: int, *, keep: bool) -> spaces.Space[Any]:
    embedding = spaces.Box(-np.inf, np.inf, (size,), np.float32)
    return spaces.Dict({"observation": own, "embedding": embedding}) if keep else embedding
