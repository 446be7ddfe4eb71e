"""The pictures of the encoder's experiments."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from .figures import AGENT, BASELINE, CONTROL

Log = list[dict[str, Any]]


def read_log(run: Path) -> Log:
    """The lines of a run's ``log.jsonl``."""
    path = run / "log.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def plot_losses(path: Path, logs: Mapping[str, Log], trivial: Mapping[str, float]) -> None:
    """Each loss against the functions seen: training as a line, validation as dots."""
    names = list(trivial)
    columns = 3
    rows = -(-len(names) // columns)
    figure, grid = plt.subplots(rows, columns, figsize=(11, 2.9 * rows), squeeze=False)
    for axes, name in zip(grid.flat, names, strict=False):
        for color, (run, log) in zip((AGENT, BASELINE, *"gmcyk"), logs.items(), strict=False):
            train, valid = (
                [(entry["functions"] / 1e3, entry[part][name]) for entry in log
                 if name in entry.get(part, {})]
                for part in ("train", "valid")
            )  # fmt: skip
            if train:
                axes.plot(
                    *zip(*train, strict=True), color=color, linewidth=1, label=f"{run}, train"
                )
            if valid:
                axes.plot(*zip(*valid, strict=True), "o", color=color, label=f"{run}, validation")
        axes.axhline(trivial[name], color=CONTROL, linestyle="--", label="trivial, test")
        axes.set_title(name, fontsize=10)
        accuracy = name.endswith("accuracy")
        axes.set_ylim(*((0.45, 1.0) if accuracy else _limits(axes, trivial[name])))
        axes.tick_params(labelsize=8)
    for axes in list(grid.flat)[len(names) :]:
        axes.set_axis_off()
    for axes in grid[-1]:
        axes.set_xlabel("functions seen, thousands", fontsize=9)
    grid[0, 0].legend(frameon=False, fontsize=8)
    figure.tight_layout()
    figure.savefig(path, dpi=150)
    plt.close(figure)


def _limits(axes: Any, trivial: float) -> tuple[float, float]:
    """From the lowest point to a little above the trivial loss: the first steps are far off."""
    lines = [np.asarray(line.get_ydata(), float) for line in axes.lines[:-1]]
    values = np.concatenate([*lines, [trivial]])
    low, high = values.min(), max(trivial, min(values.max(), 1.3 * trivial))
    margin = 0.06 * (high - low) or 0.1
    return low - margin, high + margin


class Cloud(NamedTuple):
    """Points in two dimensions, each of a kind."""

    points: np.ndarray  # (n, 2)
    kinds: Sequence[str]
    axes: str
    """What the axes are."""


class Path2D(NamedTuple):
    """A program's way through a pipeline, in the axes of ``background``."""

    title: str
    points: np.ndarray  # (steps + 1, 2)
    passes: Sequence[str]  # (steps,)
    background: np.ndarray  # (n, 2)
    labelled: int = 7
    """The passes of the longest steps are named."""


def plot_map(path: Path, cloud: Cloud, way: Path2D) -> None:
    """The functions by kind, and beside them the program's way."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(14, 6), width_ratios=(1, 1.1))
    _plot_cloud(left, cloud)
    _plot_way(right, way)
    figure.tight_layout()
    figure.savefig(path, dpi=150)
    plt.close(figure)


def _plot_cloud(axes: Any, cloud: Cloud) -> None:
    kinds = np.array(cloud.kinds)
    colors = plt.get_cmap("tab10")
    order, counts = np.unique(kinds, return_counts=True)
    # The rare kinds last, on top.
    for index, rank in enumerate(np.argsort(-counts)):
        chosen = kinds == order[rank]
        label = f"{order[rank]} ({counts[rank]:,})"
        axes.scatter(
            *cloud.points[chosen].T, s=7, alpha=0.6, linewidths=0, color=colors(index), label=label
        )
    axes.set(title="functions of the test packages", xlabel=f"{cloud.axes} 1")
    axes.set_ylabel(f"{cloud.axes} 2")
    axes.legend(markerscale=2.5, fontsize=9, loc="upper left", framealpha=0.85)
    # A handful of huge functions would squeeze all others into a corner.
    low, high = np.percentile(cloud.points, [0.3, 99.7], axis=0)
    margin = 0.05 * (high - low) + 1e-6
    axes.set(xlim=(low[0] - margin[0], high[0] + margin[0]))
    axes.set(ylim=(low[1] - margin[1], high[1] + margin[1]))


def _plot_way(axes: Any, way: Path2D) -> None:
    axes.scatter(*way.background.T, s=5, color=CONTROL, alpha=0.25, linewidths=0)
    axes.plot(*way.points.T, color=AGENT, linewidth=1, alpha=0.7)
    steps = np.linalg.norm(np.diff(way.points, axis=0), axis=1)
    moved = way.points[1:][steps > 0]
    marks = axes.scatter(*moved.T, c=np.flatnonzero(steps > 0), cmap="viridis", s=18, zorder=3)
    axes.figure.colorbar(marks, ax=axes, label="passes applied", fraction=0.04)
    axes.plot(*way.points[0], "o", color=BASELINE, markersize=9, label="unoptimised", zorder=4)
    axes.plot(*way.points[-1], "*", color=BASELINE, markersize=14, label="after O2", zorder=4)
    for step in np.argsort(-steps)[: way.labelled]:
        if steps[step] > 0:
            name, middle = way.passes[step].partition("<")[0], way.points[step : step + 2].mean(0)
            axes.annotate(name, middle, (5, 5), textcoords="offset points", fontsize=8)
    low, high = way.points.min(0), way.points.max(0)
    margin = 0.15 * (high - low) + 1e-3
    axes.set(xlim=(low[0] - margin[0], high[0] + margin[0]))
    axes.set(ylim=(low[1] - margin[1], high[1] + margin[1]))
    axes.set(title=way.title, xlabel="principal component 1", ylabel="principal component 2")
    axes.legend(frameon=False, fontsize=9)


PROBES = {
    "effects": "(a) effect of each pass, mean R²",
    "oz": "(b) benefit of Oz, R²",
    "twin": "(c) itself after Oz, recall@1",
    "algorithm": "(d) algorithm, accuracy",
}


def plot_probes(path: Path, scores: Mapping[tuple[str, str, str], tuple[float, float]]) -> None:
    """A panel for each question, bars for each column: (question, probe, column) → mean, ±."""
    figure, grid = plt.subplots(2, 2, figsize=(11, 6.5))
    names = list(dict.fromkeys(column for _, _, column in scores))
    for axes, (question, title) in zip(grid.flat, PROBES.items(), strict=True):
        for offset, (probe, color) in enumerate((("linear", CONTROL), ("mlp", AGENT))):
            found = [scores[question, probe, name] for name in names]
            places = np.arange(len(names)) + 0.4 * offset - 0.2
            means, errors = zip(*found, strict=True)
            axes.bar(places, np.maximum(means, 0), 0.38, yerr=errors, color=color, label=probe)
        axes.set_xticks(range(len(names)), names, rotation=25, ha="right", fontsize=8)
        axes.set_title(title, fontsize=10)
    grid[0, 0].legend(frameon=False, fontsize=9)
    figure.tight_layout()
    figure.savefig(path, dpi=150)
    plt.close(figure)
