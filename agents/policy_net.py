"""The policy's network in torch, for training: its weights are those of ``policy.Policy``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import nn

from .actionset import ActionSet
from .policy import COUNTS, OUTLIER, Policy, PolicyConfig


class Features(nn.Module):
    """Observations in one vector, each entry with mean 0 and deviation 1 on training states.

    See ``policy.raw`` for what becomes of counts.
    """

    mean: torch.Tensor
    scale: torch.Tensor

    def __init__(self, observation: Sequence[str], sizes: Sequence[int]) -> None:
        super().__init__()
        self.observation = tuple(observation)
        self.width = sum(
            2 * size if name in COUNTS else size
            for name, size in zip(observation, sizes, strict=True)
        )
        self.register_buffer("mean", torch.zeros(self.width))
        self.register_buffer("scale", torch.ones(self.width))

    def raw(self, parts: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """(B, width), not yet standardised."""
        out = []
        for name in self.observation:
            x = parts[name].float()  # (B, n)
            if name in COUNTS:
                out += [torch.log1p(x), x / x.amax(dim=1, keepdim=True).clamp(min=1.0)]
            else:
                out.append(x)
        return torch.cat(out, dim=1)

    def fit(self, parts: Mapping[str, torch.Tensor]) -> None:
        """Take mean and deviation from these states; what never varies stays unscaled."""
        x = self.raw(parts)
        self.mean.copy_(x.mean(0))
        deviation = x.std(0, unbiased=False)
        self.scale.copy_(torch.where(deviation > 1e-4, 1 / deviation.clamp(min=1e-4), 1.0))

    def forward(self, parts: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """(B, width), within ``OUTLIER`` deviations."""
        return ((self.raw(parts) - self.mean) * self.scale).clamp(-OUTLIER, OUTLIER)


def hidden_layers(width: int, hidden: Sequence[int]) -> nn.Sequential:
    """Linear and tanh in turns, as Stable-Baselines3 makes them."""
    layers: list[nn.Module] = []
    for size in hidden:
        layers += [nn.Linear(width, size), nn.Tanh()]
        width = size
    return nn.Sequential(*layers)


class PolicyNet(nn.Module):
    """From observations to one logit an action; stop is the last."""

    def __init__(self, config: PolicyConfig, n_actions: int) -> None:
        super().__init__()
        self.features = Features(config.observation, config.sizes)
        self.policy_net = hidden_layers(self.features.width, config.hidden)
        self.action_net = nn.Linear(config.hidden[-1], n_actions + 1)

    def forward(self, parts: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """(B, n_actions + 1)."""
        logits: torch.Tensor = self.action_net(self.hidden(parts))
        return logits

    def hidden(self, parts: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """(B, H), the last hidden layer."""
        out: torch.Tensor = self.policy_net(self.features(parts))
        return out


def to_policy(net: PolicyNet, config: PolicyConfig, actions: ActionSet) -> Policy:
    """The policy with this network's weights as they are now."""
    weights = {name: value.detach().numpy().copy() for name, value in net.state_dict().items()}
    return Policy(config, actions, weights)


def to_net(policy: Policy) -> PolicyNet:
    """The network with a policy's weights, in evaluation mode."""
    net = PolicyNet(policy.config, len(policy.actions))
    net.load_state_dict({name: torch.tensor(value) for name, value in policy.weights.items()})
    return net.eval()
