"""PPO on passes with the frozen embedding of pre-trained weights, and of random ones."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from mirgym.agents.ppo import PpoConfig, train
from mirgym.encoder.config import TINY
from mirgym.encoder.model import Encoder
from mirgym.encoder.weights import save

from .runs import claim
from .train_ppo import HeldOutCurve, TrainConfig

Points = Sequence[tuple[int, float]]
"""Steps, and the geometric mean of Oz ÷ agent on held-out programs."""


@dataclass(frozen=True)
class PpoTransfer:
    """The comparison."""

    steps: int = 12_000
    """Of each agent; 0 leaves PPO out."""
    seeds: tuple[int, ...] = (0, 1, 2)
    evaluations: int = 16
    """Points of a curve."""


class Curves(NamedTuple):
    """Points by encoder, one list a seed, and what is said of them."""

    points: Mapping[str, Sequence[Points]]
    figures: dict[str, Any]


def compare(config: PpoTransfer, work: Path, path: Path) -> Curves:
    """Train each agent, or go on with it; write the points to ``path``."""
    if not config.steps:
        return Curves({}, {})
    claim(work, (config.steps, config.evaluations))
    encoders = {"pre-trained": "tiny", "random weights": str(_random(work))}
    points = {
        name: [
            _curve(config, encoder, work / name.replace(" ", "-"), seed) for seed in config.seeds
        ]
        for name, encoder in encoders.items()
    }
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["encoder", "seed", "steps", "geomean_vs_Oz"])
        for name, curves in points.items():
            for seed, curve in zip(config.seeds, curves, strict=True):
                writer.writerows([name, seed, at, f"{value:.4f}"] for at, value in curve)
    return Curves(points, summary(points))


def summary(points: Mapping[str, Sequence[Points]]) -> dict[str, Any]:
    """Final scores, and steps until the score that the worse encoder ends with.

    >>> summary({"a": [[(0, 0.8), (10, 0.9)]], "b": [[(0, 0.8), (10, 0.8)]]})["steps_to_level"]
    {'a': [0], 'b': [0]}
    """
    last = {name: [curve[-1][1] for curve in curves] for name, curves in points.items()}
    level = min(float(np.mean(values)) for values in last.values())
    return {
        "final": {name: [round(value, 4) for value in values] for name, values in last.items()},
        "level": round(level, 4),
        "steps_to_level": {
            name: [steps_to(level, curve) for curve in curves] for name, curves in points.items()
        },
    }


def steps_to(level: float, curve: Points) -> int | None:
    """Steps of the first point that is as good; None when there is none.

    >>> steps_to(0.9, [(0, 0.5), (100, 0.95), (200, 0.8)])
    100
    """
    return next((steps for steps, value in curve if value >= level - 1e-9), None)


def _random(work: Path) -> Path:
    """Weights of an encoder of tiny's shape that learned nothing."""
    path = work / "random.safetensors"
    if not path.exists():
        torch.manual_seed(0)
        save(Encoder(TINY), path)
    return path


def _curve(config: PpoTransfer, encoder: str, folder: Path, seed: int) -> Points:
    ppo = PpoConfig(observation=("embedding", "history"), encoder=encoder, total_steps=config.steps)
    run = replace(TrainConfig(), ppo=ppo, evaluations=config.evaluations)
    target = folder / f"seed{seed}"
    target.mkdir(parents=True, exist_ok=True)
    curve = HeldOutCurve(run, target / "curve.json")
    train(ppo, target, seed, callback=curve, progress=False)
    return curve.points
