"""The states of ``experiments.search_data`` as arrays: observations, and what actions gave."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mirgym.agents.policy import history
from mirgym.encoder.embedder import Embedder
from mirgym.encoder.weights import FOLDER as WEIGHTS
from mirgym.errors import DatasetError
from mirgym.features import IR2VEC_NAMES
from mirgym.views import ModuleView
from mirgym.wire import Wanted
from mirgym.worker import WorkerSession

from .search_data import COSTS, FAILED, UNTRIED
from .training_modules import corpus_modules, programs

_VIEWS = Wanted.of(views=("functions", "autophase", "instcount", "ir2vec"), key=False)
_FUNCTIONS = Wanted.of(views=("functions",), key=False)
_VALIDATION_SHARE = 5
"""One module in this many."""


@dataclass
class Data:
    """N states of training modules.

    Attributes:
        modules: (N,) whose state each is.
        parts: Observations by name, (N, n) each.
        values: By objective (N, A + 1): ln(Oz ÷ cost) after each action, and of the state
            itself as the value of ``stop``; NaN where it was not tried.
    """

    modules: np.ndarray
    parts: dict[str, np.ndarray]
    values: dict[str, np.ndarray]
    histories: dict[str, np.ndarray]

    def __len__(self) -> int:
        return len(self.modules)

    @property
    def is_validation(self) -> np.ndarray:
        """(N,) states of modules that are not fitted to: whole packages, some programs."""
        return np.array([is_held_out(str(module)) for module in self.modules])

    @property
    def is_first(self) -> np.ndarray:
        """(N,) states in which nothing was done yet."""
        (history, *_) = self.histories.values()
        first: np.ndarray = ~np.any(history[:, :-3], axis=1)
        return first

    def observation(self, objective: str, names: Sequence[str]) -> dict[str, np.ndarray]:
        """Some of the observations, the history as this objective sees it."""
        known = {**self.parts, "history": self.histories[objective]}
        return {name: known[name] for name in names}


def is_held_out(module: str) -> bool:
    """Whether a module is for validation; of the corpus, with its whole package."""
    name = module.replace("/", "-")
    group = name.rpartition("-")[0] if name.startswith("corpus-") else name
    return zlib.crc32(group.encode()) % _VALIDATION_SHARE == 0


def ppo_programs(corpus: Path | None, count: int) -> list[str]:
    """What PPO trains on: no validation module.

    Args:
        corpus: ``modules`` of a corpus' work folder; None for mirbench's training half alone.
        count: Modules of the corpus to draw from.
    """
    found = programs()
    if corpus is not None:
        found += corpus_modules(corpus, count, range(200, 2_500), seed=1)
    return [str(one.path or one.name) for one in found if not is_held_out(one.name)]


def read(work: Path, encoder: str = "tiny") -> Data:
    """All states in a work folder; observations are made once for each version of the encoder.

    Raises:
        DatasetError: There are none.
    """
    paths = _files(work)
    version = f"{encoder}-{zlib.crc32((WEIGHTS / f'{encoder}.safetensors').read_bytes()):08x}"
    folder = work / "observations" / version
    folder.mkdir(parents=True, exist_ok=True)
    with WorkerSession() as session:
        embedder = Embedder(encoder)
        rows = [_module(path, folder / path.name, session, embedder) for path in paths]
    names = [np.full(len(row["values"]), path.stem) for path, row in zip(paths, rows, strict=True)]
    joined = {key: np.concatenate([row[key] for row in rows]) for key in rows[0]}
    values, histories = joined.pop("values"), joined.pop("histories")
    return Data(
        np.concatenate(names),
        joined,
        {name: values[..., index] for index, name in enumerate(COSTS)},
        {name: histories[..., index] for index, name in enumerate(COSTS)},
    )


def read_functions(work: Path) -> list[ModuleView]:
    """The functions of all states, in the order of ``read``.

    Raises:
        DatasetError: There are none.
    """
    found = []
    with WorkerSession() as session:
        for path in _files(work):
            with np.load(path) as raw:
                for snapshot in _snapshots(raw):
                    session.restore(snapshot)
                    view = session.observe(_FUNCTIONS).views["functions"]
                    assert isinstance(view, ModuleView)
                    found.append(view)
    return found


def _files(work: Path) -> list[Path]:
    """All modules but those of which Oz leaves nothing: there is no ratio to it."""
    paths = [path for path in sorted((work / "modules").glob("*.npz")) if _is_something(path)]
    if not paths:
        raise DatasetError(f"no states in {work}: run `python -m experiments.search_data` first")
    return paths


def _is_something(path: Path) -> bool:
    with np.load(path) as raw:
        return bool(raw["oz"].min() > 0)


def _module(
    path: Path, cache: Path, session: WorkerSession, embedder: Embedder
) -> dict[str, np.ndarray]:
    with np.load(path) as raw:
        oz, here, after, paths = raw["oz"], raw["here"], raw["after"], raw["paths"]
        if cache.exists():
            with np.load(cache) as known:
                parts = dict(known)
        else:
            parts = _observe(list(_snapshots(raw)), session, embedder)
            np.savez_compressed(cache, allow_pickle=False, **parts)
    taken = [[a for a in path if a >= 0] for path in paths.tolist()]
    histories = np.stack(
        [
            [history(after.shape[1], p, h[i], here[0][i], oz[i]) for i in range(len(COSTS))]
            for p, h in zip(taken, here, strict=True)
        ]
    )  # (S, 2, A + 4)
    return {**parts, "values": _values(oz, here, after), "histories": histories.swapaxes(1, 2)}


def _snapshots(raw: dict[str, np.ndarray]) -> Iterator[bytes]:
    start = 0
    for size in raw["sizes"]:
        yield raw["snapshots"][start : start + size].tobytes()
        start += size


def _observe(
    snapshots: Sequence[bytes], session: WorkerSession, embedder: Embedder
) -> dict[str, np.ndarray]:
    rows = []
    for snapshot in snapshots:
        session.restore(snapshot)
        views = session.observe(_VIEWS).views
        module = views["functions"]
        assert isinstance(module, ModuleView)
        rows.append(
            {
                "embedding": embedder.module(module),
                "autophase": np.array(views["autophase"]),
                "instcount": np.array(views["instcount"]),
                "ir2vec": np.array(views["ir2vec"]),
            }
        )
    assert all(row["ir2vec"].shape == (len(IR2VEC_NAMES),) for row in rows)
    return {name: np.stack([row[name] for row in rows]) for name in rows[0]}


def _values(oz: np.ndarray, here: np.ndarray, after: np.ndarray) -> np.ndarray:
    """(S, A + 1, 2)."""
    costs = np.concatenate([after, here[:, None]], axis=1).astype(float)
    values = np.log(oz / np.maximum(costs, 1))
    values[costs == FAILED] = -1.0
    values[costs == UNTRIED] = np.nan
    return np.asarray(values)
