"""The code of measured loops, as encoders and counters see it.

A loop is seen before the vectorizer, as ``mir-llvm-loops-v0`` shows it: its function, and itself as
a function of its own, so that loops of one function differ. Counters see the function. Describing
a program takes a tenth of a second, so each has its file in the cache.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..envs.loop_decisions import BEFORE, decisions
from ..envs.loop_observations import fact_vector
from ..errors import DatasetError
from ..features import FUNCTION_FEATURES
from ..programs import Program, resolve
from ..session import Session
from ..wire import NO_KEY, Wanted
from ..worker import WorkerSession
from .code import COUNTERS, ENCODERS, Shown, shared_embedders, show_nothing
from .loop_labels import LoopLabel
from .part_cache import Arrays, cached

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


def _read_program(session: Session, program: Program, labels: Sequence[LoopLabel]) -> Arrays:
    """Describe the loops of one program, or take them from the cache."""
    sources = [source.read_bytes() for source in program.sources]
    known = [(label.loop, label.facts) for label in labels]
    return cached(
        f"loops/{program.name}", CACHE_VERSION, program.uri, program.flags, sources, known,
        make=lambda: _describe(session, program, labels),
    )  # fmt: skip


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
