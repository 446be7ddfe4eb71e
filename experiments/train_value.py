"""Train the value networks of the agent ``best_first``.

Searches training modules (``experiments.value_data``), fits a network to what they found for
each objective (``experiments.value_fit``), and looks at modules that were not fitted to: whole
packages, and some programs (``experiments.policy_data``). Writes
``agents/data/values/*.safetensors`` and ``results/train_value/``: ``calibration.csv`` (is the
heuristic admissible, does it correlate), ``searches.csv`` (each head with and without the
other, with ``--score-modules``), ``run.json``. A second start goes on from the work folder.

    python -m experiments.train_value --corpus WORK/modules
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
import tyro

from mirgym.agents.controls import POLICIES
from mirgym.agents.policy import policy_actions
from mirgym.agents.value import FOLDER, Value, ValueConfig

from .mine_coreset import in_processes
from .policy_data import is_held_out
from .runs import RESULTS, claim, write_rows, write_run_json
from .training_modules import TrainingModule
from .value_data import Examples, ExploreConfig, explore, read
from .value_fit import FitConfig, fit
from .value_scores import calibration, searches

OBSERVATION = ("embedding", "autophase", "progress")


@dataclass(frozen=True)
class TrainConfig(ExploreConfig):
    """The run."""

    fit: FitConfig = field(default_factory=FitConfig)
    quantile: float = 0.1
    """See ``ValueConfig``."""
    horizon: int = 3
    """See ``ValueConfig``."""
    seeds: int = 2
    """Fits for the calibration; the first is shipped."""
    score_modules: int = 0
    """Validation modules that are searched, too, with each head and without it."""
    budgets: tuple[int, ...] = (45, 100)
    """Compiles of these searches."""
    folder: Path = RESULTS / "train_value"
    output: Path = FOLDER


def fits(config: TrainConfig, objective: str) -> tuple[list[Value], Examples, Examples]:
    """A network for each seed, and the examples of training and of validation modules."""
    data = read(config.work, objective, config.horizon)
    held = np.array([is_held_out(str(name)) for name in data.modules])
    train, valid = data[np.flatnonzero(~held)], data[np.flatnonzero(held)]
    shape = ValueConfig(
        objective,
        OBSERVATION,
        tuple(data.parts[name].shape[1] for name in OBSERVATION),
        quantile=config.quantile,
        horizon=config.horizon,
    )
    actions = policy_actions()
    found = [fit(shape, actions, train, config.fit, seed) for seed in range(config.seeds)]
    return found, train, valid


def main(config: TrainConfig) -> int:
    """Search, fit, look at validation modules, ship."""
    started = time.perf_counter()
    torch.set_num_threads(1)
    drawn = (config.programs, config.corpus_count, config.smallest, config.largest)
    actions = hashlib.sha256(policy_actions().to_json().encode()).hexdigest()
    claim(config.work, (drawn, config.corpus is not None, config.compiles, config.seed, actions))
    modules = config.modules()
    held_up = in_processes(config.jobs, "search", modules, partial(explore, config=config))
    explored = time.perf_counter() - started
    validation = [one for one, ok in zip(modules, held_up, strict=True) if ok and _is_valid(one)]
    config.folder.mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, Any]] = []
    scores: list[dict[str, Any]] = []
    examples: dict[str, int] = {}
    for objective, name in POLICIES.items():
        found, train, valid = fits(config, objective)
        examples[objective] = len(train)
        for seed, value in enumerate(found):
            told = calibration(value, train, valid)
            rows.append({"objective": objective, "seed": seed, **told})
            print(rows[-1], flush=True)
        found[0].save(config.output / f"{name}.safetensors")
        some = validation[:: max(len(validation) // max(config.score_modules, 1), 1)]
        some = some[: config.score_modules]
        cache = config.work / "transitions"
        for search, means in searches(found[0], some, config.budgets, cache).items():
            for budget, mean in means.items():
                scores.append(
                    {"objective": objective, "search": search, "compiles": budget, "ratio": mean}
                )
                print(scores[-1], flush=True)
    write_rows(config.folder / "calibration.csv", rows)
    if scores:
        write_rows(config.folder / "searches.csv", scores)
    figures = {
        "modules": sum(held_up),
        "validation_modules": len(validation),
        "examples": examples,
        "searched_modules": min(config.score_modules, len(validation)),
        "seconds": round(time.perf_counter() - started, 1),
        "seconds_of_searches_on_training_modules": round(explored, 1),
    }
    write_run_json(config.folder, config, figures)
    return 0


def _is_valid(module: TrainingModule) -> bool:
    return is_held_out(module.name)


if __name__ == "__main__":
    raise SystemExit(main(tyro.cli(TrainConfig)))
