"""Fixtures of the tests of tasks: the test's own cache, small data sets."""

from __future__ import annotations

from pathlib import Path

import pytest

from mirgym.tasks import coarsening, devmap
from mirgym.tasks.published import install

from .synthetic import coarsening_files, devmap_files, publish, write


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache for one test."""
    path = tmp_path / "own-cache"
    monkeypatch.setenv("MIRGYM_CACHE", str(path))
    return path


@pytest.fixture
def small_devmap(own_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of an installed small ``devmap``, one of whose kernels cannot be read."""
    files = devmap_files(broken="P3")
    published = publish(monkeypatch, devmap, files)
    return install("devmap", published, write(tmp_path / "published", files))


@pytest.fixture
def small_coarsening(own_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of an installed small ``coarsening``."""
    files = coarsening_files()
    published = publish(monkeypatch, coarsening, files)
    return install("coarsening", published, write(tmp_path / "published", files))


@pytest.fixture
def few_trees(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forests of five trees: how good they are is not the question."""
    monkeypatch.setattr("mirgym.tasks.heads.TREES", 5)
    monkeypatch.setattr("mirgym.tasks.coarsening.TREES", 5)
