"""The table of OpenMP loops: speedups over the default, and shares of the oracle's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence, Set
from pathlib import Path
from typing import Any

import numpy as np

from .coarsening_report import interval
from .tables import Row, TextTable, write_csv

FIELDS = (
    "method", "kind", "seeds", "speedup", "speedup_low", "speedup_high",
    "share", "share_low", "share_high", "share_std", "worst_share",
)  # fmt: skip


def summarise(rows: Sequence[Row], controls: Set[str]) -> list[dict[str, Any]]:
    """One row for each method.

    ``speedup`` and ``share`` are geometric means over cases and seeds, ``share_std`` is over
    seeds; ``worst_share`` is of the kernel that a method serves worst.
    """
    by_method: dict[str, list[Row]] = {}
    for row in rows:
        by_method.setdefault(row["method"], []).append(row)
    table = []
    for method, runs in by_method.items():
        names = np.array(runs[0]["kernel"])
        figures: dict[str, Any] = {
            "method": method,
            "kind": "control" if method in controls else "encoder",
            "seeds": len(runs),
        }
        for field in ("speedup", "share"):
            logs = np.log([run[field] for run in runs])  # (seeds, cases)
            # Every kernel has the same number of sizes: a mean of means is the mean.
            kernels = np.array([logs[:, names == name].mean() for name in dict.fromkeys(names)])
            low, high = interval(kernels)
            figures[field] = float(np.exp(kernels.mean()))
            figures[f"{field}_low"], figures[f"{field}_high"] = np.exp([low, high]).tolist()
        figures["share_std"] = float(np.exp(logs.mean(1)).std(ddof=1)) if len(runs) > 1 else 0.0
        figures["worst_share"] = float(np.exp(kernels.min()))
        table.append(figures)
    return table


def chosen(rows: Sequence[Row]) -> dict[str, dict[str, int]]:
    """How often a method chooses what, with its first seed, the most frequent first."""
    found: dict[str, dict[str, int]] = {}
    for row in rows:
        if row["seed"] == 0:
            found[row["method"]] = dict(Counter(row["chosen"]).most_common())
    return found


def write_report(folder: Path, rows: Sequence[Row], controls: Set[str]) -> Mapping[str, Any]:
    """Write ``table.csv``; return the table and what was chosen."""
    table = summarise(rows, controls)
    write_csv(folder / "table.csv", FIELDS, table)
    return {"table": table, "chosen": chosen(rows)}


def text_table(table: Sequence[Row]) -> TextTable:
    """Speedup and share of each method with their intervals."""
    lines = [["method", "speedup", "% of the oracle's", "its worst kernel"]]
    for row in table:
        mark = " (control)" if row["kind"] == "control" else ""
        speedup = f"{row['speedup']:.2f} ({row['speedup_low']:.2f}–{row['speedup_high']:.2f})"
        low, high = 100 * row["share_low"], 100 * row["share_high"]
        share = f"{100 * row['share']:.1f} ({low:.1f}–{high:.1f})"
        lines.append([row["method"] + mark, speedup, share, f"{100 * row['worst_share']:.1f}"])
    return "openmp, speedup over all cores and static, a kernel left out (95 % interval)", lines
