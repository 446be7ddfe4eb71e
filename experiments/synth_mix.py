"""What the mix of generated training programs does to results on other programs.

For each profile of ``synth://``, and for all of them in equal parts (``mixed``), a ridge
regression learns from the same number of programs; ``all`` has those of every profile. It is
to tell ln(instructions ÷ instructions after Oz) of a program, and ln(instructions ÷
instructions after it) of single passes, from InstCount and Autophase as shares of the
instructions, and the frozen embedding. It is scored on other seeds of every profile, and on
real programs: the training half of mirbench, and the training families of ``loopkernels``.
Nothing is chosen by the test programs.

Writes ``results/synth_mix/``: ``table.csv`` (a line for each mix and each kind of test
programs, mean and standard deviation over seeds that take 80 % of the training programs),
``matrix.png``, ``run.json``.

    python -m experiments.synth_mix --work runs/synth_mix
"""

from __future__ import annotations

import csv
import pickle
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tyro

from mirgym.encoder.embedder import Embedder
from mirgym.features import AUTOPHASE_NAMES, INSTCOUNT_NAMES, TOTAL_INSTRUCTIONS
from mirgym.levels import LEVEL_PIPELINES
from mirgym.programs import Program, resolve_all
from mirgym.programs.cache import write_atomically
from mirgym.programs.synth import PROFILES, SCHEME
from mirgym.session import Session
from mirgym.views import ModuleView
from mirgym.wire import NO_KEY, Wanted
from mirgym.worker import WorkerSession

from . import probe_heads as heads
from .figures import plot_matrices
from .runs import RESULTS, write_run_json

PASSES = (
    "mem2reg", "early-cse<memssa>", "instcombine<no-verify-fixpoint>", "simplifycfg", "gvn",
    "inline",
)  # fmt: skip
REAL = {"mirbench": "mirbench:train", "loopkernels": "loopkernels:train"}
MIXED, ALL = "mixed", "all"
_FIRST_TEST_SEED = 1_000_000
_VIEWS = Wanted.of(views=("instcount", "autophase", "functions"), key=False)


@dataclass(frozen=True)
class SynthMixConfig:
    """What is learned and tested."""

    train_programs: int = 105
    """Of each mix; a fifth more chooses the ridge."""
    test_programs: int = 35
    """Of each profile."""
    seeds: int = 5
    folder: Path = RESULTS / "synth_mix"
    work: Path = Path("runs/synth_mix")
    """Where described programs are kept for the next time."""


class Described(NamedTuple):
    """What is known of some programs."""

    x: np.ndarray  # (n, d) float32
    y: np.ndarray  # (n, P + 1) float32: the passes, then Oz

    def take(self, rows: slice) -> Described:
        """Some of them."""
        return Described(self.x[rows], self.y[rows])


def joined(parts: Sequence[Described]) -> Described:
    """All of several."""
    return Described(np.concatenate([p.x for p in parts]), np.concatenate([p.y for p in parts]))


def describe(session: Session, embedder: Embedder, program: Program) -> Described:
    """One program, as a row."""
    state = session.load(program.bitcode(), level="Oz", wanted=_VIEWS)
    size = state.metrics["ir_instructions"]
    snapshot = session.snapshot()
    module = state.views["functions"]
    assert isinstance(module, ModuleView)
    counts = np.concatenate([state.views["instcount"], state.views["autophase"]])
    y = []
    for pipeline in (*PASSES, str(LEVEL_PIPELINES["Oz"])):
        session.restore(snapshot)
        after = session.step(pipeline, wanted=NO_KEY).metrics["ir_instructions"]
        y.append(np.log(size / max(after, 1)))
    total = counts[TOTAL_INSTRUCTIONS["instcount"]]
    x = np.concatenate([counts / total, [np.log(total)], embedder.module(module)])
    assert len(counts) == len(INSTCOUNT_NAMES) + len(AUTOPHASE_NAMES)
    return Described(x[None].astype(np.float32), np.array([y], np.float32))


def described(name: str, specs: Sequence[str], work: Path) -> Described:
    """The programs of some specs; kept in ``work`` for the next time."""
    path = work / f"{name}.pickle"
    if path.exists():
        known, rows = pickle.loads(path.read_bytes())
        if known == list(specs):
            return Described(*rows)
    embedder = Embedder("tiny")
    with WorkerSession() as session:
        found = joined([describe(session, embedder, p) for p in resolve_all(specs)])
    write_atomically(path, pickle.dumps((list(specs), tuple(found))))
    print(f"{name}: {len(found.x)} programs, mean ln(size ÷ Oz) {found.y[:, -1].mean():.2f}")
    return found


def seeds_of(profile: str, first: int, count: int) -> list[str]:
    """Programs of a profile."""
    return [f"{SCHEME}{seed}?profile={profile}" for seed in range(first, first + count)]


def mixes(config: SynthMixConfig) -> tuple[dict[str, Described], dict[str, Described]]:
    """What is fitted on and what the ridge is chosen by, for each mix."""
    fit, valid = config.train_programs, config.train_programs // 5
    programs = {
        name: described(name, seeds_of(name, 0, fit + valid), config.work) for name in PROFILES
    }
    fits = {name: one.take(slice(0, fit)) for name, one in programs.items()}
    valids = {name: one.take(slice(fit, None)) for name, one in programs.items()}
    for whole in (fits, valids):
        each = list(whole.values())
        parts = [one.take(slice(0, len(one.x) // len(PROFILES))) for one in each]
        whole[MIXED], whole[ALL] = joined(parts), joined(each)
    return fits, valids


def scored(config: SynthMixConfig) -> dict[str, Described]:
    """What is scored, by name."""
    generated = {name: seeds_of(name, _FIRST_TEST_SEED, config.test_programs) for name in PROFILES}
    specs = {**generated, **{name: [spec] for name, spec in REAL.items()}}
    return {name: described(f"test-{name}", some, config.work) for name, some in specs.items()}


class Cell(NamedTuple):
    """One mix on one kind of test programs; mean and standard deviation over the seeds."""

    train: str
    test: str
    programs: int
    oz: float
    """R² of the benefit of Oz."""
    oz_deviation: float
    correlation: float
    """Of what is told about Oz with what is true: blind to a shift that all programs share."""
    correlation_deviation: float
    passes: float
    """R² of the single passes, their squares summed before they are divided."""
    passes_deviation: float


MEASURES = ("oz", "correlation", "passes")
TITLES = ("benefit of Oz, R²", "benefit of Oz, correlation", "single passes, R²")


def measures(told: np.ndarray, true: np.ndarray) -> tuple[float, ...]:
    """``MEASURES`` of predictions, (n, P + 1).

    >>> true = np.array([[1.0, 0.0], [3.0, 1.0], [5.0, 2.0]])
    >>> measures(true, true)
    (1.0, 1.0, 1.0)
    >>> measures(true + [0.0, 1.0], true)
    (-0.5, 1.0, 1.0)
    """
    error, spread = ((told - true) ** 2).sum(0), ((true - true.mean(0)) ** 2).sum(0)
    oz, passes = 1 - error[-1] / spread[-1], 1 - error[:-1].sum() / spread[:-1].sum()
    correlation = np.corrcoef(told[:, -1], true[:, -1])[0, 1]
    return float(oz), round(float(correlation), 12), float(passes)


def cells_of(
    train: str, fit: Described, valid: Described, test: Mapping[str, Described], seeds: int
) -> Iterator[Cell]:
    """One mix on every kind of test programs."""
    # The ridge holds down the constant, too: with few rows it must have nothing to say.
    mean = fit.y.mean(0)
    parts = heads.Parts(
        *(heads.Part(one.x, one.y - mean) for one in (fit, valid, joined([*test.values()])))
    )
    predicted = [told + mean for told in heads.ask(heads.ridge_values, parts, seeds)]
    start = 0
    for name, one in test.items():
        rows = slice(start, start + len(one.x))
        values = np.array([measures(each[rows], one.y) for each in predicted])
        numbers = np.stack([values.mean(0), values.std(0)], axis=1).ravel()
        yield Cell(train, name, len(one.x), *map(float, numbers))
        start = rows.stop


def table(config: SynthMixConfig) -> list[Cell]:
    """Every mix on everything."""
    fits, valids = mixes(config)
    test = scored(config)
    return [
        cell
        for train, fit in fits.items()
        for cell in cells_of(train, fit, valids[train], test, config.seeds)
    ]


def summary(cells: Sequence[Cell]) -> dict[str, dict[str, float]]:
    """For each mix: its own profile, the median over the others, and each kind of real programs.

    R² has no lower bound, hence the median. ``mixed`` and ``all`` have no profile of their own.
    """
    found = {}
    for train in dict.fromkeys(cell.train for cell in cells):
        row = {cell.test: cell for cell in cells if cell.train == train}
        places = {"own": [train]} if train in row else {}
        places["other profiles"] = [name for name in PROFILES if name != train]
        places |= {name: [name] for name in REAL}
        found[train] = {
            f"{what}, {place}": round(float(np.median([getattr(row[n], what) for n in names])), 4)
            for what in MEASURES
            for place, names in places.items()
        }
    return found


def main(config: SynthMixConfig) -> None:
    """Describe, fit, score, and write the folder."""
    cells = table(config)
    config.folder.mkdir(parents=True, exist_ok=True)
    with (config.folder / "table.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(Cell._fields)
        for cell in cells:
            writer.writerow([f"{v:.4f}" if isinstance(v, float) else v for v in cell])
    matrices = {
        title: {(cell.train, cell.test): getattr(cell, what) for cell in cells}
        for what, title in zip(MEASURES, TITLES, strict=True)
    }
    plot_matrices(config.folder / "matrix.png", matrices)
    found = summary(cells)
    counts = {cell.test: cell.programs for cell in cells}
    write_run_json(config.folder, config, {"mixes": found, "tested": counts, "passes": PASSES})
    for train, row in found.items():
        print(train, row)


if __name__ == "__main__":
    main(tyro.cli(SynthMixConfig))
