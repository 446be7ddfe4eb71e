"""Labels of ``openmp``: times of kernels under configurations, measured and kept.

A folder of labels holds ``labels.csv``, a line for each kernel, size and configuration, and
``labels.json``, which says where and how they were measured. A time is the median over rounds
in which all configurations of a kernel and a size took turns. The default configuration is
measured twice: how far the two are apart is the noise floor.
"""

from __future__ import annotations

import csv
import io
import json
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..errors import DatasetError, NotRunnableError
from ..programs import Run
from ..programs.cache import write_atomically
from ..programs.execute import Limits, run_program
from ..provenance import git_revision, machine
from .openmp_programs import SIZES, build_kernel, find_openmp

SCHEDULES = {"static": 1, "dynamic": 2, "guided": 3}
"""With the numbers of ``omp_sched_t``."""
CHUNKS = {"static": (0, 1, 8, 64), "dynamic": (1, 8, 64, 512), "guided": (1, 8, 64)}
"""0 is the default: the iterations in as many parts as there are threads."""
FIELDS = ("kernel", "size", "iterations", "bytes", "threads", "schedule", "chunk", "ns")
LIMITS = Limits(seconds=300, watch_seconds=1)
ROUNDS = 9
MILLISECONDS = 4.0
"""Of one time on one thread, or of one run where that takes longer."""


class Configuration(NamedTuple):
    """What is chosen for a parallel loop."""

    threads: int
    schedule: str
    chunk: int

    def __str__(self) -> str:
        chunk = f", {self.chunk}" if self.chunk else ""
        return f"{self.threads} × {self.schedule}{chunk}"


class Case(NamedTuple):
    """A kernel at a size; iterations of its parallel loop and bytes of its arrays."""

    kernel: str
    size: int
    iterations: int
    bytes: int


@dataclass(frozen=True)
class Labels:
    """Times, a row a case and a column a configuration.

    Attributes:
        cases: Kernels and sizes.
        configurations: The first is the default.
        ns: Nanoseconds, (cases, configurations).
        where: What ``labels.json`` says.
    """

    cases: tuple[Case, ...]
    configurations: tuple[Configuration, ...]
    ns: np.ndarray
    where: Mapping[str, Any]


def configurations(cores: int) -> tuple[Configuration, ...]:
    """What there is to choose from on so many cores; the default comes first.

    >>> [str(one) for one in configurations(2)][:3]
    ['2 × static', '1 × static', '2 × static, 1']
    """
    threads = sorted({*(2**k for k in range(cores.bit_length())), cores} - {1}, reverse=True)
    found = [
        Configuration(count, schedule, chunk)
        for count in threads
        for schedule, chunks in CHUNKS.items()
        for chunk in chunks
    ]
    # On one thread only what scheduling itself costs would differ.
    alone = Configuration(1, "static", 0)
    return (found[0], alone, *found[1:]) if found else (alone,)


def available_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def measure(
    folder: Path,
    shown: Callable[[int, int], None],
    rounds: int = ROUNDS,
    sizes: Mapping[str, Sequence[int]] = SIZES,
    milliseconds: float = MILLISECONDS,
) -> Labels:
    """Build and time all kernels on this machine, and write the labels.

    Raises:
        ToolMissingError: No OpenMP runtime, or no clang.
        NotRunnableError: A kernel failed, or its results differ between configurations.
        CacheError: The folder cannot be written.
    """
    choices = configurations(available_cores())
    cases, times, noise = [], [], []
    with tempfile.TemporaryDirectory(prefix="mirgym-openmp-") as name:
        for kernel in sizes:
            build_kernel(kernel, Path(name, kernel))
        wanted = [(kernel, size) for kernel, some in sizes.items() for size in some]
        for number, (kernel, size) in enumerate(wanted):
            shown(number, len(wanted))
            case, rows = time_case(Path(name, kernel), size, choices, rounds, milliseconds)
            medians = np.median(rows, axis=0)
            cases.append(case)
            times.append(medians[:-1])
            noise.append(abs(float(np.log(medians[-1] / medians[0]))))
    shown(len(wanted), len(wanted))
    where = {
        "machine": machine(),
        "git": git_revision(),
        "runtime": find_openmp().name,
        "rounds": rounds,
        "milliseconds": milliseconds,
        "noise_median": float(np.median(noise)),
        "noise_95": float(np.percentile(noise, 95)),
    }
    labels = Labels(tuple(cases), choices, np.array(times), where)
    write_labels(folder, labels)
    return labels


def time_case(
    executable: Path,
    size: int,
    choices: Sequence[Configuration],
    rounds: int,
    milliseconds: float,
) -> tuple[Case, np.ndarray]:
    """A kernel's case, and its times (rounds, configurations + 1): the default comes again last.

    Raises:
        NotRunnableError: It failed, or its results differ.
    """
    # One thread first: by its time the harness finds how often a kernel is to run.
    order = sorted(range(len(choices)), key=lambda i: choices[i].threads != 1)
    words = [f"{c.threads}:{SCHEDULES[c.schedule]}:{c.chunk}" for c in choices]
    args = (str(size), str(rounds), str(milliseconds), *(words[i] for i in order), words[0])
    run = Run(args=args, files=(find_openmp(),))
    # Without its warnings: the runtime would like to use shared memory.
    variables = {"LD_LIBRARY_PATH": ".", "KMP_WARNINGS": "0"}
    result = run_program(executable, run, LIMITS, variables)
    if result.exit_code != 0:
        told = result.stderr.decode(errors="replace").strip()
        reason = result.stopped or f"ends with {result.exit_code}: {told}"
        raise NotRunnableError(f"openmp/{executable.name}, size {size}: {reason}")
    head, *lines = result.stdout.decode().splitlines()
    iterations, size_bytes, *_ = head.split()
    measured = np.array([line.split() for line in lines], float)
    times = np.empty_like(measured)
    times[:, [*order, len(choices)]] = measured
    return Case(executable.name, size, int(iterations), int(size_bytes)), times


def write_labels(folder: Path, labels: Labels) -> None:
    """Write both files."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(FIELDS)
    for case, row in zip(labels.cases, labels.ns, strict=True):
        for choice, ns in zip(labels.configurations, row, strict=True):
            writer.writerow([*case, *choice, f"{ns:.1f}"])
    write_atomically(folder / "labels.csv", text.getvalue().encode())
    where = json.dumps(dict(labels.where), indent=2) + "\n"
    write_atomically(folder / "labels.json", where.encode())


def read_labels(folder: Path) -> Labels:
    """Read both files.

    Raises:
        DatasetError: A file is missing or damaged, or a case lacks a configuration.
    """
    try:
        where = json.loads((folder / "labels.json").read_text(encoding="utf-8"))
        with (folder / "labels.csv").open(newline="", encoding="utf-8") as file:
            times = {
                (
                    Case(
                        row["kernel"], int(row["size"]), int(row["iterations"]), int(row["bytes"])
                    ),
                    Configuration(int(row["threads"]), row["schedule"], int(row["chunk"])),
                ): float(row["ns"])
                for row in csv.DictReader(file)
            }
    except (OSError, UnicodeDecodeError, csv.Error, KeyError, TypeError, ValueError) as error:
        raise DatasetError(
            f"{folder} holds no labels of OpenMP loops ({type(error).__name__}: {error}); "
            "measure them again with: mirgym tasks measure openmp"
        ) from error
    cases = tuple(dict.fromkeys(case for case, _ in times))
    choices = tuple(dict.fromkeys(choice for _, choice in times))
    if len(times) != len(cases) * len(choices) or len({case.kernel for case in cases}) < 2:
        raise DatasetError(f"{folder / 'labels.csv'} lacks configurations of a case, or kernels")
    ns = np.array([[times[case, choice] for choice in choices] for case in cases])
    if not (np.isfinite(ns).all() and (ns > 0).all()):
        raise DatasetError(f"{folder / 'labels.csv'} has a time that is not above 0")
    return Labels(cases, choices, ns, where)


def noise(
    where: Mapping[str, Any], shape: tuple[int, int], generator: np.random.Generator
) -> np.ndarray:
    """By how much the logarithms of times differ in another measurement, (cases, configurations).

    Drawn: normal, as wide for all configurations of a case as a log-normal number says, so that
    two times of the default differ by about the median and the 95th percentile that ``where``
    gives.
    """
    median, high = (max(float(where.get(key, 0)), 1e-9) for key in ("noise_median", "noise_95"))
    # Of a normal number's size, the median is 0.6745 and the 95th percentile 1.96.
    own = np.log(1.96 / 0.6745)
    spread = np.sqrt(max(np.log(high / median) ** 2 - own**2, 0)) / 1.645
    width = median / 0.6745 * np.exp(spread * generator.normal(size=(shape[0], 1)))
    found: np.ndarray = width * generator.normal(size=shape) / np.sqrt(2)
    return found
