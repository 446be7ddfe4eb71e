"""What frozen embeddings know, read by small probes, beside features that count.

Four questions about functions and programs that no encoder was trained on:

=========  ===========================================================================
effects    (a) change in instructions when each pass is run alone: R² of each
oz         (b) ln(instructions / instructions after Oz): R²
twin       (c) which of 1,000 unoptimised functions is this one after Oz: recall@1
algorithm  (d) class of a generated program whose template was held out: accuracy
=========  ===========================================================================

Probes are fitted on training packages, chosen on validation packages and tested on test
packages; (d) has a split of its own. Linear and one hidden layer; each of the seeds takes
80 % of the fitting rows. Writes ``results/probe/``: ``probe.csv`` (mean and standard
deviation over the seeds), ``passes.csv`` (R² of each pass), ``probe.png``, ``run.json``.

    pip install ir2vec --no-deps   # for IR2Vec's seed vocabulary
    python -m experiments.probe --shards FOLDER --work FOLDER --text-run FOLDER ...
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tyro

from mirgym.corpus.schema import EFFECT_PASSES
from mirgym.ir2vec import read_vocabulary

from . import probe_heads as heads
from .encoder_figures import plot_probes
from .probe_columns import Column, counter, encoder, packaged_vocabulary, untrained
from .probe_data import ProbeRow, Sample, probe_rows
from .probe_programs import DescribedProgram, described_programs
from .runs import RESULTS, write_run_json

COUNTED = 0.01
"""Share of the test rows that a pass must change for its R² to count."""


@dataclass(frozen=True)
class ProbeConfig:
    """The probes."""

    shards: Path
    """Folder of the corpus."""
    work: Path
    """Work folder of ``mirgym corpus build``: the bitcode that the shards came from."""
    text_run: Path | None = None
    """Run of ``mirgym pretrain`` with the text alone."""
    graph_run: Path | None = None
    """Run with the graph alone."""
    both_run: Path | None = None
    """Run with both, of the same size and time as these two."""
    vocabulary: Path | None = None
    """IR2Vec's; by default that of the package ``ir2vec``, if it is installed."""
    fit_rows: int = 16_000
    valid_rows: int = 5_000
    test_rows: int = 13_000
    programs_per_class: int = 60
    seeds: int = 5
    jobs: int = 2
    folder: Path = RESULTS / "probe"
    cache: Path = Path("runs/probe")
    """Where described functions are kept for the next time."""


class Score(NamedTuple):
    """One cell of the table."""

    question: str
    probe: heads.Kind
    column: str
    values: list[float]
    """One for each seed."""


Splits = Mapping[str, Sequence[ProbeRow]]
Programs = Mapping[str, Sequence[DescribedProgram]]


def columns(config: ProbeConfig) -> Iterator[Column]:
    """As many of the table's columns as can be had."""
    yield counter("InstCount")
    yield counter("Autophase")
    vocabulary = config.vocabulary or packaged_vocabulary()
    if vocabulary is None:
        print("no column IR2Vec: `pip install ir2vec --no-deps`, or give --vocabulary")
    else:
        yield counter("IR2Vec", read_vocabulary(vocabulary))
    yield encoder("untrained", untrained())
    runs = {"text only": config.text_run, "graph only": config.graph_run, "both": config.both_run}
    for name, run in runs.items():
        if run is not None:
            yield encoder(name, run / "encoder.safetensors")
    yield encoder("tiny", "tiny")
    yield encoder("base", "base")


def values_parts(column: Column, splits: Splits) -> heads.Parts:
    """Question (a), and (b) as the last output."""
    return heads.Parts(
        *(
            heads.Part(
                column.functions([row.here for row in rows]),
                np.stack([np.append(row.effects, row.oz_benefit) for row in rows]).astype("f4"),
            )
            for rows in splits.values()
        )
    )


def pairs_parts(column: Column, splits: Splits) -> heads.Parts:
    """Question (c): after Oz on the left, before on the right."""
    parts = []
    for rows in splits.values():
        pairs = [(row.twin, row.here) for row in rows if row.twin is not None]
        # In random order, so that a gallery mixes the packages.
        order = np.random.default_rng(0).permutation(len(pairs))
        after, before = zip(*(pairs[i] for i in order), strict=True)
        parts.append(heads.Part(column.functions(after), column.functions(before)))
    return heads.Parts(*parts)


def classes_parts(column: Column, programs: Programs) -> heads.Parts:
    """Question (d)."""
    return heads.Parts(
        *(
            heads.Part(column.programs(rows), np.array([row.label for row in rows], np.int64))
            for rows in programs.values()
        )
    )


def r2_of_each(column: Column, splits: Splits, probe: heads.Kind, seeds: int) -> np.ndarray:
    """R² of (a)'s passes and of (b), shape (seeds, P + 1)."""
    parts = values_parts(column, splits)
    regress = heads.ridge_values if probe == "linear" else heads.mlp_values
    return np.stack([heads.r2(one, parts.test.y) for one in heads.ask(regress, parts, seeds)])


def counted_passes(splits: Splits) -> np.ndarray:
    """Which of the passes change enough functions of the test packages, (P,) bool."""
    effects = np.stack([row.effects for row in splits["test"]])
    changed: np.ndarray = (np.nan_to_num(effects) != 0).mean(0) >= COUNTED
    return changed


def scores_of(
    column: Column, splits: Splits, programs: Programs, seeds: int
) -> Iterator[tuple[Score, np.ndarray | None]]:
    """Every question and probe for one column; (a) with the R² of each pass, (P,)."""
    counted = counted_passes(splits)
    pairs, classes = pairs_parts(column, splits), classes_parts(column, programs)
    kinds: tuple[heads.Kind, ...] = ("linear", "mlp")
    for probe in kinds:
        each = r2_of_each(column, splits, probe, seeds)
        effects = each[:, :-1][:, counted].mean(1)
        yield Score("effects", probe, column.name, effects.tolist()), each[:, :-1].mean(0)
        yield Score("oz", probe, column.name, each[:, -1].tolist()), None
        twin = heads.ask(partial(heads.pairs, kind=probe), pairs, seeds, pairs=True)
        yield Score("twin", probe, column.name, twin), None
        algorithm = heads.ask(partial(heads.classes, kind=probe), classes, seeds)
        yield Score("algorithm", probe, column.name, algorithm), None


def write_csv(path: Path, scores: Sequence[Score]) -> None:
    """Write ``probe.csv``."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["question", "probe", "column", "mean", "deviation", "seeds"])
        for score in sorted(scores, key=lambda score: (score.question, score.probe)):
            mean, deviation = np.mean(score.values), np.std(score.values)
            numbers = (f"{mean:.4f}", f"{deviation:.4f}", len(score.values))
            writer.writerow([score.question, score.probe, score.column, *numbers])


def write_passes(
    path: Path, each: Mapping[tuple[str, str], np.ndarray], counted: np.ndarray
) -> None:
    """Write ``passes.csv``: a line for each pass, a column for each column and probe."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["pass", "counted", *(f"{name}, {probe}" for name, probe in each)])
        for index, name in enumerate(EFFECT_PASSES):
            row = [f"{values[index]:.4f}" for values in each.values()]
            writer.writerow([name, int(counted[index]), *row])


def print_table(scores: Sequence[Score]) -> None:
    """Print a line for each question and probe."""
    from rich.console import Console
    from rich.table import Table

    names = list(dict.fromkeys(score.column for score in scores))
    table = Table(title="probes of frozen features, test packages, mean over seeds")
    table.add_column("question")
    for name in names:
        table.add_column(name, justify="right")
    lines: dict[str, dict[str, float]] = {}
    for score in scores:
        line = lines.setdefault(f"{score.question}, {score.probe}", {})
        line[score.column] = float(np.mean(score.values))
    for label, line in lines.items():
        best = max(line.values())
        cells = [
            f"[bold]{line[name]:.3f}[/bold]" if line[name] == best else f"{line[name]:.3f}"
            for name in names
        ]
        table.add_row(label, *cells)
    Console().print(table)


def main(config: ProbeConfig) -> int:
    """Ask every question of every column."""
    samples = {"train": config.fit_rows, "valid": config.valid_rows, "test": config.test_rows}
    splits = {
        split: probe_rows(
            Sample(split, rows), config.shards, config.work, config.cache, config.jobs
        )
        for split, rows in samples.items()
    }
    programs = described_programs(config.programs_per_class)
    scores: list[Score] = []
    each: dict[tuple[str, str], np.ndarray] = {}
    config.folder.mkdir(parents=True, exist_ok=True)
    for column in columns(config):
        for score, passes in scores_of(column, splits, programs, config.seeds):
            scores.append(score)
            if passes is not None:
                each[score.column, score.probe] = passes
            print(f"{score.column}, {score.question}, {score.probe}: {np.mean(score.values):.3f}")
        write_csv(config.folder / "probe.csv", scores)
    counted = counted_passes(splits)
    write_passes(config.folder / "passes.csv", each, counted)
    figures = {
        "rows": {split: len(rows) for split, rows in splits.items()},
        "pairs": {s: sum(row.twin is not None for row in rows) for s, rows in splits.items()},
        "programs": {split: len(rows) for split, rows in programs.items()},
        "test_packages": sorted({row.package for row in splits["test"]}),
        "counted_passes": int(counted.sum()),
    }
    write_run_json(config.folder, config, figures)
    plot_probes(
        config.folder / "probe.png",
        {
            (s.question, s.probe, s.column): (float(np.mean(s.values)), float(np.std(s.values)))
            for s in scores
        },
    )
    print_table(scores)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(tyro.cli(ProbeConfig)))
