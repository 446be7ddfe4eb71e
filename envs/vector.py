"""``LlvmVectorEnv``: many episodes at once, one worker process each."""

from __future__ import annotations

import select
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space, concatenate, create_empty_array

from .config import EnvConfig, EpisodeConfig, make_config
from .episode import Episode, Outcome
from .llvm_env import check_render_mode
from .pool import ProgramPool
from .registration import DEFAULT_EPISODE_STEPS


class Batch(NamedTuple):
    """Results of some copies: row ``k`` of each array belongs to copy ``indices[k]``."""

    indices: np.ndarray
    observations: Any
    rewards: np.ndarray
    terminated: np.ndarray
    truncated: np.ndarray
    infos: list[dict[str, Any]]


class LlvmVectorEnv(VectorEnv[Any, Any, Any]):
    """``num_envs`` copies of ``mir-llvm-v0`` that compute side by side.

    A step first sends every worker its pass and then collects the results, so the passes
    run in parallel on as many cores as there are; it takes as long as its slowest pass.
    ``send`` and ``receive`` step asynchronously instead, without that wait. Arguments,
    spaces, rewards and infos are those of ``LlvmEnv``; the copies share one pool of programs,
    so each baseline is measured once.

    ``autoreset_mode`` is ``NEXT_STEP`` by default (Gymnasium's: the step after an episode's
    end resets, its action is ignored) or ``SAME_STEP`` (as Stable-Baselines3 does: the step
    that ends an episode returns the next one's first observation, and ``infos["final_obs"]``
    and ``infos["final_info"]`` hold the last of the old one).

    >>> import gymnasium as gym, mirgym
    >>> envs = gym.make_vec("mir-llvm-v0", num_envs=2, programs="mirbench/crc",
    ...                     vectorization_mode="vector_entry_point")
    """

    _id = "mir-llvm-v0"
    _config_type: type[EpisodeConfig] = EnvConfig
    _episode_type = Episode

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
        check_render_mode(render_mode)
        self.num_envs = num_envs
        self.max_episode_steps = max_episode_steps
        self.render_mode = render_mode
        self.autoreset_mode = AutoresetMode(autoreset_mode)
        self.metadata = {"render_modes": ["ansi"], "autoreset_mode": self.autoreset_mode}
        self.config: EpisodeConfig = make_config(self._config_type, config, self._id)
        pool = ProgramPool(self.config.programs, self.config.objective, self.config.baseline)
        self.episodes = [
            self._episode_type(self.config, max_episode_steps, pool, alone=num_envs == 1)
            for _ in range(num_envs)
        ]
        first = self.episodes[0]
        self.single_observation_space = first.observer.space
        self.single_action_space = first.action_space
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._generators = [np.random.default_rng() for _ in range(num_envs)]
        self._ended = np.zeros(num_envs, bool)
        self._in_flight = np.zeros(num_envs, bool)

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
        if self._in_flight.any():
            raise RuntimeError("reset() while copies are stepping; receive their results first")
        if isinstance(programs, (list, tuple)) and len(programs) != self.num_envs:
            raise ValueError(f"{len(programs)} programs for {self.num_envs} environments")
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
                observation = episode.look()
            observations.append(observation)
        return self._concatenate(observations), infos

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

    def step(
        self, actions: np.ndarray
    ) -> tuple[Any, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """One pass in each copy: send all, then receive all."""
        self.send(actions)
        results = [self._collect(i) for i in range(self.num_envs)]
        observations, rewards, terminated, truncated, infos = self._stack(results)
        merged: dict[str, Any] = {}
        for i, info in enumerate(infos):
            merged = self._add_info(merged, info, i)
        return observations, rewards, terminated, truncated, merged

    def send(
        self, actions: Sequence[Any] | np.ndarray, indices: Iterable[int] | None = None
    ) -> None:
        """Start one step in each copy, or in those at ``indices``, without waiting."""
        chosen = list(range(self.num_envs) if indices is None else indices)
        if len(actions) != len(chosen) or len(set(chosen)) != len(chosen):
            raise ValueError(f"{len(actions)} actions for copies {chosen}: expected one for each")
        # All checks come first, so that an error leaves no copy stepping.
        for i, action in zip(chosen, actions, strict=True):
            if self._in_flight[i]:
                raise RuntimeError(f"copy {i} is still stepping; receive its result first")
            if not self._ended[i]:
                self.episodes[i].check(action)
        for i, action in zip(chosen, actions, strict=True):
            if not self._ended[i]:
                self.episodes[i].send(action)
            self._in_flight[i] = True

    def receive(self, at_least: int = 1) -> Batch:
        """Results of the copies that are done, waiting until there are ``at_least`` so many.

        With ``send`` this steps the copies asynchronously: no copy waits for a slower one,
        which matters because passes differ in cost by a factor of a thousand.

        Raises:
            ValueError: Fewer copies than ``at_least`` are stepping.
        """
        flying = np.flatnonzero(self._in_flight)
        if not 1 <= at_least <= len(flying):
            raise ValueError(f"at_least={at_least}, but {len(flying)} copies are stepping")
        ready: list[int] = []
        while len(ready) < at_least:
            ready = self._wait_for_any([int(i) for i in flying], at_least - len(ready))
        return Batch(np.array(ready), *self._stack([self._collect(i) for i in ready]))

    def _wait_for_any(self, flying: list[int], missing: int) -> list[int]:
        """The copies whose results can be had at once; sleeps while too few are."""
        poller = select.poll()
        waiting: dict[int, int] = {}
        for i in flying:
            descriptor = -1 if self._ended[i] else self.episodes[i].awaited()
            if descriptor >= 0:
                waiting[descriptor] = i
                poller.register(descriptor, select.POLLIN)
        at_once = [i for i in flying if i not in waiting.values()]
        sleep = len(at_once) < missing
        # A worker that hangs ends itself; receive() then reports it, so wake up for that.
        limit_ms = int((self.config.limits.step_seconds + self.config.limits.grace_seconds) * 1000)
        events = poller.poll(limit_ms if sleep else 0)
        if sleep and not events:
            return flying
        return sorted(at_once + [waiting[descriptor] for descriptor, _ in events])

    def _collect(self, i: int) -> Outcome:
        """The result of copy ``i``, after its reset if it ended."""
        self._in_flight[i] = False
        episode = self.episodes[i]
        if self._ended[i]:
            observation, info = episode.reset(self._generators[i])
            self._ended[i] = False
            return Outcome(observation, 0.0, False, False, info)
        outcome = self._time_limited(episode)
        if outcome.terminated or outcome.truncated:
            return self._end(i, outcome)
        return outcome

    def _concatenate(self, observations: list[Any]) -> Any:
        """Looks to a batch of observations, with one batch of the encoder."""
        observations = self.episodes[0].observer.finish(observations)
        space = self.single_observation_space
        out: Any = create_empty_array(space, len(observations))
        return concatenate(space, observations, out)

    def _stack(
        self, results: list[Outcome]
    ) -> tuple[Any, np.ndarray, np.ndarray, np.ndarray, list[dict[str, Any]]]:
        batch = self._concatenate([r.observation for r in results])
        rewards = np.array([r.reward for r in results], np.float64)
        terminated = np.array([r.terminated for r in results], bool)
        truncated = np.array([r.truncated for r in results], bool)
        return batch, rewards, terminated, truncated, [r.info for r in results]

    def _time_limited(self, episode: Episode) -> Outcome:
        outcome = episode.receive()
        if len(episode.taken) >= self.max_episode_steps and not outcome.terminated:
            return outcome._replace(truncated=True)
        return outcome

    def _end(self, i: int, outcome: Outcome) -> Outcome:
        if self.autoreset_mode is AutoresetMode.SAME_STEP:
            first, fresh = self.episodes[i].reset(self._generators[i])
            (last,) = self.episodes[i].observer.finish([outcome.observation])
            info = {**fresh, "final_obs": last, "final_info": outcome.info}
            return outcome._replace(observation=first, info=info)
        self._ended[i] = self.autoreset_mode is AutoresetMode.NEXT_STEP
        return outcome

    # -- the rest -------------------------------------------------------------------

    def action_masks(self) -> np.ndarray:
        """Masks of all copies, shape ``(num_envs, n)``, bool."""
        return np.stack([episode.action_mask() for episode in self.episodes])

    def render(self) -> tuple[str, ...] | None:
        """Each copy's episode as text."""
        from .render import render_episode

        if self.render_mode is None:
            return None
        return tuple(render_episode(episode) for episode in self.episodes)

    def close_extras(self, **kwargs: Any) -> None:
        """End the workers."""
        for episode in self.episodes:
            episode.close()
