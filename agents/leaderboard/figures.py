"""``curves.png`` and ``bars.png``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .table import Score, Summary

_AXIS = {
    "text_size_bytes": "Oz ÷ agent, .text bytes",
    "ir_instructions": "Oz ÷ agent, IR instructions",
    "dynamic_cost": "O3 ÷ agent, dynamic cost",
    "runtime_ns": "O3 ÷ agent, run time",
}


def _around_one(ratios: Sequence[float]) -> tuple[float, float]:
    """Limits that show what is won; who loses more than that leaves the figure."""
    won = max(max(ratios) - 1, 0.01)
    return max(min(ratios), 1 - won) - 0.3 * won, 1 + 1.3 * won


def draw_curves(table: Sequence[Summary], objective: str, title: str, path: Path) -> None:
    """Geometric mean against compiles, with the confidence interval as a band."""
    figure, axes = _figure(7.0, 4.5)
    for agent in dict.fromkeys(one.agent for one in table):
        mine = sorted((one for one in table if one.agent == agent), key=lambda one: one.budget)
        budgets = [one.budget for one in mine]
        (line,) = axes.plot(budgets, [one.geomean_to_b for one in mine], marker="o", label=agent)
        axes.fill_between(
            budgets,
            [one.low for one in mine],
            [one.high for one in mine],
            color=line.get_color(),
            alpha=0.12,
            linewidth=0,
        )
    budgets = sorted({one.budget for one in table})
    axes.set_xscale("log")
    axes.set_xticks(budgets, [str(budget) for budget in budgets])
    axes.minorticks_off()
    axes.axhline(1.0, color="black", linewidth=0.8)
    axes.set_ylim(*_around_one([one.geomean_to_b for one in table]))
    axes.set_xlabel("compiles")
    axes.set_ylabel(f"{_AXIS[objective]}, geomean")
    axes.set_title(title)
    axes.legend(frameon=False)
    figure.savefig(path)


def draw_bars(scores: Sequence[Score], objective: str, title: str, path: Path) -> None:
    """A group of bars for each program, a bar for each agent."""
    agents = list(dict.fromkeys(score.agent for score in scores))
    programs = list(dict.fromkeys(score.program for score in scores))
    figure, axes = _figure(max(7.0, 0.14 * len(programs) * (len(agents) + 1)), 4.5)
    width = 0.85 / max(len(agents), 1)
    for index, agent in enumerate(agents):
        gains = {score.program: score.ratio_to_b - 1 for score in scores if score.agent == agent}
        places = [at + (index - (len(agents) - 1) / 2) * width for at in range(len(programs))]
        heights = [gains.get(program, 0.0) for program in programs]
        axes.bar(places, heights, width, bottom=1.0, label=agent)
    axes.set_xticks(range(len(programs)), programs, rotation=45, ha="right")
    axes.axhline(1.0, color="black", linewidth=0.8)
    axes.set_ylabel(_AXIS[objective])
    axes.set_title(title)
    axes.legend(frameon=False, ncols=4)
    figure.savefig(path)


def _figure(width: float, height: float) -> tuple[Any, Any]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots()
