"""An encoder trained on a question itself: from random weights, or from pre-trained ones."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from mirgym.encoder.batch import collate
from mirgym.encoder.config import TINY, module_size
from mirgym.encoder.embedder import SCALE, function_weights
from mirgym.encoder.model import Encoder
from mirgym.encoder.weights import load

from .probe_heads import r2
from .transfer_data import Program, Question

_LARGEST = 6_000
"""Instructions of a batch: what is larger is cut off, the last programs first."""


@dataclass(frozen=True)
class TuneConfig:
    """Training of encoder and head together."""

    batch: int = 16
    """Programs in a step."""
    minutes: float = 1.0
    """Of the processor. Training ends after these, or when the validation rows have had enough."""
    patience: int = 6
    """Looks at the validation rows without a better score."""
    looks: int = 40
    """At most, one after each epoch or each ``steps``."""
    steps: int = 60
    head_rate: float = 2e-3
    scratch_rate: float = 1e-3
    tuned_rate: float = 2e-4
    """Of a pre-trained encoder: it was trained on far more code than is seen here."""
    weight_decay: float = 0.01


class Answering(nn.Module):
    """An encoder and a linear head on module embeddings and the numbers beside them."""

    mean: torch.Tensor
    scale: torch.Tensor

    def __init__(self, encoder: Encoder, question: Question) -> None:
        super().__init__()
        self.encoder = encoder
        for embedding in (encoder.embed_tokens, encoder.embed_nodes):
            embedding.fused = None  # tables kept for inference would hide the weights
        more = question.more[question.fit]
        outputs = int(question.y.max()) + 1 if question.kind == "classes" else 1
        width = module_size(encoder.config)
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width + more.shape[1], outputs)
        deviation = more.std(0)
        self.register_buffer("mean", torch.as_tensor(more.mean(0)))
        self.register_buffer("scale", torch.as_tensor(np.where(deviation > 0, deviation, 1)))

    def forward(self, programs: Sequence[Program], more: np.ndarray) -> torch.Tensor:
        """(B, outputs)."""
        rows = self.norm(self.embed(programs))
        beside = (torch.as_tensor(more) - self.mean) / self.scale
        out: torch.Tensor = self.head(torch.cat([rows, beside.float()], 1))
        return out

    def embed(self, programs: Sequence[Program]) -> torch.Tensor:
        """(B, module_size), as ``Embedder.module`` has them, with gradients."""
        views = {v.key: v for p in programs for v in p.module.functions if v is not None}
        place = {key: row for row, key in enumerate(views)}
        batch = collate(list(views.values()), self.encoder.config.window)
        each = self.encoder(batch).fused.float()  # (F, d)
        rows = []
        for program in programs:
            module = program.module
            own = each[[place[key] for key in module.keys]]
            weights = torch.as_tensor(function_weights(module))
            size = np.log1p([sum(module.instructions), len(module.keys)]) / SCALE
            rows.append(torch.cat([(weights @ own).ravel(), torch.as_tensor(size).float()]))
        return torch.stack(rows)


def tuned(question: Question, pretrained: str | None, settings: TuneConfig, seed: int) -> float:
    """Test score of an encoder of tiny's shape that is trained on the question.

    Args:
        question: What is asked; the validation rows choose the step.
        pretrained: An encoder's name or path; None starts from random weights.
        settings: How long, how fast.
        seed: Of random weights, batches, and which 80 % of the rows are fitted to.
    """
    torch.manual_seed(seed)
    generator = np.random.default_rng(seed)
    encoder = Encoder(TINY) if pretrained is None else load(pretrained)
    model = Answering(encoder.train(), question)
    rate = settings.scratch_rate if pretrained is None else settings.tuned_rate
    head = [*model.head.parameters(), *model.norm.parameters()]
    groups = [
        {"params": list(encoder.parameters()), "lr": rate},
        {"params": head, "lr": settings.head_rate},
    ]
    optimizer = torch.optim.AdamW(groups, weight_decay=settings.weight_decay)
    fit = generator.permutation(question.fit)[: int(0.8 * len(question.fit))]
    scale = 1.0 if question.kind == "classes" else float(question.y[fit].std())
    best, kept, waited = -math.inf, copy.deepcopy(model.state_dict()), 0
    ends = time.process_time() + 60 * settings.minutes
    for _ in range(settings.looks):
        model.train()
        for _ in range(settings.steps):
            drawn = generator.choice(fit, min(settings.batch, len(fit)), replace=False)
            rows = _fitting(question, drawn)
            optimizer.zero_grad()
            loss = _loss(model, question, rows, scale)
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
        now = score(model, question, question.valid, scale)
        waited = 0 if now > best else waited + 1
        if now > best:
            best, kept = now, copy.deepcopy(model.state_dict())
        if waited == settings.patience or time.process_time() > ends:
            break
    model.load_state_dict(kept)
    return score(model, question, question.test, scale)


def _fitting(question: Question, rows: np.ndarray) -> np.ndarray:
    """The first of these rows that are small enough together; one at least."""
    sizes = np.cumsum([sum(question.programs[row].module.instructions) for row in rows])
    return rows[: max(int(np.searchsorted(sizes, _LARGEST)), 1)]


def _loss(model: Answering, question: Question, rows: np.ndarray, scale: float) -> torch.Tensor:
    found = model([question.programs[row] for row in rows], question.more[rows])
    answer = torch.as_tensor(question.y[rows])
    if question.kind == "classes":
        return F.cross_entropy(found, answer)
    return F.mse_loss(found, answer / scale)


def score(model: Answering, question: Question, rows: np.ndarray, scale: float) -> float:
    """Accuracy or R²."""
    model.eval()
    found = []
    with torch.no_grad():
        for some in np.array_split(rows, max(len(rows) // 16, 1)):
            found.append(model([question.programs[row] for row in some], question.more[some]))
    predicted = torch.cat(found).numpy()
    if question.kind == "classes":
        return float((predicted.argmax(1) == question.y[rows]).mean())
    return float(r2(predicted * scale, question.y[rows])[0])
