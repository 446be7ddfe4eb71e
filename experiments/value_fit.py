"""Fit a value network to a low quantile of what searches found (``experiments.value_data``).

The pinball loss of quantile q charges a prediction p of y ``q (y - p)`` below y and
``(1 - q) (p - y)`` above (Koenker & Bassett 1978): its minimum has a share q of the y below it.
Costs count downwards, so that q = 0.1 promises what one state in ten like this one keeps.

On modules that it was not fitted to a network keeps less than that. So each fold of the training
modules is promised what a network of the other folds says, and what a share 1 - q of those
promises lacks to be kept is taken off all (conformalised quantile regression: Romano,
Patterson & Candès 2019).

The second head is fitted to means, not to a quantile: with a few states an action, a low
quantile would be the luckiest of them.
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

    steps: int = 400
    learning_rate: float = 2e-3
    weight_decay: float = 0.1
    batch: int = 128
    noise: float = 1.0
    """Deviation of what is added to standardised features: modules are few."""
    shrinkage: float = 5.0
    """Edges that an action's own term must outweigh: most actions are known from few."""
    folds: int = 4
    """Of the training modules, for the shift that keeps promises."""


_WORST = 0.05
"""An action that ends further above the baseline than this is as bad as any."""


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
    net = _fit(config, actions, train, settings, seed)
    shift = _shift(config, actions, train, settings, seed)
    with torch.no_grad():
        net.value_head.bias.add_(shift)
    return to_value(net, config, actions)


def _shift(
    config: ValueConfig, actions: ActionSet, train: Examples, settings: FitConfig, seed: int
) -> float:
    """What to add to promises so that a share 1 - quantile of those to new modules is kept."""
    names, module = np.unique(train.modules, return_inverse=True)
    folds = min(settings.folds, len(names))
    if folds < 2:
        return 0.0
    fold = np.random.default_rng(seed).permutation(len(names))[module] % folds
    missed = np.zeros(len(train))
    for number in range(folds):
        held = np.flatnonzero(fold == number)
        net = _fit(config, actions, train[np.flatnonzero(fold != number)], settings, seed)
        with torch.no_grad():
            promised, _ = net(net.features(tensors(train[held].parts)))
        missed[held] = train.best[held] - promised.numpy()
    return float(np.quantile(missed, config.quantile))


def _fit(
    config: ValueConfig, actions: ActionSet, train: Examples, settings: FitConfig, seed: int
) -> ValueNet:
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    net = ValueNet(config, actions)
    parts = tensors(train.parts)
    net.features.fit(parts)
    with torch.no_grad():
        x = net.features(parts)
    best = torch.as_tensor(train.best, dtype=torch.float32)
    after = torch.as_tensor(np.minimum(train.after, _WORST), dtype=torch.float32)
    n_edges = int((~np.isnan(train.after[train.parts["progress"][:, 3] == 0])).sum())
    _, module, counts = np.unique(train.modules, return_inverse=True, return_counts=True)
    weights = torch.as_tensor(1 / counts[module])
    optimizer = torch.optim.AdamW(
        net.parameters(), settings.learning_rate, weight_decay=settings.weight_decay
    )
    for _ in range(settings.steps):
        rows = torch.multinomial(weights, settings.batch, replacement=True, generator=generator)
        noise = settings.noise * torch.randn(x[rows].shape, generator=generator)
        state, action = net(x[rows] + noise)
        error = torch.where(after[rows].isnan(), 0.0, action - after[rows])
        known = (~after[rows].isnan()).sum().clamp(min=1)
        loss = (
            pinball(state, best[rows], config.quantile).mean()
            + error.square().sum() / known
            + settings.shrinkage / max(n_edges, 1) * net.action_bias.square().sum()
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return net


def tensors(parts: Mapping[str, np.ndarray]) -> dict[str, torch.Tensor]:
    """The observations."""
    return {name: torch.as_tensor(part) for name, part in parts.items()}


def to_value(net: ValueNet, config: ValueConfig, actions: ActionSet) -> Value:
    """The value network with these weights as they are now."""
    weights = {name: value.detach().numpy().copy() for name, value in net.state_dict().items()}
    return Value(config, actions, weights)
