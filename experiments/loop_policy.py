"""PPO on measured loops: one loop, one choice, and what it gained as the reward.

The policy scores each choice from what it knows of the loop and of what the choice does to it.
It starts from the exact gradient of the expected gain, which the measurements of all choices give
on the training loops, and PPO goes on from single choices and their gains.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
import torch
from gymnasium import spaces
from stable_baselines3 import PPO
from stable_baselines3.common.policies import ActorCriticPolicy
from stable_baselines3.common.vec_env import DummyVecEnv
from torch import nn

from mirgym.tasks.loop_choices import choice_features
from mirgym.tasks.loop_labels import CHOICES

from .loop_costs import LoopCosts

_LARGEST_GAIN = 1.0
"""Rewards are clipped to ±1, a cost ÷ e or × e: one loop must not outweigh all others."""
_HIDDEN = 64
_WARM_BATCH = 32
_WARM_RATE = 3e-3
_WARM_ENTROPY = 0.01


def loop_features(loop: LoopCosts) -> np.ndarray:
    """What LLVM makes of it by itself, shape (features,).

    No more: with all facts, or some, a policy learns the families that it trains on by heart and
    gains less on others.
    """
    return np.array(loop.own, np.float32)


class Scale(NamedTuple):
    """Mean and deviation of the features of the training loops."""

    loop: tuple[np.ndarray, np.ndarray]
    choice: tuple[np.ndarray, np.ndarray]

    def seen(self, loops: Sequence[LoopCosts]) -> np.ndarray:
        """Observations: the loop's features, then each choice's, shape (n, features)."""
        rows = [
            np.append(
                np.clip(_standard(loop_features(loop), self.loop), -3, 3),
                _standard(choice_features(loop.observation, loop.own), self.choice),
            )
            for loop in loops
        ]
        return np.array(rows, np.float32)


def scale_of(loops: Sequence[LoopCosts]) -> Scale:
    """From training loops."""
    loop = np.array([loop_features(one) for one in loops])  # (n, features)
    # (n * choices, features)
    choice = np.concatenate([choice_features(one.observation, one.own) for one in loops])
    return Scale((loop.mean(0), loop.std(0) + 0.1), (choice.mean(0), choice.std(0) + 0.1))


def _standard(values: np.ndarray, scale: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    return np.asarray((values - scale[0]) / scale[1], np.float32)


class MeasuredLoops(gym.Env[np.ndarray, np.int64]):
    """Episodes of one step over measured loops; nothing is compiled again."""

    def __init__(self, loops: Sequence[LoopCosts], seen: np.ndarray) -> None:
        self._gains = clipped_gains(loops)
        self._seen = seen
        self._at = 0
        self.observation_space = spaces.Box(-np.inf, np.inf, (seen.shape[1],), np.float32)
        self.action_space = spaces.Discrete(len(CHOICES))

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Draw a loop."""
        super().reset(seed=seed)
        self._at = int(self.np_random.integers(len(self._seen)))
        return self._seen[self._at], {}

    def step(self, action: np.int64) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Give the gain of the choice."""
        return self._seen[self._at], float(self._gains[self._at, action]), True, False, {}


def clipped_gains(loops: Sequence[LoopCosts]) -> np.ndarray:
    """Rewards by loop and choice, shape (n, choices)."""
    gains = np.array([loop.gains() for loop in loops], np.float32)
    return np.clip(gains, -_LARGEST_GAIN, _LARGEST_GAIN)


class Scorer(nn.Module):
    """A score for each choice: one small network over pairs of a loop and a choice."""

    def __init__(self, of_loop: int, of_choice: int) -> None:
        super().__init__()
        self.of_loop = of_loop
        self.loop = nn.Linear(of_loop, _HIDDEN)
        self.choice = nn.Linear(of_choice, _HIDDEN)
        self.score = nn.Sequential(
            nn.ReLU(), nn.Linear(_HIDDEN, _HIDDEN), nn.ReLU(), nn.Linear(_HIDDEN, 1)
        )

    def forward(self, seen: torch.Tensor) -> torch.Tensor:
        """Scores, shape (B, choices)."""
        loop = self.loop(seen[:, : self.of_loop])  # (B, hidden)
        choices = seen[:, self.of_loop :].reshape(len(seen), len(CHOICES), -1)
        scores: torch.Tensor = self.score(loop[:, None] + self.choice(choices))  # (B, choices, 1)
        return scores[..., 0]


class LoopValue(nn.Module):
    """What a loop is expected to gain."""

    def __init__(self, of_loop: int) -> None:
        super().__init__()
        self.of_loop = of_loop
        self.value = nn.Sequential(nn.Linear(of_loop, _HIDDEN), nn.Tanh(), nn.Linear(_HIDDEN, 1))

    def forward(self, seen: torch.Tensor) -> torch.Tensor:
        """Values, shape (B, 1)."""
        value: torch.Tensor = self.value(seen[:, : self.of_loop])
        return value


class ScoringPolicy(ActorCriticPolicy):  # type: ignore[misc]
    """Stable-Baselines3's policy with a ``Scorer`` for its actions."""

    def __init__(self, *args: Any, of_loop: int, **kwargs: Any) -> None:
        self._of_loop = of_loop
        super().__init__(*args, net_arch=[], **kwargs)

    def _build(self, lr_schedule: Any) -> None:
        super()._build(lr_schedule)
        of_choice = (self.features_dim - self._of_loop) // len(CHOICES)
        self.action_net = Scorer(self._of_loop, of_choice)
        self.value_net = LoopValue(self._of_loop)
        self.optimizer = self.optimizer_class(
            self.parameters(), lr=lr_schedule(1), **self.optimizer_kwargs
        )


class Learned(NamedTuple):
    """Gains of the greedy choices on held-out loops, shape (n,)."""

    before: np.ndarray
    """Of the policy that PPO starts from."""
    after: np.ndarray


def learn(
    train: Sequence[LoopCosts],
    held_out: Sequence[LoopCosts],
    steps: int,
    seed: int,
    warm_steps: int = 600,
) -> Learned:
    """Train on some loops and choose for the others."""
    scale = scale_of(train)
    seen = scale.seen(train)
    envs = DummyVecEnv([lambda: MeasuredLoops(train, seen)] * 16)
    model = PPO(
        ScoringPolicy,
        envs,
        n_steps=64,
        batch_size=256,
        n_epochs=4,
        gamma=0.0,  # one step
        gae_lambda=1.0,
        learning_rate=3e-4,
        ent_coef=0.003,
        policy_kwargs={"of_loop": len(loop_features(train[0]))},
        seed=seed,
        device="cpu",
    )

    def gains() -> np.ndarray:
        chosen, _ = model.predict(scale.seen(held_out), deterministic=True)
        return np.array([loop.gains()[i] for loop, i in zip(held_out, chosen, strict=True)])

    warm_up(model.policy.action_net, seen, clipped_gains(train), warm_steps)
    before = gains()
    model.learn(steps)
    return Learned(before, gains())


def warm_up(scorer: nn.Module, seen: np.ndarray, gains: np.ndarray, steps: int) -> None:
    """Raise the expected gain, which all measurements together give, and the entropy."""
    optimizer = torch.optim.AdamW(scorer.parameters(), _WARM_RATE, weight_decay=0.05)
    rate = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, max(steps, 1))
    inputs, rewards = torch.from_numpy(seen), torch.from_numpy(gains)
    for _ in range(steps):
        rows = torch.randint(len(seen), (_WARM_BATCH,))
        logarithms = scorer(inputs[rows]).log_softmax(1)  # (B, choices)
        chances = logarithms.exp()
        expected = (chances * rewards[rows]).sum(1)
        entropy = -(chances * logarithms).sum(1)
        optimizer.zero_grad()
        (-(expected + _WARM_ENTROPY * entropy).mean()).backward()
        optimizer.step()
        rate.step()
