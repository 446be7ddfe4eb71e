"""The picture of ``experiments.train_policy``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np

from .figures import AGENT, BASELINE, CONTROL

matplotlib.use("Agg")
import matplotlib.pyplot as plt

_KS = ("top1", "top3", "top10")


def plot_policy_curves(
    path: Path, curve: Sequence[Mapping[str, Any]], rows: Sequence[Mapping[str, Any]]
) -> None:
    """For each objective: the refinement's curve, and observations side by side."""
    objectives = list(dict.fromkeys(row["objective"] for row in rows))
    figure, axes = plt.subplots(len(objectives), 2, figsize=(11, 3.6 * len(objectives)))
    for (left, right), objective in zip(np.atleast_2d(axes), objectives, strict=True):
        _curve(left, [point for point in curve if point["objective"] == objective], objective)
        _observations(right, [row for row in rows if row["objective"] == objective])
    figure.tight_layout()
    figure.savefig(path, dpi=150)
    plt.close(figure)


def _curve(axes: Any, points: Sequence[Mapping[str, Any]], objective: str) -> None:
    for key, style in zip(_KS, ("-", "--", ":"), strict=True):
        axes.plot(
            [point["steps"] for point in points],
            [point[key] for point in points],
            style,
            color=AGENT,
            label=f"best of the first {key.removeprefix('top')}",
        )
    axes.axhline(1.0, color=BASELINE, linewidth=1, label="Oz")
    axes.set(xlabel="PPO steps", ylabel="Oz ÷ policy, validation modules", title=objective)
    axes.legend(frameon=False)


def _observations(axes: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    names = list(dict.fromkeys(row["observation"] for row in rows))
    for place, key in enumerate(_KS):
        values = [[row[key] for row in rows if row["observation"] == name] for name in names]
        axes.barh(
            np.arange(len(names)) + 0.27 * (place - 1),
            [100 * (np.mean(value) - 1) for value in values],
            0.25,
            xerr=[100 * np.std(value) for value in values],
            color=AGENT,
            alpha=1 - 0.3 * place,
            label=f"best of the first {key.removeprefix('top')}",
        )
    axes.set_yticks(range(len(names)), names, fontsize=8)
    axes.axvline(0, color=CONTROL, linewidth=1)
    axes.set(xlabel="% better than Oz, validation modules")
    axes.legend(frameon=False, fontsize=8)


def plot_ablations(
    path: Path,
    found: Mapping[str, Mapping[str, tuple[float, float]]],
    columns: Mapping[str, str],
    objective: str,
) -> None:
    """A panel for each column: a dot a row, with the half interval beside its mean."""
    figure, panels = plt.subplots(1, len(columns), figsize=(13, 0.45 * len(found) + 1.4))
    places = np.arange(len(found))[::-1]
    for axes, (column, told) in zip(panels, columns.items(), strict=True):
        means, halves = np.array([cells[column] for cells in found.values()]).T
        gains, errors = 100 * (means - 1), 100 * np.nan_to_num(halves)
        axes.errorbar(gains, places, xerr=errors, fmt="o", color=AGENT, capsize=3)
        axes.set_yticks(places, list(found) if axes is panels[0] else [])
        axes.set_ylim(-0.5, len(found) - 0.5)
        axes.axvline(0, color=BASELINE, linewidth=1)
        axes.set_title(told, fontsize=10)
    figure.supxlabel(f"% better than Oz, {objective}, validation modules", fontsize=10)
    figure.tight_layout()
    figure.savefig(path, dpi=150)
    plt.close(figure)
