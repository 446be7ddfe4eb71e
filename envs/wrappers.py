"""Embeddings in the observations of other environments, and validated episodes of our own.

For ``EmbedObservation`` your environment holds LLVM IR in some form; ``ir`` says how to get
it. Works with environments that are not mirgym's: nothing but the IR is asked of them.

    >>> env = EmbedObservation(MyEnv(), ir=lambda env: env.unwrapped.bitcode)

``ValidateEpisode`` runs the program at the end of each episode of ``mir-llvm-v0``, and
``ProfileObservation`` after each step that changed it.

    >>> env = ValidateEpisode(gym.make("mir-llvm-v0"), penalty=1.0)
    >>> env = ProfileObservation(gym.make("mir-llvm-v0", objective="dynamic_cost"))
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, SupportsFloat

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.vector import VectorEnv, VectorObservationWrapper
from gymnasium.vector.utils import batch_space

from ..dynamic_cost import CostMeter
from ..embedding import ProgramEmbedder
from ..errors import MirgymError
from ..profile import PROFILE_SIZE, Profile
from ..values import VALUES_SIZE
from .observations import embedding_space

if TYPE_CHECKING:
    from ..embedding import Source
    from ..programs.execute import Limits


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


class ValidateEpisode(gym.Wrapper[Any, Any, Any, Any], gym.utils.RecordConstructorArgs):
    """Validates the program at the end of each episode.

    The last step's ``info["validation"]`` is a ``mirgym.validate.Validation``. A program that
    misbehaves, or cannot be run, raises nothing. Goes around ``TimeLimit``, which ends the
    episode; so around what ``gym.make`` returns.

    Args:
        env: ``mir-llvm-v0``, or one with such a ``validate`` method.
        penalty: Taken off the last reward when the program behaves otherwise than its
            reference, and that is no fault of its own.
        limits: What each run may use.
        sanitize: Where a run differs, look for undefined behaviour in the program itself.
    """

    def __init__(
        self,
        env: gym.Env[Any, Any],
        *,
        penalty: float = 0.0,
        limits: Limits | None = None,
        sanitize: bool = True,
    ) -> None:
        gym.utils.RecordConstructorArgs.__init__(
            self, penalty=penalty, limits=limits, sanitize=sanitize
        )
        gym.Wrapper.__init__(self, env)
        if not callable(getattr(env.unwrapped, "validate", None)):
            raise TypeError(
                f"ValidateEpisode needs an environment with a validate method, such as "
                f"mir-llvm-v0; {type(env.unwrapped).__name__} has none"
            )
        self._penalty, self._limits, self._sanitize = penalty, limits, sanitize

    def step(self, action: Any) -> tuple[Any, SupportsFloat, bool, bool, dict[str, Any]]:
        """Step; validate when that was the last one."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        if terminated or truncated:
            llvm_env: Any = self.env.unwrapped
            found = llvm_env.validate(limits=self._limits, sanitize=self._sanitize)
            info["validation"] = found
            if found.verdict == "different":
                reward = float(reward) - self._penalty
        return observation, reward, terminated, truncated, info


class ProfileObservation(gym.Wrapper[Any, Any, Any, Any], gym.utils.RecordConstructorArgs):
    """Adds where the program spends its time to the observations of ``mir-llvm-v0``.

    Observes ``{"observation": the environment's own, "profile": …}``, a vector of
    ``mirgym.profile.PROFILE_NAMES`` of the program's first run, shape ``(PROFILE_SIZE,)``,
    from 0 to 1. The program is run at reset and after each step that changed it, some 20 ms
    each; ``profile`` holds the counts of each block. Where it cannot be run the vector is 0 and
    ``info["profile_error"]`` says why.

    Args:
        env: ``mir-llvm-v0``, or another of mirgym's environments.
        values: Observe ``"values"``, too: a vector of ``mirgym.values.VALUE_NAMES``, shape
            ``(VALUES_SIZE,)``, from 0 to 1, of samples of what the program computes. Then
            ``profile`` holds the samples as well, and a run takes twice as long.
    """

    def __init__(self, env: gym.Env[Any, Any], *, values: bool = False) -> None:
        gym.utils.RecordConstructorArgs.__init__(self, values=values)
        gym.Wrapper.__init__(self, env)
        if not hasattr(env.unwrapped, "episode"):
            raise TypeError(
                "ProfileObservation needs one of mirgym's environments, such as mir-llvm-v0, and "
                f"not {type(env.unwrapped).__name__}"
            )
        own = {"profile": PROFILE_SIZE} | ({"values": VALUES_SIZE} if values else {})
        boxes = {name: spaces.Box(0.0, 1.0, (size,), np.float32) for name, size in own.items()}
        self.observation_space = spaces.Dict({"observation": env.observation_space, **boxes})
        self._values = values
        self.profile: Profile | None = None
        """Of the program as it is; None where it cannot be run."""
        self._meters: dict[str, CostMeter] = {}
        self._error = ""

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Reset, and run the program."""
        observation, info = self.env.reset(seed=seed, options=options)
        self._run()
        return self._with_profile(observation, info), info

    def step(self, action: Any) -> tuple[dict[str, Any], SupportsFloat, bool, bool, dict[str, Any]]:
        """Step; run the program when that changed it."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        if info["changed"]:
            self._run()
        return self._with_profile(observation, info), reward, terminated, truncated, info

    def _run(self) -> None:
        llvm_env: Any = self.env.unwrapped
        program, session = llvm_env.episode.program, llvm_env.episode.session
        meter = self._meters.setdefault(program.uri, CostMeter(program))
        try:
            self.profile, self._error = meter.profile(session, values=self._values), ""
        except MirgymError as error:  # also a worker that died of it: the next step says so
            self.profile, self._error = None, str(error)

    def _with_profile(self, observation: Any, info: dict[str, Any]) -> dict[str, Any]:
        if self._error:
            info["profile_error"] = self._error
        profile = self.profile or Profile((), 0)
        shown = {"observation": observation, "profile": profile.vector()}
        return shown | ({"values": profile.value_vector()} if self._values else {})


def _space(own: spaces.Space[Any], size: int, *, keep: bool) -> spaces.Space[Any]:
    embedding = embedding_space(size)
    return spaces.Dict({"observation": own, "embedding": embedding}) if keep else embedding
