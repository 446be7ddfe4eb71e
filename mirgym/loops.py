"""Loops of a module: the view ``loops``, and hints for the vectorizer and the unroller.

Loops are numbered through the functions with a body in module order, and inside a function by
the position of their headers. Hints move no blocks, so a loop keeps its number until a pass
runs. The view is little-endian::

    u32 n, u32 F = len(LoopFacts._fields)
    then for each loop:
        i64[F]                     LoopFacts
        u64 key, u32 length, arrays   its code as a function of its own, see mirgym.views

The arrays are left out (length 0) where LLVM cannot take the loop out of its function.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from .views import FunctionView, decode_function

STRIDES = ("invariant", "unit", "strided", "irregular")
"""How far an address moves in an iteration: not at all; one element, forwards or backwards;
another distance that all iterations share; or as no induction variable does."""

_HEAD = struct.Struct("<II")
_CODE = struct.Struct("<QI")


class LoopFacts(NamedTuple):
    """What LLVM's analyses know of a loop; all are whole numbers."""

    function: int
    """Position of its function among those with a body."""
    header: int
    """Position of its header among the blocks of the function."""
    parent: int
    """Number of the loop around it, −1 for none."""
    depth: int
    """1 for a loop in no other."""
    children: int
    """Loops right inside it; 0 for an innermost loop."""
    blocks: int
    instructions: int
    exits: int
    """Blocks from which it can be left."""
    trip_count: int
    """Iterations where that is a constant, else 0."""
    trip_multiple: int
    """The largest constant known to divide the number of iterations."""
    max_trip_count: int
    """A constant bound, 0 where there is none."""
    loads_invariant: int
    loads_unit: int
    loads_strided: int
    loads_irregular: int
    stores_invariant: int
    stores_unit: int
    stores_strided: int
    stores_irregular: int
    reductions: int
    """Sums, products, extrema and the like that its iterations carry on."""
    calls: int
    """Of functions, without LLVM's intrinsics."""
    branches: int
    """Conditional ones that stay inside the loop either way."""
    integer_ops: int
    float_ops: int
    divisions: int
    """Of either kind, with remainders."""
    smallest_bits: int
    """Of the types that it loads and stores, 0 without any."""
    widest_bits: int
    vectorizable: int
    """1 where LLVM's vectorizer may work on it without reordering floating-point arithmetic."""
    safe_bits: int
    """Bits of the widest vectors that its dependences allow; 0 where any are safe, or none."""
    runtime_checks: int
    """Pairs of pointers to compare before vectors can be used."""
    width: int
    """What its metadata says; 0 where that is nothing. See ``LoopHints``."""
    interleave: int
    unroll: int


class LoopHints(NamedTuple):
    """What a loop is told by its ``llvm.loop.*`` metadata; 0 leaves what is there."""

    loop: int
    """Its number."""
    width: int = 0
    """Elements of a vector, a power of two up to 64; 1 for no vectors."""
    interleave: int = 0
    """Vector bodies beside each other, a power of two up to 16."""
    unroll: int = 0
    """Copies of the body, up to 1,024; 1 for no unrolling."""


class LoopView(NamedTuple):
    """The loops of a module by number.

    Attributes:
        facts: About each.
        code: Each as a function of its own; None where LLVM cannot make one of it.
    """

    facts: tuple[LoopFacts, ...]
    code: tuple[FunctionView | None, ...]


def decode_loops(view: bytes) -> LoopView:
    """A module's loops from the bytes of the view."""
    count, columns = _HEAD.unpack_from(view)
    assert columns == len(LoopFacts._fields), "the engine and mirgym.loops differ"
    row = struct.Struct(f"<{columns}q")
    at = _HEAD.size
    facts, code = [], []
    for _ in range(count):
        facts.append(LoopFacts(*row.unpack_from(view, at)))
        at += row.size
        key, length = _CODE.unpack_from(view, at)
        at += _CODE.size
        code.append(decode_function(key, view[at : at + length]) if length else None)
        at += length
    return LoopView(tuple(facts), tuple(code))
