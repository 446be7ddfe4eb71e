"""Search for a pass sequence that beats a baseline within a number of compiles.

Algorithms with one signature, all deterministic by seed, none worse than the baseline
(whose own pipeline is the first candidate unless ``from_baseline`` is off):

================== =========================================================================
``search``         O2 with passes left out, then passes added, then random restarts
``greedy``         passes added while one of them helps, with random restarts
``random``         control: random sequences of 45 passes from unoptimised code
``sequences``      control: the same, each run as one pipeline
``genetic``        control: a genetic algorithm over sequences (``agents.genetic``)
``optuna``         control: Optuna's TPE over sequences
``fixed``          control: the best fixed sequences of the training programs, best first
``unguided``       control: the search of ``policy`` from that list, with no look at the program
``oz_twice``       control: Oz applied twice
``policy``         the learned agent: ranked sequences, rollouts, local search (``agents.guided``)
``best_first``     best-first search over states by a learned value (``agents.best_first``)
``cheapest_first`` control: the same by what a state costs, with no network
``speed``          the agent for ``dynamic_cost`` and ``runtime_ns``: known pipelines, edits
                   (``agents.speed``)
================== =========================================================================

The budget is in compiles, and a compile is the same for all: one pipeline run on one state
of the module, whatever its length (see ``agents.explorer``). What differs is what they make
of one. ``search`` runs a variant of O2, or one pass. ``greedy`` and ``random`` run one pass,
so that a sequence of 45 costs 45 and each of its prefixes is a candidate. ``sequences``,
``genetic``, ``optuna`` and ``fixed`` run a whole sequence as one pipeline, which costs one,
and only its end is a candidate. The baseline, where it is a candidate, costs one too; where
it is only measured for comparison it costs none. All spend their budget to the last compile,
but for ``fixed`` and ``oz_twice``, which have only so much to try, ``speed`` by the clock,
which gives up what is not faster when timed again, and where nothing new comes. Ctrl-C ends
a search with the best so far.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from ..errors import SessionError, did_you_mean
from ..objective import LEVEL_PIPELINES, METRICS, weights_of
from ..passes import Pass
from ..programs import Program
from .controls import fixed, optuna_tpe, oz_twice
from .explorer import BudgetSpentError, Explorer, Failure, Progress, SearchConfig
from .genetic import genetic
from .speed import RUN_OBJECTIVES, profiled, speed
from .strategies import (
    Strategy,
    greedy,
    o_level,
    random_sequences,
    thin_then_add,
    whole_sequences,
)
from .walker import Node

_PRUNING_SHARE = 0.1
"""Of the budget, for leaving out steps that the result does not need."""

OnProgress = Callable[[Progress], None]
Algorithm = Callable[..., "SearchResult"]
"""Called as ``search`` is."""


@dataclass(frozen=True)
class SearchResult:
    """What a search found.

    Attributes:
        pipeline: The passes, in order, after pruning.
        unpruned: The passes as they were found; the same cost.
        cost: Cost after ``pipeline``, in the objective's unit.
        key: Structural hash of the module after ``pipeline``.
        start_cost: Cost of the program as loaded.
        baseline_cost: Cost after the baseline's pipeline.
        compiles: Candidates compiled.
        seconds: Wall time.
        history: ``(compiles, best cost)`` at each improvement.
        failures: Candidates that crashed, hung, exploded or could not be emitted.
        interrupted: Whether Ctrl-C ended it.
        cached: Compiles that the transition cache answered, so that ``seconds`` is less.
        saved_seconds: What those compiles took when they were made.
        trail: ``(compiles, passes)`` at each improvement, as in ``history``.
    """

    pipeline: tuple[Pass, ...]
    unpruned: tuple[Pass, ...]
    cost: int
    key: int
    start_cost: int
    baseline_cost: int
    compiles: int
    seconds: float
    history: tuple[tuple[int, int], ...]
    failures: tuple[Failure, ...]
    interrupted: bool
    cached: int = 0
    saved_seconds: float = 0.0
    trail: tuple[tuple[int, tuple[Pass, ...]], ...] = ()

    @property
    def cold_seconds(self) -> float:
        """Wall time of the same search without a cache: what its user pays."""
        return self.seconds + self.saved_seconds

    @property
    def ratio(self) -> float:
        """Baseline ÷ cost: above 1 beats the baseline."""
        return max(self.baseline_cost, 1) / max(self.cost, 1)


def search(
    module: bytes,
    config: SearchConfig | None = None,
    on_progress: OnProgress | None = None,
    program: Program | None = None,
) -> SearchResult:
    """Thin O2, then add passes, then restart: the default of ``mirgym optimize``.

    Args:
        module: The program's bitcode or IR.
        config: Objective, baseline, budget and seed; None for the defaults.
        on_progress: Called after each compile.
        program: Says how to run it; needed for ``dynamic_cost`` and ``runtime_ns``.

    Raises:
        MirgymError: The program cannot be loaded, or the baseline fails on it.
    """
    return run(thin_then_add, _PRUNING_SHARE, module, config, on_progress, program)


def greedy_search(
    module: bytes,
    config: SearchConfig | None = None,
    on_progress: OnProgress | None = None,
    program: Program | None = None,
) -> SearchResult:
    """First improvement over single passes with random restarts. See ``search``."""
    return run(greedy, _PRUNING_SHARE, module, config, on_progress, program)


def random_search(
    module: bytes,
    config: SearchConfig | None = None,
    on_progress: OnProgress | None = None,
    program: Program | None = None,
) -> SearchResult:
    """Random sequences from unoptimised code, each prefix a candidate. See ``search``."""
    return run(random_sequences, _PRUNING_SHARE, module, config, on_progress, program)


def run(
    strategy: Strategy,
    pruning_share: float,
    module: bytes,
    config: SearchConfig | None = None,
    on_progress: OnProgress | None = None,
    program: Program | None = None,
) -> SearchResult:
    """Run a strategy; ``ALGORITHMS`` holds the known ones.

    Args:
        strategy: Spends the compiles.
        pruning_share: Share of the budget for leaving out steps of its result; what is not
            needed for that goes back to the strategy.
        module: The program's bitcode or IR.
        config: Objective, baseline, budget and seed; None for the defaults.
        on_progress: Called after each compile.
        program: Says how to run it; needed for ``dynamic_cost`` and ``runtime_ns``.

    Raises:
        MirgymError: The program cannot be loaded, or the baseline fails on it.
        ValueError: The strategy knows nothing of the objective, or it needs the program.
    """
    config = config or SearchConfig()
    name = next((name for name, learned in _LEARNED.items() if learned[0] is strategy), None)
    if name is not None:
        check_agent(name, config.objective)
    rng = random.Random(config.seed)
    interrupted = False
    with Explorer(module, config, on_progress, program) as explorer:
        _measure_baseline(explorer)
        pruned: tuple[tuple[Pass, ...], Node] | None = None
        try:
            reserve = int(config.budget * pruning_share)
            with explorer.at_most(max(explorer.left - reserve, 0)):
                strategy(explorer, rng)
            if pruning_share:
                pruned = _prune(explorer, explorer.best)
                if explorer.left:  # of what pruning was to take
                    strategy(explorer, rng)
        except BudgetSpentError:
            pass
        except KeyboardInterrupt:
            interrupted = True
        if pruned is None or explorer.best.cost < pruned[1].cost:
            pruned = explorer.best.path, explorer.best
        steps, node = pruned
        return SearchResult(
            pipeline=steps,
            unpruned=explorer.best.path,
            cost=node.cost,
            key=node.key,
            start_cost=explorer.root.cost,
            baseline_cost=explorer.baseline_cost,
            compiles=explorer.compiles,
            seconds=explorer.seconds,
            history=tuple(explorer.history),
            failures=tuple(explorer.failures),
            interrupted=interrupted,
            cached=explorer.cached,
            saved_seconds=explorer.saved_seconds,
            trail=tuple((compiles, node.path) for compiles, node in explorer.trail),
        )


def _measure_baseline(explorer: Explorer) -> None:
    level = explorer.config.baseline
    pipeline = LEVEL_PIPELINES[level]
    if pipeline is None:
        explorer.baseline_cost = explorer.root.cost
    elif explorer.config.from_baseline:
        node = explorer.apply(explorer.root, o_level(pipeline))
        if node is None:
            raise SessionError(
                f"the baseline {level} ({pipeline}) fails on this program: "
                f"{explorer.failures[-1].error}"
            )
        explorer.baseline_cost = node.cost
    else:
        explorer.baseline_cost = explorer.measure(o_level(pipeline))


def _prune(explorer: Explorer, best: Node) -> tuple[tuple[Pass, ...], Node]:
    """Leave out the steps that the cost does not need, as far as the budget goes."""
    steps, node = best.path, best
    shorter = tuple(explorer.synonyms.get(step, step) for step in steps)
    try:
        if explorer.walk(explorer.root, shorter) is best:
            steps = shorter
        for index in reversed(range(len(steps))):
            trial = steps[:index] + steps[index + 1 :]
            reached = explorer.walk(explorer.root, trial)
            if reached is not None and reached.cost <= node.cost:
                steps, node = trial, reached
    except BudgetSpentError:
        pass
    return steps, node


def _guided(explorer: Explorer, rng: random.Random) -> None:
    from .guided import guided, shipped_policy  # a few files to read, for this agent alone

    guided(shipped_policy, explorer, rng)


def _unguided(explorer: Explorer, rng: random.Random) -> None:
    from .guided import unguided

    unguided(explorer, rng)


def _best_first(explorer: Explorer, rng: random.Random) -> None:
    from .best_first import best_first

    best_first(explorer, rng)


def _cheapest_first(explorer: Explorer, rng: random.Random) -> None:
    from .best_first import cheapest_first

    cheapest_first(explorer, rng)


_LEARNED: dict[str, tuple[Strategy, tuple[str, ...]]] = {
    "policy": (_guided, tuple(METRICS)),
    "fixed": (fixed, tuple(METRICS)),
    "unguided": (_unguided, tuple(METRICS)),
    "best_first": (_best_first, tuple(METRICS)),
    "cheapest_first": (_cheapest_first, tuple(METRICS)),
    "speed": (speed, RUN_OBJECTIVES),
    "profiled": (profiled, RUN_OBJECTIVES),
}
"""Agents whose data (weights, sequences) is for some objectives only."""

ALGORITHMS: dict[str, Algorithm] = {
    "policy": partial(run, _guided, 0.0),
    "search": search,
    "greedy": greedy_search,
    "random": random_search,
    "sequences": partial(run, whole_sequences, 0.0),
    "genetic": partial(run, genetic, 0.0),
    "optuna": partial(run, optuna_tpe, 0.0),
    "fixed": partial(run, fixed, 0.0),
    "unguided": partial(run, _unguided, 0.0),
    "best_first": partial(run, _best_first, 0.0),
    "cheapest_first": partial(run, _cheapest_first, 0.0),
    "oz_twice": partial(run, oz_twice, 0.0),
    "speed": partial(run, speed, 0.0),
    "profiled": partial(run, profiled, 0.0),
}
"""All algorithms by name. What pays for pruning is in the budget; a whole sequence that is
one pipeline has nothing to prune."""


def default_agent(config: SearchConfig) -> str:
    """The agent that learned this: ``policy`` or ``speed``; else ``search``.

    They learned sizes against Oz and what takes running against O3, with actions of their own.
    """
    if config.candidates is None and config.baseline == default_baseline(config.objective):
        return next(
            (n for n in ("policy", "speed") if config.objective in _LEARNED[n][1]), "search"
        )
    return "search"


def default_baseline(objective: str) -> str:
    """The level that is hardest to beat: Oz for sizes, O3 for what takes running the program.

    Of an objective with weights, what weighs more decides.
    """
    running = sum(weight for name, weight in weights_of(objective).items() if name not in METRICS)
    return "O3" if running >= 0.5 else "Oz"


def agents_for(objective: str) -> tuple[str, ...]:
    """Names of ``ALGORITHMS`` that can search for an objective."""
    return tuple(n for n in ALGORITHMS if n not in _LEARNED or objective in _LEARNED[n][1])


def check_agent(name: str, objective: str | None = None) -> str:
    """Return ``name`` if it is one of ``ALGORITHMS``, else raise ``ValueError``.

    Given an objective, it must be one that the agent can search for.
    """
    if name not in ALGORITHMS:
        raise ValueError(
            f"unknown agent {name!r}; expected one of {', '.join(ALGORITHMS)}."
            + did_you_mean(name, ALGORITHMS)
        )
    if objective is not None and name not in agents_for(objective):
        raise ValueError(
            f"the agent {name!r} has learned {' and '.join(_LEARNED[name][1])} only; for "
            f"{objective} take one of {', '.join(agents_for(objective))}"
        )
    return name
