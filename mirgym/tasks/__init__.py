"""Benchmark tasks: data sets with known answers, protocols, metrics and controls.

``algorithms``, ``oz_benefit`` and ``best_pass`` make their programs here, ``vectorize`` comes with
its labels; ``devmap`` and ``coarsening`` are the literature's, whose data the user fetches
(``mirgym tasks fetch``); ``openmp``'s times are measured, by us or by the user
(``mirgym tasks measure``). The encoder stays frozen in all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import DatasetError, did_you_mean

if TYPE_CHECKING:
    from .task import Task

TASKS = ("algorithms", "devmap", "coarsening", "vectorize", "openmp", "oz_benefit", "best_pass")
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
    if name == "vectorize":
        from .vectorize import Vectorize

        return Vectorize()
    if name == "oz_benefit":
        from .oz_benefit import OzBenefit

        return OzBenefit()
    if name == "best_pass":
        from .best_pass import BestPass

        return BestPass()
    if name == "openmp":
        from .openmp import OpenMP

        return OpenMP()
    raise DatasetError(
        f"there is no task {name!r}.{did_you_mean(name, TASKS)} Known: {', '.join(TASKS)}"
    )
