"""MIREncoder: instruction tokens and program graph of a function, fused to one vector.

After Dutta & Jannesari, "MIREncoder: Multi-modal IR-based Pretrained Embeddings for
Performance Optimizations", PACT 2024::

    tokens ──> transformer ──> pool ──> text  ─┐
                                               ├─> fusion ──> embedding
    graph  ──> convolutions ─> pool ──> graph ─┘
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import nn

from ..views import FIELD_SIZES, NODE_SIZES
from .batch import FunctionBatch
from .config import N_OPERANDS, EncoderConfig
from .graph import GraphEncoder
from .text import TextEncoder


class EncoderOutput(NamedTuple):
    """What the encoder makes of B functions with T instructions and N nodes."""

    tokens: torch.Tensor  # (T, d_model)
    nodes: torch.Tensor  # (N, d_model)
    text: torch.Tensor  # (B, d_embed)
    graph: torch.Tensor  # (B, d_embed)
    fused: torch.Tensor  # (B, d_embed), the embedding


class CodeEmbedding(nn.Module):
    """The sum of one embedding for each field, each projected from ``d_field``.

    Operands share a table and have a projection each. In inference the projected tables are
    kept, and embedding is one lookup and sum.
    """

    def __init__(self, sizes: tuple[int, ...], d_field: int, d_model: int, shared: int = 1) -> None:
        super().__init__()
        own = sizes[: len(sizes) - shared + 1]
        self.tables = nn.ModuleList(nn.Embedding(size + 1, d_field) for size in own)
        self.projections = nn.ModuleList(nn.Linear(d_field, d_model, bias=False) for _ in sizes)
        self.norm = nn.LayerNorm(d_model)
        self.fused: torch.Tensor | None = None

    def table(self) -> torch.Tensor:
        """All fields' projected tables, one below the other, (codes, d_model)."""
        last = len(self.tables) - 1
        tables = [self.tables[min(i, last)] for i in range(len(self.projections))]
        parts = [
            project(table.weight) for table, project in zip(tables, self.projections, strict=True)
        ]
        return torch.cat(parts)

    def forward(self, codes: torch.Tensor) -> torch.Tensor:
        """(n, fields) codes with their offsets to (n, d_model)."""
        table = self.table().float() if self.fused is None else self.fused
        out: torch.Tensor = self.norm(F.embedding_bag(codes, table, mode="sum"))
        return out


class Pool(nn.Module):
    """Rows of each function to one vector: mean, maximum, and the logarithm of a sum.

    The last grows with the function, which counts of instructions depend on.
    """

    def __init__(self, d_model: int, d_embed: int) -> None:
        super().__init__()
        self.project = nn.Linear(3 * d_model, d_embed)

    def forward(self, rows: torch.Tensor, counts: torch.Tensor) -> torch.Tensor:
        """(n, d_model) rows in the order of their functions to (B, d_embed)."""
        rows = rows.float()
        index, starts = torch.arange(len(rows), device=rows.device), counts.cumsum(0) - counts

        def total(x: torch.Tensor) -> torch.Tensor:
            return F.embedding_bag(index, x, starts, mode="sum")  # much faster than a scatter

        owner = torch.repeat_interleave(counts)[:, None].expand_as(rows)
        highest = rows.new_zeros(len(counts), rows.shape[1])
        highest = highest.scatter_reduce(0, owner, rows, "amax", include_self=False)
        pooled = torch.cat(
            [total(rows) / counts[:, None], highest, torch.log1p(total(F.relu(rows)))], 1
        )
        out: torch.Tensor = self.project(pooled)
        return out


class Encoder(nn.Module):
    """See the module. ``config`` is all that is needed to build one."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.config = config
        d, wide = config.d_model, config.d_embed
        self.embed_tokens = CodeEmbedding(FIELD_SIZES, config.d_field, d, shared=N_OPERANDS)
        self.embed_nodes = CodeEmbedding(NODE_SIZES, config.d_field, d)
        self.text, self.graph = TextEncoder(config), GraphEncoder(config)
        self.pool_text, self.pool_graph = Pool(d, wide), Pool(d, wide)
        self.fusion = nn.Sequential(
            nn.Linear(3 * wide + 1, 2 * wide), nn.ReLU(), nn.Linear(2 * wide, wide)
        )
        self.norm = nn.LayerNorm(wide)

    def prepare_inference(self) -> Encoder:
        """Project the tables once; call again after the weights changed."""
        with torch.no_grad():
            for module in (self.embed_tokens, self.embed_nodes):
                module.fused = module.table().detach().float()
        return self

    def forward(self, batch: FunctionBatch) -> EncoderOutput:
        """Embed the functions of a batch."""
        b, wide = len(batch.token_counts), self.config.d_embed
        tokens = self.embed_tokens(batch.tokens)  # (T, d)
        nodes = self.embed_nodes(batch.nodes)  # (N, d)
        text = graph = torch.zeros(b, wide, device=tokens.device)
        if self.config.modality != "graph":
            tokens = self.text(tokens, batch.windows, batch.places)
            text = self.pool_text(tokens, batch.token_counts)
        if self.config.modality != "text":
            nodes = self.graph(nodes, batch)
            graph = self.pool_graph(nodes, batch.node_counts)
        size = torch.log1p(batch.token_counts.float())[:, None] / 10
        fused = self.norm(self.fusion(torch.cat([text, graph, text * graph, size], 1)))
        return EncoderOutput(tokens, nodes, text, graph, fused)
