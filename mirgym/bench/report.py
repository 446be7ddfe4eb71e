"""What a benchmark returns, as JSON or as tables."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..provenance import machine


@dataclass(frozen=True)
class Check:
    """One figure against its limit."""

    name: str
    value: float
    limit: float
    at_most: bool = True
    """Whether the value must stay at or below the limit; else at or above."""

    @property
    def ok(self) -> bool:
        """Whether the figure keeps its limit (a NaN does not)."""
        return self.value <= self.limit if self.at_most else self.value >= self.limit

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        sign = "<=" if self.at_most else ">="
        return {
            "name": self.name,
            "value": self.value,
            "limit": f"{sign} {self.limit:g}",
            "ok": self.ok,
        }


@dataclass
class Report:
    """Figures by name (numbers, or rows of numbers by name), and checks on them."""

    name: str
    figures: dict[str, Any] = field(default_factory=dict)
    checks: list[Check] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether every check holds."""
        return all(check.ok for check in self.checks)

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "machine": machine(),
            "figures": self.figures,
            "checks": [check.as_dict() for check in self.checks],
        }

    def print(self, *, json: bool) -> None:
        """Print one JSON object, or tables."""
        if json:
            _print_json(self.as_dict())
        else:
            _print_tables(self)


def _print_json(content: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(content, indent=2) + "\n")


def _print_tables(report: Report) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    console.print("[bold]mirgym bench " + report.name + "[/]  " + str(machine()["cpu"]))
    for name, value in report.figures.items():
        if isinstance(value, Mapping) and value and isinstance(next(iter(value.values())), Mapping):
            _print_rows(console, name, value)
        else:
            console.print(f"{name}: {_shown(value)}")
    table = Table("check", "value", "limit", "")
    for check in report.checks:
        row = check.as_dict()
        mark = "[green]ok[/]" if check.ok else "[red]FAILED[/]"
        table.add_row(check.name, _shown(check.value), row["limit"], mark)
    console.print(table)


def _print_rows(console: Any, name: str, rows: Mapping[str, Mapping[str, Any]]) -> None:
    from rich.table import Table

    columns = list(dict.fromkeys(key for row in rows.values() for key in row))
    table = Table(name, *columns)
    for key, row in rows.items():
        table.add_row(key, *(_shown(row.get(column, "")) for column in columns))
    console.print(table)


def _shown(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
