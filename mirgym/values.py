"""Samples of the values that a program computed, and what a model is given of them.

A run with ``Counters.VALUES`` writes down a block's values at its end in executions 1, 2, 4,
8, … of that block and keeps the latest ``SAMPLES`` of them (native/samples.h). Every argument
and result of an instruction that is an integer of up to 64 bits, a pointer, a float or a
double is sampled, but for what a block's last instruction gives (an invoke). After Shi et al.,
"Learning Execution through Neural Code Fusion" (ICLR 2020): ``on_nodes`` puts the samples on
the variables of the function's graph, in one of that paper's three representations.

Two runs of a module give the same samples, in other processes, too: the program has a heap and
a stack of its own, at places of their own (native/arena.h). Of addresses elsewhere (the C
library's variables, all that a C++ library allocates) a pointer shows the lowest twelve bits,
over 0x7f0000000000. What stays by chance is what a program computes from such an address as an
integer, or from memory that it never wrote.

>>> values = FunctionValues.none()
>>> encode(values, "binary").shape
(0, 0, 4, 64)
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, Self

import numpy as np

SAMPLES = 4
"""Samples of a value that are kept, the latest."""

POINTER, FLOAT, DOUBLE = 65, 66, 67
"""Types; 1 to 64 is an integer of so many bits."""

REPRESENTATIONS = {"binary": 64, "scalar": 1, "categorical": 256}
"""How ``encode`` can write a value, and the size of that."""

_FLOAT_LOG = 1024.0
"""Divides the binary logarithm of a float: the largest double has 1024."""


class FunctionValues(NamedTuple):
    """Samples of one function's values, arguments first, then by block.

    Attributes:
        nodes: Of each value in the function's graph (``mirgym.views``): (values,) uint32.
        blocks: In which it is computed, by number: (values,) uint32.
        types: See ``POINTER``: (values,) uint8.
        samples: Bits of the samples, the earliest first, 0 where there are fewer:
            (runs, values, SAMPLES) uint64. Integers have zeros above their width.
        sampled: How many there are: (runs, values) uint8.
    """

    nodes: np.ndarray
    blocks: np.ndarray
    types: np.ndarray
    samples: np.ndarray
    sampled: np.ndarray

    @classmethod
    def none(cls, runs: int = 0) -> Self:
        """No values."""
        empty = np.zeros(0, np.uint32)
        samples = np.zeros((runs, 0, SAMPLES), np.uint64)
        return cls(empty, empty, np.zeros(0, np.uint8), samples, np.zeros((runs, 0), np.uint8))

    @classmethod
    def of(
        cls,
        nodes: np.ndarray,
        blocks: np.ndarray,
        types: np.ndarray,
        executions: np.ndarray,
        ring: np.ndarray,
    ) -> Self:
        """From the words of the engine.

        Args:
            nodes: See the attributes.
            blocks: See the attributes.
            types: See the attributes.
            executions: Bit k of a block's word says that execution 2ᵏ was sampled:
                (runs, blocks) uint64.
            ring: (runs, values, SAMPLES) uint64; entry k mod SAMPLES is of execution 2ᵏ.
        """
        masks = executions[:, blocks][:, :, None]  # (runs, values, 1)
        every = np.uint64(0x1111_1111_1111_1111) << np.arange(SAMPLES, dtype=np.uint64)
        own = masks & every  # (runs, values, SAMPLES): the executions that wrote an entry
        # The exponent is that of the highest bit: 0 without any, else k + 1.
        latest = np.frexp(own.astype(float))[1]
        there = latest > 0
        order = np.where(there, latest, 65).argsort(-1, kind="stable")
        samples = np.take_along_axis(np.where(there, ring, np.uint64(0)), order, -1)
        return cls(nodes, blocks, types, samples, there.sum(-1, dtype=np.uint8))


def numbers(values: FunctionValues) -> np.ndarray:
    """The samples as numbers: (runs, values, SAMPLES) float64.

    Integers are signed, those of one bit are not; pointers are not. A NaN is 0.
    """
    samples, types = values.samples, values.types[:, None]
    widths = np.clip(types, 2, 64).astype(np.uint64)
    shift = np.uint64(64) - widths
    signed = (samples << shift).view(np.int64) >> shift.view(np.int64)
    found = np.where((types == 1) | (types == POINTER), samples.astype(float), signed)
    with np.errstate(invalid="ignore", over="ignore"):
        single = samples.astype(np.uint32).view(np.float32).astype(float)
        found = np.where(types == FLOAT, single, found)
        found = np.where(types == DOUBLE, samples.view(float), found)
    return np.where(np.isnan(found), 0.0, found)


def encode(values: FunctionValues, how: str) -> np.ndarray:
    """The samples as a model reads them.

    Args:
        values: Of a function; entries beyond ``sampled`` are encoded as 0 is.
        how: ``"binary"``: the bits, lowest first, (runs, values, SAMPLES, 64) float32.
            ``"scalar"``: sign and logarithm, from −1 to 1, (runs, values, SAMPLES) float32.
            ``"categorical"``: one of 256 buckets by a hash, (runs, values, SAMPLES) uint8.
    """
    if how == "binary":
        octets = np.ascontiguousarray(values.samples, "<u8")[..., None].view(np.uint8)
        return np.unpackbits(octets, axis=-1, bitorder="little").astype(np.float32)
    if how == "scalar":
        found = numbers(values)
        scale = np.where(values.types > POINTER, _FLOAT_LOG, 64.0)[:, None]
        logs = np.log2(1.0 + np.abs(np.clip(found, -1e308, 1e308))) / scale
        signed: np.ndarray = np.sign(found) * logs
        return signed.astype(np.float32)
    if how == "categorical":
        spread = values.samples * np.uint64(0x9E37_79B9_7F4A_7C15)
        buckets: np.ndarray = spread >> np.uint64(56)
        return buckets.astype(np.uint8)
    raise ValueError(
        f"unknown representation {how!r} of values; expected one of {list(REPRESENTATIONS)}"
    )


def on_nodes(values: FunctionValues, nodes: int, how: str = "binary") -> np.ndarray:
    """Features of the nodes of a function's graph: the mean over a value's samples.

    Args:
        values: Of the function.
        nodes: How many nodes its graph has (``FunctionView.nodes.shape[1]``).
        how: See ``encode``; of categories it is the share of samples in each.

    Returns:
        (nodes, size of the representation + 1) float32. The last column is 1 where the node
        is a value that was sampled; the others are 0.
    """
    encoded = encode(values, how)
    size = REPRESENTATIONS[how]
    if how == "categorical":
        encoded = np.eye(size, dtype=np.float32)[encoded]
    encoded = encoded.reshape(*values.samples.shape, size)
    there = (np.arange(SAMPLES) < values.sampled[..., None])[..., None]  # (runs, values, 4, 1)
    count = there.sum((0, 2))  # (values, 1)
    out = np.zeros((nodes, size + 1), np.float32)
    out[values.nodes, :size] = (encoded * there).sum((0, 2)) / np.maximum(count, 1)
    out[values.nodes, size] = count[:, 0] > 0
    return out


_KINDS = ("integers", "pointers", "floats")
_TRAITS = ("constant", "zero", "small", "negative")
VALUE_NAMES = (
    *(f"share of values that are {kind}" for kind in _KINDS),
    *(f"share of {kind} that are {trait}" for kind in _KINDS for trait in _TRAITS),
    *(f"mean of bit {bit} of {kind}" for kind in _KINDS for bit in range(64)),
)
"""The entries of ``summary``. Values are weighted by the cost of their block.

Constant: at least two samples, all equal. Small: less than 256 away from 0.
"""
VALUES_SIZE = len(VALUE_NAMES)


def summary(functions: Iterable[tuple[FunctionValues, np.ndarray]]) -> np.ndarray:
    """``VALUE_NAMES`` in numbers, over all functions and runs.

    Args:
        functions: The values of each, and what each run of each of its blocks cost:
            (runs, blocks).

    Returns:
        (VALUES_SIZE,) float32, each from 0 to 1; 0 without samples.
    """
    total = np.zeros(len(_KINDS))
    traits = np.zeros((len(_KINDS), len(_TRAITS)))
    bits = np.zeros((len(_KINDS), 64))
    for values, costs in functions:
        weight = np.where(values.sampled > 0, costs[:, values.blocks], 0.0)  # (runs, values)
        kinds = np.searchsorted([POINTER, FLOAT], values.types, "right")
        found, seen = _traits(values), _mean_bits(values)
        for kind in range(len(_KINDS)):
            own = weight * (kinds == kind)
            total[kind] += own.sum()
            traits[kind] += np.einsum("rv,rvt->t", own, found)
            bits[kind] += np.einsum("rv,rvb->b", own, seen)
    each = np.maximum(total, 1e-9)[:, None]
    parts = (total / max(total.sum(), 1e-9), traits / each, bits / each)
    return np.concatenate([part.ravel() for part in parts]).astype(np.float32).clip(0.0, 1.0)


def _there(values: FunctionValues) -> np.ndarray:
    return np.arange(SAMPLES) < values.sampled[..., None]  # (runs, values, SAMPLES)


def _traits(values: FunctionValues) -> np.ndarray:
    """Share of a value's samples with each of ``_TRAITS``: (runs, values, 4)."""
    found, there = numbers(values), _there(values)
    same = ((values.samples == values.samples[..., :1]) | ~there).all(-1) & (values.sampled > 1)
    count = np.maximum(values.sampled, 1)
    shares = [(t & there).sum(-1) / count for t in (found == 0, abs(found) < 256, found < 0)]
    return np.stack([same, *shares], -1)


def _mean_bits(values: FunctionValues) -> np.ndarray:
    """(runs, values, 64)."""
    bits = encode(values, "binary") * _there(values)[..., None]
    mean: np.ndarray = bits.sum(2) / np.maximum(values.sampled, 1)[..., None]
    return mean
