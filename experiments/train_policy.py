"""Train the policies of ``mirgym optimize`` and the leaderboard.

From the states of ``experiments.search_data``: a warm start by regression, for several
observations and seeds, then MaskablePPO on training programs. Validation modules choose.
Writes ``agents/data/policies/*.safetensors`` and ``results/train_policy/``:
``observations.csv`` (what the first k actions give on validation states, by observation),
``curve.png``, ``curve.csv``, ``run.json``.

    python -m experiments.train_policy --corpus WORK/modules
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
import tyro

from mirgym.agents.controls import POLICIES
from mirgym.agents.memory import Memory
from mirgym.agents.policy import FOLDER, Policy, PolicyConfig, policy_actions
from mirgym.agents.policy_net import to_policy
from mirgym.agents.refine import RefineConfig, refine
from mirgym.agents.regression import FitConfig, best_of_lists, fit

from .policy_data import Data, ppo_programs, read
from .policy_figures import plot_policy_curves
from .policy_scores import named, remember, score, scores, split
from .runs import RESULTS, write_rows, write_run_json

OBSERVATIONS: Mapping[str, tuple[str, ...]] = {
    "InstCount": ("instcount", "history"),
    "Autophase": ("autophase", "history"),
    "IR2Vec": ("ir2vec", "history"),
    "embedding": ("embedding", "history"),
    "embedding + Autophase": ("embedding", "autophase", "history"),
}
SHIPPED = "embedding"
NONE = "none (one list for all)"


@dataclass(frozen=True)
class TrainConfig:
    """The run."""

    work: Path = Path("runs/search_data")
    """What ``experiments.search_data`` wrote."""
    corpus: Path | None = None
    """``modules`` of a corpus' work folder: PPO trains on some of them too."""
    corpus_count: int = 40
    fit: FitConfig = field(default_factory=FitConfig)
    refine: RefineConfig = field(default_factory=RefineConfig)
    seeds: int = 5
    """Of the regression, in the comparison of observations."""
    folder: Path = RESULTS / "train_policy"
    output: Path = FOLDER


class Fitted(NamedTuple):
    """One regression."""

    observation: str
    seed: int
    policy: Policy
    valid: dict[int, float]
    """Ratio to Oz of the best of the first k, on validation modules."""


def fit_one(data: Data, objective: str, name: str, config: TrainConfig, seed: int) -> Fitted:
    """A regression from one observation."""
    names = OBSERVATIONS[name]
    parts = split(data, objective, names)
    sizes = tuple(parts.train.parts[part].shape[1] for part in names)
    shape = PolicyConfig(objective, names, sizes)
    net = fit(shape, parts.train, parts.valid, config.fit, seed)
    policy = to_policy(net, shape, policy_actions())
    return Fitted(name, seed, policy, score(policy, parts))


def fixed(data: Data, objective: str) -> dict[int, float]:
    """The same figures of one list for all: the cover of the training modules."""
    parts = split(data, objective, ("history",))
    values = parts.first_train.values[:, :-1]
    chosen = Memory.of(np.zeros((len(values), 1)), values).ranked(np.zeros(1), 30)
    return best_of_lists([chosen] * len(parts.first_valid.values), parts.first_valid.values)


def ceiling(data: Data, objective: str) -> float:
    """What the best action that was tried gives."""
    values = split(data, objective, ("history",)).first_valid.values[:, :-1]
    return float(np.exp(np.nanmax(values, 1).mean()))


def train_objective(data: Data, objective: str, config: TrainConfig) -> dict[str, Any]:
    """All regressions, the refinement, and the policy that is shipped."""
    fitted = [
        fit_one(data, objective, name, config, seed)
        for name in OBSERVATIONS
        for seed in range(config.seeds)
    ]
    ours = [one for one in fitted if one.observation == SHIPPED]
    warm = max(ours, key=lambda one: one.valid[10]).policy
    started = time.perf_counter()
    curve, policies = _refine(data, warm, config)
    seconds = time.perf_counter() - started
    best = max(curve, key=lambda point: point["top10"])
    parts = split(data, objective, warm.config.observation)
    shipped = remember(policies[best["steps"]], parts.first_train, parts.first_valid)
    shipped.save(config.output / f"{POLICIES[objective]}.safetensors")
    rows = [{"observation": f.observation, "seed": f.seed, **named(f.valid)} for f in fitted]
    rows.append({"observation": NONE, "seed": 0, **named(fixed(data, objective))})
    return {
        "rows": [{"objective": objective, **row} for row in rows],
        "curve": [{"objective": objective, **point} for point in curve],
        "ceiling": ceiling(data, objective),
        "shipped_after_steps": best["steps"],
        "ppo_seconds": round(seconds, 1),
        "ppo_steps_per_s": round(config.refine.total_steps / max(seconds, 1e-9), 1),
    }


def _refine(
    data: Data, warm: Policy, config: TrainConfig
) -> tuple[list[dict[str, Any]], dict[int, Policy]]:
    """The curve on validation modules, and the policy at each of its points."""
    parts = split(data, warm.config.objective, warm.config.observation)
    curve: list[dict[str, Any]] = []
    policies: dict[int, Policy] = {}

    def report(steps: int, policy: Policy) -> None:
        policies[steps] = policy
        curve.append({"steps": steps, **scores(policy, parts)})
        print(curve[-1], flush=True)

    if config.refine.total_steps:
        programs = ppo_programs(config.corpus, config.corpus_count)
        refine(warm, programs, config.refine, 0, report=report)
    else:
        report(0, warm)
    return curve, policies


def main(config: TrainConfig) -> int:
    """Train both policies; print the comparison of observations."""
    started = time.perf_counter()
    torch.set_num_threads(1)
    data = read(config.work)
    config.folder.mkdir(parents=True, exist_ok=True)
    done = {objective: train_objective(data, objective, config) for objective in POLICIES}
    rows = [row for one in done.values() for row in one.pop("rows")]
    curve = [point for one in done.values() for point in one.pop("curve")]
    write_rows(config.folder / "observations.csv", rows)
    write_rows(config.folder / "curve.csv", curve)
    plot_policy_curves(config.folder / "curve.png", curve, rows)
    figures: dict[str, Any] = {
        **done,
        "states": len(data),
        "modules": len(set(data.modules)),
        "validation_modules": len(set(data.modules[data.is_validation])),
        "actions": len(policy_actions()),
        "seconds": round(time.perf_counter() - started, 1),
    }
    write_run_json(config.folder, config, figures)
    for objective in POLICIES:
        print(objective, done[objective])
        for name in (*OBSERVATIONS, NONE):
            some = [r for r in rows if r["observation"] == name and r["objective"] == objective]
            means = {k: float(np.mean([r[k] for r in some])) for k in ("top1", "top3", "top10")}
            print(f"  {name:24}", {k: round(v, 4) for k, v in means.items()})
    return 0


if __name__ == "__main__":
    raise SystemExit(main(tyro.cli(TrainConfig)))
