"""Samples for models of execution: what a block's values are when it begins, and what follows.

A program's trace has snapshots (``mirgym.traces``). Each becomes a sample of its block: the
values near the block's conditional branch and loads in the function's graph, and as targets
the next outcome of that branch and the next address of each of those loads. Which event is
meant is kept, so that a predictor that runs over the whole trace is scored on the same ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mirgym.dynamic_cost import CostMeter
from mirgym.programs import Program
from mirgym.session import Session
from mirgym.traces import SiteKind, Trace
from mirgym.views import FunctionView, ModuleView
from mirgym.wire import Wanted

from .execution_graph import CONDITIONAL, FunctionGraph


@dataclass(frozen=True)
class DataConfig:
    """What is recorded of each program."""

    events: int = 200_000
    """Length of the trace; it begins after a tenth of the run."""
    snapshots: int = 3000
    """Spread over the trace."""
    train_share: float = 0.7
    """Of the events; the rest are for the test."""
    nodes: int = 32
    """At most so many are near a block."""
    loads: int = 8
    """Of a block, at most, its first ones."""


class BlockSamples(NamedTuple):
    """All samples of one block: S of them, of a graph with N nodes.

    Attributes:
        program: Its name.
        function: Its name.
        block: Its number in the function.
        graph: What is near the block's branch and loads.
        branch: Node of the conditional branch; −1: none.
        loads: Nodes of the loads: (L,) int64.
        bases: See ``FunctionGraph.bases``: (L, 2) int64.
        values: Of each node; 0 without a value: (S, N) uint64.
        outcomes: Whether the branch's condition held, next time: (S,) bool.
        branch_events: Which event of the trace tells that; −1: none. (S,) int64.
        addresses: That the loads read next: (S, L) uint64.
        load_events: Which events tell that; −1: none. (S, L) int64.
        taken_at: The event that came after the snapshot: (S,) int64.
        hints: What another predictor says of the branch, 1 or −1; 0: nothing. (S,) float32.
    """

    program: str
    function: str
    block: int
    graph: FunctionGraph
    branch: int
    loads: np.ndarray
    bases: np.ndarray
    values: np.ndarray
    outcomes: np.ndarray
    branch_events: np.ndarray
    addresses: np.ndarray
    load_events: np.ndarray
    taken_at: np.ndarray
    hints: np.ndarray

    def some(self, chosen: np.ndarray) -> BlockSamples:
        """The samples with these numbers."""
        names = self._fields[self._fields.index("values") :]
        return self._replace(**{name: getattr(self, name)[chosen] for name in names})


@dataclass(frozen=True)
class Recording:
    """A program's events with snapshots, and its functions."""

    program: str
    trace: Trace
    views: tuple[FunctionView, ...]

    def conditional(self) -> np.ndarray:
        """Which sites are branches with a condition: (sites,) bool."""
        trace = self.trace
        places = zip(trace.site_functions.tolist(), trace.site_instructions.tolist(), strict=True)
        opcodes = np.array([self.views[f].nodes[0, i] for f, i in places], dtype=int)
        found: np.ndarray = (opcodes == CONDITIONAL) & (trace.site_kinds == SiteKind.BRANCH)
        return found

    def branches(self) -> np.ndarray:
        """Numbers of the events of conditional branches."""
        return np.flatnonzero(self.conditional()[self.trace.sites])

    def loads(self) -> np.ndarray:
        """Numbers of the events of loads."""
        return np.flatnonzero(self.trace.kinds == SiteKind.LOAD)

    def samples(self, config: DataConfig) -> list[BlockSamples]:
        """Of each block with snapshots."""
        trace = self.trace
        next_of = _next_events(trace)
        conditional = self.conditional()
        found = []
        for site in np.unique(trace.snapshot_sites).tolist():
            function = int(trace.site_functions[site])
            own = trace.slots_of(function)
            nodes, types = trace.slot_nodes[own], trace.slot_types[own]
            graph = FunctionGraph.of(self.views[function], nodes, types)
            sites = np.flatnonzero(trace.site_functions == function)
            blocks = graph.blocks[trace.site_instructions[sites]]
            sites = sites[blocks == graph.blocks[trace.site_instructions[site]]]
            branch = sites[conditional[sites]]
            loads = sites[trace.site_kinds[sites] == SiteKind.LOAD][: config.loads]
            if len(branch) or len(loads):
                found.append(self._of_block(graph, site, branch, loads, next_of, config.nodes))
        return found

    def _of_block(
        self,
        graph: FunctionGraph,
        site: int,
        branch: np.ndarray,
        loads: np.ndarray,
        next_of: Callable[[int, np.ndarray], np.ndarray],
        size: int,
    ) -> BlockSamples:
        """Of the block whose first site is ``site``; ``branch`` and ``loads`` are sites, too."""
        trace = self.trace
        snapshots = np.flatnonzero(trace.snapshot_sites == site)
        taken_at = trace.snapshot_events[snapshots].astype(np.int64) - trace.skipped
        targets = trace.site_instructions[np.concatenate([branch, loads])].astype(np.int64)
        kept = graph.near(targets, size)
        part = graph.part(kept)
        nodes = np.searchsorted(kept, targets)
        rows = np.stack([trace.values_of(int(snapshot)) for snapshot in snapshots])
        of_nodes = np.pad(rows, ((0, 0), (0, 1)))[:, part.slots]  # the last one: no value
        nothing = np.full(len(snapshots), -1)
        of_branch = next_of(int(branch[0]), taken_at) if len(branch) else nothing
        of_loads = np.stack([nothing, *(next_of(int(load), taken_at) for load in loads)], 1)[:, 1:]
        load_nodes = nodes[len(branch) :]
        bases = [part.bases(int(load)) for load in load_nodes]
        return BlockSamples(
            program=self.program,
            function=trace.functions[trace.site_functions[site]],
            block=int(graph.blocks[targets[0]]),
            graph=part,
            branch=int(nodes[0]) if len(branch) else -1,
            loads=load_nodes,
            bases=np.array(bases, np.int64).reshape(-1, 2),
            values=of_nodes,
            outcomes=trace.payloads[of_branch] == 0,
            branch_events=of_branch,
            addresses=trace.payloads[of_loads],
            load_events=of_loads,
            taken_at=taken_at,
            hints=np.zeros(len(snapshots), np.float32),
        )


def _next_events(trace: Trace) -> Callable[[int, np.ndarray], np.ndarray]:
    """Of a site, the numbers of its first events from these on; −1: none is kept."""
    order = np.argsort(trace.sites, kind="stable")
    starts = np.searchsorted(trace.sites[order], np.arange(len(trace.site_kinds) + 1))

    def next_of(site: int, taken_at: np.ndarray) -> np.ndarray:
        own = order[starts[site] : starts[site + 1]]
        found: np.ndarray = np.append(own, -1)[np.searchsorted(own, taken_at)]
        return found

    return next_of


def record(session: Session, program: Program, config: DataConfig, path: Path) -> Recording:
    """The program at O2, traced; the trace is kept at ``path`` and read when it is there.

    The distance between snapshots is a prime number of blocks, so that those of a loop's body
    take turns. A first trace tells how many blocks the events have.

    Raises:
        NotRunnableError: It cannot be run, or does not do what it must.
    """
    session.load(program.bitcode(), level="O2")
    session.step("default<O2>")
    view = session.observe(Wanted.of(views=("functions",))).views["functions"]
    assert isinstance(view, ModuleView)
    views = tuple(function for function in view.functions if function is not None)
    if path.exists():
        return Recording(program.name, Trace.load(path), views)
    trace = traced(CostMeter(program), session, config)
    trace.save(path)
    return Recording(program.name, trace, views)


def traced(meter: CostMeter, session: Session, config: DataConfig) -> Trace:
    """The session's module, run and traced; see ``record``."""
    skip = meter.trace(session, limit=0).total // 10
    wanted, every = config.snapshots, _prime(max(config.events // config.snapshots, 1))
    for _ in range(2):
        trace = meter.trace(session, limit=config.events, skip=skip, snapshots=wanted, every=every)
        every = _prime(max(every * len(trace.snapshot_events) // wanted, 1))
    return trace


def _prime(least: int) -> int:
    """The first prime number from here on; 1 stays.

    >>> [_prime(n) for n in (1, 2, 8, 90)]
    [1, 2, 11, 97]
    """
    while any(least % d == 0 for d in range(2, int(least**0.5) + 1)):
        least += 1
    return least


def split(
    samples: Sequence[BlockSamples], end: int
) -> tuple[list[BlockSamples], list[BlockSamples]]:
    """Samples whose targets all come before an event, and those taken from it on."""
    train, test = [], []
    for one in samples:
        last = np.maximum(one.branch_events, one.load_events.max(1, initial=-1))
        train.append(one.some(np.flatnonzero((last >= 0) & (last < end))))
        test.append(one.some(np.flatnonzero((last >= 0) & (one.taken_at >= end))))
    return [one for one in train if len(one.values)], [one for one in test if len(one.values)]
