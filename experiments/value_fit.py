"""Fit a value network to a low quantile of what searches found (``experiments.value_data``).

The pinball loss of quantile q charges a prediction p of y ``q (y - p)`` below y and
``(1 - q) (p - y)`` above (Koenker & Bassett 1978): its minimum has a share q of the y below it.
Costs count downwards, so that q = 0.1 promises what one state in ten like this one keeps.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from mirgym.agents.actionset import ActionSet
from mirgym.agents.policy_net import Features, hidden_layers
from mirgym.agents.value import Value, ValueConfig, group_numbers

from .value_data import Examples


@dataclass(frozen=True)
class FitConfig:
    """One fit. The same number of steps for all: no validation module chooses."""

    steps: int = 1_500
    learning_rate: float = 1e-3
    weight_decay: float = 0.05
    batch: int = 128
    noise: float = 0.1
    """Deviation of what is added to standardised features."""
    shrinkage: float = 0.02
    """Of the actions' own terms, on their mean size: most actions are known from few states."""


class ValueNet(nn.Module):
    """``agents.value.Value`` in torch, for training."""

    def __init__(self, config: ValueConfig, actions: ActionSet) -> None:
        super().__init__()
        self.features = Features(config.observation, config.sizes)
        self.layers = hidden_layers(self.features.width, config.hidden)
        self.value_head = nn.Linear(config.hidden[-1], 1)
        self.group_head = nn.Linear(config.hidden[-1], len(actions.groups))
        self.action_bias = nn.Parameter(torch.zeros(len(actions)))
        self._groups = torch.as_tensor(group_numbers(actions))

    def forward(self, features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(B,) and (B, A): ln(best ÷ baseline) of the state, and with each action next."""
        hidden = self.layers(features)  # (B, H)
        groups = self.group_head(hidden)[:, self._groups]  # (B, A)
        return self.value_head(hidden)[:, 0], groups + self.action_bias


def pinball(predicted: torch.Tensor, true: torch.Tensor, quantile: float) -> torch.Tensor:
    """The loss of each prediction."""
    short = true - predicted
    return torch.maximum(quantile * short, (quantile - 1) * short)


def fit(
    config: ValueConfig, actions: ActionSet, train: Examples, settings: FitConfig, seed: int
) -> Value:
    """A value network for these examples; each module weighs the same.

    Args:
        config: Shape of the network, and the quantile.
        actions: What the examples' searches chose from.
        train: Examples of training modules.
        settings: How long, how fast.
        seed: Of weights and batches.
    """
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    net = ValueNet(config, actions)
    parts = tensors(train.parts)
    net.features.fit(parts)
    with torch.no_grad():
        x = net.features(parts)
    best = torch.as_tensor(train.best, dtype=torch.float32)
    after = torch.as_tensor(train.after, dtype=torch.float32)
    _, module, counts = np.unique(train.modules, return_inverse=True, return_counts=True)
    weights = torch.as_tensor(1 / counts[module])
    optimizer = torch.optim.AdamW(
        net.parameters(), settings.learning_rate, weight_decay=settings.weight_decay
    )
    for _ in range(settings.steps):
        rows = torch.multinomial(weights, settings.batch, replacement=True, generator=generator)
        noise = settings.noise * torch.randn(x[rows].shape, generator=generator)
        state, action = net(x[rows] + noise)
        known = ~after[rows].isnan()
        loss = (
            pinball(state, best[rows], config.quantile).mean()
            + pinball(action[known], after[rows][known], config.quantile).mean()
            + settings.shrinkage * net.action_bias.abs().mean()
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return to_value(net, config, actions)


def tensors(parts: Mapping[str, np.ndarray]) -> dict[str, torch.Tensor]:
    """The observations."""
    return {name: torch.as_tensor(part) for name, part in parts.items()}


def to_value(net: ValueNet, config: ValueConfig, actions: ActionSet) -> Value:
    """The value network with these weights as they are now."""
    weights = {name: value.detach().numpy().copy() for name, value in net.state_dict().items()}
    return Value(config, actions, weights)
