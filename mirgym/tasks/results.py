"""``run.json``: what a run of a task records about itself."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ..programs.cache import write_atomically
from ..provenance import git_revision, machine, package_versions
from .task import TaskConfig

_REVISION = git_revision()
"""At the start: what changes in the tree meanwhile is no change to what ran."""


def write_run(
    folder: Path, task: str, config: TaskConfig, notes: Sequence[str], figures: Mapping[str, Any]
) -> dict[str, Any]:
    """Write and return config, revision, machine, versions, notes and figures."""
    report = {
        "task": task,
        "config": dataclasses.asdict(config),
        "git": _REVISION,
        "machine": machine(),
        "packages": {**package_versions(), "scikit-learn": version("scikit-learn")},
        "notes": list(notes),
        "figures": dict(figures),
    }
    write_atomically(folder / "run.json", (json.dumps(report, indent=2) + "\n").encode())
    return report
