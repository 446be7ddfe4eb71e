"""TorchRL's PPO on ``mir-llvm-v0``, which observes embeddings by itself.

pip install torchrl
python examples/torchrl_script.py --total-steps 2000
"""

from __future__ import annotations

import argparse

import gymnasium as gym
import torch
from tensordict.nn import TensorDictModule
from torch import nn
from torch.distributions import Categorical
from torchrl.collectors import Collector
from torchrl.envs import GymWrapper
from torchrl.modules import ProbabilisticActor, ValueOperator
from torchrl.objectives import ClipPPOLoss
from torchrl.objectives.value import GAE

import mirgym  # noqa: F401  (registers the environment)


def make_env(program: str = "mirbench/crc", max_episode_steps: int = 20) -> GymWrapper:
    """``mir-llvm-v0`` with the embedding as its observation, shape ``(258,)``."""
    env = gym.make(
        "mir-llvm-v0",
        programs=program,
        objective="ir_instructions",
        observation="embedding",
        max_episode_steps=max_episode_steps,
        horizon=max_episode_steps,
    )
    return GymWrapper(env, categorical_action_encoding=True)


def train(total_steps: int, *, rollout_steps: int = 100, seed: int = 0) -> list[float]:
    """Clipped PPO; gives the loss of each update."""
    torch.manual_seed(seed)
    env = make_env()
    env.set_seed(seed)
    width = env.observation_spec["observation"].shape[-1]
    n_actions = env.action_spec.space.n
    logits = nn.Sequential(nn.Linear(width, 64), nn.Tanh(), nn.Linear(64, n_actions))
    actor = ProbabilisticActor(
        TensorDictModule(logits, in_keys=["observation"], out_keys=["logits"]),
        spec=env.action_spec,
        in_keys=["logits"],
        distribution_class=Categorical,
        return_log_prob=True,
    )
    critic = ValueOperator(nn.Sequential(nn.Linear(width, 64), nn.Tanh(), nn.Linear(64, 1)))
    loss_module = ClipPPOLoss(actor, critic, clip_epsilon=0.2, entropy_coeff=0.01)
    advantage = GAE(gamma=0.99, lmbda=0.95, value_network=critic)
    optimizer = torch.optim.Adam(loss_module.parameters(), lr=3e-4)
    collector = Collector(
        env, actor, frames_per_batch=min(rollout_steps, total_steps), total_frames=total_steps
    )
    losses = []
    try:
        for batch in collector:
            for _ in range(4):
                advantage(batch)
                parts = loss_module(batch)
                loss = parts["loss_objective"] + parts["loss_critic"] + parts["loss_entropy"]
                optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(loss_module.parameters(), 0.5)
                optimizer.step()
            losses.append(loss.item())
            reward = batch["next", "reward"].mean().item()
            print(f"loss {losses[-1]:.3f}  mean reward {reward:.3f}", flush=True)
    finally:
        collector.shutdown()  # closes the environment
    return losses


def main() -> None:
    """Read the command line and train."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--total-steps", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    train(arguments.total_steps, seed=arguments.seed)


if __name__ == "__main__":
    main()
