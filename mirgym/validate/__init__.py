"""Differential testing of an optimised program against its reference.

>>> validate(resolve("mirbench/crc"), module).verdict
'equal'
"""

from __future__ import annotations

from .cases import Case, load_case, save_case
from .reduce import optimised_object, shortest_failing
from .validation import VERDICTS, RunVerdict, Validation, validate

__all__ = [
    "VERDICTS",
    "Case",
    "RunVerdict",
    "Validation",
    "load_case",
    "optimised_object",
    "save_case",
    "shortest_failing",
    "validate",
]
