"""What OpenMP methods lose by wrong threads, by a wrong schedule and by a wrong chunk, in percent.

Reads the rows of ``mirgym tasks run openmp`` and the labels that come with mirgym. The loss by
threads is that of the best configuration with the chosen threads, the one by the schedule what
the best chunk of the chosen schedule loses beyond that, and the rest is the chunk's.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mirgym.errors import DatasetError
from mirgym.tasks.openmp import PACKAGED
from mirgym.tasks.openmp_labels import Labels, read_labels

from .runs import RESULTS


def losses(labels: Labels, chosen: Sequence[str]) -> np.ndarray:
    """Logarithms of time ÷ time by threads, schedule and chunk, (cases, 3).

    Args:
        labels: The times.
        chosen: What a method chose in each case, as ``str`` of a configuration.
    """
    logs = np.log(labels.ns)
    places = [[str(one) for one in labels.configurations].index(name) for name in chosen]
    found = []
    for row, place in zip(logs, places, strict=True):
        taken = labels.configurations[place]
        threads = [one.threads == taken.threads for one in labels.configurations]
        schedule = [one[:2] == taken[:2] for one in labels.configurations]
        found.append(np.diff([row.min(), row[threads].min(), row[schedule].min(), row[place]]))
    return np.array(found)


def read(path: Path, labels: Labels) -> dict[str, list[np.ndarray]]:
    """``losses`` of each method, one array a seed.

    Raises:
        DatasetError: There are no rows, or they are of the times of another machine.
    """
    if not path.is_file():
        raise DatasetError(f"no {path}: run `mirgym tasks run openmp --output {path.parent}` first")
    kernels = [case.kernel for case in labels.cases]
    known = {str(one) for one in labels.configurations}
    by_method: dict[str, list[np.ndarray]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)["row"]
        if row["kernel"] != kernels or not known.issuperset(row["chosen"]):
            raise DatasetError(f"{path} is not of the times that come with mirgym")
        by_method.setdefault(row["method"], []).append(losses(labels, row["chosen"]))
    return by_method


def main() -> None:
    """Print a line a method."""
    by_method = read(RESULTS / "tasks-openmp" / "rows.jsonl", read_labels(PACKAGED))
    print("% lost by             threads  schedule  chunk")
    for method, rows in by_method.items():
        lost = 100 * (1 - np.exp(-np.mean(rows, axis=(0, 1))))
        print(f"{method:24s} {lost[0]:5.1f} {lost[1]:8.1f} {lost[2]:7.1f}")


if __name__ == "__main__":
    main()
