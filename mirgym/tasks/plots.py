"""The few-shot figure: how good methods are with a part of the training rows."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..programs.cache import write_atomically
from .tables import Row


def plot_few_shot(
    path: Path, panels: Mapping[str, Sequence[Row]], field: str, label: str, percent: bool = False
) -> None:
    """A panel for each title, in it a line for each method.

    Args:
        path: Of the PNG.
        panels: Rows with ``method``, ``share`` (of the training rows) and the field, by title.
        field: What is drawn.
        label: What the axis says of it.
        percent: Whether the field is a share, drawn in percent.
    """
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    factor = 100 if percent else 1
    size = (6.0, 4.0) if len(panels) == 1 else (4.5 * len(panels), 3.6)
    figure, places = plt.subplots(1, len(panels), figsize=size, sharey=True, squeeze=False)
    for axes, (title, curves) in zip(places[0], panels.items(), strict=True):
        for method in dict.fromkeys(row["method"] for row in curves):
            points = [row for row in curves if row["method"] == method]
            shares = [100 * point["share"] for point in points]
            values = [factor * point[field] for point in points]
            axes.plot(shares, values, marker="o", label=method)
        axes.set(xscale="log", xlabel="% of the training rows", title=title)
        axes.set_xticks([1, 5, 10, 25, 100], labels=["1", "5", "10", "25", "100"])
        axes.grid(alpha=0.3)
    places[0][0].set_ylabel(label)
    places[0][0].legend(frameon=False, fontsize=8)
    figure.tight_layout()
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=150)
    plt.close(figure)
    write_atomically(path, content.getvalue())
