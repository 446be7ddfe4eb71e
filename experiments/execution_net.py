"""A graph network over a function's code and the values that it held, after Shi et al.

"Learning Execution through Neural Code Fusion" (ICLR 2020)::

    opcode, type of a node ──> embedding ──┐
                                           ├─ + ─> messages along edges ─┬─> branch: a logit
    value of a node ──> bits, a scalar ────┘                             ├─> load: its address
                        or a category                                    └─> pool: embedding

A branch and a load are asked together with their first operand, the condition or the pointer.
A load's address is given as the logits of 64 bits: of the address itself, as in the paper, or
of its distance (modulo 2⁶⁴) from a pointer of the snapshot. Of the latter there are two
(``FunctionGraph.bases``), 64 logits for each, and the surer ones count.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, NamedTuple, Self

import numpy as np
import torch
import torch.nn.functional as F
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from mirgym.encoder.arrays import NODE_OFFSETS, RELATIONS
from mirgym.encoder.batch import FunctionBatch
from mirgym.encoder.config import EncoderConfig
from mirgym.encoder.graph import GraphEncoder
from mirgym.errors import MirgymError
from mirgym.values import REPRESENTATIONS, FunctionValues, encode
from mirgym.views import FunctionView

from .execution_graph import FunctionGraph

Values = Literal["binary", "scalar", "categorical", "none"]
WORD_BITS = 64
_NO_BLOCK = -2
"""No node is of it."""


@dataclass(frozen=True)
class NetConfig:
    """Shape of an ``ExecutionNet``; it travels in the header of the weights."""

    values: Values = "binary"
    """How a node's value is written; with ``none`` the network sees the code alone."""
    code: bool = True
    """Whether nodes have opcodes, types and constants, and edges their relation."""
    relative: bool = True
    """Whether a load's bits are of its distance from pointers, not of its address."""
    hint: bool = False
    """Whether a branch also has what another predictor says."""
    width: int = 48
    messages: int = 32
    """Width of what nodes tell each other."""
    layers: int = 3

    @property
    def bases(self) -> int:
        """From how many places a load's address is reckoned."""
        return 2 if self.relative else 1


class Inputs(NamedTuple):
    """Graphs with values, N nodes in all.

    Attributes:
        graph: Edges and counts of nodes; there are no tokens.
        codes: (N, 2) int64.
        own: Whether a node is of the block that begins: (N,) bool.
        values: (N,) uint64.
        types: 0 for a node without a value: (N,) uint8.
    """

    graph: FunctionBatch
    codes: torch.Tensor
    own: torch.Tensor
    values: np.ndarray
    types: np.ndarray


def collate(
    graphs: Sequence[FunctionGraph], values: Sequence[np.ndarray], blocks: Sequence[int]
) -> Inputs:
    """Graphs whose nodes hold these values, and of which these blocks begin."""
    counts = [len(graph.codes) for graph in graphs]
    starts = np.cumsum(counts) - counts
    edges = np.concatenate([g.edges + s for g, s in zip(graphs, starts, strict=True)], 1)
    relations = np.concatenate([graph.relations for graph in graphs])
    incoming = np.bincount(edges[1], minlength=sum(counts))
    slots = edges[1] * len(RELATIONS) + relations
    weights = 1.0 / np.bincount(slots, minlength=1)[slots]
    nothing = torch.zeros(0, dtype=torch.int64)
    batch = FunctionBatch(
        tokens=nothing,
        token_counts=nothing,
        windows=[],
        places=nothing,
        nodes=nothing,
        node_counts=torch.tensor(counts),
        edges=torch.from_numpy(edges),
        edge_starts=torch.from_numpy(np.cumsum(incoming) - incoming),
        relations=torch.from_numpy(relations),
        edge_weights=torch.from_numpy(weights.astype(np.float32)),
    )
    own = np.concatenate([g.blocks == b for g, b in zip(graphs, blocks, strict=True)])
    return Inputs(
        batch,
        torch.from_numpy(np.concatenate([graph.codes for graph in graphs])),
        torch.from_numpy(own),
        np.concatenate(values),
        np.concatenate([graph.types for graph in graphs]),
    )


def written(values: np.ndarray, types: np.ndarray, how: str) -> np.ndarray:
    """Values in a representation; the last column is 1 where there is one, else all are 0.

    Args:
        values: (n,) uint64.
        types: (n,) uint8.
        how: See ``mirgym.values.encode``.

    Returns:
        (n, size of the representation + 1) float32.
    """
    rows = np.arange(len(values), dtype=np.uint32)
    found = FunctionValues(rows, rows, types, values[None, :, None], np.ones((1, len(rows)), "u1"))
    columns = encode(found, how)[0, :, 0]  # (n,) or (n, bits)
    if how == "categorical":
        columns = np.eye(REPRESENTATIONS[how], dtype=np.float32)[columns]
    there = (types > 0).astype(np.float32)[:, None]
    return np.concatenate([columns.reshape(len(values), -1) * there, there], 1)


class ExecutionNet(nn.Module):
    """See the module."""

    def __init__(self, config: NetConfig) -> None:
        super().__init__()
        self.config = config
        width = config.width
        self.codes = nn.EmbeddingBag(int(NODE_OFFSETS[-1]), width, mode="sum")
        self.own = nn.Parameter(torch.zeros(width))
        if config.values != "none":
            size = REPRESENTATIONS[config.values] + 1
            self.values = nn.Sequential(
                nn.Linear(size, 2 * width), nn.ReLU(), nn.Linear(2 * width, width)
            )
        self.norm = nn.LayerNorm(width)
        self.messages = GraphEncoder(
            EncoderConfig(d_model=width, d_message=config.messages, graph_layers=config.layers)
        )
        self.branch = nn.Sequential(
            nn.Linear(4 * width + config.hint, 2 * width), nn.ReLU(), nn.Linear(2 * width, 1)
        )
        self.load = nn.Sequential(
            nn.Linear(4 * width, 4 * width),
            nn.ReLU(),
            nn.Linear(4 * width, WORD_BITS * config.bases),
        )

    def nodes(self, given: Inputs) -> torch.Tensor:
        """States of all nodes, before and after the messages: (N, 2 · width)."""
        graph = given.graph
        x = given.own[:, None] * self.own  # (N, width)
        if self.config.code:
            x = x + self.codes(given.codes)
        else:
            graph = _of_one_relation(graph)
        if self.config.values != "none":
            how = written(given.values, given.types, self.config.values)
            x = x + self.values(torch.from_numpy(how))
        x = self.norm(x)
        return torch.cat([x, self.messages(x, graph)], 1)

    def branch_logits(self, states: torch.Tensor, hints: torch.Tensor) -> torch.Tensor:
        """What ``asked`` gives, and what another predictor says, (B,) from −1 to 1, to (B,)."""
        if self.config.hint:
            states = torch.cat([states, hints[:, None]], 1)
        found: torch.Tensor = self.branch(states)[:, 0]
        return found

    def load_logits(self, states: torch.Tensor) -> torch.Tensor:
        """What ``asked`` gives to the bits of distances, lowest first: (L, bases, 64)."""
        found: torch.Tensor = self.load(states)
        return found.view(len(states), self.config.bases, WORD_BITS)

    def embed(
        self, view: FunctionView, nodes: np.ndarray, types: np.ndarray, values: np.ndarray
    ) -> np.ndarray:
        """A function's vector, from its graph and a snapshot.

        Args:
            view: The function.
            nodes: Of the snapshot's values in the graph (``Trace.slot_nodes``).
            types: Theirs (``Trace.slot_types``).
            values: Their bits (``Trace.values_of``).

        Returns:
            (2 · width,) float32: mean and maximum of the nodes' states after the messages.
        """
        found: np.ndarray = self.embed_each(view, nodes, types, values[None])[0]
        return found

    def embed_each(
        self, view: FunctionView, nodes: np.ndarray, types: np.ndarray, values: np.ndarray
    ) -> np.ndarray:
        """As ``embed``, of several snapshots: (S, values) to (S, 2 · width)."""
        graph = FunctionGraph.of(view, nodes, types)
        of_nodes = np.pad(values, ((0, 0), (0, 1)))[:, graph.slots]  # the last one: no value
        count = len(values)
        with torch.inference_mode():
            states = self.nodes(collate([graph] * count, list(of_nodes), [_NO_BLOCK] * count))
            last = states[:, self.config.width :].view(count, -1, self.config.width)
            found: np.ndarray = torch.cat([last.mean(1), last.amax(1)], 1).numpy()
        return found

    def save(self, path: Path) -> None:
        """Write config and weights as safetensors."""
        path.parent.mkdir(parents=True, exist_ok=True)
        tensors = {name: value.contiguous() for name, value in self.state_dict().items()}
        temporary = path.with_suffix(".part")
        save_file(tensors, temporary, {"config": json.dumps(asdict(self.config))})
        temporary.replace(path)

    @classmethod
    def read(cls, path: Path) -> Self:
        """What ``save`` wrote, in evaluation mode.

        Raises:
            MirgymError: It is no such file.
        """
        try:
            with safe_open(path, "pt") as file:
                net = cls(NetConfig(**json.loads(file.metadata()["config"])))
                names = list(file.keys())
                net.load_state_dict({name: file.get_tensor(name) for name in names})
        except (OSError, SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
            raise MirgymError(
                f"{path} does not hold a network of execution: {error}. Make it again with "
                "`python -m experiments.execution`"
            ) from error
        return net.eval()


def asked(states: torch.Tensor, nodes: np.ndarray, operands: np.ndarray) -> torch.Tensor:
    """States of targets and of their first operands: (n, 4 · width)."""
    return torch.cat([states[nodes], states[operands]], 1)


def _of_one_relation(graph: FunctionBatch) -> FunctionBatch:
    """The graph without what its edges mean."""
    degrees = torch.bincount(graph.edges[1], minlength=1)
    return graph._replace(
        relations=torch.zeros_like(graph.relations),
        edge_weights=1.0 / degrees[graph.edges[1]].float(),
    )


def bits_of(words: np.ndarray) -> torch.Tensor:
    """Words (...) uint64 to their bits, lowest first: (..., 64) float32."""
    octets = np.ascontiguousarray(words, "<u8")[..., None].view(np.uint8)
    return torch.from_numpy(np.unpackbits(octets, axis=-1, bitorder="little").astype(np.float32))


def words_of(logits: torch.Tensor) -> np.ndarray:
    """What logits of bits (..., 64) say: (...) uint64."""
    octets = np.packbits((logits > 0).numpy(), axis=-1, bitorder="little")
    words: np.ndarray = np.ascontiguousarray(octets).view("<u8")[..., 0].astype(np.uint64)
    return words


def surest(logits: torch.Tensor, bases: np.ndarray) -> np.ndarray:
    """Addresses (L,) uint64 by logits (L, bases, 64) from bases (L, bases) uint64."""
    sure = F.logsigmoid(logits.abs()).sum(-1).argmax(1).numpy()  # (L,)
    found: np.ndarray = np.take_along_axis(bases + words_of(logits), sure[:, None], 1)[:, 0]
    return found
