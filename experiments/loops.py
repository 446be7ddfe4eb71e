"""How much better than LLVM loops can be vectorized, interleaved and unrolled, and by whom.

For each loop, every choice of ``mir-llvm-loops-v0`` is measured with all other loops left to
LLVM: brute force. From the same figures come random choices, the one choice that is best over
the training loops, and PPO, which learns on the training loops (the kernels' families and
programs outside the test split, and further kernels of these families) and is scored on the
held-out ones. Writes ``run.json``, ``loops.csv`` and ``loops.png``; all measurements are in
``costs.jsonl`` in the work folder, where a second start goes on.

    python -m experiments.loops --help
"""

from __future__ import annotations

import csv
import json
import os
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import tyro
from rich.progress import track

from mirgym.errors import MirgymError
from mirgym.programs import Program, resolve_all
from mirgym.programs.loopkernels import SUITE_SEEDS, kernel_program
from mirgym.tasks.loop_labels import CHOICES, write_labels
from mirgym.worker import WorkerSession

from .figures import plot_loops
from .loop_costs import LoopCosts, append, measure, read
from .runs import RESULTS, write_run_json

_PARTS = ("width", "interleave", "unroll")


@dataclass(frozen=True)
class LoopsExperiment:
    """What is measured."""

    programs: tuple[str, ...] = ("loopkernels", "mirbench")
    """Where the loops come from."""
    further_seeds: int = 404
    """Seeds after those of ``loopkernels``: their kernels of training families are measured, too,
    and only trained on."""
    loops_per_program: int = 3
    """At most, in the order of their numbers."""
    minutes: float = 60.0
    """Measuring stops after these; the figures are of the loops measured until then."""
    objective: str = "dynamic_cost"
    """``dynamic_cost``, or ``runtime_ns``, which wants ``jobs`` 1."""
    jobs: int = os.cpu_count() or 1
    ppo_steps: int = 16_000
    """Training steps of PPO; 0 leaves it out."""
    seeds: tuple[int, ...] = (0, 1, 2)
    """Of PPO."""
    folder: Path = field(default=RESULTS / "loops")
    work: Path = Path("runs/loops")
    labels: Path | None = None
    """Where the labels of the task ``vectorize`` are written; they are not when left out."""


def measure_all(config: LoopsExperiment, path: Path) -> list[LoopCosts]:
    """Every loop of the programs, in their order, as far as the time goes."""
    programs = [*resolve_all(config.programs), *further_kernels(config.further_seeds)]
    order = {program.uri: number for number, program in enumerate(programs)}
    loops = read(path)
    known = {loop.program for loop in loops}
    work = partial(_measure, config=config, ends=time.monotonic() + 60 * config.minutes)
    with ProcessPoolExecutor(config.jobs) as pool:
        found = [pool.submit(work, program) for program in programs if program.uri not in known]
        for future in track(as_completed(found), "measuring", total=len(found)):
            for loop in future.result():
                append(path, loop)
                loops.append(loop)
    return sorted(loops, key=lambda loop: order.get(loop.program, len(order)))


def _measure(program: Program, config: LoopsExperiment, ends: float) -> list[LoopCosts]:
    """The loops of one program; none when it is too late or LLVM fails on it."""
    if time.monotonic() > ends:
        return []
    try:
        with WorkerSession() as session:
            return list(measure(session, program, config.objective, config.loops_per_program))
    except MirgymError as error:
        print(f"{program.uri} is left out: {error}", flush=True)
        return []


def further_kernels(seeds: int) -> list[Program]:
    """Generated kernels that are no part of the suite, of the families that are trained on."""
    found = [kernel_program(str(SUITE_SEEDS + seed)) for seed in range(seeds)]
    return [program for program in found if program.split == "train"]


def best_of(gains: np.ndarray, draws: int) -> float:
    """Expected best gain of so many uniform draws."""
    n = len(gains)
    below = (np.arange(n + 1) / n) ** draws
    return float(np.sort(gains) @ np.diff(below))


def figures(loops: Sequence[LoopCosts]) -> dict[str, Any]:
    """Geometric means over loops of what each way gains over LLVM's own choice."""
    gains = [loop.gains() for loop in loops]
    if not gains:
        return {"loops": 0}
    return {
        "loops": len(gains),
        "failed_choices": sum(cost is None for loop in loops for cost in loop.costs),
        "brute_force": geomean([g.max() for g in gains]),
        "random": geomean([g.mean() for g in gains]),
        "best_of_10_random": geomean([max(best_of(g, 10), 0.0) for g in gains]),
        "improved_by_1_percent": int(sum(g.max() > np.log(1.01) for g in gains)),
    }


def geomean(gains: Sequence[float] | np.ndarray) -> float:
    """Geometric mean of ratios from their logarithms."""
    return round(float(np.exp(np.mean(gains))), 4)


def learned(config: LoopsExperiment, loops: Sequence[LoopCosts]) -> dict[str, Any]:
    """Held-out loops: PPO, and the choice that is best over the training loops."""
    from .loop_policy import learn

    train = [loop for loop in loops if loop.split != "test"]
    held_out = [loop for loop in loops if loop.split == "test"]
    if not config.ppo_steps or not train or not held_out:
        return {}
    brute = geomean([loop.gains().max() for loop in held_out])
    fixed = int(np.mean([loop.gains() for loop in train], axis=0).argmax())
    runs = [learn(train, held_out, config.ppo_steps, seed) for seed in config.seeds]
    ppo = [geomean(run.after) for run in runs]
    return {
        "train_loops": len(train),
        "held_out": figures(held_out),
        "fixed": {"choice": CHOICES[fixed], "gain": geomean([h.gains()[fixed] for h in held_out])},
        "before_ppo": [geomean(run.before) for run in runs],
        "ppo": ppo,
        "ppo_share_of_brute_force": [round(gain / brute, 4) for gain in ppo],
    }


def main(config: LoopsExperiment) -> None:
    """Measure, learn, and write the folder."""
    config.work.mkdir(parents=True, exist_ok=True)
    loops = measure_all(config, config.work / "costs.jsonl")
    if config.labels:
        write_labels(config.labels, [loop.label() for loop in loops])
    further = {program.uri for program in further_kernels(config.further_seeds)}
    suite = [loop for loop in loops if loop.program not in further]
    found: dict[str, Any] = {
        "choices": len(CHOICES),
        "all": figures(suite),
        "kernels": figures([loop for loop in suite if loop.program.startswith("loops://")]),
        "programs": figures([loop for loop in suite if not loop.program.startswith("loops://")]),
        "further_kernels": figures([loop for loop in loops if loop.program in further]),
        "learned": learned(config, loops),
    }
    write_run_json(config.folder, config, found)
    _write_csv(config.folder / "loops.csv", loops)
    if found["learned"]:
        plot_loops(config.folder / "loops.png", found["learned"])
    print(json.dumps(found, indent=1))


def _write_csv(path: Path, loops: Sequence[LoopCosts]) -> None:
    """LLVM's cost of each loop, and the best choice."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("program", "split", "loop", "cost", "best_gain", *_PARTS))
        for loop in loops:
            gains = loop.gains()
            best = int(gains.argmax())
            gain = round(float(np.exp(gains[best])), 4)
            name = loop.program.rpartition("/")[2]
            writer.writerow((name, loop.split, loop.loop, loop.costs[0], gain, *CHOICES[best]))


if __name__ == "__main__":
    main(tyro.cli(LoopsExperiment))
