"""README tables of what the embedding of code and values is good for."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

from .encoder_tables import Head

_Row = Mapping[str, str]
_METHODS = ("neighbours", "ridge")
_HALVES = ("left out", "held out")
_COUNTS = ("1", "3", "10")
_COMPARED = "3"
"""Pipelines at which an order is held against the greedy one."""


def _read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def algorithms(results: Path) -> Head:
    """A feature set a row: accuracy of both readers in both states, in percent."""
    rows = _read(results / "fused" / "table.csv")
    cells = {(row["features"], row["state"], row["reader"]): row for row in rows}
    columns = list(dict.fromkeys((row["state"], row["reader"]) for row in rows))

    def cell(name: str, column: tuple[str, str]) -> str:
        row = cells[name, *column]
        return f"{100 * float(row['accuracy']):.1f} ± {100 * float(row['deviation']):.1f}"

    return (
        ["algorithm named, %", *(f"{state}, {reader}" for state, reader in columns)],
        [
            [name, *(cell(name, column) for column in columns)]
            for name in dict.fromkeys(row["features"] for row in rows)
        ],
    )


def orders(results: Path) -> Head:
    """What an order goes by a row: speedups over O3 after 1, 3 and 10 pipelines.

    The columns of held-out programs are empty where none were looked at.
    """
    rows = _read(results / "fused" / "orders.csv")
    cells = {(row["programs"], row["order"], row["compiles"]): row for row in rows}
    names = list(dict.fromkeys(row["order"] for row in rows))
    plain = [name for name in names if ":" not in name]
    features = list(dict.fromkeys(n.partition(": ")[2] for n in names if ":" in n))

    def speedups(half: str, order: str) -> str:
        own = [cells[half, order, n]["mean"] for n in _COUNTS if (half, order, n) in cells]
        return " / ".join(f"{float(mean):.3f}" for mean in own)

    def against(order: str) -> str:
        row = cells["left out", order, _COMPARED]
        low, high = (float(row[f"ratio_{end}"]) for end in ("low", "high"))
        return f"{float(row['ratio_mean']):.3f} ({low:.3f}–{high:.3f})"

    def line(name: str) -> list[str]:
        both = [f"{method}: {name}" for method in _METHODS]
        told = [cell for order in both for cell in (speedups(_HALVES[0], order), against(order))]
        return [name, *told, *(speedups(_HALVES[1], order) for order in both)]

    def plain_line(name: str) -> list[str]:
        left_out = [speedups(_HALVES[0], name), against(name)]
        return [f"{name} *(no features)*", *left_out, "", "", speedups(_HALVES[1], name), ""]

    head = ["O3 ÷ best of 1 / 3 / 10", *(f"{m}{x}" for m in _METHODS for x in ("", ", 3 ÷ greedy"))]
    return (
        [*head, *(f"held out, {method}" for method in _METHODS)],
        [*map(plain_line, plain), *map(line, features)],
    )
