"""Programs that were run with snapshots of their values, as rows of features.

A program's vector by an ``ExecutionNet`` is the mean over its functions, weighted by how many
snapshots each has, which is how often its blocks ran; a function's is the mean over up to four
of its snapshots, evenly spread. What any of it is worth is told by the controls: the same network
without values or without training, tiny with the same weights, and the values without code.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mirgym.encoder.embedder import Embedder
from mirgym.features import FUNCTION_FEATURES
from mirgym.programs import Program
from mirgym.programs.program import Run
from mirgym.session import Session
from mirgym.tasks.algorithms import Implementation
from mirgym.traces import Trace
from mirgym.values import SAMPLES, FunctionValues, summary
from mirgym.views import FunctionView, ModuleView
from mirgym.wire import Wanted

from .execution_net import ExecutionNet

_VIEWS = Wanted.of(views=("functions", "function_features"), key=False)
_COUNTERS = np.r_[FUNCTION_FEATURES["instcount"], FUNCTION_FEATURES["autophase"]]

COUNTS, TINY, HOT_TINY, VALUES = "raw counts", "tiny", "tiny, as it runs", "values' statistics"


class Part(NamedTuple):
    """One function and what it held: V values in up to ``SAMPLES`` snapshots.

    Attributes:
        view: Its graph.
        share: Of all snapshots; of the instructions where there are none at all.
        nodes, blocks, types: As ``Trace.slot_nodes`` and so on: (V,).
        rows: (S, V) uint64; one row of zeros without a snapshot.
        sampled: How many of the rows are snapshots.
    """

    view: FunctionView
    share: float
    nodes: np.ndarray
    blocks: np.ndarray
    types: np.ndarray
    rows: np.ndarray
    sampled: int


class Seen(NamedTuple):
    """A program that was run.

    Attributes:
        module: Its code.
        features: (238,) int64, summed over its functions; see ``mirgym.features``.
        parts: Its functions.
    """

    module: ModuleView
    features: np.ndarray
    parts: list[Part]

    @classmethod
    def of(cls, session: Session, trace: Trace) -> Seen:
        """Of the module that the session holds and that the trace is of."""
        views = session.observe(_VIEWS).views
        module, features = views["functions"], views["function_features"]
        assert isinstance(module, ModuleView)
        assert isinstance(features, np.ndarray)
        return cls(module, features.sum(0), _parts(module, trace))


def _parts(module: ModuleView, trace: Trace) -> list[Part]:
    # Functions whose code is the C library's are in the module, and not traced.
    numbers = [trace.functions.index(n) if n in trace.functions else -1 for n in module.names]
    taken_in = trace.snapshot_functions.astype(int)
    snapshots = [np.flatnonzero(taken_in == number) for number in numbers]
    counts = np.array([len(own) for own in snapshots], float)
    if not counts.any():
        counts += module.instructions
    shares = (counts / counts.sum()).tolist()
    found = []
    for view, number, own, share in zip(module.functions, numbers, snapshots, shares, strict=True):
        assert view is not None
        slots = trace.slots_of(number) if number >= 0 else slice(0, 0)
        places = np.unique(np.linspace(0, len(own) - 1, SAMPLES).astype(int))
        rows = [trace.values_of(snapshot) for snapshot in own[places[: len(own)]].tolist()]
        given = rows or [np.zeros(slots.stop - slots.start, np.uint64)]
        of_slots = (trace.slot_nodes[slots], trace.slot_blocks[slots], trace.slot_types[slots])
        found.append(Part(view, share, *of_slots, np.stack(given), len(rows)))
    return found


def fused(seen: Seen, net: ExecutionNet) -> np.ndarray:
    """(2 · width,) float32."""
    total = np.zeros(2 * net.config.width, np.float32)
    for part in seen.parts:
        if part.share:
            rows = part.rows if net.config.values != "none" else part.rows[:1]
            each = net.embed_each(part.view, part.nodes, part.types, rows)
            total += part.share * each.mean(0)
    return total


def value_statistics(seen: Seen) -> np.ndarray:
    """Traits and mean bits of integers, pointers and floats: ``mirgym.values.VALUE_NAMES``."""

    def of(part: Part) -> tuple[FunctionValues, np.ndarray]:
        samples = np.zeros((1, len(part.nodes), SAMPLES), np.uint64)
        samples[0, :, : len(part.rows)] = part.rows.T
        sampled = np.full((1, len(part.nodes)), part.sampled, np.uint8)
        blocks = int(part.blocks.max(initial=0)) + 1
        values = FunctionValues(part.nodes, part.blocks, part.types, samples, sampled)
        return values, np.full((1, blocks), part.share)

    return summary(map(of, seen.parts))


def columns(
    seen: Seen, nets: Mapping[str, ExecutionNet], embedder: Embedder
) -> dict[str, np.ndarray]:
    """Every feature set of a program, by name."""
    shares = np.array([part.share for part in seen.parts], np.float32)
    each = embedder.functions([part.view for part in seen.parts])  # (functions, D)
    return {
        COUNTS: seen.features[_COUNTERS].astype(np.float32),
        TINY: embedder.module(seen.module),
        HOT_TINY: shares @ each,
        VALUES: value_statistics(seen),
        **{name: fused(seen, net) for name, net in nets.items()},
    }


def stacked(rows: Sequence[Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Feature sets of several programs: (programs, d) each."""
    return {name: np.stack([row[name] for row in rows]) for name in (rows[0] if rows else ())}


def as_program(one: Implementation, folder: Path) -> Program:
    """A generated program, with its source and what it reads and prints in a folder."""
    paths = [folder / f"{one.name}{suffix}" for suffix in (".c", ".in", ".out")]
    for path, text in zip(paths, (one.source, one.stdin, one.stdout), strict=True):
        path.write_text(text, encoding="utf-8")
    source, stdin, stdout = paths
    run = Run(stdin=stdin, stdout=stdout)
    return Program(f"generated://algorithms/{one.name}", (source,), runs=(run,))
