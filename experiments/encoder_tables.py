"""README tables of what the encoder is worth: robustness to passes, and transfer."""

from __future__ import annotations

import csv
import json
from pathlib import Path

Head = tuple[list[str], list[list[str]]]
"""A table's head and its rows."""

_COUNTERS = {"autophase": "Autophase", "instcount": "InstCount", "ir2vec": "IR2Vec"}


def robustness(results: Path) -> Head:
    """An encoder a row: after 1, 4 and 16 random passes."""
    path = results / "robustness" / "robustness.csv"
    with path.open(newline="", encoding="utf-8") as file:
        rows = {(row["encoder"], int(row["passes"])): row for row in csv.DictReader(file)}
    encoders = list(dict.fromkeys(name for name, _ in rows))

    def cells(encoder: str, figure: str, passes: tuple[int, ...], digits: int) -> str:
        scale = 1 if digits else 100
        values = [scale * float(rows[encoder, count][figure]) for count in passes]
        return " / ".join(f"{value:.{digits}f}" for value in values)

    return (
        ["passes: 1 / 4 / 16", "moved", "found, %", "answered, % (0 / 1 / 4 / 16)"],
        [
            [
                _COUNTERS.get(name, name),
                cells(name, "moved", (1, 4, 16), 2),
                cells(name, "found", (1, 4, 16), 0),
                cells(name, "answered", (0, 1, 4, 16), 0),
            ]
            for name in encoders
        ],
    )


def transfer(results: Path) -> Head:
    """A column of the experiment a row: the mean over seeds on each question."""
    run = json.loads((results / "transfer" / "run.json").read_text(encoding="utf-8"))
    questions = run["figures"]["questions"]
    titles = {
        "algorithm": "algorithm, accuracy in %",
        "oz": "benefit of Oz, R²",
        "amd": "AMD, accuracy in %",
        "nvidia": "NVIDIA, accuracy in %",
    }
    columns = list(dict.fromkeys(name for line in questions.values() for name in line))

    def cell(question: str, column: str) -> str:
        value = questions[question].get(column)
        if value is None:
            return ""
        text = f"{value:.3f}" if question == "oz" else f"{100 * value:.1f}"
        return f"**{text}**" if value == max(questions[question].values()) else text

    return (
        ["", *(titles[name] for name in questions)],
        [[name, *(cell(question, name) for question in questions)] for name in columns],
    )
