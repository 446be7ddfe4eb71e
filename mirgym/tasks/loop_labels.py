"""Measured loops: what each choice of vectorizing and unrolling a loop costs its program.

The labels come with mirgym. ``python -m experiments.loops --labels FILE`` measures them again, in
hours: every choice for one loop at a time, all other loops left to LLVM. The file is gzip of JSON
lines, one a loop, with the fields of ``LoopLabel``.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterable, Sequence
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..envs.config import LoopsConfig
from ..envs.loop_observations import FACTS
from ..errors import DatasetError
from ..programs.cache import write_atomically

LABELS = Path(__file__).parents[1] / "data" / "loop_costs.jsonl.gz"

Choice = tuple[int, int, int]

CHOICES: tuple[Choice, ...] = tuple(
    product(LoopsConfig.widths, LoopsConfig.interleaves, LoopsConfig.unrolls)
)
"""Width, interleave and unroll count; the first leaves all to LLVM."""


class LoopLabel(NamedTuple):
    """One loop."""

    program: str
    """Its URI."""
    split: str
    """``train`` or ``test``; generated kernels by family."""
    family: str
    """Of a generated kernel; the domain of another program."""
    loop: int
    """Its number before the vectorizer."""
    facts: list[float]
    """What ``mir-llvm-loops-v0`` shows as ``facts``."""
    own: list[float]
    """What it shows as ``own``: LLVM's own choice."""
    costs: list[int | None]
    """By choice; None where LLVM or the program failed."""

    @property
    def group(self) -> str:
        """What must not be on both sides of a split: family of a kernel, or program."""
        return self.family if self.program.startswith("loops://") else self.program


def gains(costs: Sequence[int | None]) -> np.ndarray:
    """``ln(LLVM's cost ÷ cost)`` of each choice; a failure is left to LLVM, so 0."""
    own = costs[0]
    assert own is not None
    return np.log([own / max(cost or own, 1) for cost in costs])


def write_labels(path: Path, labels: Iterable[LoopLabel]) -> None:
    """Write a file; equal labels give equal bytes."""
    lines = "".join(json.dumps(label._asdict()) + "\n" for label in labels)
    write_atomically(path, gzip.compress(lines.encode(), mtime=0))


def read_labels(path: Path = LABELS) -> list[LoopLabel]:
    """The loops of a file.

    Raises:
        DatasetError: There is no such file, or it is not of measured loops.
    """
    try:
        lines = gzip.decompress(path.read_bytes()).decode().splitlines()
        labels = [LoopLabel(**json.loads(line)) for line in lines]
    except (OSError, EOFError, zlib.error, ValueError, TypeError) as error:
        raise DatasetError(
            f"{path} holds no measured loops ({type(error).__name__}); install mirgym again, or "
            f"measure them: python -m experiments.loops --labels {path}"
        ) from error
    for label in labels:
        sizes = len(label.facts), len(label.costs)
        if sizes != (len(FACTS) + 1, len(CHOICES)) or label.costs[0] is None:
            raise DatasetError(
                f"{path}: loop {label.loop} of {label.program} has {sizes[0]} facts and "
                f"{sizes[1]} costs; expected {len(FACTS) + 1} and {len(CHOICES)}, of which the "
                f"first is LLVM's; measure again: python -m experiments.loops --labels {path}"
            )
    return labels
