"""The tree of states that pass sequences reach: every compile is done, and counted, once.

A node is a state of the module, known by its structural hash. The first way to a state is
its way for good: a later sequence that arrives at the same hash is taken to the node that
is there already, so a node's path replays exactly and two orders of the same two passes
cost nothing the second time. ``(node, pass)`` is looked up before it is compiled.

One worker serves the whole tree and moves about by snapshots. That beats forking a worker
per candidate (2 ms against 40 ms on a program of 2,000 instructions), because the sizes of
functions that were emitted for one candidate are remembered for all the others.
"""

from __future__ import annotations

import contextlib
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from ..errors import CodegenError, SessionError, VerifyError
from ..objective import OBJECTIVES, check_level, check_metric, cost_of, run_meter
from ..passes import Pass, catalogue
from ..programs import Program
from ..session import DEFAULT_GROWTH_LIMIT, Closing
from ..wire import State, Wanted
from ..worker import WorkerLimits, WorkerSession

CANDIDATE_ERRORS = (SessionError, CodegenError, VerifyError)
"""What a candidate may raise at the cost of that candidate only."""

_SNAPSHOT_BYTES = 256 << 20
"""Snapshots kept at once; older ones are made again by replay."""


@dataclass(frozen=True)
class SearchConfig:
    """What a search looks for, and how long."""

    objective: str = "text_size_bytes"
    """``text_size_bytes`` (bytes of machine code), ``ir_instructions``, ``dynamic_cost`` (weighted
    instructions that the program's first run executes) or ``runtime_ns`` (wall time of its last
    run). The last two run the program; what cannot run has no cost, and is an error."""
    baseline: str = "Oz"
    """``O0 O1 O2 O3 Os Oz``. Functions get this level's size attributes, so that search and
    baseline compete on the same footing."""
    budget: int = 500
    """Compiles: one pipeline applied to one module, text size included, is one."""
    seed: int = 0
    """Same seed, same program, same result."""
    from_baseline: bool = True
    """Whether the baseline's own pipeline is the first candidate, so that no result is worse.
    Without it a search starts from unoptimised code only, as an agent does."""
    candidates: tuple[Pass, ...] | None = None
    """Passes to choose from; None for the core catalogue."""
    limits: WorkerLimits = field(default_factory=WorkerLimits)
    """Time and memory of the worker; a candidate that needs more is a failure."""
    growth_limit: float = DEFAULT_GROWTH_LIMIT
    """A candidate that grows the module past this many times its first size is a failure."""

    def __post_init__(self) -> None:
        check_metric(self.objective)
        check_level(self.baseline)
        if self.budget < 1:
            raise ValueError(f"the budget is {self.budget} compiles; expected 1 or more")
        if self.candidates is not None and not self.candidates:
            raise ValueError("no candidate passes; give at least one, or None for the core")
        for candidate in self.candidates or ():
            if candidate.options:
                raise ValueError(
                    f"candidate {candidate.name!r} has options, which one `opt -passes=` cannot "
                    "set for a single pass; leave them out"
                )

    @property
    def passes(self) -> tuple[Pass, ...]:
        """The passes to choose from."""
        return catalogue() if self.candidates is None else self.candidates


class Progress(NamedTuple):
    """Where a search stands; its callback gets one after each compile."""

    compiles: int
    best: int
    baseline: int


class Failure(NamedTuple):
    """A candidate that crashed, hung, exploded or could not be emitted."""

    passes: tuple[Pass, ...]
    error: str


@dataclass(eq=False)
class Node:
    """One state of the module. ``step`` leads here from ``parent``; both None at the root."""

    key: int
    cost: int
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


class BudgetSpentError(Exception):
    """The next compile would be one too many. Ends a strategy; never leaves a search."""


class Explorer(Closing):
    """Applies passes to states within a budget, and remembers all outcomes.

    Args:
        module: The program's bitcode or IR.
        config: Objective, baseline and limits.
        on_progress: Called after each compile.
        program: Says how to run it, for the objectives that take that.

    Raises:
        ValueError: The objective needs the program, which is not given.
    """

    def __init__(
        self,
        module: bytes,
        config: SearchConfig,
        on_progress: Callable[[Progress], None] | None = None,
        program: Program | None = None,
    ) -> None:
        self.config = config
        self.compiles = 0
        self.budget = config.budget
        """Compiles that may be spent now; a search may hold some back for later."""
        self.failures: list[Failure] = []
        self.history: list[tuple[int, int]] = []
        """``(compiles, best cost)`` at each improvement."""
        self.synonyms: dict[Pass, Pass] = {}
        """Shorter passes that lead to the same state where the longer one was used."""
        self.baseline_cost = 0
        self._module = module
        self._on_progress = on_progress
        self._wanted = Wanted.of(OBJECTIVES[config.objective].metric_names)
        self._edges: dict[tuple[int, str], Node | None] = {}
        self._snapshots: OrderedDict[int, bytes] = OrderedDict()
        self._snapshot_bytes = 0
        self._started = time.perf_counter()
        self._meter = run_meter(config.objective, program, config.baseline)
        self._session = WorkerSession(config.limits)
        self._at: Node | None = None
        try:
            state = self._load()
            self.root = Node(state.key, self._cost(state))
        except BaseException:
            self._session.close()
            raise
        self._at = self.root
        self._nodes = {state.key: self.root}
        self.best = self.root
        self.history.append((0, self.root.cost))

    @property
    def seconds(self) -> float:
        """Wall time since the start."""
        return time.perf_counter() - self._started

    @property
    def left(self) -> int:
        """Compiles that are left of the present budget."""
        return self.budget - self.compiles

    def apply(self, node: Node, step: Pass) -> Node | None:
        """The state after ``step`` in state ``node``.

        It is ``node`` itself when nothing changes, and None when the candidate fails.

        Raises:
            BudgetSpentError: It is not known yet and no compile is left.
        """
        edge = (node.key, step.pipeline)
        if edge in self._edges:
            return self._edges[edge]
        if self.left <= 0:
            raise BudgetSpentError
        self.compiles += 1
        try:
            reached = self._compile(node, step)
        except CANDIDATE_ERRORS as error:
            self._at = None
            self.failures.append(Failure((*node.path, step), f"{type(error).__name__}: {error}"))
            reached = None
        self._edges[edge] = reached
        if reached is not None and reached.cost < self.best.cost:
            self.best = reached
            self.history.append((self.compiles, reached.cost))
        if self._on_progress is not None:
            self._on_progress(Progress(self.compiles, self.best.cost, self.baseline_cost))
        return reached

    def walk(self, node: Node, steps: Iterable[Pass]) -> Node | None:
        """Apply several passes in a row; None when one fails."""
        reached: Node | None = node
        for step in steps:
            if reached is None:
                break
            reached = self.apply(reached, step)
        return reached

    @contextlib.contextmanager
    def at_most(self, compiles: int) -> Iterator[None]:
        """Spend no more than this inside the block, which ends when it is spent."""
        outer = self.budget
        self.budget = min(outer, self.compiles + compiles)
        try:
            yield
        except BudgetSpentError:
            pass
        finally:
            self.budget = outer

    def measure(self, step: Pass) -> int:
        """Cost of the program after ``step``; neither counted nor remembered."""
        self._go_to(self.root)
        cost = self._cost(self._step(step))
        self._at = None
        return cost

    # -- the worker ---------------------------------------------------------------

    def _compile(self, node: Node, step: Pass) -> Node:
        self._go_to(node)
        self._keep_snapshot(node)
        state = self._step(step)
        if not state.changed:
            self._at = node
            return node
        known = self._nodes.get(state.key)
        if known is not None:
            self._at = None  # same hash, but perhaps another use-list order
            return known
        reached = Node(state.key, self._cost(state), node, step, node.depth + 1)
        self._nodes[state.key] = reached
        self._at = reached
        return reached

    def _step(self, step: Pass) -> State:
        self._at = None  # unknown, should this raise
        return self._session.step(step.pipeline, wanted=self._wanted)

    def _load(self) -> State:
        return self._session.load(
            self._module,
            level=self.config.baseline,
            wanted=self._wanted,
            growth_limit=self.config.growth_limit,
        )

    def _go_to(self, node: Node) -> None:
        """Bring the worker to ``node``: from the nearest snapshot, by replay."""
        if self._at is node:
            return
        if self._session.pid is None:
            self._load()  # a new worker; the growth limit comes with a load
        replayed: list[Node] = []
        while node.parent is not None and node.key not in self._snapshots:
            replayed.append(node)
            node = node.parent
        if node.parent is None:
            self._load()
        else:
            self._snapshots.move_to_end(node.key)
            self._session.restore(self._snapshots[node.key])
        for node in reversed(replayed):
            assert node.step is not None
            if self._step(node.step).key != node.key:
                raise SessionError(f"'{node.step.name}' gave another module when run again")
        self._at = node

    def _keep_snapshot(self, node: Node) -> None:
        if node.parent is None or node.key in self._snapshots:
            return
        snapshot = self._session.snapshot()
        self._snapshots[node.key] = snapshot
        self._snapshot_bytes += len(snapshot)
        while self._snapshot_bytes > _SNAPSHOT_BYTES and len(self._snapshots) > 1:
            _, dropped = self._snapshots.popitem(last=False)
            self._snapshot_bytes -= len(dropped)

    def _cost(self, state: State) -> int:
        return cost_of(state, self.config.objective, self._session, self._meter)

    # -- end ------------------------------------------------------------------------

    def close(self) -> None:
        """End the worker; may be called again."""
        self._session.close()
