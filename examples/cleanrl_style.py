"""PPO in one file, after CleanRL's ``ppo.py`` (Huang et al., JMLR 2022).

The environments are Gymnasium's own ``SyncVectorEnv`` of a small environment that is not
mirgym's. ``VectorEmbedObservation`` embeds the code of all copies in one batch of the encoder.

    python examples/cleanrl_style.py --total-steps 4000
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
import torch
from gymnasium import spaces
from gymnasium.vector import SyncVectorEnv
from torch import nn
from torch.distributions import Categorical

from mirgym.envs.wrappers import VectorEmbedObservation
from mirgym.programs import resolve
from mirgym.worker import WorkerSession

PASSES = (
    "sroa",
    "instcombine<no-verify-fixpoint>",
    "simplifycfg",
    "early-cse",
    "gvn",
    "adce",
    "reg2mem",
    "sink",
)


@dataclass(frozen=True)
class Config:
    """Settings; CleanRL's defaults but for the sizes."""

    total_steps: int = 4000
    num_envs: int = 4
    rollout_steps: int = 32
    epochs: int = 4
    minibatches: int = 4
    learning_rate: float = 2.5e-4
    gamma: float = 0.99
    gae_lambda: float = 0.95
    clip: float = 0.2
    entropy_weight: float = 0.01
    value_weight: float = 0.5
    max_grad_norm: float = 0.5
    seed: int = 0
    model: str = "tiny"


class Update(NamedTuple):
    """What one update of the policy reports."""

    loss: float
    value_loss: float
    entropy: float
    mean_reward: float


class CodeSizeEnv(gym.Env[np.ndarray, np.int64]):
    """Eight function passes; the reward is the share of the first instructions removed."""

    EPISODE_STEPS = 8

    def __init__(self, program: str) -> None:
        self.observation_space = spaces.Box(0.0, 1.0, (1,), np.float32)
        self.action_space = spaces.Discrete(len(PASSES))
        self._source = resolve(program).bitcode()
        self._session = WorkerSession()
        self._start = self._size = 1
        self._steps = 0

    def ir(self) -> bytes:
        """The current module's bitcode."""
        return self._session.emit("bc")

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Start again from the unoptimised program."""
        super().reset(seed=seed, options=options)
        state = self._session.load(self._source, level="Oz")
        self._start = self._size = state.metrics["ir_instructions"]
        self._steps = 0
        return np.ones(1, np.float32), {}

    def step(self, action: np.int64) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Run one pass."""
        state = self._session.step(f"function({PASSES[int(action)]})")
        before, self._size = self._size, state.metrics["ir_instructions"]
        self._steps += 1
        left = np.array([1 - self._steps / self.EPISODE_STEPS], np.float32)
        reward = (before - self._size) / self._start
        return left, reward, False, self._steps == self.EPISODE_STEPS, {}

    def close(self) -> None:
        """End the worker."""
        self._session.close()


def make_envs(config: Config) -> VectorEmbedObservation:
    """Copies on four programs in turn, observing embeddings beside the environment's own."""
    programs = [f"mirbench/{name}" for name in ("crc", "primes", "bitcount", "dither")]
    makers = [lambda p=programs[i % 4]: CodeSizeEnv(p) for i in range(config.num_envs)]
    envs = SyncVectorEnv(makers)
    return VectorEmbedObservation(envs, ir=lambda _: envs.call("ir"), model=config.model, keep=True)


def _layer(wide: int, narrow: int, gain: float = 2**0.5) -> nn.Linear:
    layer = nn.Linear(wide, narrow)
    nn.init.orthogonal_(layer.weight, gain)
    nn.init.zeros_(layer.bias)
    return layer


class Agent(nn.Module):
    """An actor and a critic, each of two hidden layers."""

    def __init__(self, width: int, n_actions: int) -> None:
        super().__init__()
        self.actor, self.critic = (
            nn.Sequential(
                _layer(width, 64), nn.Tanh(), _layer(64, 64), nn.Tanh(), _layer(64, out, gain)
            )
            for out, gain in ((n_actions, 0.01), (1, 1.0))
        )

    def forward(self, x: torch.Tensor) -> tuple[Categorical, torch.Tensor]:
        """(n, width) to a distribution of n actions and n values."""
        return Categorical(logits=self.actor(x)), self.critic(x).squeeze(-1)


def _flat(observation: dict[str, np.ndarray]) -> torch.Tensor:
    """(n, size of the embedding + 1), float32."""
    parts = [observation["embedding"], observation["observation"]]
    return torch.from_numpy(np.concatenate(parts, axis=1))


def train(config: Config) -> list[Update]:
    """Run PPO; gives a report for each update."""
    torch.manual_seed(config.seed)
    envs = make_envs(config)
    try:
        return _train(config, envs)
    finally:
        envs.close()


def _train(config: Config, envs: VectorEmbedObservation) -> list[Update]:
    observation, _ = envs.reset(seed=config.seed)
    x = _flat(observation)
    agent = Agent(x.shape[1], len(PASSES))
    optimizer = torch.optim.Adam(agent.parameters(), lr=config.learning_rate, eps=1e-5)
    resetting = torch.zeros(config.num_envs, dtype=torch.bool)
    updates = []
    for _ in range(max(1, config.total_steps // (config.num_envs * config.rollout_steps))):
        seen, actions, log_probs, values, rewards, dones, played = [], [], [], [], [], [], []
        for _ in range(config.rollout_steps):
            with torch.no_grad():
                policy, value = agent(x)
            action = policy.sample()
            observation, reward, terminated, truncated, _ = envs.step(action.numpy())
            seen.append(x)
            actions.append(action)
            log_probs.append(policy.log_prob(action))
            values.append(value)
            rewards.append(torch.tensor(reward, dtype=torch.float32))
            # After its last step a copy ignores one action and resets.
            played.append(~resetting)
            resetting = torch.from_numpy(terminated | truncated)
            dones.append(resetting.float())
            x = _flat(observation)
        with torch.no_grad():
            last = agent(x)[1]
        advantages = gae(
            torch.stack(rewards), torch.stack(values), torch.stack(dones), last, config
        )
        steps = Batch(
            torch.cat(seen),
            torch.cat(actions),
            torch.cat(log_probs),
            advantages.flatten(),
            (advantages + torch.stack(values)).flatten(),
        )
        batch = Batch(*(tensor[torch.cat(played)] for tensor in steps))
        report = update(agent, optimizer, batch, config)
        updates.append(report._replace(mean_reward=float(torch.stack(rewards).mean())))
        print(len(updates), updates[-1], flush=True)
    return updates


def gae(
    rewards: torch.Tensor,
    values: torch.Tensor,
    dones: torch.Tensor,
    last: torch.Tensor,
    config: Config,
) -> torch.Tensor:
    """Advantages (T, n), after Schulman et al., 2016; an episode's end cuts the sum."""
    advantages = torch.zeros_like(rewards)
    following, advantage = last, torch.zeros_like(last)
    for t in reversed(range(len(rewards))):
        on = 1 - dones[t]
        error = rewards[t] + config.gamma * following * on - values[t]
        advantage = error + config.gamma * config.gae_lambda * on * advantage
        advantages[t], following = advantage, values[t]
    return advantages


class Batch(NamedTuple):
    """Steps of a rollout, one below the other."""

    seen: torch.Tensor  # (T n, width)
    actions: torch.Tensor  # (T n,)
    log_probs: torch.Tensor
    advantages: torch.Tensor
    returns: torch.Tensor


def update(agent: Agent, optimizer: torch.optim.Optimizer, batch: Batch, config: Config) -> Update:
    """PPO's epochs over one rollout."""
    for _ in range(config.epochs):
        for rows in torch.randperm(len(batch.actions)).chunk(config.minibatches):
            part = Batch(*(tensor[rows] for tensor in batch))
            policy, value = agent(part.seen)
            ratio = (policy.log_prob(part.actions) - part.log_probs).exp()
            advantage = (part.advantages - part.advantages.mean()) / (part.advantages.std() + 1e-8)
            clipped = ratio.clamp(1 - config.clip, 1 + config.clip)
            policy_loss = -torch.min(advantage * ratio, advantage * clipped).mean()
            value_loss = 0.5 * (value - part.returns).pow(2).mean()
            entropy = policy.entropy().mean()
            loss = policy_loss + config.value_weight * value_loss
            loss = loss - config.entropy_weight * entropy
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(agent.parameters(), config.max_grad_norm)
            optimizer.step()
    return Update(loss.item(), value_loss.item(), entropy.item(), 0.0)


def main() -> None:
    """Read the command line and train."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--total-steps", type=int, default=Config.total_steps)
    parser.add_argument("--num-envs", type=int, default=Config.num_envs)
    parser.add_argument("--rollout-steps", type=int, default=Config.rollout_steps)
    parser.add_argument("--model", default=Config.model, help="tiny, base, or a path to weights")
    parser.add_argument("--seed", type=int, default=Config.seed)
    train(Config(**vars(parser.parse_args())))


if __name__ == "__main__":
    main()
