"""How good choices for loops are: speedups over LLVM's own choice, beside the oracle's."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .summary import Measure
from .tables import Row, TextTable

RESAMPLES = 2_000
MEASURE = Measure(
    ("of_oracle", "low", "high", "speedup", "oracle", "gain_share", "test_loops", "train_loops"),
    "speedup ÷ the oracle's",
    "split",
)


def metrics(taken: np.ndarray, best: np.ndarray, programs: Sequence[str]) -> Row:
    """Geometric means over loops, and how much of the oracle's speedup is reached.

    ``of_oracle`` is speedup ÷ oracle's speedup, ``low`` to ``high`` 95 % of a bootstrap over
    programs; LLVM's own choice reaches 1 ÷ oracle. ``gain_share`` is the ratio of the logarithms:
    0 for LLVM's own choice, 1 for the oracle.

    Args:
        taken: ``ln(speedup)`` of the choice for each loop, (n,).
        best: The same of the best choice.
        programs: The loops' programs.
    """
    _, place = np.unique(np.array(programs), return_inverse=True)
    missed = np.bincount(place, taken - best)  # by program
    sizes = np.bincount(place)
    drawn = np.random.default_rng(0).integers(0, len(sizes), (RESAMPLES, len(sizes)))
    low, high = np.percentile(np.exp(missed[drawn].sum(1) / sizes[drawn].sum(1)), [2.5, 97.5])
    whole = float(best.mean())
    return {
        "of_oracle": float(np.exp((taken - best).mean())),
        "low": float(low),
        "high": float(high),
        "speedup": float(np.exp(taken.mean())),
        "oracle": float(np.exp(whole)),
        "gain_share": float(taken.mean()) / whole if whole > 0 else 1.0,
    }


def text_table(table: Sequence[Row]) -> TextTable:
    """Share of the oracle's speedup, with its interval, and speedup, by protocol."""
    cells = {(row["method"], row["protocol"]): row for row in table}
    protocols = list(dict.fromkeys(row["protocol"] for row in table))
    head = ["method"]
    for name in protocols:
        head += [f"% of the oracle's speedup, {name}", f"speedup, {name}"]
    lines = [head]
    for method, kind in dict.fromkeys((row["method"], row["kind"]) for row in table):
        line = [method + (" (control)" if kind == "control" else "")]
        for name in protocols:
            row = cells.get((method, name))
            line += [_share(row), f"{row['speedup']:.3f}"] if row else ["", ""]
        lines.append(line)
    return "vectorize, speedup over LLVM's own choice (95 % interval over programs)", lines


def _share(row: Row) -> str:
    return f"{100 * row['of_oracle']:.1f} ({100 * row['low']:.1f}–{100 * row['high']:.1f})"
