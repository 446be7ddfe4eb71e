"""How well pre-trained encoders do their tasks on packages that they never saw.

Writes ``results/pretrain_report/``: ``report.csv`` (each loss on the test packages, with the
standard error over batches, beside that of a trivial predictor made from the training
packages), ``curves.png`` (the losses during training) and ``run.json``. With ``--ablations``
it also trains small encoders without each task and with one modality only. They train for
equal time, so that a dearer task pays for itself; let nothing else use the machine.

    python -m experiments.pretrain_report --shards FOLDER --base-run FOLDER --tiny-run FOLDER
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import tyro

from mirgym.encoder.dataset import Dataset
from mirgym.encoder.pretrain import PretrainConfig
from mirgym.errors import MirgymError

from .encoder_figures import plot_losses, read_log
from .pretrained import (
    TASKS,
    Mean,
    Pretrained,
    mean_losses,
    pretrained,
    task_weights,
    train_trivial,
)
from .runs import RESULTS, write_run_json


@dataclass(frozen=True)
class ReportConfig:
    """The report."""

    shards: Path
    """Folder of the corpus."""
    base_run: Path | None = None
    """Folder of the run of ``mirgym pretrain`` that made the base encoder."""
    tiny_run: Path | None = None
    """The same of the tiny encoder."""
    ablations: float = 0.0
    """Minutes of training of each ablated encoder; 0 leaves them out."""
    test_batches: int = 0
    """Batches of the test split; 0 is all."""
    train_batches: int = 300
    """Batches from which the trivial predictor counts; 0 is all."""
    seed: int = 0
    """Of the ablations."""
    folder: Path = RESULTS / "pretrain_report"
    runs: Path = Path("runs/pretrain_report")
    """Where the ablations' checkpoints go."""


class Row(NamedTuple):
    """One line of ``report.csv``."""

    encoder: str
    metric: str
    test: Mean
    trivial: float

    @property
    def gain(self) -> float:
        """How much of the trivial loss is gone; of an accuracy, what was won over chance."""
        difference = self.trivial - self.test.value
        return -difference if self.metric == "match accuracy" else difference / self.trivial


class Report:
    """Test and training split, with the trivial losses of each window."""

    def __init__(self, config: ReportConfig) -> None:
        self.config = config
        self.test = Dataset(config.shards, "test")
        self._trivial: dict[int, dict[str, Mean]] = {}

    def trivial(self, window: int) -> dict[str, Mean]:
        """Losses of the trivial predictor on the test split."""
        if window not in self._trivial:
            train = Dataset(self.config.shards, "train")
            predictor = train_trivial(train, window, limit=self.config.train_batches)
            limit = self.config.test_batches
            self._trivial[window] = mean_losses(predictor.losses, self.test, window, limit=limit)
        return self._trivial[window]

    def rows(self, name: str, encoder: Pretrained) -> Iterator[Row]:
        """The lines of one encoder."""
        window = encoder.config.window
        trivial = self.trivial(window)
        limit = self.config.test_batches
        for metric, test in mean_losses(encoder.losses, self.test, window, limit=limit).items():
            yield Row(name, metric, test, trivial[metric].value)


def ablations(config: ReportConfig) -> Iterator[tuple[str, PretrainConfig]]:
    """Runs of the tiny encoder: whole, without each task, with each modality alone."""

    def run(name: str, **changes: Any) -> tuple[str, PretrainConfig]:
        # Another time is another schedule of the learning rate, so another run.
        folder = config.runs / f"{name.replace(' ', '-')}-{config.ablations:g}-seed{config.seed}"
        common = {"minutes": config.ablations, "config": "tiny", "seed": config.seed}
        return f"ablation: {name}", PretrainConfig(config.shards, folder, **common, **changes)  # type: ignore[arg-type]

    yield run("all tasks")
    for task in TASKS:
        yield run(f"without {task}", tasks=task_weights(without=task))
    yield run("text only", modality="text", tasks=task_weights("text"))
    yield run("graph only", modality="graph", tasks=task_weights("graph"))


def write_csv(path: Path, rows: list[Row]) -> None:
    """Write ``report.csv``."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["encoder", "metric", "test", "standard_error", "trivial", "gain"])
        for row in rows:
            numbers = (row.test.value, row.test.error, row.trivial, row.gain)
            writer.writerow([row.encoder, row.metric, *(f"{x:.4f}" for x in numbers)])


def print_rows(title: str, rows: list[Row]) -> None:
    """Print a table."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title)
    table.add_column("encoder")
    table.add_column("metric")
    for column in ("test", "±", "trivial", "gain"):
        table.add_column(column, justify="right")
    for index, row in enumerate(rows):
        first = index == 0 or rows[index - 1].encoder != row.encoder
        if first and index:
            table.add_section()
        values = (f"{x:.3f}" for x in (row.test.value, row.test.error, row.trivial))
        table.add_row(row.encoder if first else "", row.metric, *values, f"{100 * row.gain:+.1f} %")
    Console().print(table)


def main(config: ReportConfig) -> int:
    """Report on the given runs; return 1 when an encoder is worse than trivial at a task."""
    folders = {"base": config.base_run, "tiny": config.tiny_run}
    given = {name: folder for name, folder in folders.items() if folder is not None}
    if not given and not config.ablations:
        raise MirgymError("nothing to report on; give --base-run, --tiny-run or --ablations")
    # First, so that a wrong folder is told before the corpus is read.
    encoders = {name: Pretrained(folder) for name, folder in given.items()}
    config.folder.mkdir(parents=True, exist_ok=True)
    if config.ablations:
        for name, run in ablations(config):
            encoders[name] = pretrained(run)
            given[name] = run.output
    report = Report(config)
    rows = [row for name, encoder in encoders.items() for row in report.rows(name, encoder)]
    write_csv(config.folder / "report.csv", rows)
    trained = {
        name: {"minutes": e.minutes, "functions": e.functions} for name, e in encoders.items()
    }
    packages = sorted(set(report.test.packages))
    figures = {"trained": trained, "test_functions": len(report.test), "test_packages": packages}
    write_run_json(config.folder, config, figures)
    shown = [name for name in given if name in folders] or list(given)
    trivial = {row.metric: row.trivial for row in rows}
    plot_losses(
        config.folder / "curves.png", {name: read_log(given[name]) for name in shown}, trivial
    )
    print_rows(f"{len(report.test)} functions of {len(packages)} test packages", rows)
    return 1 if any(row.gain <= 0 for row in rows if row.encoder in folders) else 0


if __name__ == "__main__":
    raise SystemExit(main(tyro.cli(ReportConfig)))
