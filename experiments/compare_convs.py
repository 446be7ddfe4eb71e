"""Which graph convolution: four of them, trained for equal time, with the text and without.

Writes ``results/compare_convs/``: ``convs.csv`` (losses on the test packages, functions a
second in training and in embedding) and ``run.json``. The runs go one after another; let
nothing else use the machine.

    python -m experiments.compare_convs --shards FOLDER --minutes 10
"""

from __future__ import annotations

import csv
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import torch
import tyro

from mirgym.encoder.config import Conv, Modality
from mirgym.encoder.dataset import Dataset
from mirgym.encoder.pretrain import PretrainConfig

from .pretrained import (
    TASKS,
    Pretrained,
    labelled_batches,
    mean_losses,
    pretrained,
    task_weights,
)
from .runs import RESULTS, write_run_json

METRICS = (*TASKS, "match accuracy")


@dataclass(frozen=True)
class ConvsConfig:
    """The comparison."""

    shards: Path
    """Folder of the corpus."""
    minutes: float
    """Training time of each of the encoders."""
    config: Literal["base", "tiny"] = "tiny"
    convs: tuple[Conv, ...] = get_args(Conv)
    modalities: tuple[Literal["both", "graph"], ...] = ("both", "graph")
    """With the text, and the graph only. The graph alone cannot answer ``mtm`` and ``match``."""
    test_batches: int = 0
    """Batches of the test split; 0 is all."""
    seed: int = 0
    folder: Path = RESULTS / "compare_convs"
    runs: Path = Path("runs/compare_convs")
    """Where the checkpoints go."""


def run_config(config: ConvsConfig, conv: Conv, modality: Modality) -> PretrainConfig:
    """One of the runs; all else is equal."""
    name = f"{config.config}-{conv}-{modality}-{config.minutes:g}-seed{config.seed}"
    return PretrainConfig(
        config.shards,
        config.runs / name,
        config=config.config,
        minutes=config.minutes,
        tasks=task_weights(modality),
        modality=modality,
        conv=conv,
        seed=config.seed,
    )


def embedding_rate(encoder: Pretrained, dataset: Dataset, batches: int = 10) -> float:
    """Functions embedded in a second, once they are tensors."""
    functions, seconds = 0, 0.0
    encoder.encoder.prepare_inference()
    with torch.inference_mode():
        for labelled in labelled_batches(dataset, encoder.config.window, limit=batches):
            start = time.perf_counter()
            encoder.encoder(labelled.batch)
            seconds += time.perf_counter() - start
            functions += len(labelled.batch.token_counts)
    return functions / seconds


def row_of(config: ConvsConfig, dataset: Dataset, conv: Conv, modality: Modality) -> dict[str, Any]:
    """Train one encoder and measure it."""
    encoder = pretrained(run_config(config, conv, modality))
    window = encoder.config.window
    losses = mean_losses(encoder.losses, dataset, window, limit=config.test_batches)
    return {
        "conv": conv,
        "modality": modality,
        **{name: losses[name].value if name in losses else None for name in METRICS},
        "trained_functions_per_s": encoder.functions / (60 * encoder.minutes),
        "embedded_functions_per_s": embedding_rate(encoder, dataset),
        "parameters": sum(p.numel() for p in encoder.encoder.parameters()),
    }


def _cell(value: object) -> str:
    if value is None:
        return ""
    return f"{value:.4f}" if isinstance(value, float) else str(value)


def write_csv(path: Path, rows: list[dict[str, Any]]) -> None:
    """Write ``convs.csv``; a task that was not asked is empty."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(rows[0])
        writer.writerows([_cell(value) for value in row.values()] for row in rows)


def print_rows(rows: list[dict[str, Any]], title: str) -> None:
    """Print a table."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title)
    for name in rows[0]:
        table.add_column(name, justify="left" if name in ("conv", "modality") else "right")
    for row in rows:
        table.add_row(*(_cell(value) for value in row.values()))
    Console().print(table)


def main(config: ConvsConfig) -> int:
    """Train and measure all of them."""
    config.folder.mkdir(parents=True, exist_ok=True)
    dataset = Dataset(config.shards, "test")
    rows: list[dict[str, Any]] = []
    for modality in config.modalities:
        for conv in config.convs:
            rows.append(row_of(config, dataset, conv, modality))
            write_csv(config.folder / "convs.csv", rows)
    write_run_json(config.folder, config, {"rows": rows})
    print_rows(rows, f"{config.config}, {config.minutes:g} minutes each, test losses")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(tyro.cli(ConvsConfig)))
