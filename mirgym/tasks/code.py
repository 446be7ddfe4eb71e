"""What the frozen encoder, and plain counters, say about the kernels of a task.

Reading and embedding 700 kernels takes half a minute, so the arrays are kept in the cache,
under a key of the encoder's weights, LLVM's version and every file's content.
"""

from __future__ import annotations

import functools
import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import DatasetError, MirgymError
from ..ir2vec import read_vocabulary
from ..programs.cache import cache_root, locked, write_atomically

if TYPE_CHECKING:
    from ..encoder.embedder import Embedder

ENCODERS = ("tiny", "base", "untrained")
"""``untrained`` is tiny with random weights: what the architecture alone gives."""
COUNTERS = ("autophase", "instcount", "ir2vec")
CACHE_VERSION = 1

Shown = Callable[[int, int], None]
"""Called with how many kernels are read, and how many there are."""


def show_nothing(done: int, total: int) -> None:
    """Report nothing."""


@dataclass(frozen=True)
class Kernels:
    """Features of the kernels of a task, a row a kernel.

    Attributes:
        names: The files' names without ``.ll``.
        failed: Why a kernel could not be read, by name; its rows are zero.
        features: By encoder or counter, ``(n, d)`` float32.
        version: A hash of the weights, LLVM's version and the files.
    """

    names: tuple[str, ...]
    failed: dict[str, str]
    features: dict[str, np.ndarray]
    version: str

    def rows(self, kind: str, names: Sequence[str]) -> np.ndarray:
        """Features of the named kernels, ``(len(names), d)``.

        Raises:
            DatasetError: There is no such kernel.
        """
        place = {name: row for row, name in enumerate(self.names)}
        try:
            picked: np.ndarray = self.features[kind][[place[name] for name in names]]
        except KeyError as error:
            raise DatasetError(
                f"there is no IR of the kernel {error.args[0]!r}; fetch the task again"
            ) from None
        return picked


def read_kernels(files: Sequence[Path], shown: Shown = show_nothing) -> Kernels:
    """Embed and count the kernels, or take the arrays from the cache.

    A kernel that LLVM cannot read is no error: it is in ``failed``, with zeros.

    Raises:
        DatasetError: There are no files.
    """
    if not files:
        raise DatasetError("there are no .ll files to read; fetch the task again")
    version = _version(files)
    path = cache_root() / "tasks" / f"kernels-{version}.npz"
    with locked(path):
        known = _load(path, version)
        if known is None:
            known = _describe(files, shown, version)
            write_atomically(path, _dump(known))
    return known


def packaged_vocabulary() -> np.ndarray | None:
    """IR2Vec's vectors, when its package is installed (``pip install ir2vec --no-deps``)."""
    import importlib.util

    # Looked up without importing, which would load a second LLVM.
    spec = importlib.util.find_spec("ir2vec")
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).parent / "seedEmbeddingVocab.txt"
    return read_vocabulary(path) if path.is_file() else None


def _version(files: Sequence[Path]) -> str:
    from .. import _native
    from ..encoder.weights import weights_path

    content = hashlib.sha256(f"{CACHE_VERSION} {_native.llvm_version()}".encode())
    for path in (*map(weights_path, ("tiny", "base")), *files):
        with path.open("rb") as file:
            content.update(path.name.encode() + hashlib.file_digest(file, "sha256").digest())
    return content.hexdigest()[:16]


def _describe(files: Sequence[Path], shown: Shown, version: str) -> Kernels:
    from ..wire import Wanted
    from ..worker import WorkerSession

    embedders = shared_embedders()
    columns: dict[str, list[np.ndarray | None]] = {k: [] for k in (*ENCODERS, *COUNTERS)}
    failed: dict[str, str] = {}
    wanted = Wanted.of(views=("functions", *COUNTERS), key=False)
    with WorkerSession() as session:
        for number, path in enumerate(files):
            shown(number, len(files))
            try:
                session.start_again_if_dead()
                views = session.load(path.read_bytes(), wanted=wanted).views
            except MirgymError as error:
                failed[path.stem] = str(error).split(". ")[0]
                rows = dict.fromkeys(columns)
            else:
                module: Any = views["functions"]
                rows = {name: e.module(module) for name, e in embedders.items()}
                rows |= {name: np.asarray(views[name], np.float32) for name in COUNTERS}
            for name, row in rows.items():
                columns[name].append(row)
    shown(len(files), len(files))
    if len(failed) == len(files):
        raise DatasetError(f"LLVM can read none of the kernels; the first: {failed[files[0].stem]}")
    features = {name: _filled(rows) for name, rows in columns.items()}
    return Kernels(tuple(path.stem for path in files), failed, features, version)


@functools.cache
def shared_embedders() -> dict[str, Embedder]:
    """The encoders by name; a process makes them once."""
    import torch

    from ..encoder.config import TINY
    from ..encoder.embedder import Embedder
    from ..encoder.model import Encoder

    torch.manual_seed(0)
    models: dict[str, str | Encoder] = {"tiny": "tiny", "base": "base", "untrained": Encoder(TINY)}
    return {name: Embedder(model) for name, model in models.items()}


def _filled(rows: Sequence[np.ndarray | None]) -> np.ndarray:
    width = next(len(row) for row in rows if row is not None)
    empty = np.zeros(width, np.float32)
    return np.stack([empty if row is None else row for row in rows]).astype(np.float32)


def _dump(kernels: Kernels) -> bytes:
    told = json.dumps({"names": kernels.names, "failed": kernels.failed})
    content = io.BytesIO()
    np.savez_compressed(content, told=np.array(told), **kernels.features)  # type: ignore[arg-type]
    return content.getvalue()


def _load(path: Path, version: str) -> Kernels | None:
    """What the cache holds; None when there is nothing, or nothing that can be read."""
    try:
        with np.load(path) as arrays:
            told = json.loads(str(arrays["told"]))
            features = {name: arrays[name] for name in (*ENCODERS, *COUNTERS)}
    except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile):
        return None
    return Kernels(tuple(told["names"]), told["failed"], features, version)
