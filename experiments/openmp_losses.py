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

import numpy as np

from mirgym.tasks.openmp import PACKAGED
from mirgym.tasks.openmp_labels import Labels, read_labels

from .runs import RESULTS


def losses(labels: Labels, chosen: Sequence[str]) -> np.ndarray:
    """Logarithms of time ÷ time by threads, schedule and chunk, (cases, 3)."""
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


def main() -> None:
    """Print a line a method."""
    labels = read_labels(PACKAGED)
    by_method: dict[str, list[np.ndarray]] = {}
    by_half: dict[str, list[list[float]]] = {}
    for line in (RESULTS / "tasks-openmp" / "rows.jsonl").read_text().splitlines():
        row = json.loads(line)["row"]
        by_method.setdefault(row["method"], []).append(losses(labels, row["chosen"]))
        by_half.setdefault(row["method"], []).append(halves(row["kernel"], row["share"]))
    print("% lost by             threads  schedule  chunk   share, chosen on  others")
    for method, rows in by_method.items():
        lost = 100 * (1 - np.exp(-np.mean(rows, axis=(0, 1))))
        share = 100 * np.mean(by_half[method], axis=0)
        print(
            f"{method:24s} {lost[0]:5.1f} {lost[1]:8.1f} {lost[2]:7.1f} "
            f"{share[0]:17.1f} {share[1]:7.1f}"
        )


if __name__ == "__main__":
    main()
