"""MaskablePPO on ``mir-llvm-v0``: one frozen config, training that can be resumed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sb3_contrib import MaskablePPO
from stable_baselines3.common.callbacks import BaseCallback, CallbackList
from stable_baselines3.common.logger import configure
from stable_baselines3.common.vec_env import VecMonitor

from .evaluate import Choose
from .sb3 import CountsExtractor, Sb3VecEnv


@dataclass(frozen=True)
class PpoConfig:
    """One training run."""

    programs: tuple[str, ...] = ("mirbench:train",)
    """Programs to train on: suites, URIs or paths."""
    objective: str = "ir_instructions"
    """What to make small: ir_instructions, or text_size_bytes at about five times the time a
    step."""
    observation: tuple[str, ...] = ("autophase", "history")
    """What the policy sees."""
    encoder: str = "tiny"
    """Whose ``embedding``: a name, or a path to weights."""
    actions: str | tuple[str, ...] = "passes"
    """What it may do; see ``envs.actions.build_actions``."""
    reward: str = "best"
    """``best``: what a step adds to the best state so far; ``step``: the environment's own."""
    episode_steps: int = 45
    """Passes in an episode."""
    total_steps: int = 60_000
    """Environment steps in all."""
    num_envs: int = 8
    """Worker processes."""
    rollout_steps: int = 90
    """Steps of each worker between two updates: two episodes."""
    batch_size: int = 180
    epochs: int = 6
    """Passes over each rollout."""
    learning_rate: float = 5e-4
    gamma: float = 0.99
    gae_lambda: float = 0.95
    entropy: float = 0.05
    """Keeps the policy from settling on one sequence for all programs."""
    hidden: tuple[int, ...] = (256, 128)
    """Widths of the policy's and the value's own layers."""
    checkpoint_steps: int = 10_000
    """A checkpoint is written about this often, and when training is interrupted."""


class Checkpoints(BaseCallback):
    """Saves the model now and then, atomically, and when training stops early."""

    def __init__(self, folder: Path, every: int) -> None:
        super().__init__()
        self._folder = folder
        self._every = every
        self._next = every

    def _on_training_start(self) -> None:
        self._next = self.num_timesteps + self._every

    def _on_step(self) -> bool:
        if self.num_timesteps >= self._next:
            save(self.model, self._folder)
            self._next = self.num_timesteps + self._every
        return True


def save(model: Any, folder: Path) -> None:
    """Write ``checkpoint.zip`` so that a reader never sees half of it."""
    partial = folder / "checkpoint.partial.zip"
    model.save(partial)
    partial.replace(folder / "checkpoint.zip")


def make_envs(config: PpoConfig) -> VecMonitor:
    """The training environments."""
    envs = Sb3VecEnv(
        config.num_envs,
        max_episode_steps=config.episode_steps,
        programs=list(config.programs),
        objective=config.objective,
        observation=config.observation,
        encoder=config.encoder,
        actions=config.actions,
        reward=config.reward,
    )
    return VecMonitor(envs)


def make_model(config: PpoConfig, envs: Any, seed: int) -> MaskablePPO:
    """An untrained agent."""
    return MaskablePPO(
        "MultiInputPolicy",
        envs,
        seed=seed,
        n_steps=config.rollout_steps,
        batch_size=config.batch_size,
        n_epochs=config.epochs,
        learning_rate=config.learning_rate,
        gamma=config.gamma,
        gae_lambda=config.gae_lambda,
        ent_coef=config.entropy,
        policy_kwargs={
            "features_extractor_class": CountsExtractor,
            "net_arch": {"pi": list(config.hidden), "vf": list(config.hidden)},
        },
        device="cpu",
    )


def train(
    config: PpoConfig,
    folder: Path,
    seed: int,
    *,
    callback: BaseCallback | None = None,
    progress: bool = True,
) -> MaskablePPO:
    """Train to ``config.total_steps``, going on from ``folder/checkpoint.zip`` if it is there.

    Writes ``checkpoint.zip``, ``progress.csv`` and TensorBoard events into ``folder``.
    Ctrl-C saves a checkpoint, ends the workers and re-raises.
    """
    folder.mkdir(parents=True, exist_ok=True)
    # One thread: the workers need the cores, and the network is small.
    torch.set_num_threads(1)
    envs = make_envs(config)
    checkpoint = folder / "checkpoint.zip"
    try:
        if checkpoint.exists():
            model = MaskablePPO.load(checkpoint, env=envs, device="cpu")
        else:
            model = make_model(config, envs, seed)
        left = config.total_steps - model.num_timesteps
        if left > 0:
            model.set_logger(configure(str(folder), ["csv", "tensorboard"]))
            callbacks: list[BaseCallback] = [Checkpoints(folder, config.checkpoint_steps)]
            callbacks += [callback] if callback else []
            try:
                model.learn(
                    left,
                    callback=CallbackList(callbacks),
                    reset_num_timesteps=False,
                    progress_bar=progress,
                )
            finally:
                save(model, folder)
                model.logger.close()
        return model
    finally:
        envs.close()


def policy_choice(model: MaskablePPO, temperature: float = 1.0, seed: int = 0) -> Choose:
    """The agent as a choice function for ``evaluate``.

    Args:
        model: The trained agent.
        temperature: Divides the logits where an action is sampled: above 1 the rollouts
            differ more from each other.
        seed: Of the sampling.
    """
    generator = np.random.default_rng(seed)

    def choose(observation: Any, mask: np.ndarray, deterministic: bool) -> int:
        tensors, _ = model.policy.obs_to_tensor(observation)
        with torch.no_grad():
            masked = model.policy.get_distribution(tensors, action_masks=mask).distribution
        logits = masked.logits[0].double().numpy()  # (n_actions,)
        if deterministic:
            return int(logits.argmax())
        weights = np.exp((logits - logits.max()) / temperature) * mask
        return int(generator.choice(len(weights), p=weights / weights.sum()))

    return choose
