"""Tables and the few-shot figure of algorithm classification: errors in percent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from pathlib import Path
from typing import Any

import numpy as np

from .coarsening_report import RESAMPLES
from .plots import plot_few_shot
from .tables import Row, TextTable, write_csv

FIELDS = ("protocol", "method", "kind", "error", "low", "high", "train_programs")


def interval(wrong: Sequence[int], asked: Sequence[int]) -> tuple[float, float]:
    """95 % of a bootstrap over classes of the share of wrong answers."""
    drawn = np.random.default_rng(0).integers(0, len(asked), (RESAMPLES, len(asked)))
    shares = np.array(wrong)[drawn].sum(1) / np.maximum(np.array(asked)[drawn].sum(1), 1)
    low, high = np.percentile(shares, [2.5, 97.5])
    return float(low), float(high)


def summarise(rows: Sequence[Row], controls: Set[str]) -> list[dict[str, Any]]:
    """One row for each protocol and method, at all training programs."""
    table = []
    for row in rows:
        if row["share"] == 1:
            low, high = interval(row["wrong"], row["asked"])
            kind = "control" if row["method"] in controls else "encoder"
            own = {field: row[field] for field in ("protocol", "method", "error")}
            table.append(
                {
                    **own, "kind": kind, "low": low, "high": high,
                    "train_programs": row["train_programs"],
                }
            )  # fmt: skip
    return table


def few_shot(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Mean error by method and share of the training programs, with their number."""
    wanted = [row for row in rows if row["protocol"] in ("template", "few-shot")]
    curves = {row["method"] for row in wanted if row["share"] < 1}
    groups: dict[tuple[str, float], list[Row]] = {}
    for row in wanted:
        if row["method"] in curves:
            groups.setdefault((row["method"], row["share"]), []).append(row)
    return [
        {
            "method": method, "share": share, "train_programs": runs[0]["train_programs"],
            "seeds": len(runs), "error": float(np.mean([run["error"] for run in runs])),
        }
        for (method, share), runs in groups.items()
    ]  # fmt: skip


def write_report(folder: Path, rows: Sequence[Row], controls: Set[str]) -> Mapping[str, Any]:
    """Write the files; return the table and the curves."""
    table, curves = summarise(rows, controls), few_shot(rows)
    write_csv(folder / "table.csv", FIELDS, table)
    if curves:
        curves.sort(key=lambda row: (row["method"], row["share"]))
        write_csv(folder / "few_shot.csv", tuple(curves[0]), curves)
        plot_few_shot(folder / "few_shot.png", {"": curves}, "error", "error, %", percent=True)
    return {"table": table, "few_shot": curves}


def text_table(table: Sequence[Row]) -> TextTable:
    """Error of each method under each protocol, with its interval."""
    cells = {(row["method"], row["protocol"]): row for row in table}
    protocols = list(dict.fromkeys(row["protocol"] for row in table))
    lines = [["error in %", *(f"by {name}" for name in protocols)]]
    for method, kind in dict.fromkeys((row["method"], row["kind"]) for row in table):
        mark = " (control)" if kind == "control" else ""
        lines.append([method + mark, *(_cell(cells.get((method, name))) for name in protocols)])
    return "algorithms, error in % (95 % interval over classes)", lines


def _cell(row: Row | None) -> str:
    if row is None:
        return ""
    return f"{100 * row['error']:.1f} ({100 * row['low']:.1f}–{100 * row['high']:.1f})"
