"""Search for a pass sequence that beats a baseline within a number of compiles.

Three algorithms with one signature, all deterministic by seed, none worse than the
baseline (whose own pipeline is the first candidate unless ``from_baseline`` is off):

========== ============================================================================
``search``  O2 with passes left out, then passes added, then random restarts
``greedy``  passes added while one of them helps, with random restarts
``random``  random sequences of 45 passes from unoptimised code: the control
========== ============================================================================

Only the candidates count against the budget. Ctrl-C ends a search with the best so far.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from ..errors import SessionError
from ..objective import LEVEL_PIPELINES
from ..passes import Pass
from ..programs import Program
from .explorer import (
    BudgetSpentError,
    Explorer,
    Failure,
    Node,
    Progress,
    SearchConfig,
)
from .pipelines import O2_PASSES, Place, is_needed, o2_without, promise

RANDOM_SEQUENCE_STEPS = 45
"""Length of a random sequence: an episode of the environment."""
_PRUNING_SHARE = 0.1
_THINNING_SHARE = 0.6
_IDLE_RESTARTS = 200
"""A search ends early when this many restarts in a row met nothing new."""

OnProgress = Callable[[Progress], None]
Strategy = Callable[[Explorer, random.Random], None]


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
    return _run(_thin_then_add, module, config, on_progress, program)


def greedy_search(
    module: bytes,
    config: SearchConfig | None = None,
    on_progress: OnProgress | None = None,
    program: Program | None = None,
) -> SearchResult:
    """First improvement over single passes with random restarts. See ``search``."""
    return _run(_greedy, module, config, on_progress, program)


def random_search(
    module: bytes,
    config: SearchConfig | None = None,
    on_progress: OnProgress | None = None,
    program: Program | None = None,
) -> SearchResult:
    """Random sequences from unoptimised code, each prefix a candidate. See ``search``."""
    return _run(_random_sequences, module, config, on_progress, program)


ALGORITHMS = {"search": search, "greedy": greedy_search, "random": random_search}


def _run(
    strategy: Strategy,
    module: bytes,
    config: SearchConfig | None,
    on_progress: OnProgress | None,
    program: Program | None,
) -> SearchResult:
    config = config or SearchConfig()
    rng = random.Random(config.seed)
    interrupted = False
    with Explorer(module, config, on_progress, program) as explorer:
        _measure_baseline(explorer)
        pruned: tuple[tuple[Pass, ...], Node] | None = None
        try:
            reserve = int(config.budget * _PRUNING_SHARE)
            with explorer.at_most(max(explorer.left - reserve, 0)):
                strategy(explorer, rng)
            pruned = _prune(explorer, explorer.best)
        except BudgetSpentError:
            pass
        except KeyboardInterrupt:
            interrupted = True
        steps, node = pruned or (explorer.best.path, explorer.best)
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


def o_level(pipeline: str) -> Pass:
    """A level's own pipeline as a pass."""
    return Pass(pipeline, pipeline)


# -- strategies -----------------------------------------------------------------------


def _thin_then_add(explorer: Explorer, rng: random.Random) -> None:
    with explorer.at_most(int(explorer.left * _THINNING_SHARE)):
        _thin_o2(explorer, rng)
    _greedy(explorer, rng)


def _greedy(explorer: Explorer, rng: random.Random) -> None:
    for level in ("O1", "O3"):
        explorer.apply(explorer.root, o_level(f"default<{level}>"))
    _improve(explorer, explorer.best, rng)
    _restart(explorer, rng)


def _thin_o2(explorer: Explorer, rng: random.Random) -> None:
    """Leave passes out of O2, one at a time, while that helps or makes no difference."""
    current = explorer.apply(explorer.root, o_level("default<O2>"))
    if current is None:
        return
    places = list(O2_PASSES)
    rng.shuffle(places)
    places.sort(key=promise)
    left_out: set[Place] = set()
    unnamed: set[Place] = set()
    since_gain = index = 0
    while since_gain < len(places):
        place = places[index % len(places)]
        index += 1
        since_gain += 1
        if place in left_out:
            continue
        trial = o2_without({*left_out, place}, unnamed=unnamed)
        reached = explorer.apply(explorer.root, trial)
        if reached is current:
            left_out.add(place)
            unnamed.add(place)
            shorter = o2_without(left_out, unnamed=unnamed)
            if current.step is not None and len(shorter.pipeline) < len(current.step.pipeline):
                explorer.synonyms[current.step] = shorter
        elif reached is not None and reached.cost < current.cost and not is_needed(place):
            left_out.add(place)
            current = reached
            since_gain = 0


def _improve(explorer: Explorer, node: Node, rng: random.Random) -> Node:
    """Add single passes, in random order, while one of them makes ``node`` cheaper."""
    passes = list(explorer.config.passes)
    rng.shuffle(passes)
    since_gain = index = 0
    while since_gain < len(passes):
        reached = explorer.apply(node, passes[index % len(passes)])
        index += 1
        since_gain += 1
        if reached is not None and reached.cost < node.cost:
            node = reached
            since_gain = 0
    return node


def _restart(explorer: Explorer, rng: random.Random) -> None:
    """Go on from random changes of the best sequence until the budget is spent."""
    passes = explorer.config.passes
    idle = 0
    while idle < _IDLE_RESTARTS:
        before = explorer.compiles
        some = rng.choices(passes, k=rng.randint(1, 3))
        if rng.random() < 0.5:
            reached = explorer.walk(explorer.root, (*some, *explorer.best.path))
        else:
            reached = explorer.walk(explorer.best, some)
        if reached is not None:
            _improve(explorer, reached, rng)
        idle = idle + 1 if explorer.compiles == before else 0


def _random_sequences(explorer: Explorer, rng: random.Random) -> None:
    idle = 0
    while idle < _IDLE_RESTARTS:
        before = explorer.compiles
        sequence = rng.choices(explorer.config.passes, k=RANDOM_SEQUENCE_STEPS)
        explorer.walk(explorer.root, sequence)
        idle = idle + 1 if explorer.compiles == before else 0


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
