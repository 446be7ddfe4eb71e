"""Make the profile of OpenMP loops that comes with mirgym: ``mirgym/data/openmp/profile.csv``.

It holds no times, so it comes out the same on a busy machine; another clang may count a little
differently. Its kernels, sizes and configurations are those of the labels beside it.
"""

from __future__ import annotations

from mirgym.tasks.openmp import PACKAGED
from mirgym.tasks.openmp_labels import read_labels
from mirgym.tasks.openmp_profile import measure_profile, write_profile


def show(done: int, total: int) -> None:
    """A line of progress."""
    print(f"\r{done} of {total} cases", end="\n" if done == total else "", flush=True)


def main() -> None:
    """Count, and write."""
    labels = read_labels(PACKAGED)
    profile = measure_profile(labels.cases, labels.configurations, show)
    write_profile(PACKAGED, labels.cases, labels.configurations, profile)


if __name__ == "__main__":
    main()
