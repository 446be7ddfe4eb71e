"""What a task is, and how its runs are kept so that none is made twice.

A task has data that the user fetches, protocols, methods and a metric. One run is a method
under a protocol with a seed; it becomes one row. Rows stand in ``rows.jsonl`` of the output
folder, a JSON object a line, under a stamp of everything they depend on.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol, runtime_checkable

from ..errors import CacheError, DatasetError
from ..programs.cache import make_directory
from .published import PublishedFile
from .tables import TextTable

Row = dict[str, Any]
ROWS_FILE = "rows.jsonl"


@dataclass(frozen=True)
class TaskConfig:
    """What to run."""

    seeds: int = 5
    """Runs of each method that draws random numbers."""
    methods: tuple[str, ...] = ()
    """Names of methods; all when empty."""
    protocols: tuple[str, ...] = ()
    """Names of protocols; all when empty."""

    def __post_init__(self) -> None:
        if self.seeds < 1:
            raise ValueError(f"seeds is {self.seeds}; expected 1 or more")


class Job(NamedTuple):
    """One run: what it is called (``key``), and how it is made."""

    key: Row
    run: Callable[[], Row]


class Work(NamedTuple):
    """Everything that a configuration asks for.

    Attributes:
        jobs: The runs.
        stamp: What rows depend on besides their key: data, features, code version.
        notes: What a reader has to know.
    """

    jobs: list[Job]
    stamp: str
    notes: list[str]


class Task(Protocol):
    """Data set, protocols, methods and metric."""

    name: str
    description: str
    files: Sequence[PublishedFile]

    def work(self, config: TaskConfig, shown: Callable[[int, int], None]) -> Work:
        """Read the installed data; ``shown`` is told how far reading is."""

    def report(self, folder: Path, rows: Sequence[Row]) -> Mapping[str, Any]:
        """Write the folder's tables and figures, and return the figures of ``run.json``."""

    def tables(self, figures: Mapping[str, Any]) -> list[TextTable]:
        """What is shown of the figures."""


@runtime_checkable
class MeasuredTask(Protocol):
    """A task whose answers the user's own machine can give."""

    def measure(
        self, folder: Path | None, rounds: int | None, shown: Callable[[int, int], None]
    ) -> Path:
        """Write the answers into the folder, or where ``work`` looks for them; the folder."""


def stamp_of(*parts: object) -> str:
    """A short hash of what rows depend on."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def run_jobs(work: Work, folder: Path, shown: Callable[[int, int, Row], None]) -> list[Row]:
    """Make the rows that the folder lacks; all rows, in the order of the jobs.

    Raises:
        CacheError: The folder cannot be written.
    """
    make_directory(folder)
    path = folder / ROWS_FILE
    known = _read_rows(path, work.stamp)
    rows = []
    try:
        with path.open("a", encoding="utf-8") as file:
            for number, job in enumerate(work.jobs):
                name = json.dumps(job.key)
                shown(number, len(work.jobs), job.key)
                if name not in known:
                    known[name] = {**job.key, **job.run()}
                    line = json.dumps({"stamp": work.stamp, "key": job.key, "row": known[name]})
                    file.write(line + "\n")
                    file.flush()
                rows.append(known[name])
    except OSError as error:
        raise CacheError(f"cannot write {path}: {error.strerror}; choose another folder") from error
    shown(len(work.jobs), len(work.jobs), {})
    return rows


def _read_rows(path: Path, stamp: str) -> dict[str, Row]:
    """Rows of earlier runs; a line that an interrupt cut off is left out."""
    known: dict[str, Row] = {}
    if not path.is_file():
        return known
    content = path.read_text(encoding="utf-8")
    if content and not content.endswith("\n"):
        content = content[: content.rfind("\n") + 1]
        path.write_text(content, encoding="utf-8")
    for line in content.splitlines():
        try:
            entry = json.loads(line)
            if entry["stamp"] == stamp:
                known[json.dumps(entry["key"])] = entry["row"]
        except (ValueError, KeyError, TypeError):
            raise DatasetError(f"{path} is not a file of rows; choose another folder") from None
    return known


def check_packages() -> None:
    """What heads and figures need, before the work and not after it.

    Raises:
        ToolMissingError: A package is not installed; says how to get it.
    """
    from ..errors import ToolMissingError

    for name in ("sklearn", "matplotlib"):
        try:
            __import__(name)
        except ImportError as error:
            raise ToolMissingError(
                f"tasks need the package {name}; install it with: pip install 'mirgym[train]'"
            ) from error
