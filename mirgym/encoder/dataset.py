"""The corpus in memory, and batches of it for pre-training. Needs the shards only."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..corpus.schema import split_of
from ..errors import MirgymError
from ..views import FunctionView

LONGEST = 512
"""Instructions of a function in training; 97 % are whole, the rest a random stretch."""


class Ragged(NamedTuple):
    """Rows of different lengths in one array: row i is ``values[starts[i]:starts[i + 1]]``."""

    values: np.ndarray
    starts: np.ndarray

    def __getitem__(self, row: int) -> np.ndarray:  # type: ignore[override]
        return self.values[self.starts[row] : self.starts[row + 1]]


class Example(NamedTuple):
    """One function in one state, with its labels."""

    view: FunctionView
    origin: int
    effects: np.ndarray  # (P,) int16
    changed: np.ndarray  # (P,) uint8
    oz_instructions: int


class Dataset:
    """The rows of one split.

    Args:
        folder: Where the ``shard-*.parquet`` are.
        split: ``train``, ``valid`` or ``test``.

    Raises:
        MirgymError: No shards there.
    """

    def __init__(self, folder: Path, split: str) -> None:
        import pyarrow as pa
        import pyarrow.compute as pc
        import pyarrow.parquet as pq

        paths = sorted(Path(folder).glob("shard-*.parquet"))
        if not paths:
            raise MirgymError(
                f"{folder} holds no shard-*.parquet; make them with `mirgym corpus build`"
            )
        parts = []
        for path in paths:
            table = pq.read_table(path)
            packages = pc.unique(table["package"]).to_pylist()
            chosen = pa.array([p for p in packages if split_of(p) == split], pa.string())
            parts.append(table.filter(pc.is_in(table["package"], chosen)))
        table = pa.concat_tables(parts)
        self.effect_passes: list[str] = json.loads(table.schema.metadata[b"effect_passes"])
        self.packages = np.array(table["package"].to_pylist(), dtype=object)
        self.modules: list[str] = table["module"].to_pylist()
        self.names: list[str] = table["function"].to_pylist()
        self.states = table["state"].to_numpy()
        self.keys = table["key"].to_numpy()
        # Origins are unique within a package: make them so everywhere.
        _, package_numbers = np.unique(self.packages.astype(str), return_inverse=True)
        self.origins = table["origin"].to_numpy().astype(np.int64) + (package_numbers << 32)
        self.oz_instructions = table["oz_instructions"].to_numpy()
        self._tokens = [_ragged(table[f"t{i}"]) for i in range(8)]
        self._nodes = [_ragged(table[f"n{i}"]) for i in range(2)]
        self._edges = _edges(table)
        self._edge_kinds = _ragged(table["e_kind"])
        self.effects = _ragged(table["effects"]).values.reshape(len(self), -1)
        self.changed = _ragged(table["changed"]).values.reshape(len(self), -1)
        self.sizes = np.diff(self._tokens[0].starts)

    def __len__(self) -> int:
        return len(self.names)

    def view(self, row: int) -> FunctionView:
        """The function of a row, whole."""
        return FunctionView(
            int(self.keys[row]),
            np.stack([part[row] for part in self._tokens]),
            np.stack([part[row] for part in self._nodes]),
            np.stack([part[row] for part in self._edges]),
            self._edge_kinds[row],
        )

    def example(self, row: int, generator: np.random.Generator) -> Example:
        """A row for training; a stretch of a long function has unknown effects."""
        view, effects, oz = self.view(row), self.effects[row], int(self.oz_instructions[row])
        if self.sizes[row] > LONGEST:
            view = crop(view, int(generator.integers(self.sizes[row] - LONGEST)), LONGEST)
            effects, oz = np.full_like(effects, np.iinfo(np.int16).min), -1
        return Example(view, int(self.origins[row]), effects, self.changed[row], oz)

    def groups(self) -> list[np.ndarray]:
        """Rows of each origin."""
        order = np.argsort(self.origins, kind="stable")
        cuts = np.flatnonzero(np.diff(self.origins[order])) + 1
        return np.split(order, cuts)

    def batches(self, instructions: int, seed: int) -> Iterator[list[Example]]:
        """One epoch in random order; the states of one function come in one batch."""
        generator = np.random.default_rng(seed)
        groups = self.groups()
        batch: list[Example] = []
        size = 0
        for index in generator.permutation(len(groups)):
            for row in groups[index]:
                batch.append(self.example(int(row), generator))
                size += batch[-1].view.tokens.shape[1]
            if size >= instructions:
                yield batch
                batch, size = [], 0
        if len(batch) > 1:
            yield batch


def crop(view: FunctionView, first: int, length: int) -> FunctionView:
    """The instructions ``[first, first + length)`` with the values that they touch."""
    count = view.tokens.shape[1]
    inside = np.zeros(view.nodes.shape[1], bool)
    inside[first : first + length] = True
    instruction = np.arange(len(inside)) < count
    source, destination = view.edges
    # A value stays when an instruction that stays touches it.
    touched = inside.copy()
    touched[source[inside[destination]]] = True
    touched[destination[inside[source]]] = True
    keep = inside | (touched & ~instruction)
    place = np.cumsum(keep) - 1
    edges = keep[source] & keep[destination]
    return FunctionView(
        0,
        view.tokens[:, first : first + length],
        view.nodes[:, keep],
        place[view.edges[:, edges]].astype(np.int32),
        view.edge_kinds[edges],
    )


def _edges(table: Any) -> list[Ragged]:
    """Sources and destinations from their differences; see ``corpus.schema``."""
    return [_summed(_ragged(table["e_src"])), _summed(_ragged(table["e_dst"]))]


def _summed(steps: Ragged) -> Ragged:
    """The running sum within each row."""
    running = np.cumsum(steps.values, dtype=np.int64)
    before = np.r_[0, running][steps.starts[:-1]]
    values = running - np.repeat(before, np.diff(steps.starts))
    return Ragged(values.astype(np.int32), steps.starts)


def _ragged(column: Any) -> Ragged:
    chunks = column.chunks
    values = np.concatenate([chunk.flatten().to_numpy() for chunk in chunks])
    lengths = np.concatenate([np.diff(chunk.offsets.to_numpy()) for chunk in chunks])
    return Ragged(values, np.r_[0, np.cumsum(lengths, dtype=np.int64)])
