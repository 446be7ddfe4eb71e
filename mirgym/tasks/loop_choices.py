"""What each choice would make of a loop: the numbers by which a policy compares choices.

A policy with an output for each choice has to learn about each from the loops where it paid. One
that sees what a choice does to a loop, such as how much of its iterations a vector body leaves
over, can tell from other choices and loops.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..envs.loop_observations import FACTS, OwnChoice
from .loop_labels import CHOICES

_REGISTER_BITS = 128
"""Of a vector register of the target, x86-64 without extensions."""

_WIDTHS, _INTERLEAVES, _UNROLLS = np.array(CHOICES, float).T


def choice_features(shown: Sequence[float], shown_own: Sequence[float]) -> np.ndarray:
    """What each choice does to a loop, shape (choices, features).

    Args:
        shown: ``facts`` as ``mir-llvm-loops-v0`` shows them.
        shown_own: The same of ``own``.
    """
    facts = dict(zip(FACTS, np.rint(np.expm1(shown[: len(FACTS)])), strict=True))
    own = OwnChoice(*np.expm1(shown_own))
    able = bool(facts["vectorizable"])
    lanes = _given(_WIDTHS, own.width) if able else np.ones(len(CHOICES))
    bodies = _given(_INTERLEAVES, own.copies if own.width > 1 else 1.0)
    bodies = bodies if able else np.ones(len(CHOICES))
    copies = _given(_UNROLLS, own.copies if own.width <= 1 else 1.0)
    registers = np.maximum(lanes * max(facts["widest_bits"], 8) / _REGISTER_BITS, 1)
    forced = (_WIDTHS > 1) | ((_WIDTHS == 0) & (_INTERLEAVES > 1))
    logarithms = (
        lanes, bodies, copies, lanes * bodies, lanes * bodies * copies, lanes / own.width,
        registers, registers * bodies, registers * bodies * copies,
    )  # fmt: skip
    columns = [
        _WIDTHS == 0, _WIDTHS == 1, _INTERLEAVES == 0, _UNROLLS == 0, forced & (own.width <= 1),
        *(np.log2(number) for number in logarithms),
        *_iterations(facts["trip_count"], lanes * bodies, copies),
    ]  # fmt: skip
    return np.stack([np.asarray(column, np.float32) for column in columns], axis=1)


def _given(numbers: np.ndarray, own: float) -> np.ndarray:
    """The numbers of the choices; where they leave it to LLVM, its own."""
    return np.where(numbers == 0, max(own, 1.0), numbers)


def _iterations(trip_count: float, step: np.ndarray, copies: np.ndarray) -> Sequence[np.ndarray]:
    """How the iterations divide into bodies of ``step`` elements; zeros if unknown."""
    if trip_count <= 0:
        return [np.zeros(len(CHOICES))] * 9
    times = trip_count // step
    return (
        np.ones(len(CHOICES)),
        trip_count % step / trip_count,
        times % copies * step / trip_count,
        np.minimum(step / trip_count, 2),
        np.minimum(step * copies / trip_count, 2),
        step > trip_count,
        (times == 1) | (times == copies),
        trip_count % step == 0,
        np.log1p(times) / 8,
    )
