"""The graph modality: message passing over the contracted program graph."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from .arrays import RELATIONS
from .batch import FunctionBatch
from .config import EncoderConfig

_PNA_DEGREES = torch.tensor([0, 10, 30, 25, 15, 8, 5, 3, 2, 1, 1])
"""Histogram of in-degrees per 100 nodes of the corpus, for PNA's scalers."""


class RelationalConv(nn.Module):
    """``out[i] = Σ over relations r, mean over edges j → i of r: W[r] x[j]``.

    A relational graph convolution (Schlichtkrull et al., 2018) that projects first, so that
    all relations are one matrix product and one weighted sum.
    """

    def __init__(self, d_model: int, d_message: int) -> None:
        super().__init__()
        self.project = nn.Linear(d_model, len(RELATIONS) * d_message, bias=False)
        self.widen: nn.Module = nn.Identity()
        if d_message != d_model:
            self.widen = nn.Linear(d_message, d_model, bias=False)

    def forward(self, x: torch.Tensor, batch: FunctionBatch) -> torch.Tensor:
        """(N, d) to (N, d)."""
        projected = self.project(x).view(len(x) * len(RELATIONS), -1).float()
        source = batch.edges[0] * len(RELATIONS) + batch.relations
        # Gather, weigh and add in one go; an order of magnitude less memory traffic.
        summed = F.embedding_bag(
            source, projected, batch.edge_starts, mode="sum", per_sample_weights=batch.edge_weights
        )
        out: torch.Tensor = self.widen(summed)
        return out


class PlainConv(nn.Module):
    """A convolution of torch-geometric, told the relation as an edge feature if it can be."""

    def __init__(self, kind: str, d_model: int) -> None:
        # Its import takes longer than torch's own, and the shipped encoders need none of it.
        from torch_geometric.nn import GatedGraphConv, GATv2Conv, PNAConv

        super().__init__()
        self.relation = nn.Embedding(len(RELATIONS), 16)
        if kind == "ggnn":
            self.conv: nn.Module = GatedGraphConv(d_model, num_layers=1)
        elif kind == "gatv2":
            self.conv = GATv2Conv(d_model, d_model // 4, heads=4, edge_dim=16, add_self_loops=False)
        else:
            self.conv = PNAConv(
                d_model, d_model, ["mean", "max", "std"], ["identity", "amplification"],
                deg=_PNA_DEGREES, edge_dim=16,
            )  # fmt: skip
        self.takes_relations = kind != "ggnn"

    def forward(self, x: torch.Tensor, batch: FunctionBatch) -> torch.Tensor:
        """(N, d) to (N, d)."""
        if not self.takes_relations:
            out: torch.Tensor = self.conv(x, batch.edges)
            return out
        out = self.conv(x, batch.edges, edge_attr=self.relation(batch.relations))
        return out


class GraphEncoder(nn.Module):
    """Convolutions with residuals; rows of nodes in, rows of the same shape out."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        d = config.d_model

        def conv() -> nn.Module:
            if config.conv == "relational":
                return RelationalConv(d, config.d_message or d)
            return PlainConv(config.conv, d)

        self.convs = nn.ModuleList(conv() for _ in range(config.graph_layers))
        self.selfs = nn.ModuleList(nn.Linear(d, d) for _ in range(config.graph_layers))
        self.norms = nn.ModuleList(nn.LayerNorm(d) for _ in range(config.graph_layers))

    def forward(self, x: torch.Tensor, batch: FunctionBatch) -> torch.Tensor:
        """(N, d) to (N, d)."""
        for conv, own, norm in zip(self.convs, self.selfs, self.norms, strict=True):
            x = norm(x + F.relu(own(x) + conv(x, batch)))
        return x
