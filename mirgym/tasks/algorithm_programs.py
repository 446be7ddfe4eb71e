"""Generated programs of known algorithms, as encoders and counters see them.

Each program is seen in three states: as clang writes it (O0), after mem2reg, and after Oz.
Describing one takes a tenth of a second, so each class has its file in the cache, and an
interrupted run goes on with the next class.
"""

from __future__ import annotations

import hashlib
import io
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..levels import LEVEL_PIPELINES
from ..programs.cache import cache_root, locked, write_atomically
from .algorithms import ALGORITHMS, Implementation, generate, split_of
from .code import COUNTERS, ENCODERS, Shown, shared_embedders, show_nothing

STATES = ("O0", "mem2reg", "Oz")
PIPELINES = {"mem2reg": "mem2reg", "Oz": str(LEVEL_PIPELINES["Oz"])}
"""Run one after the other on the program loaded at Oz, which only sets attributes."""
CACHE_VERSION = 1


@dataclass(frozen=True)
class Programs:
    """Generated programs, a row a program.

    Attributes:
        label: The class's place in ``names``, (n,).
        template: The number of the template within its class, (n,).
        held_out: Whether the template is on the test side, (n,) bool.
        features: By kind and state, (n, d) float32. Of encoders the module's embedding and
            the maximum over its functions.
        names: Of the classes.
        version: A hash of everything above.
    """

    label: np.ndarray
    template: np.ndarray
    held_out: np.ndarray
    features: Mapping[tuple[str, str], np.ndarray]
    names: tuple[str, ...]
    version: str


def read_programs(
    per_class: int, classes: Sequence[str] = ALGORITHMS, shown: Shown = show_nothing
) -> Programs:
    """Generate, compile and describe the programs, or take them from the cache."""
    parts, versions = [], []
    for number, name in enumerate(classes):
        shown(number, len(classes))
        programs = [generate(name, seed) for seed in range(per_class)]
        version = _version(programs)
        path = cache_root() / "tasks" / "algorithms" / f"{name.replace(' ', '-')}-{version}.npz"
        with locked(path):
            part = _load(path)
            if part is None:
                part = _describe(programs)
                write_atomically(path, _dump(part))
        parts.append({**part, **_answers(programs, number)})
        versions.append(version)
    shown(len(classes), len(classes))
    columns = {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
    features = {(kind, state): columns[f"{kind} {state}"] for kind, state in _keys()}
    return Programs(
        columns["label"], columns["template"], columns["held_out"], features, tuple(classes),
        hashlib.sha256(repr(versions).encode()).hexdigest()[:16],
    )  # fmt: skip


def _keys() -> list[tuple[str, str]]:
    return [(kind, state) for kind in (*ENCODERS, *COUNTERS) for state in STATES]


def _answers(programs: Sequence[Implementation], label: int) -> dict[str, np.ndarray]:
    templates = sorted({one.template for one in programs})
    return {
        "label": np.full(len(programs), label),
        "template": np.array([templates.index(one.template) for one in programs]),
        "held_out": np.array([split_of(one) == "test" for one in programs]),
    }


def _version(programs: Sequence[Implementation]) -> str:
    from .. import _native
    from ..encoder.weights import weights_path

    content = hashlib.sha256(f"{CACHE_VERSION} {_native.llvm_version()}".encode())
    for model in ("tiny", "base"):
        with weights_path(model).open("rb") as file:
            content.update(hashlib.file_digest(file, "sha256").digest())
    for one in programs:
        content.update(one.source.encode())
    return content.hexdigest()[:16]


def _describe(programs: Sequence[Implementation]) -> dict[str, np.ndarray]:
    """By kind and state, as one word."""
    modules = _observe([one.source for one in programs])
    columns = {
        f"{kind} {state}": np.stack([np.asarray(views[kind], np.float32) for views in seen])
        for state, seen in modules.items()
        for kind in COUNTERS
    }
    every = [views["functions"] for seen in modules.values() for views in seen]
    fresh = {v.key: v for module in every for v in module.functions if v is not None}
    for name, embedder in shared_embedders().items():
        rows = dict(zip(fresh, embedder.functions(list(fresh.values())), strict=True))
        for state, seen in modules.items():
            columns[f"{name} {state}"] = np.stack(
                [
                    np.append(
                        embedder.module(views["functions"]),
                        np.max([rows[key] for key in views["functions"].keys], 0),
                    )
                    for views in seen
                ]
            )
    return columns


def _observe(sources: Sequence[str]) -> dict[str, list[Mapping[str, Any]]]:
    """Views of each program, by state."""
    from ..programs.compile import compile_source
    from ..session import InProcessSession
    from ..wire import Wanted

    wanted = Wanted.of(views=("functions", *COUNTERS), key=False)
    seen: dict[str, list[Mapping[str, Any]]] = {state: [] for state in STATES}
    with tempfile.TemporaryDirectory() as folder, InProcessSession() as session:
        path = Path(folder) / "program.c"
        for source in sources:
            path.write_text(source, encoding="utf-8")
            state = session.load(compile_source(path, ()), level="Oz", wanted=wanted)
            seen["O0"].append(state.views)
            for name, pipeline in PIPELINES.items():
                seen[name].append(session.step(pipeline, wanted=wanted).views)
    return seen


def _dump(columns: Mapping[str, np.ndarray]) -> bytes:
    content = io.BytesIO()
    np.savez_compressed(content, **columns)  # type: ignore[arg-type]
    return content.getvalue()


def _load(path: Path) -> dict[str, np.ndarray] | None:
    """What the cache holds; None when there is nothing, or nothing that can be read."""
    try:
        with np.load(path) as arrays:
            return {f"{k} {s}": arrays[f"{k} {s}"] for k, s in _keys()}
    except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile):
        return None
