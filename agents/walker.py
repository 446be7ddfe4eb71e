"""One worker that can be brought to any state of a search tree.

That beats forking a worker per candidate (2 ms against 40 ms on a program of 2,000
instructions), because the sizes of functions that were emitted for one candidate are
remembered for all the others.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from ..dynamic_cost import take_step
from ..errors import SessionError
from ..passes import Pass
from ..programs import Program
from ..session import Closing
from ..wire import State, Wanted
from ..worker import WorkerLimits, WorkerSession

_SNAPSHOT_BYTES = 256 << 20
"""Snapshots kept at once; older ones are made again by replay."""


@dataclass(eq=False)
class Node:
    """One state of the module. ``step`` leads here from ``parent``; both None at the root."""

    key: int
    cost: int
    state: int
    """The way here, as ``agents.transitions`` knows it."""
    parent: Node | None = None
    step: Pass | None = None
    depth: int = 0

    @property
    def path(self) -> tuple[Pass, ...]:
        """The passes that lead here from the program."""
        steps: list[Pass] = []
        node = self
        while node.parent is not None and node.step is not None:
            steps.append(node.step)
            node = node.parent
        return tuple(reversed(steps))


class Walker(Closing):
    """Goes to nodes by snapshots and replay.

    Args:
        module: The program's bitcode or IR.
        level: Whose size attributes the functions get.
        limits: Of the worker.
        growth_limit: See ``Session.load``.
        wanted: Metrics of the states it reports.
        program: Says how to run it, for steps that do.
    """

    def __init__(
        self,
        module: bytes,
        level: str,
        limits: WorkerLimits,
        growth_limit: float,
        wanted: Wanted,
        program: Program | None = None,
    ) -> None:
        self.at: Node | None = None
        """Where the worker is; None when that is not sure. Whoever steps says so."""
        self.session = WorkerSession(limits)
        self._module = module
        self._level = level
        self._growth_limit = growth_limit
        self._wanted = wanted
        self._program = program
        self._snapshots: OrderedDict[int, bytes] = OrderedDict()
        self._snapshot_bytes = 0

    def load(self) -> State:
        """Start over with the program."""
        return self.session.load(
            self._module,
            level=self._level,
            wanted=self._wanted,
            growth_limit=self._growth_limit,
        )

    def step(self, step: Pass) -> State:
        """Run a step where the worker is."""
        self.at = None  # unknown, should this raise
        return take_step(self.session, step, self._program, self._wanted)

    def go_to(self, node: Node) -> None:
        """Bring the worker to ``node``: from the nearest snapshot, by replay.

        Raises:
            SessionError: The replay fails, or gives another module.
        """
        if self.at is not node:
            self._replay(node)
        self._keep_snapshot(node)

    def _replay(self, node: Node) -> None:
        if self.session.pid is None:
            self.load()  # a new worker; the growth limit comes with a load
        goal = node
        steps: list[Node] = []
        while node.parent is not None and node.key not in self._snapshots:
            steps.append(node)
            node = node.parent
        if node.parent is None:
            self.load()
        else:
            self._snapshots.move_to_end(node.key)
            self.session.restore(self._snapshots[node.key])
        for node in reversed(steps):
            assert node.step is not None
            if self.step(node.step).key != node.key:
                raise SessionError(f"'{node.step.name}' gave another module when run again")
        self.at = goal

    def _keep_snapshot(self, node: Node) -> None:
        if node.parent is None or node.key in self._snapshots:
            return
        snapshot = self.session.snapshot()
        self._snapshots[node.key] = snapshot
        self._snapshot_bytes += len(snapshot)
        while self._snapshot_bytes > _SNAPSHOT_BYTES and len(self._snapshots) > 1:
            _, dropped = self._snapshots.popitem(last=False)
            self._snapshot_bytes -= len(dropped)

    def close(self) -> None:
        """End the worker; may be called again."""
        self.session.close()
