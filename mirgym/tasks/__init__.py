"""Benchmark tasks: data sets with known answers, protocols, metrics and controls.

``algorithms`` makes its programs here; ``devmap`` and ``coarsening`` are the literature's,
whose data the user fetches (``mirgym tasks fetch``); ``openmp``'s times are measured, by us or
by the user (``mirgym tasks measure``). The encoder stays frozen in all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import DatasetError, did_you_mean

if TYPE_CHECKING:
    from .task import Task

TASKS = ("algorithms", "devmap", "coarsening", "openmp")
"""What ``mirgym tasks`` knows."""

__all__ = ["TASKS", "get_task"]


def get_task(name: str) -> Task:
    """A task by its name.

    Raises:
        DatasetError: There is none of that name.
    """
    if name == "algorithms":
        from .algorithm_classes import AlgorithmClasses

        return AlgorithmClasses()
    if name == "devmap":
        from .devmap import DeviceMapping

        return DeviceMapping()
    if name == "coarsening":
        from .coarsening import Coarsening

        return Coarsening()
    if name == "openmp":
        from .openmp import OpenMP

        return OpenMP()
    raise DatasetError(
        f"there is no task {name!r}.{did_you_mean(name, TASKS)} Known: {', '.join(TASKS)}"
    )
