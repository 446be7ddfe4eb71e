"""The pre-training tasks: what an encoder is asked, and how its answers are scored.

========  =============================================================================
mtm       masked token modelling: codes of masked instructions (paper)
graph     graph auto-encoding: codes of masked nodes, and edges against non-edges (paper)
match     whether text and graph are of one function; the wrong graph is another state of
          the same function, or the nearest in size (paper)
effects   what each pass, and Oz, does to the number of instructions (ours)
contrast  which other function of the batch is a state of this one (ours)
========  =============================================================================

Half of the functions of a batch are masked and answer ``mtm`` and ``graph``; the others
are whole and answer the rest, since counting needs every instruction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from ..corpus.schema import EFFECT_PASSES, UNKNOWN
from ..views import FIELD_SIZES, NODE_SIZES
from .arrays import FIELD_OFFSETS, NODE_OFFSETS
from .batch import FunctionBatch, collate
from .config import EncoderConfig
from .dataset import Example
from .model import EncoderOutput

MASKED_FIELDS = (0, 1, 3, 5, 6)
"""Rows of the tokens that are predicted: opcode, type, callee or flags, two operands."""

MASKED_SHARE = 0.15
TEMPERATURE = 0.1
EDGE_SAMPLE = 4096


@dataclass(frozen=True)
class TaskWeights:
    """Weight of each task in the loss; 0 switches it off."""

    mtm: float = 0.3
    graph: float = 0.3
    match: float = 1.0
    effects: float = 2.0
    contrast: float = 0.3


class Labelled(NamedTuple):
    """A batch with the answers of every task. Functions ``[0, n_whole)`` are whole."""

    batch: FunctionBatch
    n_whole: int
    masked_tokens: torch.Tensor  # (M,) int64
    token_codes: torch.Tensor  # (M, 8) int64, without offsets
    masked_nodes: torch.Tensor  # (K,) int64
    node_codes: torch.Tensor  # (K, 2) int64
    wrong_graph: torch.Tensor  # (n_whole,) int64
    origins: torch.Tensor  # (n_whole,) int64
    effects: torch.Tensor  # (n_whole, P + 1) float32: asinh(change), NaN unknown; ln(n / Oz) last
    changed: torch.Tensor  # (n_whole, P) float32

    def to(self, device: torch.device | str) -> Labelled:
        """The same on a device."""
        moved = {n: x.to(device) for n, x in self._asdict().items() if n != "n_whole"}
        return self._replace(**moved)


def label(examples: Sequence[Example], window: int, generator: np.random.Generator) -> Labelled:
    """Choose what is masked, and collect the answers. Whole functions come first."""
    origins = np.array([e.origin for e in examples])
    # States of one function stay on one side, so that contrast finds its positives.
    whole = np.isin(origins, generator.permutation(np.unique(origins))[::2])
    ordered = [e for e, w in zip(examples, whole, strict=True) if w]
    n_whole = len(ordered)
    ordered += [e for e, w in zip(examples, whole, strict=True) if not w]
    batch = collate([e.view for e in ordered], window)
    first_token = int(batch.token_counts[:n_whole].sum())
    first_node = int(batch.node_counts[:n_whole].sum())
    tokens = _choose(first_token, len(batch.tokens), generator)
    nodes = _choose(first_node, len(batch.nodes), generator)
    token_codes, node_codes = batch.tokens[tokens], batch.nodes[nodes]
    batch.tokens[tokens] = torch.tensor(FIELD_OFFSETS[:-1] + FIELD_SIZES)
    batch.nodes[nodes] = torch.tensor(NODE_OFFSETS[:-1] + NODE_SIZES)
    heads = ordered[:n_whole]
    return Labelled(
        batch, n_whole,
        tokens, token_codes - torch.tensor(FIELD_OFFSETS[:-1]),
        nodes, node_codes - torch.tensor(NODE_OFFSETS[:-1]),
        torch.from_numpy(_wrong_graphs(heads, generator)),
        torch.tensor([e.origin for e in heads]),
        torch.from_numpy(np.stack([_effects(e) for e in heads])),
        torch.from_numpy(np.stack([e.changed for e in heads]).astype(np.float32)),
    )  # fmt: skip


def _choose(begin: int, end: int, generator: np.random.Generator) -> torch.Tensor:
    chosen = np.flatnonzero(generator.random(end - begin) < MASKED_SHARE) + begin
    return torch.from_numpy(chosen if len(chosen) else np.arange(begin, min(begin + 1, end)))


def _effects(example: Example) -> np.ndarray:
    changes = np.where(example.effects == UNKNOWN, np.nan, np.arcsinh(example.effects))
    size = example.view.tokens.shape[1]
    oz = np.log(size / max(example.oz_instructions, 1)) if example.oz_instructions >= 0 else np.nan
    return np.append(changes, oz).astype(np.float32)


def _wrong_graphs(examples: Sequence[Example], generator: np.random.Generator) -> np.ndarray:
    """For each function, whose graph is the hard wrong one."""
    n = len(examples)
    sizes = np.array([e.view.tokens.shape[1] for e in examples])
    origins = np.array([e.origin for e in examples])
    order = np.argsort(sizes + generator.random(n))
    place = np.empty(n, np.int64)
    place[order] = np.arange(n)
    neighbour = order[np.where(place + 1 < n, place + 1, max(n - 2, 0))]
    for i in np.flatnonzero(generator.random(n) < 0.5):
        states = np.flatnonzero((origins == origins[i]) & (np.arange(n) != i))
        if len(states):
            neighbour[i] = generator.choice(states)
    return neighbour


class TaskHeads(nn.Module):
    """One small network for each task, and their losses. Thrown away after pre-training."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        d, wide = config.d_model, config.d_embed
        self.fields = nn.ModuleList(nn.Linear(d, FIELD_SIZES[f]) for f in MASKED_FIELDS)
        self.node_codes = nn.ModuleList(nn.Linear(d, size) for size in NODE_SIZES)
        self.edge = nn.Linear(d, d, bias=False)
        self.match = nn.Sequential(nn.Linear(4 * wide, wide), nn.GELU(), nn.Linear(wide, 1))
        self.effects = nn.Sequential(
            nn.Linear(wide, 2 * wide), nn.GELU(), nn.Linear(2 * wide, 2 * len(EFFECT_PASSES) + 1)
        )
        self.contrast = nn.Linear(wide, 64)

    def losses(
        self, out: EncoderOutput, labelled: Labelled, weights: TaskWeights
    ) -> dict[str, torch.Tensor]:
        """The loss of each task that is on, and ``match accuracy``."""
        losses: dict[str, torch.Tensor] = {}
        for task in fields(weights):
            if getattr(weights, task.name) > 0:
                losses |= getattr(self, f"_{task.name}")(out, labelled)
        return losses

    def _mtm(self, out: EncoderOutput, labelled: Labelled) -> dict[str, torch.Tensor]:
        rows = out.tokens[labelled.masked_tokens]
        if not len(rows):  # a batch of one tiny function
            return {}
        return {"mtm": torch.stack([
            F.cross_entropy(head(rows).float(), labelled.token_codes[:, field])
            for head, field in zip(self.fields, MASKED_FIELDS, strict=True)
        ]).mean()}  # fmt: skip

    def _graph(self, out: EncoderOutput, labelled: Labelled) -> dict[str, torch.Tensor]:
        rows = out.nodes[labelled.masked_nodes]
        if not len(rows):
            return {}
        codes = [
            F.cross_entropy(head(rows).float(), labelled.node_codes[:, i])
            for i, head in enumerate(self.node_codes)
        ]
        edges = labelled.batch.edges
        chosen = torch.randint(edges.shape[1], (EDGE_SAMPLE,), device=edges.device)
        source, destination = edges[:, chosen]
        # A wrong end lies a few rows away, so mostly in the same function.
        offset = torch.randint(2, 64, destination.shape, device=edges.device)
        wrong = (destination + offset) % len(out.nodes)
        left, scale = self.edge(out.nodes[source]), out.nodes.shape[1] ** 0.5
        right = torch.cat([out.nodes[destination], out.nodes[wrong]])
        logits = (torch.cat([left, left]) * right).sum(1).float() / scale
        answers = torch.cat([torch.ones(EDGE_SAMPLE), torch.zeros(EDGE_SAMPLE)]).to(logits.device)
        edge = F.binary_cross_entropy_with_logits(logits, answers)
        return {"graph": torch.stack([*codes, edge]).mean()}

    def _match(self, out: EncoderOutput, labelled: Labelled) -> dict[str, torch.Tensor]:
        text, graph = out.text[: labelled.n_whole], out.graph[: labelled.n_whole]
        t, g = torch.cat([text, text]), torch.cat([graph, graph[labelled.wrong_graph]])
        logits = self.match(torch.cat([t, g, t * g, (t - g).abs()], 1)).float().squeeze(1)
        answers = torch.zeros_like(logits)
        answers[: labelled.n_whole] = 1
        loss = F.binary_cross_entropy_with_logits(logits, answers)
        accuracy = ((logits > 0) == (answers > 0)).float().mean()
        return {"match": loss, "match accuracy": accuracy}

    def _effects(self, out: EncoderOutput, labelled: Labelled) -> dict[str, torch.Tensor]:
        answers = self.effects(out.fused[: labelled.n_whole]).float()
        n_effects = labelled.effects.shape[1]
        predicted, changed = answers[:, :n_effects], answers[:, n_effects:]
        known = ~labelled.effects.isnan()
        target = labelled.effects.nan_to_num()
        error = F.smooth_l1_loss(predicted, target, reduction="none", beta=0.5)
        known_changes = known[:, :-1].float()
        flips = F.binary_cross_entropy_with_logits(changed, labelled.changed, reduction="none")
        counts = (error * known).sum() / known.sum().clamp(min=1)
        flips = (flips * known_changes).sum() / known_changes.sum().clamp(min=1)
        return {"effects": counts + flips}

    def _contrast(self, out: EncoderOutput, labelled: Labelled) -> dict[str, torch.Tensor]:
        z = F.normalize(self.contrast(out.fused[: labelled.n_whole]).float(), dim=1)
        logits = z @ z.T / TEMPERATURE
        itself = torch.eye(len(z), dtype=torch.bool, device=z.device)
        same = (labelled.origins[:, None] == labelled.origins) & ~itself
        if not same.any():
            return {"contrast": logits.sum() * 0}
        log_share = F.log_softmax(logits.masked_fill(itself, -torch.inf), dim=1)
        positives = same.any(1)
        likelihood = log_share.masked_fill(~same, -torch.inf)[positives].logsumexp(1)
        return {"contrast": -likelihood.mean()}
