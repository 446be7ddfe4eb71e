"""PPO on measured loops: one loop, one choice, and what it gained as the reward."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces

from mirgym.envs.config import LoopsConfig

from .loop_costs import LoopCosts

_SIZES = [len(LoopsConfig.widths), len(LoopsConfig.interleaves), len(LoopsConfig.unrolls)]


class MeasuredLoops(gym.Env[np.ndarray, np.ndarray]):
    """Episodes of one step over measured loops; nothing is compiled again."""

    def __init__(self, loops: Sequence[LoopCosts], mean: np.ndarray, scale: np.ndarray) -> None:
        self._gains = [loop.gains() for loop in loops]
        self._seen = standardised(loops, mean, scale)
        self._at = 0
        size = self._seen.shape[1]
        self.observation_space = spaces.Box(-np.inf, np.inf, (size,), np.float32)
        self.action_space = spaces.MultiDiscrete(_SIZES)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Draw a loop."""
        super().reset(seed=seed)
        self._at = int(self.np_random.integers(len(self._seen)))
        return self._seen[self._at], {}

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Give the gain of the choice."""
        gain = float(self._gains[self._at][np.ravel_multi_index(tuple(action), _SIZES)])
        return self._seen[self._at], gain, True, False, {}


def standardised(loops: Sequence[LoopCosts], mean: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Observations of loops, shape (n, features)."""
    seen = np.array([loop.observation for loop in loops], np.float32)
    return np.asarray((seen - mean) / scale, np.float32)


def learn(
    train: Sequence[LoopCosts], held_out: Sequence[LoopCosts], steps: int, seed: int
) -> np.ndarray:
    """Train on some loops; the gains of the greedy choices on the others, shape (n,)."""
    from stable_baselines3 import PPO
    from stable_baselines3.common.vec_env import DummyVecEnv

    seen = np.array([loop.observation for loop in train], np.float32)
    mean, scale = seen.mean(0), seen.std(0) + 1e-3
    envs = DummyVecEnv([lambda: MeasuredLoops(train, mean, scale)] * 16)
    model = PPO(
        "MlpPolicy",
        envs,
        n_steps=64,
        batch_size=256,
        n_epochs=6,
        gamma=0.0,  # one step
        gae_lambda=1.0,
        learning_rate=5e-4,
        ent_coef=0.003,
        policy_kwargs={"net_arch": [128, 128]},
        seed=seed,
        device="cpu",
    )
    model.learn(steps)
    actions, _ = model.predict(standardised(held_out, mean, scale), deterministic=True)
    chosen = [int(np.ravel_multi_index(tuple(action), _SIZES)) for action in actions]
    return np.array([loop.gains()[i] for loop, i in zip(held_out, chosen, strict=True)])
