"""What every action gives in some states of training modules: data to learn a policy from.

For each module a few states: the unoptimised module, then the best state that one action
leads to, then good ones at random. In each, many actions are tried and their
costs kept. Writes one ``.npz`` a module into a work folder, where a second start goes on.

    python -m experiments.search_data --corpus WORK/modules
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import tyro

from mirgym.agents.explorer import CANDIDATE_ERRORS
from mirgym.agents.policy import policy_actions
from mirgym.corpus.schema import seed_of
from mirgym.errors import MirgymError, WorkerStartError
from mirgym.passes import Pass
from mirgym.wire import Wanted
from mirgym.worker import WorkerLimits, WorkerSession

from .mine_coreset import in_processes
from .training_modules import DrawConfig, TrainingModule

OZ = "default<O2>"
COSTS = ("text_size_bytes", "ir_instructions")
"""The columns of costs, here and in the files."""
UNTRIED, FAILED = -1, 0

_COSTS = Wanted.of(("text_size_bytes",))


@dataclass(frozen=True)
class DataConfig(DrawConfig):
    """The run."""

    corpus_count: int = 300
    smallest: int = 150
    largest: int = 4_000
    later_states: int = 1
    """States of each module besides the first."""
    first_share: float = 0.5
    """Of the actions tried in the first state, besides all of the coresets."""
    later_share: float = 0.15
    """Of the actions, tried in a later state."""
    among: int = 20
    """A random later state is one of this many best."""
    seed: int = 0
    jobs: int = os.cpu_count() or 1
    work: Path = Path("runs/search_data")


@dataclass
class States:
    """The states of one module.

    Attributes:
        oz: (2,) costs of the baseline.
        here: (S, 2) costs of each state.
        after: (S, A, 2) costs after each action, or ``UNTRIED`` or ``FAILED``.
        paths: The actions that lead to each state.
        snapshots: Of each state.
    """

    oz: np.ndarray
    here: list[np.ndarray] = field(default_factory=list)
    after: list[np.ndarray] = field(default_factory=list)
    paths: list[tuple[int, ...]] = field(default_factory=list)
    snapshots: list[bytes] = field(default_factory=list)

    def save(self, path: Path) -> None:
        """Write all at once."""
        partial_path = path.with_suffix(".partial.npz")
        width = max(map(len, self.paths))
        np.savez_compressed(
            partial_path,
            oz=self.oz,
            here=np.stack(self.here),
            after=np.stack(self.after).astype(np.int32),
            paths=np.array([p + (-1,) * (width - len(p)) for p in self.paths], np.int16),
            sizes=np.array([len(s) for s in self.snapshots]),
            snapshots=np.frombuffer(b"".join(self.snapshots), np.uint8),
        )
        partial_path.replace(path)


class Prober:
    """Tries actions in states of one module, in a worker that may die."""

    def __init__(self, actions: Sequence[Pass]) -> None:
        self.actions = actions
        self.session = WorkerSession(WorkerLimits(step_seconds=5.0))

    def load(self, module: bytes) -> tuple[np.ndarray, bytes]:
        """Costs and snapshot of the module at the baseline's level."""
        self.session.start_again_if_dead()
        state = self.session.load(module, level="Oz", wanted=_COSTS)
        return _costs(state.metrics), self.session.snapshot()

    def apply(self, snapshot: bytes, pipeline: str, options: dict[str, str]) -> np.ndarray | None:
        """Costs after a pipeline; None when it fails. The session stays there."""
        try:
            self.session.start_again_if_dead()
            self.session.restore(snapshot)
            return _costs(self.session.step(pipeline, options, wanted=_COSTS).metrics)
        except WorkerStartError:
            raise
        except CANDIDATE_ERRORS:
            return None

    def try_all(self, snapshot: bytes, tried: Sequence[int]) -> np.ndarray:
        """(A, 2) costs after each of these actions in a state."""
        after = np.full((len(self.actions), len(COSTS)), UNTRIED, np.int32)
        for index in tried:
            action = self.actions[index]
            costs = self.apply(snapshot, action.pipeline, dict(action.options))
            after[index] = FAILED if costs is None else costs
        return after


def _costs(metrics: dict[str, int]) -> np.ndarray:
    return np.array([metrics[name] for name in COSTS], np.int32)


def probe(module: TrainingModule, config: DataConfig) -> bool:
    """Write the states of a module; False when Oz itself fails on it."""
    target = config.work / "modules" / f"{module.name.replace('/', '-')}.npz"
    if target.exists():
        return True
    rng = random.Random(seed_of(config.seed, module.name))
    actions = policy_actions().actions
    prober = Prober(actions)
    try:
        states = _states(prober, module.bitcode(), config, rng)
    except MirgymError:
        return False
    finally:
        prober.session.close()
    target.parent.mkdir(parents=True, exist_ok=True)
    states.save(target)
    return True


def _states(prober: Prober, bitcode: bytes, config: DataConfig, rng: random.Random) -> States:
    actions = prober.actions
    here, snapshot = prober.load(bitcode)
    oz = prober.apply(snapshot, OZ, {})
    if oz is None:
        raise MirgymError("Oz fails on this module")
    states = States(oz)
    objective = rng.randrange(len(COSTS))
    path: tuple[int, ...] = ()
    tried = _first(actions, config.first_share, rng)
    for number in range(1 + config.later_states):
        after = prober.try_all(snapshot, tried)
        states.here.append(here)
        states.after.append(after)
        states.paths.append(path)
        states.snapshots.append(snapshot)
        if number == config.later_states:
            break
        source = rng.randrange(len(states.here)) if number else 0
        best = _best(states.after[source], objective)
        if not len(best):
            break
        chosen = int(rng.choice(best[: config.among if number else 1]))
        chosen_action = actions[chosen]
        reached = prober.apply(
            states.snapshots[source], chosen_action.pipeline, dict(chosen_action.options)
        )
        if reached is None:
            break
        here, snapshot = reached, prober.session.snapshot()
        path = (*states.paths[source], chosen)
        tried = sorted(rng.sample(range(len(actions)), int(config.later_share * len(actions))))
    return states


def _first(actions: Sequence[Pass], share: float, rng: random.Random) -> list[int]:
    """Single passes are not worth a compile there."""
    groups = [action.group for action in actions]
    others = [i for i, group in enumerate(groups) if group not in ("core", "coreset")]
    some = rng.sample(others, int(share * len(others)))
    return sorted(some + [i for i, group in enumerate(groups) if group == "coreset"])


def _best(after: np.ndarray, objective: int) -> np.ndarray:
    """Actions that were tried and held, cheapest first."""
    costs = after[:, objective].astype(float)
    costs[costs <= 0] = np.inf
    order = costs.argsort(kind="stable")
    best: np.ndarray = order[np.isfinite(costs[order])]
    return best


def main(config: DataConfig) -> int:
    """Probe every module; return 1 when none held."""
    started = time.perf_counter()
    modules = config.modules()
    held = in_processes(config.jobs, "probe", modules, partial(probe, config=config))
    print(f"{sum(held)} of {len(modules)} modules in {time.perf_counter() - started:.0f} s")
    return 0 if any(held) else 1


if __name__ == "__main__":
    raise SystemExit(main(tyro.cli(DataConfig)))
