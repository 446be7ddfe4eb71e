"""The code of measured loops, as encoders and counters see it.

A loop is seen before the vectorizer, as ``mir-llvm-loops-v0`` shows it: its function, and itself as
a function of its own, so that loops of one function differ. Counters see the function. Describing
a program takes a tenth of a second, so each has its file in the cache.
"""

from __future__ import annotations

import functools
import hashlib
import io
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from ..envs.loop_decisions import BEFORE, decisions
from ..envs.loop_observations import fact_vector
from ..errors import DatasetError
from ..features import FUNCTION_FEATURES
from ..programs import Program, resolve
from ..programs.cache import cache_root, locked, write_atomically
from ..session import Session
from ..wire import NO_KEY, Wanted
from ..worker import WorkerSession
from .code import COUNTERS, ENCODERS, Shown, shared_embedders, show_nothing
from .loop_labels import LoopLabel

CACHE_VERSION = 1

_FEATURES = Wanted.of(views=("function_features",), key=False)


def read_code(labels: Sequence[LoopLabel], shown: Shown = show_nothing) -> dict[str, np.ndarray]:
    """What encoders and counters say of each loop, by their names, (n, d) float32.

    Raises:
        DatasetError: A label is of another loop than its program has now.
    """
    programs: dict[str, list[int]] = {}
    for row, label in enumerate(labels):
        programs.setdefault(label.program, []).append(row)
    columns: dict[str, list[np.ndarray]] = {kind: [] for kind in (*ENCODERS, *COUNTERS)}
    with WorkerSession() as session:
        for number, (uri, rows) in enumerate(programs.items()):
            shown(number, len(programs))
            part = _read_program(session, resolve(uri), [labels[row] for row in rows])
            for kind, found in part.items():
                columns[kind].append(found)
    shown(len(programs), len(programs))
    order = np.argsort([row for rows in programs.values() for row in rows])
    return {kind: np.concatenate(parts)[order] for kind, parts in columns.items()}


def _read_program(
    session: Session, program: Program, labels: Sequence[LoopLabel]
) -> Mapping[str, np.ndarray]:
    """Describe the loops of one program, or take them from the cache."""
    version = _version(program, labels)
    path = cache_root() / "tasks" / "loops" / f"{program.name}-{version}.npz"
    with locked(path):
        known = _load(path)
        if known is None:
            known = _describe(session, program, labels)
            content = io.BytesIO()
            np.savez_compressed(content, **known)  # type: ignore[arg-type]
            write_atomically(path, content.getvalue())
    return known


def _describe(
    session: Session, program: Program, labels: Sequence[LoopLabel]
) -> dict[str, np.ndarray]:
    session.load(program.bitcode(), level="O3", wanted=NO_KEY)
    session.step(BEFORE.pipeline, dict(BEFORE.options), wanted=NO_KEY)
    found = {decision.number: decision for decision in decisions(session, innermost=True)}
    counts = session.observe(_FEATURES).views["function_features"]
    assert isinstance(counts, np.ndarray)
    columns: dict[str, list[np.ndarray]] = {kind: [] for kind in (*ENCODERS, *COUNTERS)}
    for label in labels:
        decision = found.get(label.loop)
        if decision is None or not np.allclose(
            fact_vector(decision.facts, 1.0), label.facts, atol=1e-4
        ):
            raise DatasetError(
                f"the labels are of another loop {label.loop} than {program.uri} has with this "
                "compiler; measure again: python -m experiments.loops --labels FILE"
            )
        for kind in COUNTERS:
            row = counts[decision.facts.function, FUNCTION_FEATURES[kind]]
            columns[kind].append(row.astype(np.float32))
        function, alone = decision.code
        for kind, embedder in shared_embedders().items():
            parts = embedder.functions([function] if alone is None else [function, alone])
            empty = np.zeros(embedder.function_size if alone is None else 0, np.float32)
            columns[kind].append(np.append(parts.ravel(), empty))
    return {kind: np.stack(rows).astype(np.float32) for kind, rows in columns.items()}


def _version(program: Program, labels: Sequence[LoopLabel]) -> str:
    content = hashlib.sha256(_tools_version().encode())
    content.update(repr((program.uri, program.flags)).encode())
    for source in program.sources:
        content.update(source.read_bytes())
    content.update(repr([(label.loop, label.facts) for label in labels]).encode())
    return content.hexdigest()[:16]


@functools.cache
def _tools_version() -> str:
    """Of the weights and of LLVM."""
    from .. import _native
    from ..encoder.weights import weights_path

    content = hashlib.sha256(f"{CACHE_VERSION} {_native.llvm_version()}".encode())
    for model in ("tiny", "base"):
        with weights_path(model).open("rb") as file:
            content.update(hashlib.file_digest(file, "sha256").digest())
    return content.hexdigest()


def _load(path: Path) -> Mapping[str, np.ndarray] | None:
    """What the cache holds; None when there is nothing, or nothing that can be read."""
    try:
        with np.load(path) as arrays:
            return {kind: arrays[kind] for kind in (*ENCODERS, *COUNTERS)}
    except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile):
        return None
