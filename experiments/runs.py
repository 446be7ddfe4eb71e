"""``run.json``: what every experiment records about itself."""

from __future__ import annotations

import csv
import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from mirgym.errors import DatasetError
from mirgym.programs.cache import write_atomically
from mirgym.provenance import git_revision, machine, package_versions

_REVISION = git_revision() or "unknown"
"""At the start: what the run itself writes into the tree is no change to what ran."""
RESULTS = Path(__file__).resolve().parent.parent / "results"
_Known = TypeVar("_Known")


def kept(path: Path, make: Callable[[], _Known]) -> _Known:
    """What a JSON file has, which is made once: a second start goes on from there."""
    if path.exists():
        known: _Known = json.loads(path.read_text(encoding="utf-8"))
        return known
    made = make()
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, json.dumps(made).encode())
    return made


def write_rows(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """A CSV file with the columns of the first of these rows, of which there is one at least."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def _without_paths(config: dict[str, Any]) -> dict[str, Any]:
    """Where the results went says nothing about them, and names somebody's machine.

    >>> _without_paths({"work": Path("/a/b"), "known": (Path("/a/c.json"),), "size": 3})
    {'known': ('c.json',), 'size': 3}
    >>> _without_paths({"other": {"work": Path("/a/b"), "size": 4}})
    {'other': {'size': 4}}
    """

    def told(value: Any) -> Any:
        if isinstance(value, dict):
            return _without_paths(value)
        if isinstance(value, tuple):
            return tuple(one.name if isinstance(one, Path) else one for one in value)
        return value

    return {n: told(value) for n, value in config.items() if not isinstance(value, Path)}


def write_run_json(folder: Path, config: Any, figures: dict[str, Any]) -> None:
    """Write config, revision, machine, versions and figures to ``folder/run.json``."""
    folder.mkdir(parents=True, exist_ok=True)
    content = {
        "config": _without_paths(dataclasses.asdict(config)),
        "git": _REVISION,
        "machine": machine(),
        "packages": package_versions(),
        "figures": figures,
    }
    (folder / "run.json").write_text(json.dumps(content, indent=2, default=str) + "\n")


def claim(work: Path, settings: object) -> None:
    """Keep a work folder for these settings, on which what it holds depends.

    Raises:
        DatasetError: It is another's.
    """
    told, path = f"{settings!r}\n".encode(), work / "settings.txt"
    work.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.read_bytes() != told:
        raise DatasetError(
            f"{work} holds the work of other settings ({path.name} says which); give another "
            "folder, or delete it"
        )
    write_atomically(path, told)
