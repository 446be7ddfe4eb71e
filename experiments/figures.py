"""The experiments' pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

AGENT, CONTROL, BASELINE = "#1f6feb", "#8b949e", "#d1242f"


def plot_curves(path: Path, rows: list[dict[str, Any]], title: str) -> None:
    """Held-out geomean against training steps, one line a seed, with the controls."""
    figure, axes = plt.subplots(figsize=(7, 4))
    for row in rows:
        steps, values = zip(*row["curve"], strict=True)
        label = "PPO, one greedy episode" if row is rows[0] else None
        axes.plot(steps, values, color=AGENT, alpha=0.8, label=label)
    for row in rows:
        label = "PPO, best of its episodes" if row is rows[0] else None
        axes.plot(row["curve"][-1][0], row["agent"], "*", color=AGENT, markersize=12, label=label)
    for key, style in (("random_one_rollout", "--"), ("random", ":")):
        mean = sum(row[key] for row in rows) / len(rows)
        label = "random, one episode" if style == "--" else "random, best of as many episodes"
        axes.axhline(mean, color=CONTROL, linestyle=style, label=label)
    axes.axhline(1.0, color=BASELINE, linewidth=1, label="Oz")
    axes.set(xlabel="training steps", ylabel="Oz ÷ agent, geomean, held out", title=title)
    axes.legend(frameon=False)
    figure.tight_layout()
    figure.savefig(path, dpi=150)
    plt.close(figure)


def plot_bars(path: Path, ratios: Mapping[str, float], title: str, label: str) -> None:
    """One bar a program: by how much it is smaller than the baseline, in percent."""
    ordered = sorted(ratios.items(), key=lambda item: item[1])
    figure, axes = plt.subplots(figsize=(7, 0.28 * len(ordered) + 1.2))
    names = [name for name, _ in ordered]
    gains = [100 * (1 - 1 / value) for _, value in ordered]
    axes.barh(names, gains, color=[AGENT if g > 0 else CONTROL for g in gains])
    axes.axvline(0, color=BASELINE, linewidth=1)
    axes.set(xlabel=label, title=title)
    axes.tick_params(axis="y", labelsize=8)
    figure.tight_layout()
    figure.savefig(path, dpi=150)
    plt.close(figure)


def plot_loops(path: Path, learned: Mapping[str, Any]) -> None:
    """Held-out loops: what each way of choosing gains over LLVM."""
    held_out = learned["held_out"]
    bars = {
        "one choice, at random": (held_out["random"], CONTROL),
        "one choice for all loops": (learned["fixed"]["gain"], CONTROL),
        "best of ten at random": (held_out["best_of_10_random"], CONTROL),
        **{f"PPO, seed {seed}": (gain, AGENT) for seed, gain in enumerate(learned["ppo"])},
        "brute force": (held_out["brute_force"], BASELINE),
    }
    figure, axes = plt.subplots(figsize=(7, 0.45 * len(bars) + 1))
    names = list(bars)[::-1]
    axes.barh(
        names,
        [100 * (bars[name][0] - 1) for name in names],
        color=[bars[name][1] for name in names],
    )
    axes.axvline(0.0, color="black", linewidth=0.8)
    axes.set(xlabel=f"% executed less than at O3, {held_out['loops']} held-out loops")
    figure.tight_layout()
    figure.savefig(path, dpi=150)
    plt.close(figure)


def plot_execution(path: Path, lines: Sequence[Mapping[str, Any]]) -> None:
    """Wrongly predicted branches, and exactly predicted loads, a bar each method."""
    colours = {"network": AGENT, "control": CONTROL, "predictor": BASELINE}
    panels = {"misses": "branches predicted wrongly, %", "exact": "loads predicted exactly, %"}
    figure, all_axes = plt.subplots(1, 2, figsize=(12, 4.5))
    for axes, (name, label) in zip(all_axes, panels.items(), strict=True):
        shown = [line for line in lines if line[name] is not None][::-1]
        axes.barh(
            [line["method"] for line in shown],
            [line[name] for line in shown],
            xerr=[line[f"{name}_std"] for line in shown],
            color=[colours[line["kind"]] for line in shown],
        )
        axes.set(xlabel=label)
    figure.tight_layout()
    figure.savefig(path, dpi=150)
    plt.close(figure)


def plot_matrices(path: Path, matrices: Mapping[str, Mapping[tuple[str, str], float]]) -> None:
    """A matrix beside the other: trained on a row, tested on a column; colours from 0 to 1."""
    figure, all_axes = plt.subplots(1, len(matrices), figsize=(6.2 * len(matrices), 5))
    for axes, (title, cells) in zip(all_axes, matrices.items(), strict=True):
        rows, columns = (list(dict.fromkeys(names)) for names in zip(*cells, strict=True))
        values = [[cells[row, column] for column in columns] for row in rows]
        axes.imshow(values, vmin=0, vmax=1, cmap="Blues", aspect="auto")
        for y, line in enumerate(values):
            for x, value in enumerate(line):
                colour = "white" if value > 0.6 else "black"
                text = f"{value:.2f}" if value > -10 else "< −10"
                axes.text(x, y, text, ha="center", va="center", fontsize=8, color=colour)
        axes.set_xticks(range(len(columns)), columns, rotation=40, ha="right")
        axes.set_yticks(range(len(rows)), rows)
        axes.set(title=title, xlabel="tested on", ylabel="trained on")
    figure.tight_layout()
    figure.savefig(path, dpi=150)
    plt.close(figure)


def plot_robustness(path: Path, rows: list[dict[str, Any]], figures: Sequence[str]) -> None:
    """Each figure against the number of passes, one line an encoder."""
    titles = {
        "moved": "distance moved ÷ distance between programs",
        "found": "nearest is the unchanged program",
        "answered": "algorithm named by a reader of unchanged programs",
    }
    figure, all_axes = plt.subplots(1, len(figures), figsize=(4.6 * len(figures), 4))
    encoders = list(dict.fromkeys(row["encoder"] for row in rows))
    counted = {"autophase", "instcount", "ir2vec"}
    for axes, name in zip(all_axes, figures, strict=True):
        for number, encoder in enumerate(encoders):
            own = [row for row in rows if row["encoder"] == encoder]
            passes = [row["passes"] for row in own]
            style = "--" if encoder in counted else "-"
            values = [row[name] for row in own]
            axes.plot(range(len(passes)), values, style, color=f"C{number}", label=encoder)
            axes.set_xticks(range(len(passes)), [str(count) for count in passes])
        axes.set(xlabel="random core passes that change something", ylim=(0, None))
        axes.set_title(titles[name], fontsize=10)
    all_axes[0].legend(frameon=False, fontsize=8)
    figure.tight_layout()
    figure.savefig(path, dpi=150)
    plt.close(figure)


def plot_transfer(
    path: Path,
    scores: Mapping[str, Mapping[str, float]],
    curves: Mapping[str, Sequence[Sequence[tuple[int, float]]]],
) -> None:
    """Scores of each question by column, and learning curves of PPO by encoder."""
    figure, (left, right) = plt.subplots(
        1, 2, figsize=(12, 4.5), gridspec_kw={"width_ratios": (3, 2)}
    )
    columns = list(dict.fromkeys(name for line in scores.values() for name in line))
    width = 0.8 / max(len(columns), 1)
    for number, column in enumerate(columns):
        places = [at + (number - len(columns) / 2) * width for at in range(len(scores))]
        values = [line.get(column, 0.0) for line in scores.values()]
        left.bar(places, values, width, label=column, color=f"C{number}")
    left.set_xticks(range(len(scores)), list(scores))
    left.set(ylabel="accuracy; R² of oz", title="held-out programs", ylim=(0, None))
    left.legend(frameon=False, fontsize=7, ncols=2)
    for (name, runs), color in zip(curves.items(), (AGENT, CONTROL), strict=False):
        for seed, run in enumerate(runs):
            points = ([steps for steps, _ in run], [value for _, value in run])
            right.plot(*points, color=color, label=None if seed else name)
    right.axhline(1.0, color=BASELINE, linewidth=1, label="Oz")
    right.set(xlabel="training steps of PPO", ylabel="Oz ÷ agent, geomean, held out")
    right.legend(frameon=False)
    figure.tight_layout()
    figure.savefig(path, dpi=150)
    plt.close(figure)


def plot_fused(
    path: Path, named: Sequence[Mapping[str, Any]], ordered: Sequence[Mapping[str, Any]]
) -> None:
    """Accuracy of the better reader by features, and speedups on programs that are left out.

    Of the orders by features those by neighbours are shown.
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(13, 5))
    names = list(dict.fromkeys(row["features"] for row in named))[::-1]
    states = list(dict.fromkeys(row["state"] for row in named))
    height = 0.8 / len(states)
    for number, (state, color) in enumerate(zip(states, (CONTROL, AGENT), strict=False)):
        best = [
            max(
                (row["accuracy"], row["deviation"])
                for row in named
                if (row["state"], row["features"]) == (state, name)
            )
            for name in names
        ]
        places = [at + (number - (len(states) - 1) / 2) * height for at in range(len(names))]
        values, spreads = ([100 * one[part] for one in best] for part in (0, 1))
        left.barh(places, values, height, xerr=spreads, color=color, label=state)
    left.set_yticks(range(len(names)), names)
    left.set(xlabel="algorithm named, % of held-out programs")
    left.legend(frameon=False)
    rows = [row for row in ordered if row["programs"] == "left out"]
    rows = [row for row in rows if not row["order"].startswith("ridge")]
    for number, name in enumerate(dict.fromkeys(row["order"] for row in rows)):
        own = [row for row in rows if row["order"] == name]
        style = "-" if ":" in name else "--"
        points = ([str(row["compiles"]) for row in own], [row["mean"] for row in own])
        right.plot(*points, style, color=f"C{number % 10}", label=name)
    right.set(xlabel="pipelines tried", ylabel="O3 ÷ best, geomean, programs left out")
    right.legend(frameon=False, fontsize=7)
    figure.tight_layout()
    figure.savefig(path, dpi=150)
    plt.close(figure)
