"""Packages of a few files, as an index would serve them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from mirgym.corpus.sources import Package

from ..programs.archives import tar_of

HEADER = "int twice(int);\n"
SOURCE = '#include "toy.h"\nint twice(int x) { return 2 * x; }\n'


def sdist(name: str, files: Mapping[str, str]) -> bytes:
    """An archive with all files in one folder."""
    return tar_of({f"{name}-1/{path}": text.encode() for path, text in files.items()}, "w:gz")


def package_of(
    name: str, archive: bytes, *, cap: int = 0, flags: Sequence[str] = (), kind: str = "pypi"
) -> Package:
    """What the list and the lock would say of it."""
    sums = {f"{name}-1.tar.gz": hashlib.sha256(archive).hexdigest()}
    return Package(kind, name, "1", cap, tuple(flags), sums, "MIT", len(archive))


def place(one: Package, archive: bytes, work: Path) -> None:
    """As if it had been downloaded."""
    folder = work / "downloads" / one.key
    folder.mkdir(parents=True, exist_ok=True)
    (folder / next(iter(one.files))).write_bytes(archive)
