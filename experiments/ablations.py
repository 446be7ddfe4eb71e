"""What each part of the policy is worth: the network, its warm start, PPO, a frozen encoder.

Each row of the table is trained for several seeds and scored like the policies of
``experiments.train_policy``, which compares observations: by the same validation modules,
which also choose the step that the regression and the fine-tuning keep. PPO is scored after
its last step. In every row the memory holds the training modules, as that network sees them.

======================= ====================================================================
untrained               random weights: what the memory and its kernel do alone
regression              the warm start; the encoder is frozen
PPO from scratch        MaskablePPO on the random weights
regression + PPO        the same steps from the warm start
regression, encoder too the warm start trained on, with the encoder, for a few more steps
======================= ====================================================================

Writes ``results/ablations/``: ``table.csv``, ``table.md``, ``ablations.png``, ``run.json``.
What is done is kept in ``ablations.jsonl`` in the work folder, where a second start goes on.

    python -m experiments.ablations --corpus WORK/modules
"""

from __future__ import annotations

import csv
import dataclasses
import json
import time
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import tyro
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from scipy import stats

from .ablation_rows import ROWS, AblationConfig, Study
from .policy_figures import plot_ablations
from .readme_tables import markdown
from .runs import write_run_json

COLUMNS = {
    "greedy": "greedy",
    "top1": "first 1",
    "top3": "first 3",
    "top10": "first 10",
    "top30": "first 30",
}
Row = dict[str, Any]


class Done:
    """Rows that were computed before, in a file of one line each.

    Lines of other settings or other states are passed over, and so is a line cut short.
    """

    def __init__(self, path: Path, settings: str) -> None:
        self._path, self._settings = path, settings
        self._rows: dict[tuple[str, int], Row] = {}
        for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
            try:
                row = json.loads(line)
            except ValueError:
                continue
            if row.pop("settings", None) == settings:
                self._rows[row["row"], row["seed"]] = row

    def get(self, name: str, seed: int) -> Row | None:
        """The row, if it is there."""
        return self._rows.get((name, seed))

    def add(self, row: Row) -> None:
        """Keep a row."""
        self._rows[row["row"], row["seed"]] = row
        with self._path.open("a", encoding="utf-8") as file:
            if file.tell() and not self._path.read_bytes().endswith(b"\n"):
                file.write("\n")
            file.write(json.dumps({"settings": self._settings, **row}) + "\n")


def settings_of(study: Study) -> str:
    """Changes with whatever changes a row."""
    config = dataclasses.asdict(study.config)
    for name in ("work", "seeds", "folder"):
        del config[name]
    text = json.dumps({**config, "rows": sorted(ROWS)}, default=str).encode()
    values = study.data.values[study.config.objective]
    seen = zlib.crc32(values.tobytes(), zlib.crc32(study.data.parts["embedding"].tobytes()))
    return f"{zlib.crc32(text):08x}-{seen:08x}"


def compute(study: Study) -> list[Row]:
    """All rows, those of one seed together: they share its regression."""
    done = Done(study.config.work / "ablations.jsonl", settings_of(study))
    wanted = [(name, seed) for seed in range(study.config.seeds) for name in ROWS]
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    rows = []
    with Progress(*columns, TimeElapsedColumn()) as progress:
        task = progress.add_task("", total=len(wanted))
        for name, seed in wanted:
            progress.update(task, description=f"{name}, seed {seed}")
            row = done.get(name, seed)
            if row is None:
                started = time.perf_counter()
                found = ROWS[name](study, seed)
                seconds = round(time.perf_counter() - started, 1)
                row = {"row": name, "seed": seed, **found, "seconds": seconds}
                done.add(row)
            rows.append(row)
            progress.advance(task)
    return sorted(rows, key=lambda row: list(ROWS).index(row["row"]))


def interval(values: Sequence[float]) -> tuple[float, float]:
    """Mean, and half of its 95 % interval by Student's t; NaN from a single value."""
    if len(values) < 2:
        return float(np.mean(values)), float("nan")
    half = stats.t.ppf(0.975, len(values) - 1) * stats.sem(values)
    return float(np.mean(values)), float(half)


def summary(rows: Sequence[Row]) -> dict[str, dict[str, tuple[float, float]]]:
    """Mean and half interval over seeds, by row and column."""
    names = dict.fromkeys(row["row"] for row in rows)
    return {
        name: {c: interval([row[c] for row in rows if row["row"] == name]) for c in COLUMNS}
        for name in names
    }


def table(found: Mapping[str, Mapping[str, tuple[float, float]]]) -> str:
    """As Markdown."""

    def cell(mean: float, half: float) -> str:
        return f"{mean:.4f}" if np.isnan(half) else f"{mean:.4f} ± {half:.4f}"

    return markdown(
        ["", *COLUMNS.values()],
        [[name, *(cell(*cells[column]) for column in COLUMNS)] for name, cells in found.items()],
    )


def main(config: AblationConfig) -> int:
    """Compute what is not there yet; write and print the table."""
    torch.set_num_threads(1)
    study = Study(config)
    rows = compute(study)
    config.folder.mkdir(parents=True, exist_ok=True)
    with (config.folder / "table.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, ["row", "seed", *COLUMNS], extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    found = summary(rows)
    text = table(found)
    (config.folder / "table.md").write_text(text + "\n", encoding="utf-8")
    plot_ablations(config.folder / "ablations.png", found, COLUMNS, config.objective)
    figures = {
        "rows": {
            name: {c: [round(x, 5) for x in pair] for c, pair in cells.items()}
            for name, cells in found.items()
        },
        "modules": len(set(study.data.modules)),
        "validation_modules": len(study.parts.first_valid.values),
        "states": len(study.data),
        "seconds": round(sum(row["seconds"] for row in rows), 1),
    }
    write_run_json(config.folder, config, figures)
    print(text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(tyro.cli(AblationConfig)))
