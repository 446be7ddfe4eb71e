"""From function views to the arrays of one batch.

A function's rows depend on that function alone: windows never cross functions and
graphs stay apart, so a batch gives what its members give one by one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..views import EDGE_KINDS, FIELD_SIZES, NODE_SIZES, FunctionView

RELATIONS = ("control", "control back", "first operand", "other operand", "operand back")
"""What an edge means to the graph network. A called function counts as an operand."""

FIELD_OFFSETS = np.concatenate([[0], np.cumsum(np.array(FIELD_SIZES) + 1)])
"""Where each token row's codes begin in one table; each has one more code, the mask."""

NODE_OFFSETS = np.concatenate([[0], np.cumsum(np.array(NODE_SIZES) + 1)])

_DEFINITION = EDGE_KINDS.index("definition")
_CONTROL = EDGE_KINDS.index("control")


class Windows(NamedTuple):
    """Windows of equal padded length. ``rows`` (W, L) index tokens; padding repeats row 0."""

    rows: np.ndarray  # (W, L) int64
    real: np.ndarray  # (W, L) bool


class FunctionArrays(NamedTuple):
    """Several functions as arrays; T instructions, N nodes, E edges in all.

    The graph is contracted: a variable that an instruction defines is that instruction.
    """

    tokens: np.ndarray  # (T, 8) int64, codes plus FIELD_OFFSETS
    token_counts: np.ndarray  # (B,) int64
    windows: list[Windows]
    places: np.ndarray  # (T,) int64: where each token is, the windows' slots one after another
    nodes: np.ndarray  # (N, 2) int64, codes plus NODE_OFFSETS
    node_counts: np.ndarray  # (B,) int64
    edges: np.ndarray  # (2, E) int64: source, destination; in the order of destinations
    edge_starts: np.ndarray  # (N,) int64: where each destination's edges begin
    relations: np.ndarray  # (E,) int64, index in RELATIONS
    edge_weights: np.ndarray  # (E,) float32: 1 / edges of that relation at the destination


def arrays(views: Sequence[FunctionView], window: int = 128) -> FunctionArrays:
    """Arrays of one or more functions, each with at least one instruction."""
    token_counts = np.array([view.tokens.shape[1] for view in views])
    tokens = np.concatenate([view.tokens for view in views], axis=1).T.astype(np.int64)
    nodes, node_counts, edges, relations = _contract(views)
    # The narrowest type that holds the nodes: 16 bits are sorted by radix.
    narrow = edges[1].astype(np.uint16 if len(nodes) < 1 << 16 else np.int64)
    order = np.argsort(narrow, kind="stable")
    edges, relations = edges[:, order], relations[order]
    incoming = np.bincount(edges[1], minlength=nodes.shape[0])
    slots = edges[1] * len(RELATIONS) + relations
    degrees = np.bincount(slots, minlength=1)
    return FunctionArrays(
        tokens + FIELD_OFFSETS[:-1],
        token_counts,
        *_windows(token_counts, window),
        nodes + NODE_OFFSETS[:-1],
        node_counts,
        edges,
        np.cumsum(incoming) - incoming,
        relations,
        (1.0 / degrees[slots]).astype(np.float32),
    )


def _contract(
    views: Sequence[FunctionView],
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Nodes (N, 2), nodes of each function (B,), edges (2, E) and relations (E,), both ways."""
    counts = np.array([view.nodes.shape[1] for view in views])
    starts = np.cumsum(counts) - counts
    nodes = np.concatenate([view.nodes for view in views], axis=1)
    edges = np.concatenate([view.edges + s for view, s in zip(views, starts, strict=True)], axis=1)
    kinds = np.concatenate([view.edge_kinds for view in views])
    definitions = kinds >> 3 == _DEFINITION
    owner = np.arange(nodes.shape[1])
    owner[edges[1, definitions]] = edges[0, definitions]
    kept = owner == np.arange(len(owner))
    place = (np.cumsum(kept) - 1)[owner]
    source, destination = place[edges[:, ~definitions]]
    control = kinds[~definitions] >> 3 == _CONTROL
    forward = np.where(control, 0, np.where(kinds[~definitions] & 7 == 0, 2, 3))
    both = np.stack([np.r_[source, destination], np.r_[destination, source]])
    relations = np.r_[forward, np.where(control, 1, 4)]
    kept_counts = np.add.reduceat(kept.astype(np.int64), starts)
    return nodes[:, kept].T.astype(np.int64), kept_counts, both, relations


def _windows(counts: np.ndarray, window: int) -> tuple[list[Windows], np.ndarray]:
    """Cut each function into windows, and group those of about the same length; and ``places``."""
    starts, lengths = [], []
    first = 0
    for count in counts.tolist():
        for begin in range(0, count, window):
            starts.append(first + begin)
            lengths.append(min(window, count - begin))
        first += count
    start, length = np.array(starts), np.array(lengths)
    padded = np.maximum(16, 2 ** np.ceil(np.log2(length)).astype(int))
    groups: list[Windows] = []
    places = np.empty(first, np.int64)
    slots = 0
    for size in np.unique(padded):
        chosen = padded == size
        # Few windows: padding them further is cheaper than another round of layers.
        if size < padded.max() and chosen.sum() * (size * 2) <= 512:
            padded[chosen] = padded[padded > size].min()
            continue
        column = np.arange(size)
        real = column < length[chosen, None]
        rows = np.where(real, start[chosen, None] + column, 0)
        places[rows[real]] = slots + np.flatnonzero(real)
        slots += real.size
        groups.append(Windows(rows, real))
    return groups, places
