"""Where functions lie in the encoder's space, and how a program moves through it.

Writes ``results/embedding_map/``: ``map.png``, ``way.csv`` and ``run.json``. On the left
the functions of the test packages in two dimensions (principal components, then t-SNE when
scikit-learn is installed), coloured by domain; on the right the embedding of one program's
module while the passes of O2 run one by one, in the principal components of the functions.
The first half of a module's embedding is the mean of its functions', weighted by their size,
so it has a place among them. ``run.json`` says how often a function's nearest neighbour is
of the same domain, in the whole space, beside how often it would be by chance.

    python -m experiments.embedding_map --shards FOLDER
"""

from __future__ import annotations

import csv
import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tyro

from mirgym.agents.pipelines import O2, O2_PASSES, render, without
from mirgym.encoder.dataset import Dataset
from mirgym.encoder.embedder import Embedder
from mirgym.programs import resolve
from mirgym.session import InProcessSession
from mirgym.views import ModuleView
from mirgym.wire import Wanted

from .encoder_figures import Cloud, Path2D, plot_map
from .runs import RESULTS, write_run_json

DOMAINS = {
    "deb_nettle": "cryptography", "npm_secp256k1": "cryptography",
    "deb_flac": "audio", "deb_twolame": "audio",
    "deb_bsdgames": "games", "deb_lua5.4": "interpreter",
    "deb_glpk": "optimisation", "pypi_scs": "optimisation",
    "deb_hmmer": "biology", "pypi_edlib": "biology",
}  # fmt: skip
"""What the test packages are for; another package is its own domain."""

_VIEWS = Wanted.of(views=("functions",), key=False)


@dataclass(frozen=True)
class MapConfig:
    """The map."""

    shards: Path
    """Folder of the corpus."""
    model: str = "base"
    """``tiny``, ``base``, or a path to weights."""
    program: str = "mirbench/lisp"
    """Whose way through O2 is drawn."""
    functions: int = 3_000
    """Functions on the map, at most; a random sample of them, unoptimised."""
    seed: int = 0
    """Of the sample and of t-SNE."""
    folder: Path = RESULTS / "embedding_map"


class Plane(NamedTuple):
    """The two principal components of some embeddings."""

    mean: np.ndarray  # (D,)
    components: np.ndarray  # (2, D)
    explained: float
    """Share of the variance that lies in the plane."""

    def project(self, embeddings: np.ndarray) -> np.ndarray:
        """(n, D) to (n, 2)."""
        out: np.ndarray = (embeddings - self.mean) @ self.components.T
        return out


class Way(NamedTuple):
    """A program's embedding before and after each pass that O2 runs."""

    passes: list[str]  # (steps,)
    embeddings: np.ndarray  # (steps + 1, D)
    instructions: list[int]  # (steps + 1,)


def principal_plane(embeddings: np.ndarray) -> Plane:
    """Principal components by singular values.

    >>> round(principal_plane(np.array([[0.0, 0, 0], [3, 0, 0], [0, 1, 0]])).explained, 6)
    1.0
    """
    mean = embeddings.mean(0)
    _, scales, components = np.linalg.svd(embeddings - mean, full_matrices=False)
    return Plane(mean, components[:2], float((scales[:2] ** 2).sum() / (scales**2).sum()))


def sample(dataset: Dataset, count: int, seed: int) -> np.ndarray:
    """Rows of at most ``count`` functions, each as clang gives it, in random order."""
    rows = np.flatnonzero(dataset.states == 0)
    return np.random.default_rng(seed).permutation(rows)[:count]


def layout(embeddings: np.ndarray, plane: Plane, seed: int) -> tuple[np.ndarray, str]:
    """(n, 2) places, and what the axes are."""
    if importlib.util.find_spec("sklearn") is None:
        return plane.project(embeddings), "principal component"
    manifold = importlib.import_module("sklearn.manifold")
    perplexity = min(30.0, (len(embeddings) - 1) / 3)
    places = manifold.TSNE(random_state=seed, perplexity=perplexity, init="pca").fit_transform(
        embeddings
    )
    return places, "t-SNE"


def neighbours_alike(embeddings: np.ndarray, kinds: np.ndarray) -> tuple[float, float]:
    """How often the nearest other point, by cosine, is of the same kind; and a random one.

    Mostly it is of the same package: this is not yet a sense of what a function is for.
    """
    unit = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    likeness = unit @ unit.T
    np.fill_diagonal(likeness, -np.inf)
    _, counts = np.unique(kinds, return_counts=True)
    chance = (counts * (counts - 1)).sum() / (len(kinds) * (len(kinds) - 1))
    return float((kinds == kinds[likeness.argmax(1)]).mean()), float(chance)


def way_through_o2(program: str, embedder: Embedder) -> Way:
    """Run the passes of O2 one by one, each in the adaptors that it has there."""
    passes, embeddings, sizes = [], [], []
    with InProcessSession() as session:
        state = session.load(resolve(program).bitcode(), wanted=_VIEWS)
        for place in [None, *O2_PASSES]:
            if place is not None:
                passes.append(O2_PASSES[place])
                others = [other for other in O2_PASSES if other != place]
                state = session.step(render(without(O2, others)), wanted=_VIEWS)
            module = state.views["functions"]
            assert isinstance(module, ModuleView)
            embeddings.append(embedder.module(module)[: embedder.function_size])
            sizes.append(sum(module.instructions))
    return Way(passes, np.stack(embeddings), sizes)


def _write_way(path: Path, way: Way, points: np.ndarray) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["step", "pass", "instructions", "component_1", "component_2"])
        for step, (name, size) in enumerate(zip(["", *way.passes], way.instructions, strict=True)):
            writer.writerow([step, name, size, *(f"{x:.4f}" for x in points[step])])


def main(config: MapConfig) -> int:
    """Draw the map."""
    embedder = Embedder(config.model)
    dataset = Dataset(config.shards, "test")
    rows = sample(dataset, config.functions, config.seed)
    embeddings = embedder.functions([dataset.view(int(row)) for row in rows])
    domains = [DOMAINS.get(package, package) for package in dataset.packages[rows]]
    plane = principal_plane(embeddings)
    places, axes = layout(embeddings, plane, config.seed)
    way = way_through_o2(config.program, embedder)
    points = plane.project(way.embeddings)
    alike, chance = neighbours_alike(embeddings, np.array(domains))
    config.folder.mkdir(parents=True, exist_ok=True)
    title = (
        f"{config.program}, O2 pass by pass: {way.instructions[0]} to "
        f"{way.instructions[-1]} instructions"
    )
    plot_map(
        config.folder / "map.png",
        Cloud(places, domains, axes),
        Path2D(title, points, way.passes, plane.project(embeddings)),
    )
    _write_way(config.folder / "way.csv", way, points)
    figures = {
        "functions": len(rows),
        "variance_in_plane": round(plane.explained, 4),
        "nearest_neighbour_same_domain": round(alike, 4),
        "by_chance": round(chance, 4),
        "steps_that_moved": int((np.diff(way.embeddings, axis=0) != 0).any(1).sum()),
    }
    write_run_json(config.folder, config, figures)
    print(
        f"{len(rows)} functions, {100 * plane.explained:.0f} % of the variance in the plane; "
        f"nearest neighbour of the same domain {100 * alike:.0f} % (by chance "
        f"{100 * chance:.0f} %)"
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main(tyro.cli(MapConfig)))
