"""Stable-Baselines3's PPO on an environment that is not mirgym's.

``PipelineEnv`` is the kind of environment that a compiler project has already: it chooses among
a few of LLVM's pipelines and observes how far it is. ``EmbedObservation`` lets its agent see
the code, and asks nothing of it but bitcode.

    python examples/sb3_script.py --total-steps 2000
"""

from __future__ import annotations

import argparse
import math
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from stable_baselines3 import PPO

from mirgym.envs.wrappers import EmbedObservation
from mirgym.programs import resolve
from mirgym.worker import WorkerSession

PIPELINES = (
    "function(sroa)",
    "function(instcombine<no-verify-fixpoint>,simplifycfg)",
    "function(early-cse,gvn)",
    "cgscc(inline)",
    "function(loop-mssa(licm))",
    "function(adce),globaldce",
)


class PipelineEnv(gym.Env[np.ndarray, np.int64]):
    """Six steps of one pipeline each; the reward is the logarithm of what it shrinks the IR by.

    The observation, shape ``(2,)``, holds the fraction of steps left and the size against the
    start. ``bitcode`` is the module as it is now.
    """

    EPISODE_STEPS = 6

    def __init__(self, program: str = "mirbench/crc") -> None:
        self.observation_space = spaces.Box(0.0, 16.0, (2,), np.float32)
        self.action_space = spaces.Discrete(len(PIPELINES))
        self._source = resolve(program).bitcode()
        self._session = WorkerSession()
        self._start = self._size = 1
        self._steps = 0

    @property
    def bitcode(self) -> bytes:
        """The module as it is now."""
        return self._session.emit("bc")

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Start again from the unoptimised program."""
        super().reset(seed=seed, options=options)
        state = self._session.load(self._source, level="Oz")
        self._start = self._size = state.metrics["ir_instructions"]
        self._steps = 0
        return self._observation(), {}

    def step(self, action: np.int64) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Run one pipeline."""
        state = self._session.step(PIPELINES[int(action)])
        before, self._size = self._size, state.metrics["ir_instructions"]
        self._steps += 1
        reward = math.log(before / self._size)
        return self._observation(), reward, False, self._steps == self.EPISODE_STEPS, {}

    def _observation(self) -> np.ndarray:
        left = 1 - self._steps / self.EPISODE_STEPS
        return np.array([left, self._size / self._start], np.float32)

    def close(self) -> None:
        """End the worker."""
        self._session.close()


def make_env(model: str = "tiny", *, keep: bool = True) -> EmbedObservation:
    """The environment with the encoder's view of its bitcode."""
    env = PipelineEnv()
    return EmbedObservation(env, ir=lambda _: env.bitcode, model=model, keep=keep)


def train(total_steps: int, model: str = "tiny", seed: int = 0) -> PPO:
    """PPO on ``PipelineEnv``, with its settings for a small problem."""
    env = make_env(model)
    try:
        steps = min(128, total_steps)
        agent = PPO(
            "MultiInputPolicy",
            env,
            n_steps=steps,
            batch_size=min(64, steps),
            seed=seed,
            device="cpu",
            verbose=1,
        )
        return agent.learn(total_steps)
    finally:
        env.close()


def main() -> None:
    """Read the command line and train."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--total-steps", type=int, default=2000)
    parser.add_argument("--model", default="tiny", help="tiny, base, or a path to weights")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    train(arguments.total_steps, arguments.model, arguments.seed)


if __name__ == "__main__":
    main()
