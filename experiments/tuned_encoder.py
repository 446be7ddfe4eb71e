"""The encoder trained on with the policy, from the targets of the regression.

The policy's own encoder is frozen. Here a fitted head goes on learning, and gradients reach
the encoder through ``FineTunedExtractor``; states of validation modules choose the step.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from mirgym.agents.extractor import ArrayLimits, FineTunedExtractor, pack
from mirgym.agents.policy_net import PolicyNet
from mirgym.agents.regression import FitConfig, States, cross_entropy
from mirgym.encoder.embedder import Embedder
from mirgym.encoder.model import Encoder
from mirgym.views import ModuleView

LIMITS = ArrayLimits(functions=256, instructions=4096, nodes=12_288, edges=24_576)
"""Of a module in a step of gradient descent; what is left out counts as if like the rest."""


@dataclass(frozen=True)
class TuneConfig:
    """Training of encoder and head together."""

    steps: int = 75
    batch: int = 12
    """States in a step."""
    learning_rate: float = 1e-4
    """Small: the encoder was trained on far more code than is seen here."""
    check_every: int = 25
    """Steps between two looks at the validation states; the best is kept."""


@dataclass(frozen=True)
class Functions:
    """States with the functions that their embeddings come from, one module a state."""

    modules: Sequence[ModuleView]
    states: States

    def __post_init__(self) -> None:
        assert len(self.modules) == len(self.states.values)


def embeddings(encoder: Encoder, modules: Sequence[ModuleView]) -> np.ndarray:
    """What ``mirgym.embed`` gives with this encoder, (N, module_size); it stays trainable."""
    embedder = Embedder(copy.deepcopy(encoder))
    return np.stack([embedder.module(module) for module in modules])


def tune(
    net: PolicyNet,
    train: Functions,
    valid: Functions,
    settings: TuneConfig,
    fit: FitConfig,
    seed: int,
) -> tuple[PolicyNet, Encoder]:
    """The head and the encoder that do best on the validation states.

    Args:
        net: A fitted head; it stays as it is.
        train: What to fit to.
        valid: What to choose by.
        settings: How long, how fast.
        fit: Temperature, noise and weight decay, as the head was fitted with.
        seed: Of batches.
    """
    generator = torch.Generator().manual_seed(seed)
    net = copy.deepcopy(net)
    extractor = FineTunedExtractor(LIMITS.space(), "tiny").eval()
    optimizer = torch.optim.AdamW(
        [*net.parameters(), *extractor.parameters()],
        settings.learning_rate,
        weight_decay=fit.weight_decay,
    )
    best, kept = np.inf, (net, extractor.encoder)
    for step in range(settings.steps + 1):
        if step % settings.check_every == 0:
            held = _held_loss(net, extractor.encoder, valid, fit.temperature)
            if held < best:
                best, kept = held, copy.deepcopy((net, extractor.encoder))
        if step == settings.steps:
            break
        rows = torch.randint(len(train.modules), (settings.batch,), generator=generator).numpy()
        some = train.states[rows]
        embedded = extractor(_packed([train.modules[row] for row in rows]))  # (B, module_size)
        x = net.features({**some.tensors(), "embedding": embedded})
        x = x + fit.noise * torch.randn(x.shape, generator=generator)
        values = torch.as_tensor(some.values, dtype=torch.float32)
        optimizer.zero_grad()
        cross_entropy(net, x, values, fit.temperature).backward()
        optimizer.step()
    return kept


def _held_loss(net: PolicyNet, encoder: Encoder, valid: Functions, temperature: float) -> float:
    embedded = torch.as_tensor(embeddings(encoder, valid.modules))
    values = torch.as_tensor(valid.states.values, dtype=torch.float32)
    with torch.no_grad():
        x = net.features({**valid.states.tensors(), "embedding": embedded})
        return float(cross_entropy(net, x, values, temperature))


def _packed(modules: Sequence[ModuleView]) -> dict[str, torch.Tensor]:
    packed = [pack(module, LIMITS) for module in modules]
    return {name: torch.as_tensor(np.stack([one[name] for one in packed])) for name in packed[0]}
