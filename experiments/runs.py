"""``run.json``: what every experiment records about itself."""

from __future__ import annotations

import dataclasses
import json
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from mirgym.bench.report import machine

RESULTS = Path(__file__).resolve().parent.parent / "results"
PACKAGES = ("gymnasium", "numpy", "torch", "stable-baselines3", "sb3-contrib")


def git_revision() -> str:
    """The commit that ran, with ``+changes`` when the tree was not clean."""
    root = Path(__file__).resolve().parent.parent
    try:
        head = _git(root, "rev-parse", "HEAD")
        dirty = _git(root, "status", "--porcelain", "--untracked-files=no", "--", ":!results")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return head + ("+changes" if dirty else "")


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=root, capture_output=True, text=True, check=True, timeout=20
    )
    return done.stdout.strip()


def _package_versions() -> dict[str, str]:
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _without_paths(config: dict[str, Any]) -> dict[str, Any]:
    """Where the results went says nothing about them, and names somebody's machine.

    >>> _without_paths({"work": Path("/a/b"), "known": (Path("/a/c.json"),), "size": 3})
    {'known': ('c.json',), 'size': 3}
    """

    def told(value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(one.name if isinstance(one, Path) else one for one in value)
        return value

    return {n: told(value) for n, value in config.items() if not isinstance(value, Path)}


def write_run_json(folder: Path, config: Any, figures: dict[str, Any]) -> None:
    """Write config, revision, machine, versions and figures to ``folder/run.json``."""
    folder.mkdir(parents=True, exist_ok=True)
    content = {
        "config": _without_paths(dataclasses.asdict(config)),
        "git": git_revision(),
        "machine": machine(),
        "packages": _package_versions(),
        "figures": figures,
    }
    (folder / "run.json").write_text(json.dumps(content, indent=2, default=str) + "\n")
