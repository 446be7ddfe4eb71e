"""Means over seeds as tables, and curves over parts of the training rows.

Rows have ``protocol``, ``method``, ``share`` (of the training rows) and ``seed``; the
few-shot protocol's belong to the curve whose last point is another protocol's row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from .plots import plot_few_shot
from .tables import Row, write_csv

FEW_SHOT = "few-shot"


class Measure(NamedTuple):
    """What a task's rows are judged by.

    Attributes:
        fields: Numbers of a row, of which means are taken; the first is the curves'.
        label: What the curves' axis says.
        whole: The protocol whose rows are the curves' last points.
    """

    fields: tuple[str, ...]
    label: str
    whole: str


def summarise(rows: Sequence[Row], controls: Set[str], measure: Measure) -> list[dict[str, Any]]:
    """One row for each protocol and method, at all training rows, with the first's deviation."""
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        if row["share"] == 1:
            groups.setdefault((row["protocol"], row["method"]), []).append(row)
    first = measure.fields[0]
    return [
        {
            "protocol": protocol, "method": method,
            "kind": "control" if method in controls else "encoder", "seeds": len(runs),
            **{name: float(np.mean([run[name] for run in runs])) for name in measure.fields},
            f"{first}_std": float(np.std([run[first] for run in runs])),
        }
        for (protocol, method), runs in groups.items()
    ]  # fmt: skip


def few_shot(rows: Sequence[Row], measure: Measure) -> list[dict[str, Any]]:
    """Means of the first field by method and share of the training rows."""
    wanted = [row for row in rows if row["protocol"] in (measure.whole, FEW_SHOT)]
    curves = {row["method"] for row in wanted if row["share"] < 1}
    groups: dict[tuple[str, float], list[float]] = {}
    first = measure.fields[0]
    for row in wanted:
        if row["method"] in curves:
            groups.setdefault((row["method"], row["share"]), []).append(row[first])
    return [
        {"method": method, "share": share, "seeds": len(values), first: float(np.mean(values))}
        for (method, share), values in sorted(groups.items())
    ]


def write_report(
    folder: Path, rows: Sequence[Row], controls: Set[str], measure: Measure
) -> Mapping[str, Any]:
    """``table.csv``, ``few_shot.csv`` and ``few_shot.png``; return the table and the curves."""
    table, curves = summarise(rows, controls, measure), few_shot(rows, measure)
    if table:
        write_csv(folder / "table.csv", tuple(table[0]), table)
    if curves:
        write_csv(folder / "few_shot.csv", tuple(curves[0]), curves)
        field = measure.fields[0]
        plot_few_shot(folder / "few_shot.png", {"": curves}, field, measure.label)
    return {"table": table, "few_shot": curves}
