"""The encoder's two views of a function as arrays: instruction tokens and a graph.

The engine builds both in one walk (``native/views.cpp``); ``native/codes.h`` lists the
codes. Everything is little-endian. The view ``functions`` of a module, and
``new_functions``, which leaves out the arrays that this session already sent since its
last load or restore, are::

    u32 n, then for each function with a body, in module order:
        u64 key, u32 instructions
        u32 length, name
        u32 n, n × u32: functions with a body that it calls directly, by position here
        u32 length of the arrays, 0 when they were left out
            u32 T, u32 N, u32 E        instructions, nodes, edges
            i32[2][E]                  sources, destinations
            u16[8][T]                  tokens
            u16[2][N]                  nodes
            u8[E]                      edge kinds

``key`` is a hash of the arrays: two functions have equal keys when (and but for 64-bit
chance only when) their arrays are equal.

Tokens (one column for an instruction, ``FIELDS`` names the rows): no code depends on the
names of values or types. Numbers are coded by sign, exponent and two leading bits;
operands that are instructions by their distance, two buckets for each power of two.

Graph (after ProGraML, Cummins et al., ICML 2021): node ``i < T`` is instruction ``i`` and
carries its opcode and type only; the others are variables (arguments first, then one for
each result), constants, globals and called functions. An edge's kind is
``8 * EDGE_KINDS.index(kind) + min(position, 7)``.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

import numpy as np

FIELDS = (
    "opcode", "type", "worked_on_type", "callee_or_flags", "context",
    "operand0", "operand1", "operand2",
)  # fmt: skip
FIELD_SIZES = (160, 192, 192, 2048, 256, 1024, 1024, 1024)
"""Codes of each token row are below these."""

NODE_SIZES = (1024, 2048)
"""Codes of the two node rows, what it is and its attribute, are below these."""

EDGE_KINDS = ("control", "data", "definition", "call")

_U32 = struct.Struct("<I")
_HEAD = struct.Struct("<QII")
_SIZES = struct.Struct("<III")


class FunctionView(NamedTuple):
    """One function, as the encoder sees it. The arrays are read-only.

    Attributes:
        key: Hash of the arrays.
        tokens: ``(8, T)`` uint16.
        nodes: ``(2, N)`` uint16.
        edges: ``(2, E)`` int32, sources and destinations.
        edge_kinds: ``(E,)`` uint8.
    """

    key: int
    tokens: np.ndarray
    nodes: np.ndarray
    edges: np.ndarray
    edge_kinds: np.ndarray


class ModuleView(NamedTuple):
    """The functions of a module that have a body, in module order.

    Attributes:
        names: As in the module.
        keys: Of their views.
        instructions: Their sizes.
        callees: For each, positions of the functions that it calls directly.
        functions: Their arrays, None where this session sent them before.
    """

    names: list[str]
    keys: list[int]
    instructions: list[int]
    callees: list[tuple[int, ...]]
    functions: list[FunctionView | None]


def decode_function(key: int, arrays: bytes) -> FunctionView:
    """One function's arrays; they share the memory of ``arrays``."""
    n_tokens, n_nodes, n_edges = _SIZES.unpack_from(arrays)
    at = _SIZES.size
    edges = np.frombuffer(arrays, "<i4", 2 * n_edges, at).reshape(2, n_edges)
    at += edges.nbytes
    tokens = np.frombuffer(arrays, "<u2", 8 * n_tokens, at).reshape(8, n_tokens)
    at += tokens.nbytes
    nodes = np.frombuffer(arrays, "<u2", 2 * n_nodes, at).reshape(2, n_nodes)
    at += nodes.nbytes
    return FunctionView(key, tokens, nodes, edges, np.frombuffer(arrays, "u1", n_edges, at))


def decode_module(view: bytes) -> ModuleView:
    """A module's view from its bytes."""
    (count,) = _U32.unpack_from(view)
    at = _U32.size
    module = ModuleView([], [], [], [], [])
    for _ in range(count):
        key, instructions, length = _HEAD.unpack_from(view, at)
        at += _HEAD.size
        module.names.append(view[at : at + length].decode(errors="replace"))
        at += length
        (n_callees,) = _U32.unpack_from(view, at)
        at += 4
        module.callees.append(struct.unpack_from(f"<{n_callees}I", view, at))
        at += 4 * n_callees
        (length,) = _U32.unpack_from(view, at)
        at += 4
        arrays = view[at : at + length]
        at += length
        module.keys.append(key)
        module.instructions.append(instructions)
        module.functions.append(decode_function(key, arrays) if arrays else None)
    return module
