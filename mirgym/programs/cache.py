"""The cache directory: atomic writes, and one lock a name between processes."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from ..errors import CacheError


def cache_root() -> Path:
    """Where compiled programs and fetched data sets are kept.

    ``$MIRGYM_CACHE``, else the platform's cache directory for ``mirgym``.
    """
    chosen = os.environ.get("MIRGYM_CACHE")
    if chosen:
        return Path(chosen)
    from platformdirs import user_cache_path

    return user_cache_path("mirgym")


def make_directory(path: Path) -> Path:
    """Create a directory of the cache.

    Raises:
        CacheError: It cannot be made; says which setting to change.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(path, error) from error
    return path


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that no reader ever sees a part of it.

    Raises:
        CacheError: Full disk, no permission.
    """
    make_directory(path.parent)
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise cannot_write(path, error) from error
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        temporary.replace(path)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock that belongs to ``path``, waiting for other processes."""
    from filelock import FileLock

    make_directory(path.parent)
    try:
        lock = FileLock(path.parent / f".{path.name}.lock")
        lock.acquire()
    except OSError as error:
        raise cannot_write(path, error) from error
    try:
        yield
    finally:
        lock.release()


def cannot_write(path: Path, error: OSError) -> CacheError:
    """The error that says which file, why, and what to do."""
    return CacheError(
        f"cannot write {path}: {error.strerror or error}. Free some space, or set MIRGYM_CACHE "
        "to a directory that can be written"
    )
