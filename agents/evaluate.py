"""Agents against the baseline and against random search, at equal numbers of compiles."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..envs.config import EnvConfig
from ..envs.episode import Episode
from ..envs.pool import ProgramPool
from ..programs import Program, resolve_all

Choose = Callable[[Any, np.ndarray, bool], int]
"""From observation, mask and "deterministic?" to an action."""


@dataclass(frozen=True)
class Score:
    """What one agent reached on one program.

    Attributes:
        program: URI.
        cost: The best cost on the way, never fallen back to the baseline.
        baseline: Cost of the baseline.
        compiles: Passes applied to reach it.
    """

    program: str
    cost: int
    baseline: int
    compiles: int

    @property
    def ratio(self) -> float:
        """Baseline ÷ cost: above 1 beats the baseline."""
        return self.baseline / max(self.cost, 1)


def geomean(ratios: Iterable[float]) -> float:
    """Geometric mean.

    Raises:
        ValueError: No ratios, or one that is not positive.
    """
    values = list(ratios)
    if not values or min(values) <= 0:
        raise ValueError(f"geomean needs positive ratios; got {values}")
    return math.exp(sum(map(math.log, values)) / len(values))


def rollouts(
    episode: Episode, program: Program, choose: Choose, count: int, seed: int = 0
) -> Score:
    """Best cost over ``count`` episodes: the first greedy, the others sampled.

    Each episode has ``episode.horizon`` steps, and each step counts as one compile, also
    when it changed nothing. The best state on the way counts, not only the last.
    """
    generator = np.random.default_rng(seed)
    best = None
    compiles = 0
    for index in range(count):
        look, _ = episode.reset(generator, program)
        best = episode.cost if best is None else min(best, episode.cost)
        for _ in range(episode.horizon):
            (observation,) = episode.observer.finish([look])
            episode.send(choose(observation, episode.action_mask(), index == 0))
            outcome = episode.receive()
            look = outcome.observation
            compiles += 1
            best = min(best, episode.cost)
            if outcome.terminated or outcome.truncated:
                break
    assert best is not None
    return Score(program.uri, best, episode.costs.baseline, compiles)


def random_choice(seed: int) -> Choose:
    """Uniformly random actions: the control at equal budget."""
    generator = random.Random(seed)
    return lambda _, mask, __: generator.randrange(len(mask))


def evaluate(
    config: EnvConfig,
    choose: Choose,
    *,
    programs: str | Sequence[Program],
    horizon: int,
    count: int,
    seed: int = 0,
) -> list[Score]:
    """Score on every program."""
    members = resolve_all(programs)
    pool = ProgramPool(members, config.objective, config.baseline)
    episode = Episode(config, horizon, pool)
    try:
        return [rollouts(episode, program, choose, count, seed) for program in members]
    finally:
        episode.close()


def by_program(scores: Iterable[Score]) -> Mapping[str, float]:
    """Ratio of each program, by the last part of its URI."""
    return {score.program.rsplit("/", 1)[-1]: score.ratio for score in scores}
