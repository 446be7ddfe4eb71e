"""Thread coarsening's table: mean speedups with intervals, and published rows beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .tables import Row, TextTable, write_csv

PUBLISHED: Mapping[str, tuple[float, float, float, float]] = {
    "Magni et al. 2014": (1.21, 1.01, 0.86, 0.94),
    "DeepTune 2017": (1.10, 1.05, 1.10, 0.99),
    "DeepTune-TL 2017": (1.17, 1.23, 1.14, 0.93),
}
"""Mean speedups on Cypress, Tahiti, Fermi and Kepler, as inst2vec's evaluation gives them."""
RESAMPLES = 10_000
CONSTANT = "constant factor"
FIELDS = (
    "gpu", "method", "kind", "seeds", "mean", "low", "high", "geomean",
    "minus_constant", "minus_constant_low", "minus_constant_high",
)  # fmt: skip


def interval(values: np.ndarray) -> tuple[float, float]:
    """95 % of a bootstrap of the mean of kernels' values, (n,)."""
    drawn = np.random.default_rng(0).integers(0, len(values), (RESAMPLES, len(values)))
    low, high = np.percentile(values[drawn].mean(1), [2.5, 97.5])
    return float(low), float(high)


def summarise(rows: Sequence[Row], gpus: Sequence[str]) -> list[dict[str, Any]]:
    """One row for each GPU and method, and for all GPUs together; seeds are averaged."""
    by_method: dict[str, list[Mapping[str, Sequence[float]]]] = {}
    for row in rows:
        by_method.setdefault(row["method"], []).append(row["speedups"])
    table = []
    for gpu in (*gpus, "all"):
        # (kernels,): the mean over seeds, and over GPUs for "all"
        values = {
            method: np.mean(
                [[run[g] for g in (gpus if gpu == "all" else [gpu])] for run in runs], (0, 1)
            )
            for method, runs in by_method.items()
        }
        for method, speedups in values.items():
            table.append(
                {
                    "gpu": gpu, "method": method, "seeds": len(by_method[method]),
                    **_figures(speedups, values.get(CONSTANT)),
                }
            )  # fmt: skip
    return table


def _figures(speedups: np.ndarray, constant: np.ndarray | None) -> dict[str, Any]:
    low, high = interval(speedups)
    figures: dict[str, Any] = {
        "kind": "measured",
        "mean": float(speedups.mean()),
        "low": low,
        "high": high,
        "geomean": float(np.exp(np.log(speedups).mean())),
    }
    if constant is None:
        return figures | dict.fromkeys(FIELDS[-3:])
    low, high = interval(speedups - constant)
    return figures | {
        "minus_constant": float((speedups - constant).mean()),
        "minus_constant_low": low,
        "minus_constant_high": high,
    }


def write_report(folder: Path, rows: Sequence[Row], gpus: Sequence[str]) -> Mapping[str, Any]:
    """Write ``table.csv``; return the table and the published rows."""
    table = summarise(rows, gpus)
    write_csv(folder / "table.csv", FIELDS, table)
    return {"table": table, "published_mean_speedup": PUBLISHED}


def text_table(table: Sequence[Row], gpus: Sequence[str]) -> TextTable:
    """Mean speedup on each GPU with its interval; last, the difference to a constant factor."""
    cells = {(row["method"], row["gpu"]): row for row in table}
    lines = [["method", *gpus, "mean", "minus constant factor"]]
    for name, values in PUBLISHED.items():
        told = [f"{value:.2f}" for value in (*values, float(np.mean(values)))]
        lines.append([f"{name} (published)", *told, ""])
    for method in dict.fromkeys(name for name, _ in cells):
        rows = [cells[method, gpu] for gpu in (*gpus, "all")]
        means = [f"{row['mean']:.2f} ({row['low']:.2f}–{row['high']:.2f})" for row in rows]
        lines.append([method, *means, _difference(rows[-1])])
    return "coarsening, mean speedup over factor 1, a kernel left out (95 % interval)", lines


def _difference(row: Row) -> str:
    if row["minus_constant"] is None:
        return ""
    low, high = row["minus_constant_low"], row["minus_constant_high"]
    return f"{row['minus_constant']:+.2f} ({low:+.2f} to {high:+.2f})"
