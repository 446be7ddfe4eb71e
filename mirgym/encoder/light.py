"""The frozen encoder without torch, for who embeds a few modules and is done.

Importing torch takes longer than optimising a program. With torch a batch is embedded in
half the time, and the results agree to the last digits of a float32.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ..views import FIELD_SIZES, NODE_SIZES, FunctionView
from .arrays import RELATIONS, FunctionArrays, arrays
from .config import N_OPERANDS, EncoderConfig

_EPSILON = np.float32(1e-5)
"""Of a LayerNorm, as torch has it."""


class LightEncoder:
    """What ``model.Encoder`` computes, in inference, with relational convolutions.

    Args:
        config: Sizes.
        weights: Float32 arrays by their names in ``model.Encoder``.

    Raises:
        ValueError: The encoder's graph convolution is another.
    """

    def __init__(self, config: EncoderConfig, weights: Mapping[str, np.ndarray]) -> None:
        if config.conv != "relational":
            raise ValueError(f"an encoder with {config.conv} convolutions needs torch")
        self.config = config
        self._weights = weights
        self._token_table = self._table("embed_tokens", len(FIELD_SIZES), N_OPERANDS)
        self._node_table = self._table("embed_nodes", len(NODE_SIZES), 1)

    def __call__(self, views: Sequence[FunctionView]) -> np.ndarray:
        """(B, d_embed) embeddings of one or more functions."""
        batch = arrays(views, self.config.window)
        text = graph = np.zeros((len(views), self.config.d_embed), np.float32)
        if self.config.modality != "graph":
            text = self._text(batch)
        if self.config.modality != "text":
            graph = self._graph(batch)
        size = np.log1p(batch.token_counts.astype(np.float32))[:, None] / 10
        x = np.concatenate([text, graph, text * graph, size], 1, dtype=np.float32)
        x = self._linear("fusion.2", _relu(self._linear("fusion.0", x)))
        return self._norm("norm", x)

    # -- text ---------------------------------------------------------------------------

    def _text(self, batch: FunctionArrays) -> np.ndarray:
        tokens = self._norm("embed_tokens.norm", _sum_of_rows(self._token_table, batch.tokens))
        slots = []
        for rows, real in batch.windows:
            x = tokens[rows] + self._weights["text.position"][: rows.shape[1]]  # (W, L, d)
            mask = np.where(real, np.float32(0), np.float32(-np.inf))[:, None, None, :]
            for layer in range(self.config.text_layers):
                x = self._transformer(f"text.layers.{layer}", x, mask)
            slots.append(self._norm("text.norm", x).reshape(-1, self.config.d_model))
        tokens = np.concatenate(slots)[batch.places]
        return self._pool("pool_text", tokens, batch.token_counts)

    def _transformer(self, name: str, x: np.ndarray, mask: np.ndarray) -> np.ndarray:
        w, length, d = x.shape
        heads = self.config.heads
        qkv = self._linear(f"{name}.qkv", self._norm(f"{name}.norm1", x))
        q, k, v = qkv.reshape(w, length, 3, heads, d // heads).transpose(2, 0, 3, 1, 4)
        scores = q @ k.swapaxes(2, 3) / np.float32((d // heads) ** 0.5) + mask  # (W, H, L, L)
        scores = np.exp(scores - scores.max(-1, keepdims=True))
        attended = scores / scores.sum(-1, keepdims=True) @ v
        x = x + self._linear(f"{name}.out", attended.swapaxes(1, 2).reshape(w, length, d))
        wide = self._linear(f"{name}.wide", self._norm(f"{name}.norm2", x))
        return x + self._linear(f"{name}.narrow", _relu(wide))

    # -- graph --------------------------------------------------------------------------

    def _graph(self, batch: FunctionArrays) -> np.ndarray:
        x = self._norm("embed_nodes.norm", _sum_of_rows(self._node_table, batch.nodes))
        source = batch.edges[0] * len(RELATIONS) + batch.relations
        for layer in range(self.config.graph_layers):
            conv = f"graph.convs.{layer}"
            projected = self._linear(f"{conv}.project", x).reshape(len(x) * len(RELATIONS), -1)
            messages = projected[source] * batch.edge_weights[:, None]  # (E, d_message)
            summed = _sum_of_segments(messages, batch.edge_starts)
            if f"{conv}.widen.weight" in self._weights:
                summed = self._linear(f"{conv}.widen", summed)
            changed = _relu(self._linear(f"graph.selfs.{layer}", x) + summed)
            x = self._norm(f"graph.norms.{layer}", x + changed)
        return self._pool("pool_graph", x, batch.node_counts)

    # -- both ---------------------------------------------------------------------------

    def _table(self, name: str, fields: int, shared: int) -> np.ndarray:
        """All fields' projected tables, one below the other; the last few share a table."""
        last = fields - shared
        return np.concatenate(
            [
                self._weights[f"{name}.tables.{min(field, last)}.weight"]
                @ self._weights[f"{name}.projections.{field}.weight"].T
                for field in range(fields)
            ]
        )

    def _pool(self, name: str, rows: np.ndarray, counts: np.ndarray) -> np.ndarray:
        """Mean, maximum, and the logarithm of a sum of each function's rows, projected."""
        starts = counts.cumsum() - counts
        mean = np.add.reduceat(rows, starts) / counts[:, None]
        grown = np.log1p(np.add.reduceat(_relu(rows), starts))
        pooled = np.concatenate([mean, np.maximum.reduceat(rows, starts), grown], 1)
        return self._linear(f"{name}.project", pooled.astype(np.float32))

    def _linear(self, name: str, x: np.ndarray) -> np.ndarray:
        out: np.ndarray = x @ self._weights[f"{name}.weight"].T
        bias = self._weights.get(f"{name}.bias")
        return out if bias is None else out + bias

    def _norm(self, name: str, x: np.ndarray) -> np.ndarray:
        x = x - x.mean(-1, keepdims=True)
        x /= np.sqrt((x * x).mean(-1, keepdims=True) + _EPSILON)
        out: np.ndarray = x * self._weights[f"{name}.weight"] + self._weights[f"{name}.bias"]
        return out


def _relu(x: np.ndarray) -> np.ndarray:
    out: np.ndarray = np.maximum(x, 0)
    return out


def _sum_of_rows(table: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """(n, d) sums of the table's rows that each row of codes (n, fields) names."""
    out = table[codes[:, 0]]
    for field in range(1, codes.shape[1]):
        out += table[codes[:, field]]
    return out


def _sum_of_segments(x: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """(N, d) sums of rows from each start to the next; of none 0."""
    out = np.zeros((len(starts), x.shape[1]), np.float32)
    filled = np.flatnonzero(np.diff(starts, append=len(x)) > 0)
    if len(filled):
        out[filled] = np.add.reduceat(x, starts[filled])
    return out
