"""``LlvmVectorEnv``: many episodes at once, one worker process each."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space, concatenate, create_empty_array

from .episode import Episode, Outcome
from .llvm_env import _config
from .pool import ProgramPool
from .registration import DEFAULT_EPISODE_STEPS


class LlvmVectorEnv(VectorEnv[Any, Any, Any]):
    """``num_envs`` copies of ``mir-llvm-v0`` that compute side by side.

    A step first sends every worker its pass and then collects the results, so the passes
    run in parallel on as many cores as there are. Arguments, spaces, rewards and infos
    are those of ``LlvmEnv``; the copies share one pool of programs, so each baseline is
    measured once.

    ``autoreset_mode`` is ``NEXT_STEP`` by default (Gymnasium's: the step after an episode's
    end resets, its action is ignored) or ``SAME_STEP`` (as Stable-Baselines3 does: the step
    that ends an episode returns the next one's first observation, and ``infos["final_obs"]``
    and ``infos["final_info"]`` hold the last of the old one).

    >>> import gymnasium as gym, mirgym
    >>> envs = gym.make_vec("mir-llvm-v0", num_envs=2, programs="mirbench/crc",
    ...                     vectorization_mode="vector_entry_point")
    """

    def __init__(
        self,
        num_envs: int = 1,
        *,
        max_episode_steps: int = DEFAULT_EPISODE_STEPS,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        render_mode: str | None = None,
        **config: Any,
    ) -> None:
        if num_envs < 1:
            raise ValueError(f"num_envs={num_envs}: expected at least 1")
        self.num_envs = num_envs
        self.max_episode_steps = max_episode_steps
        self.render_mode = render_mode
        self.autoreset_mode = AutoresetMode(autoreset_mode)
        self.metadata = {"render_modes": ["ansi"], "autoreset_mode": self.autoreset_mode}
        self.config = _config(config)
        pool = ProgramPool(self.config.programs, self.config.objective, self.config.baseline)
        self.episodes = [Episode(self.config, max_episode_steps, pool) for _ in range(num_envs)]
        first = self.episodes[0]
        self.single_observation_space = first.observer.space
        self.single_action_space = spaces.Discrete(len(first.actions.passes))
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._generators = [np.random.default_rng() for _ in range(num_envs)]
        self._ended = np.zeros(num_envs, bool)
        self._waiting = False

    @property
    def passes(self) -> tuple[str, ...]:
        """Names of the actions, in order."""
        return self.episodes[0].actions.names

    # -- reset ----------------------------------------------------------------------

    def reset(
        self, *, seed: int | list[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Reset all copies, or those where ``options["reset_mask"]`` is True.

        ``options["program"]`` chooses the program: one for all, or one for each copy.
        """
        options = dict(options or {})
        mask = options.pop("reset_mask", np.ones(self.num_envs, bool))
        programs = options.pop("program", None)
        if options:
            known = "'program' and 'reset_mask'"
            raise ValueError(f"unknown reset options {sorted(options)}; expected {known}")
        self._seed(seed)
        infos: dict[str, Any] = {}
        observations = []
        for i, episode in enumerate(self.episodes):
            if mask[i]:
                program = programs[i] if isinstance(programs, (list, tuple)) else programs
                observation, info = episode.reset(self._generators[i], program)
                infos = self._add_info(infos, info, i)
                self._ended[i] = False
            else:
                observation = episode.observation()
            observations.append(observation)
        return self._batch(observations), infos

    def _seed(self, seed: int | list[int | None] | None) -> None:
        if seed is None:
            return
        seeds = [seed + i for i in range(self.num_envs)] if isinstance(seed, int) else seed
        if len(seeds) != self.num_envs:
            raise ValueError(f"{len(seeds)} seeds for {self.num_envs} environments")
        for i, one in enumerate(seeds):
            if one is not None:
                self._generators[i] = np.random.default_rng(one)

    # -- step -----------------------------------------------------------------------

    def send(self, actions: np.ndarray) -> None:
        """First half of ``step``: every worker gets its pass."""
        if self._waiting:
            raise RuntimeError("send() was called twice; call receive() in between")
        for i, episode in enumerate(self.episodes):
            if not self._ended[i]:
                episode.send(actions[i])
        self._waiting = True

    def receive(self) -> tuple[Any, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Second half of ``step``: collect the results, reset what has ended."""
        if not self._waiting:
            raise RuntimeError("receive() without send()")
        self._waiting = False
        rewards = np.zeros(self.num_envs, np.float64)
        terminated = np.zeros(self.num_envs, bool)
        truncated = np.zeros(self.num_envs, bool)
        infos: dict[str, Any] = {}
        observations = []
        for i, episode in enumerate(self.episodes):
            if self._ended[i]:
                observation, info = episode.reset(self._generators[i])
                self._ended[i] = False
            else:
                outcome = self._time_limited(episode)
                observation, info = outcome.observation, outcome.info
                rewards[i] = outcome.reward
                terminated[i], truncated[i] = outcome.terminated, outcome.truncated
                if outcome.terminated or outcome.truncated:
                    observation, info = self._end(i, observation, info)
            observations.append(observation)
            infos = self._add_info(infos, info, i)
        return self._batch(observations), rewards, terminated, truncated, infos

    def step(
        self, actions: np.ndarray
    ) -> tuple[Any, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """One pass in each copy, all at once."""
        self.send(actions)
        return self.receive()

    def _time_limited(self, episode: Episode) -> Outcome:
        outcome = episode.receive()
        if len(episode.taken) >= self.max_episode_steps and not outcome.terminated:
            return outcome._replace(truncated=True)
        return outcome

    def _end(self, i: int, observation: Any, info: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        if self.autoreset_mode is AutoresetMode.SAME_STEP:
            first, fresh = self.episodes[i].reset(self._generators[i])
            return first, {**fresh, "final_obs": observation, "final_info": info}
        self._ended[i] = self.autoreset_mode is AutoresetMode.NEXT_STEP
        return observation, info

    def _batch(self, observations: list[Any]) -> Any:
        out = create_empty_array(self.single_observation_space, self.num_envs)
        return concatenate(self.single_observation_space, observations, out)

    # -- the rest -------------------------------------------------------------------

    def action_masks(self) -> np.ndarray:
        """Masks of all copies, shape ``(num_envs, n)``, bool."""
        return np.stack([episode.action_mask() for episode in self.episodes])

    def render(self) -> tuple[str, ...] | None:  # type: ignore[override]
        """Each copy's episode as text."""
        from .render import render_episode

        if self.render_mode is None:
            return None
        return tuple(render_episode(episode) for episode in self.episodes)

    def close_extras(self, **kwargs: Any) -> None:
        """End the workers."""
        for episode in self.episodes:
            episode.close()
