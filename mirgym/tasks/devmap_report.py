"""Tables and figures of device mapping: means over seeds, with published rows beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from pathlib import Path
from typing import Any

import numpy as np

from .plots import plot_few_shot
from .tables import Row, TextTable, write_csv

PUBLISHED: Mapping[str, tuple[float, float]] = {
    "Grewe et al. 2013": (0.734, 0.729),
    "DeepTune 2017": (0.837, 0.803),
    "inst2vec 2018": (0.828, 0.818),
    "ProGraML 2021": (0.866, 0.800),
    "IR2Vec 2020": (0.928, 0.897),
}
"""Accuracy on AMD and NVIDIA under the literature's protocol, as the papers give it."""
FIELDS = (
    "device", "protocol", "method", "kind", "seeds", "accuracy", "accuracy_std",
    "speedup_mean", "speedup_geomean", "oracle_mean", "oracle_geomean",
)  # fmt: skip
_METRICS = ("accuracy", "speedup_mean", "speedup_geomean", "oracle_mean", "oracle_geomean")


def summarise(rows: Sequence[Row], controls: Set[str]) -> list[dict[str, Any]]:
    """One row for each device, protocol and method, at all training rows."""
    groups: dict[tuple[str, str, str], list[Row]] = {}
    for row in rows:
        if row["share"] == 1:
            key = (row["device"], row["protocol"], row["method"])
            groups.setdefault(key, []).append(row)
    table: list[dict[str, Any]] = []
    for (device, protocol, method), runs in groups.items():
        means = {name: float(np.mean([run[name] for run in runs])) for name in _METRICS}
        table.append(
            {
                "device": device,
                "protocol": protocol,
                "method": method,
                "kind": "control" if method in controls else "encoder",
                "seeds": len(runs),
                **means,
                "accuracy_std": float(np.std([run["accuracy"] for run in runs])),
            }
        )
    return table


def few_shot(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Mean accuracy by device, method and share of the training rows."""
    wanted = [row for row in rows if row["protocol"] in ("literature", "few-shot")]
    curves = {(row["device"], row["method"]) for row in wanted if row["share"] < 1}
    groups: dict[tuple[str, str, float], list[float]] = {}
    for row in wanted:
        if (row["device"], row["method"]) in curves:
            key = (row["device"], row["method"], row["share"])
            groups.setdefault(key, []).append(row["accuracy"])
    return [
        {
            "device": device, "method": method, "share": share,
            "seeds": len(values), "accuracy": float(np.mean(values)),
        }
        for (device, method, share), values in sorted(groups.items())
    ]  # fmt: skip


def best(table: Sequence[Mapping[str, Any]], protocol: str, device: str, kind: str) -> Row | None:
    """The row of a kind that is right most often."""
    fitting = [
        row
        for row in table
        if (row["protocol"], row["device"], row["kind"]) == (protocol, device, kind)
    ]
    return max(fitting, key=lambda row: float(row["accuracy"]), default=None)


def write_report(folder: Path, rows: Sequence[Row], controls: Set[str]) -> Mapping[str, Any]:
    """Write the files; return the table, the curves and the published rows."""
    table, curves = summarise(rows, controls), few_shot(rows)
    write_csv(folder / "table.csv", FIELDS, table)
    if curves:
        write_csv(folder / "few_shot.csv", tuple(curves[0]), curves)
        devices = sorted({row["device"] for row in curves})
        panels = {device: [row for row in curves if row["device"] == device] for device in devices}
        path = folder / "few_shot.png"
        plot_few_shot(path, panels, "accuracy", "accuracy, %", percent=True)
    return {"table": table, "few_shot": curves, "published_accuracy": PUBLISHED}


def text_table(table: Sequence[Row], protocol: str) -> TextTable:
    """Accuracy and speedup of each method on both devices; published rows where they compare."""
    devices = list(dict.fromkeys(row["device"] for row in table))
    cells = {(r["method"], r["device"]): r for r in table if r["protocol"] == protocol}
    lines = [["method", *(f"{device}, %" for device in devices)]]
    lines[0] += [f"{device}, speedup (geomean)" for device in devices]
    if protocol == "literature":
        lines += [
            [f"{name} (published)", *(f"{100 * value:.1f}" for value in values), "", ""]
            for name, values in PUBLISHED.items()
        ]
    for method in dict.fromkeys(name for name, _ in cells):
        both = [cells[method, device] for device in devices]
        lines.append([method, *(_accuracy(row) for row in both), *(_speedup(row) for row in both)])
    if cells:
        some = [next(r for (_, d), r in cells.items() if d == device) for device in devices]
        told = [f"{row['oracle_mean']:.2f} ({row['oracle_geomean']:.2f})" for row in some]
        lines.append(["oracle", *("100.0" for _ in devices), *told])
    return f"devmap, protocol {protocol}", lines


def _accuracy(row: Row) -> str:
    spread = f" ± {100 * row['accuracy_std']:.1f}" if row["seeds"] > 1 else ""
    return f"{100 * row['accuracy']:.1f}{spread}"


def _speedup(row: Row) -> str:
    return f"{row['speedup_mean']:.2f} ({row['speedup_geomean']:.2f})"
