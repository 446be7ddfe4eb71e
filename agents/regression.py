"""Fit a policy to what actions gave in known states: the warm start of PPO.

The target of a state is a distribution over the actions tried there, ``softmax(v / τ)`` with
``v`` the logarithm of baseline ÷ cost after the action, and of the state itself for ``stop``.
So the logits order actions by value, and learn most about the good ones (after the
normalised value prediction of Liang et al., ICML 2023).
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional as F

from .policy import PolicyConfig
from .policy_net import PolicyNet

_TOP = (1, 3, 10, 30)


@dataclass(frozen=True)
class FitConfig:
    """One fit."""

    temperature: float = 0.01
    """τ: a gain of one per cent weighs e times as much as none."""
    steps: int = 600
    learning_rate: float = 1e-3
    weight_decay: float = 0.05
    batch: int = 128
    noise: float = 0.1
    """Deviation of what is added to standardised features."""
    check_every: int = 25
    """Steps between two looks at the validation states; the best network is kept."""


@dataclass(frozen=True)
class States:
    """Observations (N, n) by name, and values (N, A + 1), NaN where unknown."""

    parts: Mapping[str, np.ndarray]
    values: np.ndarray

    def __getitem__(self, rows: np.ndarray) -> States:
        return States({name: part[rows] for name, part in self.parts.items()}, self.values[rows])

    def tensors(self) -> dict[str, torch.Tensor]:
        """The observations."""
        return {name: torch.as_tensor(part) for name, part in self.parts.items()}


def best_of_top(
    logits: np.ndarray, values: np.ndarray, top: Sequence[int] = _TOP
) -> dict[int, float]:
    """What the first k actions in the order of ``logits`` give at best, beside doing nothing.

    Args:
        logits: (N, A + 1), or (A + 1,) for one order for all states; stop last.
        values: (N, A + 1), NaN where unknown: such actions are passed over.
        top: The values of k.

    Returns:
        For each k, the mean over states of ``max(v[top k], v[stop])``, as a ratio.
    """
    scores = np.where(np.isnan(values), -np.inf, np.broadcast_to(logits, values.shape))[:, :-1]
    order = (-scores).argsort(1, kind="stable")
    ranked = np.take_along_axis(values[:, :-1], order, 1)
    return {
        k: float(np.exp(np.fmax(np.nanmax(ranked[:, :k], 1), values[:, -1]).mean())) for k in top
    }


def best_of_lists(
    lists: Sequence[Sequence[int]], values: np.ndarray, top: Sequence[int] = _TOP
) -> dict[int, float]:
    """What the first k actions of each state's list give at best.

    Args:
        lists: Actions by number, for each state.
        values: (N, A + 1), NaN where unknown: such actions are passed over.
        top: The values of k.

    Returns:
        For each k, the geometric mean over states of baseline ÷ cost.
    """
    logs: dict[int, list[float]] = {k: [] for k in top}
    for actions, row in zip(lists, values, strict=True):
        known = [row[action] for action in actions if not np.isnan(row[action])]
        for k in top:
            logs[k].append(max(known[:k], default=-1.0))
    return {k: float(np.exp(np.mean(found))) for k, found in logs.items()}


def fixed_order(values: np.ndarray) -> np.ndarray:
    """(A + 1,) the mean value of each action: the order that looks at no program."""
    known = ~np.isnan(values)
    counts = known.sum(0)
    return np.where(counts > 0, np.where(known, values, 0).sum(0) / np.maximum(counts, 1), -1.0)


def targets(values: torch.Tensor, temperature: float) -> torch.Tensor:
    """(N, A + 1) distributions; nothing on what was not tried."""
    scaled = torch.where(values.isnan(), -torch.inf, values / temperature)
    return scaled.softmax(1)


def fit(
    config: PolicyConfig,
    train: States,
    valid: States,
    settings: FitConfig,
    seed: int,
) -> PolicyNet:
    """The network that does best on the validation states.

    Args:
        config: Shape of the network.
        train: States to fit to.
        valid: States to choose by.
        settings: How long, how fast.
        seed: Of weights and batches.
    """
    generator = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)
    net = PolicyNet(config, train.values.shape[1] - 1)
    net.features.fit(train.tensors())
    with torch.no_grad():
        x, x_valid = net.features(train.tensors()), net.features(valid.tensors())
        order = torch.as_tensor(fixed_order(train.values), dtype=torch.float32)
        net.action_net.weight.mul_(0.1)
        net.action_net.bias.copy_((order - order.max()) / settings.temperature)
    y, y_valid = (torch.as_tensor(s.values, dtype=torch.float32) for s in (train, valid))
    optimizer = torch.optim.AdamW(
        net.parameters(), settings.learning_rate, weight_decay=settings.weight_decay
    )
    best, kept = np.inf, copy.deepcopy(net.state_dict())
    for step in range(settings.steps + 1):
        if step % settings.check_every == 0:
            with torch.no_grad():
                held = float(cross_entropy(net, x_valid, y_valid, settings.temperature))
            if held < best:
                best, kept = held, copy.deepcopy(net.state_dict())
        rows = torch.randint(len(x), (settings.batch,), generator=generator)
        noise = settings.noise * torch.randn(x[rows].shape, generator=generator)
        loss = cross_entropy(net, x[rows] + noise, y[rows], settings.temperature)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    net.load_state_dict(kept)
    return net.eval()


def cross_entropy(
    net: PolicyNet, x: torch.Tensor, values: torch.Tensor, temperature: float
) -> torch.Tensor:
    """Cross-entropy over the actions that were tried."""
    logits = net.action_net(net.policy_net(x))
    logits = torch.where(values.isnan(), -1e9, logits)
    target = targets(values, temperature)
    return -(target * F.log_softmax(logits, 1)).sum(1).mean()
