"""``mirgym bench NAME``: every figure that the README quotes, measured on this machine.

Each benchmark returns a ``Report``; its checks carry the limits that the project holds
itself to.
"""

from __future__ import annotations

import importlib
from typing import Any

from ..errors import did_you_mean
from .report import Check, Report

NAMES = ("engine", "env", "size", "embed", "cache", "fuzz", "validate", "runtime", "optimize")

__all__ = ["NAMES", "Check", "Report", "run"]


def run(name: str, *, json: bool = False, **options: Any) -> int:
    """Run one benchmark and print its report; return 1 when a check fails, else 0.

    Raises:
        ValueError: No such benchmark.
    """
    if name not in NAMES:
        raise ValueError(
            f"unknown benchmark {name!r}; expected one of {list(NAMES)}."
            + did_you_mean(name, NAMES)
        )
    module = importlib.import_module(f".{name}", __name__)
    report: Report = module.measure(**options)
    report.print(json=json)
    return 0 if report.ok else 1
