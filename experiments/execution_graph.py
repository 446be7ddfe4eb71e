"""A function's graph with places for the values of a snapshot."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from mirgym.encoder.arrays import NODE_OFFSETS, RELATIONS, arrays
from mirgym.views import EDGE_KINDS, FunctionView

CONDITIONAL = 3
"""Opcode of a conditional branch (native/codes.h); a switch has another."""
_LOAD, _POINTER_SUM, _PHI, _CALLS = 33, 35, 57, range(110, 128)
_TERMINATORS = (*range(1, 13), *range(116, 128))
_DEFINITION, _DATA = (EDGE_KINDS.index(kind) for kind in ("definition", "data"))
_OPERANDS = [RELATIONS.index(name) for name in ("first operand", "other operand")]

_OPERAND_STEP, _OTHER_STEP = 1.0, 2.5
"""How far a node is from its operand, and from any other neighbour."""


class FunctionGraph(NamedTuple):
    """N nodes, of which a variable that an instruction defines is that instruction.

    Attributes:
        codes: Of each node, as ``mirgym.encoder.arrays`` has them: (N, 2) int64.
        edges: Sources and destinations, in the order of destinations: (2, E) int64.
        relations: Index in ``RELATIONS``: (E,) int64.
        slots: Of each node the number of its value among the function's; −1: none. (N,) int64.
        types: Of each node's value (``mirgym.values``), 0 without: (N,) uint8.
        blocks: Of each node the block that computes it; −1 for others. (N,) int64.
        firsts: Of each node its first operand; −1: none. (N,) int64.
    """

    codes: np.ndarray
    edges: np.ndarray
    relations: np.ndarray
    slots: np.ndarray
    types: np.ndarray
    blocks: np.ndarray
    firsts: np.ndarray

    @classmethod
    def of(cls, view: FunctionView, nodes: np.ndarray, types: np.ndarray) -> FunctionGraph:
        """Of a function whose slots are these nodes of the view, of these types."""
        made = arrays([view])
        size, instructions = len(made.nodes), view.tokens.shape[1]
        kinds = view.edge_kinds >> 3
        defined = view.edges[:, kinds == _DEFINITION]
        owner = np.arange(view.nodes.shape[1])
        owner[defined[1]] = defined[0]
        place = (np.cumsum(owner == np.arange(len(owner))) - 1)[owner]
        slots, of_type = np.full(size, -1), np.zeros(size, np.uint8)
        slots[place[nodes]], of_type[place[nodes]] = np.arange(len(nodes)), types
        ends = np.isin(view.nodes[0, :instructions], _TERMINATORS)
        blocks = np.full(size, -1)
        blocks[:instructions] = np.cumsum(ends) - ends
        first = (kinds == _DATA) & (view.edge_kinds & 7 == 0)
        firsts = np.full(size, -1)
        firsts[place[view.edges[1, first]]] = place[view.edges[0, first]]
        return cls(made.nodes, made.edges, made.relations, slots, of_type, blocks, firsts)

    @property
    def opcodes(self) -> np.ndarray:
        """Of each node what it is, an instruction's its opcode: (N,) int64."""
        found: np.ndarray = self.codes[:, 0] - NODE_OFFSETS[0]
        return found

    def near(self, targets: np.ndarray, size: int) -> np.ndarray:
        """At most so many nodes, the nearest to these, in ascending order."""
        count = len(self.codes)
        if count <= size:
            return np.arange(count)
        steps = np.where(np.isin(self.relations, _OPERANDS), _OPERAND_STEP, _OTHER_STEP)
        # Of several edges between two nodes the shortest counts; csr_array would add them.
        order = np.argsort(steps, kind="stable")
        sources, destinations = self.edges[:, order]
        _, once = np.unique(destinations * count + sources, return_index=True)
        backwards = (destinations[once], sources[once])
        graph = csr_array((steps[order][once], backwards), shape=(count, count))
        distances = dijkstra(graph, indices=targets, min_only=True)
        return np.sort(np.argsort(distances, kind="stable")[:size])

    def part(self, kept: np.ndarray) -> FunctionGraph:
        """Some of the nodes, in ascending order, and the edges between them."""
        place = np.full(len(self.codes) + 1, -1)  # the last one: no node
        place[kept] = np.arange(len(kept))
        edges = place[self.edges]
        inner = (edges >= 0).all(0)
        return FunctionGraph(
            codes=self.codes[kept],
            edges=edges[:, inner],
            relations=self.relations[inner],
            slots=self.slots[kept],
            types=self.types[kept],
            blocks=self.blocks[kept],
            firsts=place[self.firsts[kept]],
        )

    def bases(self, load: int) -> tuple[int, int]:
        """The pointer of a load, and the one that it was reckoned from in the load's block.

        The first is what the load's address was when it was last computed, the second what a
        chain of pointer sums begins with, which is known when the block begins. −1: none.
        """
        pointer = root = int(self.firsts[load])
        while (
            root >= 0
            and self.blocks[root] == self.blocks[load]
            and self.opcodes[root] == _POINTER_SUM
        ):
            root = int(self.firsts[root])
        return pointer, root

    def predetermined(self, node: int) -> bool:
        """Whether a node's operands follow from what is known when its block begins.

        If not, a load or a call of the block stands between: no snapshot can tell.
        """
        block, opcodes = self.blocks[node], self.opcodes
        operands = self.edges[:, np.isin(self.relations, _OPERANDS)]
        seen: set[int] = set()
        waiting: list[int] = operands[0, operands[1] == node].tolist()
        while waiting:
            at = waiting.pop()
            if at in seen or self.blocks[at] != block or opcodes[at] == _PHI:
                continue
            if opcodes[at] == _LOAD or opcodes[at] in _CALLS:
                return False
            seen.add(at)
            waiting += operands[0, operands[1] == at].tolist()
        return True
