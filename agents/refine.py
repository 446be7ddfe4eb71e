"""MaskablePPO from a warm start: a fitted policy goes on learning in the environment."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from gymnasium import spaces
from sb3_contrib import MaskablePPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from stable_baselines3.common.vec_env import VecMonitor

from .policy import STEPS, Policy, PolicyConfig
from .policy_net import Features, PolicyNet, to_net, to_policy
from .sb3 import Sb3VecEnv

Report = Callable[[int, Policy], None]
"""Told how many steps were taken, and the policy as it is then."""


@dataclass(frozen=True)
class RefineConfig:
    """PPO after the warm start."""

    total_steps: int = 20_000
    """Environment steps; each is a whole pipeline as often as a pass."""
    num_envs: int = 4
    rollout_steps: int = 64
    batch_size: int = 128
    epochs: int = 4
    learning_rate: float = 5e-5
    """Small: the warm start knows more than a few thousand episodes tell."""
    clip: float = 0.1
    entropy: float = 0.0
    gamma: float = 1.0
    gae_lambda: float = 0.95
    critic_steps: int = 2_000
    """Steps at first in which only the critic learns: it starts from nothing."""
    target_kl: float = 0.02
    """Ends the epochs of an update early."""


class PolicyExtractor(BaseFeaturesExtractor):
    """A policy's ``Features`` for Stable-Baselines3."""

    def __init__(self, observation_space: spaces.Space[Any], config: PolicyConfig) -> None:
        features = Features(config.observation, config.sizes)
        super().__init__(observation_space, features.width)
        self.features = features

    def forward(self, observations: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """(B, features_dim)."""
        out: torch.Tensor = self.features(observations)
        return out


def make_envs(policy: Policy, programs: Sequence[Any], num_envs: int, seed: int) -> VecMonitor:
    """Training environments with the policy's own actions, stop last, and observations."""
    envs = Sb3VecEnv(
        num_envs,
        max_episode_steps=STEPS,
        programs=list(programs),
        objective=policy.config.objective,
        observation=policy.config.observation,
        actions=(*policy.actions.actions, "stop"),
        reward="best",
    )
    envs.seed(seed)
    return VecMonitor(envs)


def make_model(policy: Policy, envs: Any, config: RefineConfig, seed: int) -> MaskablePPO:
    """Stable-Baselines3's agent with this policy's weights, and a critic that knows nothing."""
    model = MaskablePPO(
        "MultiInputPolicy",
        envs,
        seed=seed,
        n_steps=config.rollout_steps,
        batch_size=config.batch_size,
        n_epochs=config.epochs,
        learning_rate=config.learning_rate,
        clip_range=config.clip,
        gamma=config.gamma,
        gae_lambda=config.gae_lambda,
        ent_coef=config.entropy,
        target_kl=config.target_kl,
        policy_kwargs={
            "features_extractor_class": PolicyExtractor,
            "features_extractor_kwargs": {"config": policy.config},
            "net_arch": {"pi": list(policy.config.hidden), "vf": list(policy.config.hidden)},
        },
        device="cpu",
    )
    net = to_net(policy)
    for name, module in _parts(model).items():
        module.load_state_dict(getattr(net, name).state_dict())
    return model


def _parts(model: MaskablePPO) -> dict[str, torch.nn.Module]:
    """Where Stable-Baselines3 keeps what ``PolicyNet`` has, by the name there."""
    return {
        "features": model.policy.features_extractor.features,
        "policy_net": model.policy.mlp_extractor.policy_net,
        "action_net": model.policy.action_net,
    }


def actor_of(model: MaskablePPO, like: Policy) -> Policy:
    """The agent's actor as a ``Policy``."""
    net = PolicyNet(like.config, len(like.actions))
    for name, module in _parts(model).items():
        getattr(net, name).load_state_dict(module.state_dict())
    return to_policy(net, like.config, like.actions)


class _Critic(BaseCallback):
    """Lets the actor learn only after some steps, and reports now and then."""

    def __init__(self, like: Policy, critic_steps: int, every: int, report: Report | None) -> None:
        super().__init__()
        self._like = like
        self._critic_steps = critic_steps
        self._every = every
        self._report = report
        self._next = 0

    def _on_rollout_start(self) -> None:
        learns = self.num_timesteps >= self._critic_steps
        for name, module in _parts(self.model).items():
            if name != "features":
                module.requires_grad_(learns)
        if self._report is not None and self.num_timesteps >= self._next:
            self._next = self.num_timesteps + self._every
            self._report(self.num_timesteps, actor_of(self.model, self._like))

    def _on_step(self) -> bool:
        return True


def refine(
    policy: Policy,
    programs: Sequence[Any],
    config: RefineConfig,
    seed: int,
    *,
    report: Report | None = None,
    report_every: int = 2_000,
    progress: bool = False,
) -> Policy:
    """Train on these programs.

    Args:
        policy: The warm start.
        programs: To train on: URIs, paths or ``Program``s.
        config: How long, how fast.
        seed: Of the environments and of the sampling.
        report: Called with the steps so far and the policy.
        report_every: Steps between two calls.
        progress: Show a bar.
    """
    torch.set_num_threads(1)
    envs = make_envs(policy, programs, config.num_envs, seed)
    try:
        model = make_model(policy, envs, config, seed)
        callback = _Critic(policy, config.critic_steps, report_every, report)
        model.learn(config.total_steps, callback=callback, progress_bar=progress)
        refined = actor_of(model, policy)
        if report is not None:
            report(model.num_timesteps, refined)
        return refined
    finally:
        envs.close()
