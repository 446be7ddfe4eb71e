"""Sequences that are good for many programs at once, one after the other.

A sequence found on one program (``experiments.mine_coreset``) is good there and less so
elsewhere. Here edits are accepted for what they do on all training modules together: the
first sequence maximises the mean of ln(Oz ÷ cost), losses counted; each further one the mean
of the best of those so far, itself and Oz. Each starts from the sequence of the coreset that
adds most, and is put in front of it, in ``agents/data/coreset-*.json``. Modules are looked at in
turns, and an edit that is behind after a few of them is given up.

    python -m experiments.mine_portfolio --corpus WORK/modules
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import tyro

from mirgym.agents.actionset import ActionSet
from mirgym.agents.controls import CORESETS
from mirgym.agents.edits import Draft, climb, promising
from mirgym.agents.explorer import Explorer, SearchConfig
from mirgym.agents.pipelines import parse
from mirgym.errors import MirgymError
from mirgym.passes import Pass

from .mine_coreset import in_processes
from .mining import OZ, check_module
from .policy_data import is_held_out
from .runs import RESULTS, write_run_json
from .training_modules import DrawConfig, TrainingModule, programs

_AGENTS_DATA = Path(__file__).resolve().parent.parent / "agents" / "data"
_PLENTY = 1_000_000
"""Compiles: the limit here is time."""
_FAILED = -1.0
"""ln(Oz ÷ cost) of a sequence that fails."""
_GLANCES = (8, 20)
"""Modules after which an edit that is behind is given up."""


@dataclass(frozen=True)
class PortfolioConfig(DrawConfig):
    """The run. Modules for validation are left out, but for programs that are named."""

    largest: int = 1_500
    size: int = 10
    """Sequences."""
    minutes: float = 12.0
    """For all of them; half of it for the first."""
    check: bool = True
    """Run the training programs with the sequences and compare their outputs."""
    jobs: int = os.cpu_count() or 1
    """Objectives side by side."""
    folder: Path = RESULTS / "mine_portfolio"
    work: Path = Path("runs/mine_portfolio")
    output: Path = _AGENTS_DATA


@dataclass(frozen=True, eq=False)
class Reached:
    """What a sequence does: its cost is less the more it gains."""

    cost: float
    step: Pass
    values: np.ndarray
    """(M,) ln(Oz ÷ cost) of each module."""
    keys: tuple[int, ...]


class Modules:
    """The training modules, each in a worker of its own.

    Raises:
        MirgymError: Oz fails on all of them.
    """

    def __init__(self, modules: Sequence[TrainingModule], objective: str, work: Path) -> None:
        self._stack = contextlib.ExitStack()
        self._explorers: list[Explorer] = []
        self._oz: list[int] = []
        config = SearchConfig(objective=objective, budget=_PLENTY, transitions=work / "transitions")
        for module in modules:
            explorer = self._stack.enter_context(Explorer(module.bitcode(), config))
            oz = explorer.apply(explorer.root, Pass(OZ, OZ))
            if oz is not None and oz.cost > 0:
                self._explorers.append(explorer)
                self._oz.append(oz.cost)
        if not self._explorers:
            raise MirgymError("Oz fails on all modules: there is nothing to compare with")

    def __len__(self) -> int:
        return len(self._explorers)

    def value(self, index: int, step: Pass) -> tuple[float, int]:
        """ln(Oz ÷ cost) of a sequence on a module, and the hash of what it makes."""
        explorer = self._explorers[index]
        reached = explorer.apply(explorer.root, step)
        if reached is None:
            return _FAILED, 0
        return math.log(self._oz[index] / max(reached.cost, 1)), reached.key

    def values(self, step: Pass) -> Reached:
        """A sequence on all modules; its cost is set by who asks."""
        found = [self.value(index, step) for index in range(len(self))]
        return Reached(0.0, step, np.array([v for v, _ in found]), tuple(k for _, k in found))

    def close(self) -> None:
        """End the workers."""
        self._stack.close()


class TimeIsUpError(Exception):
    """Ends the search for one sequence."""


class Search:
    """Looks for one more sequence.

    Args:
        modules: What it is to be good for.
        covered: (M,) what the sequences so far give at best, Oz among them; for the first
            sequence minus infinity, so that its losses count.
        seconds: To stop after.
        rng: Breaks ties.
    """

    def __init__(
        self, modules: Modules, covered: np.ndarray, seconds: float, rng: random.Random
    ) -> None:
        self._modules = modules
        self._covered = covered
        self._until = time.monotonic() + seconds
        self._rng = rng
        self._order = list(range(len(modules)))
        rng.shuffle(self._order)
        self.best: Reached | None = None

    def run(self, start: Reached, objective: str) -> Reached:
        """Edit a known sequence until the time is up or no edit helps."""
        draft = Draft(parse(start.step.pipeline), options=start.step.options)
        first = self._modules.values(draft.step())
        self.best = Reached(self._cost(first.values), first.step, first.values, first.keys)
        with contextlib.suppress(TimeIsUpError):
            climb(draft, self.best, promising(objective), self._rng, self._reach)
        return self.best

    def _cost(self, values: np.ndarray) -> float:
        return -float(np.maximum(values, self._covered).mean())

    def _reach(self, draft: Draft) -> Reached | None:
        assert self.best is not None
        if time.monotonic() > self._until:
            raise TimeIsUpError
        step = draft.step()
        values = self.best.values.copy()
        keys = list(self.best.keys)
        for count, index in enumerate(self._order, 1):
            values[index], keys[index] = self._modules.value(index, step)
            if count in _GLANCES and self._cost(values) > self.best.cost:
                return None
        if tuple(keys) == self.best.keys:
            return self.best
        reached = Reached(self._cost(values), step, values, tuple(keys))
        if reached.cost < self.best.cost:
            self.best = reached
        return reached


def portfolio(objective: str, config: PortfolioConfig) -> tuple[list[Pass], list[float]]:
    """The sequences for an objective, and the geometric mean that the first n give."""
    training = [one for one in config.modules() if config.programs or not is_held_out(one.name)]
    modules = Modules(training, objective, config.work)
    try:
        known = ActionSet.load(config.output / CORESETS[objective]).actions
        tried = [modules.values(step) for step in known]
        covered = np.full(len(modules), -np.inf)
        chosen: list[Pass] = []
        means: list[float] = []
        for number in range(config.size):
            share = 0.5 if number == 0 else 0.5 / max(config.size - 1, 1)
            floor = covered
            start = max(tried, key=lambda one: float(np.maximum(one.values, floor).mean()))
            search = Search(modules, covered, 60 * config.minutes * share, random.Random(number))
            found = search.run(start, objective)
            chosen.append(found.step)
            covered = np.maximum(np.maximum(found.values, covered), 0.0)
            means.append(round(math.exp(-found.cost), 5))
            print(objective, number + 1, means[-1], flush=True)
        return chosen, means
    finally:
        modules.close()


def put_in_front(
    sequences: Sequence[Pass], means: Sequence[float], coreset: Path, minutes: float
) -> None:
    """Write them before the coreset's own, and say so in the file."""
    known = ActionSet.load(coreset)
    stem = coreset.stem
    seen: dict[tuple[str, tuple[tuple[str, str], ...]], Pass] = {}
    for one in (*sequences, *known.actions):
        seen.setdefault((one.pipeline, one.options), one)
    actions = tuple(
        Pass(f"{stem}:{rank:02}", one.pipeline, "coreset", options=one.options)
        for rank, one in enumerate(seen.values(), 1)
    )
    about = {**known.about, "portfolio": {"geomean_first_n": list(means), "minutes": minutes}}
    ActionSet(actions, known.name, about).save(coreset)


def main(config: PortfolioConfig) -> int:
    """Mine, check the outputs, write."""
    jobs: list[Callable[[], tuple[list[Pass], list[float]]]]
    jobs = [partial(portfolio, objective, config) for objective in CORESETS]
    results = in_processes(config.jobs, "objectives", jobs, _call)
    figures: dict[str, object] = {}
    for objective, (sequences, means) in zip(CORESETS, results, strict=True):
        wrong: set[Pass] = set()
        if config.check:
            check = partial(check_module, sequences=sequences, folder=config.work)
            runnable = programs(names=config.programs)
            wrong = set().union(*in_processes(config.jobs, "check outputs", runnable, check))
        kept = [one for one in sequences if one not in wrong]
        put_in_front(kept, means, config.output / CORESETS[objective], config.minutes)
        figures[objective] = {"geomean_first_n": means, "refused_for_their_output": len(wrong)}
    write_run_json(config.folder, config, figures)
    print(json.dumps(figures, indent=1))
    return 0


def _call(
    job: Callable[[], tuple[list[Pass], list[float]]],
) -> tuple[list[Pass], list[float]]:
    return job()


if __name__ == "__main__":
    raise SystemExit(main(tyro.cli(PortfolioConfig)))
