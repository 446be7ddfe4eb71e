"""The tree of states that pass sequences reach: every compile is done, and counted, once.

A **compile** is one pipeline run on one state of the module, with its cost measured. It is
one whether the pipeline is a single pass or a hundred, and whether the outcome comes from
the worker, from the transition cache or is a failure: equal budgets stay equal however
warm the cache is. What the same search has tried before is not compiled again, and free.
Seconds are counted in the same way: what the cache answers took some when it was made.

A node is a state of the module, known by its structural hash. The first way to a state is
its way for good: a later sequence that arrives at the same hash is taken to the node that
is there already, so a node's path replays exactly and two orders of the same two passes
cost nothing the second time.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from ..errors import CodegenError, SessionError, VerifyError, WorkerStartError
from ..objective import check_level, cost_of, objective_name, run_meter, wanted_for
from ..passes import Pass, catalogue, is_profile
from ..programs import Program
from ..runtime import RuntimeMeter, Timing, TimingLimits
from ..session import DEFAULT_GROWTH_LIMIT, Closing
from ..wire import State, Views, Wanted
from ..worker import WorkerLimits
from .transitions import (
    Transition,
    TransitionCache,
    first_state,
    is_fact,
    key_of,
    next_state,
)
from .walker import Node, Walker

CANDIDATE_ERRORS = (SessionError, CodegenError, VerifyError)
"""What a candidate may raise at the cost of that candidate only. ``WorkerStartError``, a
``SessionError`` too, is not the candidate's: it ends the search."""


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
    transitions: Path | None = None
    """Folder of a transition cache (``agents.transitions``): faster, the same result and the
    same count of compiles. None for no cache. Objectives that run the program use none: what
    a run costs is no fact of the module alone."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "objective", objective_name(self.objective))
        check_level(self.baseline)
        if self.budget < 1:
            raise ValueError(f"the budget is {self.budget} compiles; expected 1 or more")
        if self.candidates is not None and not self.candidates:
            raise ValueError("no candidate passes; give at least one, or None for the core")

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
        self.trail: list[tuple[int, Node]] = []
        """``(compiles, best state)`` at each improvement."""
        self.synonyms: dict[Pass, Pass] = {}
        """Shorter passes that lead to the same state where the longer one was used."""
        self.timings: dict[int, Timing] = {}
        """What the clock said of states, by their keys."""
        self.instructions: dict[int, int] = {}
        """IR instructions of states, by their keys, whatever the objective."""
        self.baseline_cost = 0
        self.cached = 0
        """Compiles that the transition cache answered."""
        self.saved_seconds = 0.0
        """What those took when they were made."""
        self._module = module
        self._program = program
        self._on_progress = on_progress
        self._edges: dict[tuple[int, int], Node | None] = {}
        self._started = time.perf_counter()
        self._meter = run_meter(config.objective, program, config.baseline)
        if isinstance(self._meter, RuntimeMeter):
            self._meter.limits = TimingLimits(slower=1.0)
        wanted = Wanted.of(wanted_for(config.objective).metric_names)
        self._walker = Walker(
            module, config.baseline, config.limits, config.growth_limit, wanted, program
        )
        self._cache: TransitionCache | None = None
        try:
            if config.transitions is not None and self._meter is None:
                self._cache = TransitionCache(config.transitions)
            state = self._walker.load()
            cost = cost_of(state, config.objective, self._walker.session, self._meter)
        except BaseException:
            self.close()
            raise
        first = first_state(module, config.baseline, config.limits, config.growth_limit)
        self.root = Node(state.key, cost, first)
        self._walker.at = self.root
        self._nodes = {state.key: self.root}
        self.instructions[state.key] = state.metrics["ir_instructions"]
        self.best = self.root
        self.history.append((0, self.root.cost))
        self.trail.append((0, self.root))

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
            WorkerStartError: The machine has no room for a worker.
        """
        edge = (node.key, key_of(step))
        if edge in self._edges:
            return self._edges[edge]
        if self.left <= 0:
            raise BudgetSpentError
        self.compiles += 1
        reached = self._reach(node, step)
        self._edges[edge] = reached
        if reached is not None and reached.cost < self.best.cost:
            self.best = reached
            self.history.append((self.compiles, reached.cost))
            self.trail.append((self.compiles, reached))
        self._tell()
        return reached

    def _tell(self) -> None:
        if self._on_progress is not None:
            self._on_progress(Progress(self.compiles, self.best.cost, self.baseline_cost))

    def walk(self, node: Node, steps: Iterable[Pass]) -> Node | None:
        """Apply several passes in a row; None when one fails."""
        reached: Node | None = node
        for step in steps:
            if reached is None:
                break
            reached = self.apply(reached, step)
        return reached

    def walk_each(self, node: Node, steps: Iterable[Pass]) -> None:
        """Apply each of several passes to the same state."""
        for step in steps:
            self.apply(node, step)

    def look(self, node: Node, views: Sequence[str]) -> Views:
        """Views of a state; not a compile.

        Raises:
            MirgymError: The state cannot be reached again, or looked at: ``CANDIDATE_ERRORS``.
        """
        try:
            self._walker.go_to(node)
            return self._walker.session.observe(Wanted.of(views=tuple(views), key=False)).views
        except CANDIDATE_ERRORS as error:
            self._walker.at = None
            self.failures.append(Failure(node.path, f"looking at it: {error}"))
            raise

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

    def cheapest(self) -> list[Node]:
        """All states but the first, cheapest first."""
        found = [node for node in self._nodes.values() if node is not self.root]
        return sorted(found, key=lambda node: node.cost)

    def time_again(self, node: Node) -> Timing | None:
        """A state's time against the baseline's, not as remembered; one compile.

        None when it fails now.

        Raises:
            BudgetSpentError: No compile is left.
        """
        assert isinstance(self._meter, RuntimeMeter)
        if self.left <= 0:
            raise BudgetSpentError
        self.compiles += 1
        try:
            self._walker.go_to(node)
            return self._meter.measure(self._walker.session, TimingLimits())
        except WorkerStartError:
            raise
        except CANDIDATE_ERRORS as error:
            self._walker.at = None
            self.failures.append(Failure(node.path, f"{type(error).__name__}: {error}"))
            return None
        finally:
            self._tell()

    def measure(self, step: Pass) -> int:
        """Cost of the program after ``step``; neither counted nor remembered.

        Raises:
            SessionError: It fails.
        """
        outcome, _ = self._outcome(self.root, step)
        if outcome.failure:
            raise SessionError(outcome.failure)
        return self._cost(outcome)

    # -- one compile ----------------------------------------------------------------

    def _reach(self, node: Node, step: Pass) -> Node | None:
        outcome, stepped = self._outcome(node, step)
        if not stepped:
            self.cached += 1
            self.saved_seconds += outcome.microseconds / 1e6
        if outcome.failure:
            self.failures.append(Failure((*node.path, step), outcome.failure))
            return None
        if not outcome.changed:
            reached = node
        elif (known := self._nodes.get(outcome.key)) is not None:
            return known  # same hash, but perhaps another use-list order
        else:
            state = next_state(node.state, key_of(step))
            cost = self._cost(outcome)
            reached = Node(outcome.key, cost, state, node, step, node.depth + 1)
            self._nodes[outcome.key] = reached
            self.instructions[outcome.key] = outcome.instructions
        if stepped:
            self._walker.at = reached
        return reached

    def _outcome(self, node: Node, step: Pass) -> tuple[Transition, bool]:
        """What a step does, and whether the worker is there now: else the cache knew."""
        action = key_of(step)
        if self._cache is not None:
            known = self._cache.get(node.state, action, self.config.objective)
            if known is not None:
                return known, False
        lasting = False
        started = time.perf_counter()
        try:
            self._walker.go_to(node)
            lasting = True  # from here on the step itself is to blame
            outcome = self._take(node, step)
        except WorkerStartError:
            raise
        except CANDIDATE_ERRORS as error:
            self._walker.at = None
            lasting = lasting and is_fact(error)
            outcome = Transition(0, False, 0, None, f"{type(error).__name__}: {error}")
        if self._cache is not None and lasting:
            outcome = outcome._replace(microseconds=round((time.perf_counter() - started) * 1e6))
            self._cache.put(node.state, action, self.config.objective, outcome)
        return outcome, True

    def _take(self, node: Node, step: Pass) -> Transition:
        """Run a step on a state, where the worker is, and the program if its code is new.

        A profile by itself changes no code: it costs what the state does.
        """
        state = self._walker.step(step)
        outcome = _transition(state)
        if self._meter is None or state.key in self._nodes:
            return outcome
        if is_profile(step):
            return outcome._replace(run_cost=node.cost)
        cost = cost_of(state, self.config.objective, self._walker.session, self._meter)
        if isinstance(self._meter, RuntimeMeter) and self._meter.timing is not None:
            self.timings[state.key] = self._meter.timing
        return outcome._replace(run_cost=cost)

    def _cost(self, outcome: Transition) -> int:
        known = self._nodes.get(outcome.key)
        cost = known.cost if known else outcome.cost(self.config.objective)
        assert cost is not None
        return cost

    def close(self) -> None:
        """End the worker; may be called again."""
        self._walker.close()
        if self._cache is not None:
            self._cache.close()


def _transition(state: State) -> Transition:
    metrics = state.metrics
    return Transition(
        state.key, state.changed, metrics["ir_instructions"], metrics.get("text_size_bytes")
    )
