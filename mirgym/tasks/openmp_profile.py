"""What a run of a kernel does, without a clock: the profile of a case of ``openmp``.

A kernel is run twice over, each time with the same result on any machine, busy or not. As plain
C, without OpenMP, it gives its cost in weighted instructions (``mirgym.dynamic_cost``). On
virtual cores (``openmp_kernels/virtual.c``), for each configuration, it gives how its iterations
share the work: the slowest core's part, chunks handed out, lines of memory that move.

A profile is kept as ``profile.csv`` beside the labels, a line for each kernel, size and
configuration. ``mirgym tasks measure openmp`` makes it with the labels, ``mirgym tasks run
openmp`` when it is missing, and ``python -m experiments.openmp_profile`` remakes ours.
"""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..dynamic_cost import CostMeter
from ..errors import DatasetError, NotRunnableError
from ..programs import Program, Run
from ..programs.cache import write_atomically
from ..programs.execute import Limits, run_program
from ..programs.linking import build_from_source
from .openmp_labels import SCHEDULES, Case, Configuration
from .openmp_programs import FOLDER

COUNTERS = (
    "span", "work", "alone", "accesses", "regions", "chunks", "atomics", "fills", "transfers",
)  # fmt: skip
"""Of ``virtual.c``, which says what they are."""
FIELDS = ("kernel", "size", "cost", "threads", "schedule", "chunk", *COUNTERS)
FLAGS = ("-O2", "-fopenmp", "-fsanitize=thread", "-fsanitize-coverage=trace-pc-guard,no-prune")
"""clang's checks call what ``virtual.c`` brings; nothing of their own runtimes is linked."""
LIMITS = Limits(seconds=600, watch_seconds=1)


class Profile(NamedTuple):
    """Of cases and configurations, in the order of the labels.

    Attributes:
        cost: Weighted instructions of one call of the kernel, (cases,).
        counts: (cases, configurations, ``COUNTERS``).
    """

    cost: np.ndarray
    counts: np.ndarray

    def of(self, name: str) -> np.ndarray:
        """One counter, (cases, configurations)."""
        found: np.ndarray = self.counts[:, :, COUNTERS.index(name)]
        return found


def measure_profile(
    cases: Sequence[Case], choices: Sequence[Configuration], shown: Callable[[int, int], None]
) -> Profile:
    """Build the kernels and count; a few minutes for all of them.

    Raises:
        ToolMissingError: There is no clang.
        NotRunnableError: A kernel failed.
    """
    costs: dict[Case, int] = {}
    counts: dict[Case, np.ndarray] = {}
    with tempfile.TemporaryDirectory(prefix="mirgym-openmp-") as folder:
        for kernel in dict.fromkeys(case.kernel for case in cases):
            own = [case for case in cases if case.kernel == kernel]
            costs |= zip(own, _costs(kernel, [case.size for case in own]), strict=True)
            virtual = build_virtual(kernel, Path(folder))
            for case in own:
                shown(len(counts), len(cases))
                counts[case] = count_case(virtual, case.size, choices)
    shown(len(cases), len(cases))
    return Profile(
        np.array([costs[case] for case in cases], float),
        np.array([counts[case] for case in cases], float),
    )


def _costs(kernel: str, sizes: Sequence[int]) -> list[int]:
    """Weighted instructions of one call at each size: what a second call adds."""
    from ..session import InProcessSession

    sources = (FOLDER / f"{kernel}.c", FOLDER / "virtual.c")
    program = Program(f"openmp/{kernel}", sources, libs=("m",))
    runs = tuple(Run(args=(str(n), calls, "1:1:0")) for n in sizes for calls in "12")
    with InProcessSession() as session:
        session.load(program.bitcode())
        session.step("default<O2>")
        costs = [report.cost for report in CostMeter(program, runs).measure(session)]
    return [twice - once for once, twice in zip(costs[::2], costs[1::2], strict=True)]


def build_virtual(kernel: str, folder: Path) -> Path:
    """Build a kernel for virtual cores; the executable.

    Raises:
        ToolMissingError: There is no clang.
        CompileError: clang or the linker refused.
    """
    # Apart from the kernel: what counts must not be counted.
    made = [folder / f"{kernel}.o", folder / "virtual.o"]
    for flags, out in zip((FLAGS, ("-O2",)), made, strict=True):
        source = FOLDER / f"{out.stem}.c"
        build_from_source(Program(f"openmp/{out.stem}", (source,)), (*flags, "-c"), out)
    out = folder / kernel
    build_from_source(Program(f"openmp/{kernel}", tuple(made), libs=("m",)), (), out)
    return out


def count_case(virtual: Path, size: int, choices: Sequence[Configuration]) -> np.ndarray:
    """Counters of one call after another has filled the caches, (configurations, counters).

    Raises:
        NotRunnableError: It failed.
    """
    words = [f"{c.threads}:{SCHEDULES[c.schedule]}:{c.chunk}" for c in choices]
    result = run_program(virtual, Run(args=(str(size), "2", *words)), LIMITS)
    if result.exit_code != 0:
        told = result.stderr.decode(errors="replace").strip()
        reason = result.stopped or f"ends with {result.exit_code}: {told}"
        raise NotRunnableError(f"openmp/{virtual.name} on virtual cores, size {size}: {reason}")
    return np.array([line.split() for line in result.stdout.splitlines()], float)


def write_profile(
    folder: Path, cases: Sequence[Case], choices: Sequence[Configuration], profile: Profile
) -> None:
    """Write ``profile.csv``."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(FIELDS)
    for case, cost, rows in zip(cases, profile.cost, profile.counts, strict=True):
        for choice, counts in zip(choices, rows, strict=True):
            numbers = counts.astype(int).tolist()
            writer.writerow([case.kernel, case.size, int(cost), *choice, *numbers])
    write_atomically(folder / "profile.csv", text.getvalue().encode())


def read_profile(
    folder: Path, cases: Sequence[Case], choices: Sequence[Configuration]
) -> Profile | None:
    """What a folder holds of these; None when it has no profile, or one that lacks some.

    Raises:
        DatasetError: The file is damaged.
    """
    path = folder / "profile.csv"
    if not path.is_file():
        return None
    costs, counts = {}, {}
    try:
        with path.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                case = (row["kernel"], int(row["size"]))
                choice = Configuration(int(row["threads"]), row["schedule"], int(row["chunk"]))
                costs[case] = float(row["cost"])
                counts[case, choice] = [float(row[name]) for name in COUNTERS]
                _check(costs[case], counts[case, choice])
    except (OSError, UnicodeDecodeError, csv.Error, KeyError, TypeError, ValueError) as error:
        raise DatasetError(
            f"{path} holds no profile of OpenMP loops ({type(error).__name__}: {error}); "
            "delete it: the next run makes it again"
        ) from error
    try:
        return Profile(
            np.array([costs[case[:2]] for case in cases]),
            np.array([[counts[case[:2], choice] for choice in choices] for case in cases]),
        )
    except KeyError:
        return None


def _check(cost: float, counts: Sequence[float]) -> None:
    """Raise a ValueError for what no run counts."""
    positive = [cost, *(counts[COUNTERS.index(n)] for n in ("span", "work", "regions", "chunks"))]
    if not (np.isfinite([cost, *counts]).all() and min(positive) > 0 and min(counts) >= 0):
        raise ValueError("a count that cannot be")
