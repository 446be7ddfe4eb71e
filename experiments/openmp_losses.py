"""What OpenMP methods lose by wrong threads, by a wrong schedule and by a wrong chunk, in percent.

Reads the rows of ``mirgym tasks run openmp`` and the labels that come with mirgym. The loss by
threads is that of the best configuration with the chosen threads, the one by the schedule what
the best chunk of the chosen schedule loses beyond that, and the rest is the chunk's. Beside them
what share of the oracle's speedup is had on the kernels that the profile's model was chosen on,
every second one by name, and on the others.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mirgym.errors import DatasetError
from mirgym.tasks.openmp import PACKAGED
from mirgym.tasks.openmp_labels import Labels, read_labels

from .runs import RESULTS, write_rows

COLUMNS = ("threads", "schedule", "chunk", "share_chosen_on", "share_others")
"""Of ``losses.csv``, in percent."""


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


def halves(kernels: Sequence[str], shares: Sequence[float]) -> list[float]:
    """Geometric means of shares, of every second kernel by name from the first on, and the others.

    >>> halves(["b", "a", "c"], [0.5, 1.0, 1.0])
    [1.0, 0.5]
    """
    chosen_on = np.isin(kernels, sorted(set(kernels))[::2])
    logs = np.log(shares)
    return [float(np.exp(logs[part].mean())) for part in (chosen_on, ~chosen_on)]


def read(path: Path, labels: Labels) -> dict[str, list[dict[str, Any]]]:
    """By method its rows, one a seed.

    Raises:
        DatasetError: There are none, or they are of other times than the labels'.
    """
    if not path.is_file():
        raise DatasetError(f"no {path}: run `mirgym tasks run openmp --output {path.parent}` first")
    kernels = [case.kernel for case in labels.cases]
    known = {str(one) for one in labels.configurations}
    by_method: dict[str, list[dict[str, Any]]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)["row"]
        if row["kernel"] != kernels or not known.issuperset(row["chosen"]):
            raise DatasetError(f"{path} is not of the times that come with mirgym")
        by_method.setdefault(row["method"], []).append(row)
    return by_method


def main() -> None:
    """Print a line a method, and write them to ``losses.csv``."""
    labels, folder = read_labels(PACKAGED), RESULTS / "tasks-openmp"
    told = []
    print("% lost by             threads  schedule  chunk   share, chosen on  others")
    for method, rows in read(folder / "rows.jsonl", labels).items():
        logs = [losses(labels, row["chosen"]) for row in rows]
        lost = 100 * (1 - np.exp(-np.mean(logs, axis=(0, 1))))
        share = 100 * np.mean([halves(row["kernel"], row["share"]) for row in rows], axis=0)
        print(
            f"{method:24s} {lost[0]:5.1f} {lost[1]:8.1f} {lost[2]:7.1f} "
            f"{share[0]:17.1f} {share[1]:7.1f}"
        )
        numbers = (f"{number:.2f}" for number in (*lost, *share))
        told.append(dict(zip(("method", *COLUMNS), (method, *numbers), strict=True)))
    write_rows(folder / "losses.csv", told)


if __name__ == "__main__":
    main()
