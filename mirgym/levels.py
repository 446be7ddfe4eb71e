"""clang's optimisation levels as pipelines that a session runs."""

from __future__ import annotations

from .errors import did_you_mean
from .session import Session
from .wire import State, Wanted

LEVEL_PIPELINES: dict[str, str | None] = {
    "O0": None,
    "O1": "default<O1>",
    "O2": "default<O2>",
    "O3": "default<O3>",
    "Os": "default<O2>",
    "Oz": "default<O2>",
}
"""What each level runs. Since LLVM 23 Os and Oz are O2 on functions that carry
``optsize`` and ``minsize``; the levels' attributes are set when a program is loaded."""


def check_level(name: str) -> str:
    """Return ``name`` if it is an optimisation level, else raise ``ValueError``."""
    if name not in LEVEL_PIPELINES:
        raise ValueError(
            f"unknown baseline {name!r}; expected one of {list(LEVEL_PIPELINES)}."
            + did_you_mean(name, LEVEL_PIPELINES)
        )
    return name


def run_level(session: Session, loaded: State, level: str, wanted: Wanted) -> State:
    """Run a level's pipeline on a program loaded at that level; return the state after."""
    pipeline = LEVEL_PIPELINES[check_level(level)]
    return loaded if pipeline is None else session.step(pipeline, wanted=wanted)


def measure_level(session: Session, module: bytes, level: str, wanted: Wanted) -> dict[str, int]:
    """Metrics of a program at a level. Leaves the optimised module in the session."""
    loaded = session.load(module, level=level, wanted=wanted)
    return run_level(session, loaded, level, wanted).metrics
