"""Arrays that take long to make, kept in the cache under a hash of what they depend on."""

from __future__ import annotations

import functools
import hashlib
import io
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from ..programs.cache import cache_root, locked, write_atomically

Arrays = Mapping[str, np.ndarray]


def cached(name: str, *depends: object, make: Callable[[], Arrays]) -> Arrays:
    """What ``make`` gives, from the cache when it was made before.

    Args:
        name: Where it stands, such as ``loops/copy-0``.
        depends: What it depends on besides the encoders' weights and LLVM.
        make: Makes it; nothing is kept when it raises.
    """
    version = hashlib.sha256(repr((tools_version(), depends)).encode()).hexdigest()[:16]
    path = cache_root() / "tasks" / f"{name}-{version}.npz"
    with locked(path):
        known = _load(path)
        if known is None:
            known = make()
            content = io.BytesIO()
            np.savez_compressed(content, **known)  # type: ignore[arg-type]
            write_atomically(path, content.getvalue())
    return known


@functools.cache
def tools_version() -> str:
    """A hash of the encoders' weights and LLVM's version."""
    from .. import _native
    from ..encoder.weights import weights_path

    content = hashlib.sha256(_native.llvm_version().encode())
    for model in ("tiny", "base"):
        with weights_path(model).open("rb") as file:
            content.update(hashlib.file_digest(file, "sha256").digest())
    return content.hexdigest()


def _load(path: Path) -> Arrays | None:
    """None when there is nothing, or nothing that can be read."""
    try:
        with path.open("rb") as file, np.load(file) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile):
        return None
