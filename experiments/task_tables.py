"""The README's tables of ``mirgym tasks``, from the tasks' own ``run.json``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

PROTOCOLS = {"literature": "10-fold", "program": "by program", "suite": "suite left out"}
_DEVICES = ("amd", "nvidia")


def _figures(results: Path, name: str) -> Mapping[str, Any]:
    figures: Mapping[str, Any] = json.loads(
        (results / name / "run.json").read_text(encoding="utf-8")
    )["figures"]
    return figures


def devmap(results: Path) -> tuple[list[str], list[list[str]]]:
    """Head and lines: accuracy in percent, AMD / NVIDIA, and speedups by program."""
    figures = _figures(results, "tasks-devmap")
    cells = {(r["method"], r["protocol"], r["device"]): r for r in figures["table"]}
    known = [name for name in PROTOCOLS if any(key[1] == name for key in cells)]

    def both(method: str, protocol: str, field: str, scale: float, digits: int) -> str:
        found = [cells.get((method, protocol, device)) for device in _DEVICES]
        return " / ".join(f"{scale * row[field]:.{digits}f}" if row else "–" for row in found)

    head = ["accuracy in %, AMD / NVIDIA", *(PROTOCOLS[name] for name in known)]
    head.append("speedup, by program")
    lines = [
        [f"{name} *(published)*", f"{100 * amd:.1f} / {100 * nvidia:.1f}"] + [""] * (len(head) - 2)
        for name, (amd, nvidia) in figures["published_accuracy"].items()
    ]
    methods = list(dict.fromkeys((row["method"], row["kind"]) for row in figures["table"]))
    for method, kind in methods:
        told = [both(method, name, "accuracy", 100, 1) for name in known]
        mark = " *(control)*" if kind == "control" else ""
        lines.append([method + mark, *told, both(method, "program", "speedup_geomean", 1, 2)])
    oracle = both(methods[0][0], "program", "oracle_geomean", 1, 2)
    lines.append(["oracle", *("100 / 100" for _ in known), oracle])
    return head, lines


def coarsening(results: Path) -> tuple[list[str], list[list[str]]]:
    """Head and lines: mean speedup with its interval, by GPU."""
    from mirgym.tasks.coarsening import GPUS
    from mirgym.tasks.coarsening_report import text_table

    head, *lines = text_table(_figures(results, "tasks-coarsening")["table"], GPUS)[1]
    return head, lines


def openmp(results: Path) -> tuple[list[str], list[list[str]]]:
    """Head and lines: speedups over the default, and shares of the oracle's."""
    from mirgym.tasks.openmp_report import text_table

    head, *lines = text_table(_figures(results, "tasks-openmp")["table"])[1]
    return head, lines


def algorithms(results: Path) -> tuple[list[str], list[list[str]]]:
    """Head and lines: error in percent, by protocol."""
    from mirgym.tasks.algorithm_report import text_table

    head, *lines = text_table(_figures(results, "tasks-algorithms")["table"])[1]
    return head, lines


def vectorize(results: Path) -> tuple[list[str], list[list[str]]]:
    """Head and lines: share of the oracle's speedup, and speedup, by protocol."""
    from mirgym.tasks.vectorize_report import text_table

    head, *lines = text_table(_figures(results, "tasks-vectorize")["table"])[1]
    return head, lines


def oz_benefit(results: Path) -> tuple[list[str], list[list[str]]]:
    """Head and lines: R² and mean error, by target."""
    from mirgym.tasks.oz_benefit import text_table

    head, *lines = text_table(_figures(results, "tasks-oz_benefit")["table"])[1]
    return head, lines


def best_pass(results: Path) -> tuple[list[str], list[list[str]]]:
    """Head and lines: share of the best passes' gain, and how often one is chosen."""
    from mirgym.tasks.best_pass import text_table

    head, *lines = text_table(_figures(results, "tasks-best_pass")["table"])[1]
    return head, lines
