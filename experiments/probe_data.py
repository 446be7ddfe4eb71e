"""What the probes are fitted on and tested with: functions with every kind of description.

A row of the corpus gives a function's view and labels. Its module is taken through the
same states again for what the shards leave out: the integer features (InstCount,
Autophase, IR2Vec's counts), and the same function after Oz.
"""

from __future__ import annotations

import pickle
from collections import defaultdict
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mirgym.corpus.builder import Module, build_modules
from mirgym.corpus.schema import UNKNOWN, seed_of
from mirgym.corpus.states import OZ_PIPELINE, reach
from mirgym.encoder.dataset import Dataset
from mirgym.errors import MirgymError, SessionError
from mirgym.programs.cache import write_atomically
from mirgym.session import Session
from mirgym.views import FunctionView, ModuleView
from mirgym.wire import Wanted
from mirgym.worker import WorkerLimits, WorkerSession

SMALLEST_TWIN = 10
"""Instructions of a function that is looked for again after Oz; smaller ones are all alike."""

_EVERYTHING = Wanted.of(views=("functions", "function_features"), key=False)


class Described(NamedTuple):
    """A function as the encoders and as the counters see it."""

    view: FunctionView
    features: np.ndarray  # (238,) int64, see mirgym.features.FUNCTION_FEATURES


class ProbeRow(NamedTuple):
    """One function in one state, with what is asked about it."""

    package: str
    here: Described
    effects: np.ndarray  # (P,) float32: asinh of the change in instructions, NaN unknown
    oz_benefit: float
    """ln(instructions / instructions after Oz), NaN unknown."""
    twin: Described | None
    """The same function after Oz; of unoptimised functions that are not tiny."""


@dataclass(frozen=True)
class Sample:
    """Which rows to take from a split."""

    split: str
    rows: int
    seed: int = 0


def probe_rows(
    sample: Sample, shards: Path, work: Path, cache: Path, jobs: int = 2
) -> list[ProbeRow]:
    """The rows of a sample of modules; kept in ``cache`` for the next time.

    Raises:
        MirgymError: The work folder does not hold the modules that the shards came from.
    """
    target = cache / f"{sample.split}-{sample.rows}-{sample.seed}.pickle"
    if target.exists():
        kept: list[ProbeRow] = pickle.loads(target.read_bytes())
        return kept
    dataset = Dataset(shards, sample.split)
    wanted = _rows_by_module(dataset, sample)
    modules = {(one.package, one.source): one for one in build_modules(work)[0]}
    missing = [key for key in wanted if key not in modules]
    if missing:
        raise MirgymError(
            f"{work} lacks {len(missing)} modules of {shards}, such as {'/'.join(missing[0])}; "
            "give the folder that `mirgym corpus build --work` used"
        )
    tasks = [(modules[key], {int(dataset.keys[r]) for r in rows}) for key, rows in wanted.items()]
    rows: list[ProbeRow] = []
    with ProcessPoolExecutor(jobs) as pool:
        for numbers, described in zip(wanted.values(), pool.map(_describe, tasks), strict=True):
            rows += _join(dataset, numbers, *described)
    cache.mkdir(parents=True, exist_ok=True)
    write_atomically(target, pickle.dumps(rows, protocol=pickle.HIGHEST_PROTOCOL))
    return rows


def _rows_by_module(dataset: Dataset, sample: Sample) -> dict[tuple[str, str], list[int]]:
    """Rows of random modules, until there are enough."""
    found: dict[tuple[str, str], list[int]] = defaultdict(list)
    for row, module in enumerate(dataset.modules):
        found[str(dataset.packages[row]), module].append(row)
    keys = sorted(found)
    chosen: dict[tuple[str, str], list[int]] = {}
    count = 0
    for index in np.random.default_rng(sample.seed).permutation(len(keys)):
        if count >= sample.rows:
            break
        chosen[keys[index]] = found[keys[index]]
        count += len(found[keys[index]])
    return chosen


Descriptions = tuple[dict[int, np.ndarray], dict[int, Described]]
"""By key of the view: the features, and the twin."""


def _describe(task: tuple[Module, set[int]]) -> Descriptions:
    module, keys = task
    features: dict[int, np.ndarray] = {}
    twins: dict[int, Described] = {}
    seed = seed_of(module.package, module.source)
    with WorkerSession(WorkerLimits(step_seconds=5.0, memory_bytes=3 << 30)) as session:
        for number in (0, 1):
            try:
                reach(session, module.path.read_bytes(), number, seed)
                named = _observe(session)
                kept = {name: one for name, one in named.items() if one.view.key in keys}
                features |= {one.view.key: one.features for one in kept.values()}
                if number == 0:
                    session.step(OZ_PIPELINE, wanted=_EVERYTHING)
                    after = _observe(session)
                    twins = {
                        one.view.key: after[name] for name, one in kept.items() if name in after
                    }
            except SessionError:
                session.start_again_if_dead()
    return features, twins


def _observe(session: Session) -> dict[str, Described]:
    views = session.observe(_EVERYTHING).views
    module, features = views["functions"], views["function_features"]
    assert isinstance(module, ModuleView)
    assert isinstance(features, np.ndarray)
    return {
        name: Described(view, row)
        for name, view, row in zip(module.names, module.functions, features, strict=True)
        if view is not None
    }


def _join(
    dataset: Dataset,
    numbers: Iterable[int],
    features: dict[int, np.ndarray],
    twins: dict[int, Described],
) -> Iterable[ProbeRow]:
    for row in numbers:
        view = dataset.view(row)
        if view.key not in features:
            continue  # its state could not be reached again in time
        size, after = view.tokens.shape[1], int(dataset.oz_instructions[row])
        effects = dataset.effects[row]
        twin = twins.get(view.key) if dataset.states[row] == 0 else None
        yield ProbeRow(
            str(dataset.packages[row]),
            Described(view, features[view.key]),
            np.where(effects == UNKNOWN, np.nan, np.arcsinh(effects)).astype(np.float32),
            float(np.log(size / max(after, 1))) if after >= 0 else np.nan,
            twin if size >= SMALLEST_TWIN else None,
        )
