"""Searches on training modules, and what they say of states: data for the value network.

Each module is searched for some compiles by ``agents.best_first.expansions`` under an outlook
that wanders: states are chosen by cost and chance, and so are their actions. What was found is
a graph. Backwards over it, a state's best cost is the lowest that its later actions led to
within a few steps, and an example is a state of which the first ``tried`` actions are gone and
``LEAST`` or more were still tried. One ``.npz`` a module in a work folder, where a second start
goes on.
"""

from __future__ import annotations

import io
import math
import os
import random
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from mirgym.agents.best_first import BATCH, Edge, expansions
from mirgym.agents.explorer import CANDIDATE_ERRORS, BudgetSpentError, Explorer, SearchConfig
from mirgym.agents.guided import observe
from mirgym.agents.policy import policy_actions
from mirgym.agents.strategies import o_level
from mirgym.agents.walker import Node
from mirgym.corpus.schema import seed_of
from mirgym.errors import DatasetError, MirgymError, SessionError
from mirgym.passes import Pass
from mirgym.programs.cache import write_atomically

from .search_data import COSTS, OZ
from .training_modules import DrawConfig, TrainingModule

LOOKS = ("embedding", "autophase")
"""What is kept of how a state looks."""
LEAST = 8
"""Actions that must have been tried in a state after those that are gone."""
NOWHERE = -1
"""The end of an edge that failed."""
_NOISE = 0.04
"""Deviation of chance beside ln(cost ÷ baseline), when states are chosen."""
_WEAR = 0.002
"""What each action that was tried adds to that."""
_ROOT = 0.06
"""What the program as loaded is ahead of the baseline there, so that it has its turns."""
_AT_ONCE = 8
"""Actions that a state takes each time it is chosen: enough for an example."""
_DAMAGED = (OSError, EOFError, KeyError, TypeError, ValueError, BadZipFile, zlib.error)
"""What numpy raises for a file that is not what was written."""
_WEIGHTS = {"coreset": (4.0, 1.0), "core": (0.25, 2.0)}
"""Of an action's group in the draw of an order, in the program as loaded and later; else 1."""


@dataclass(frozen=True)
class ExploreConfig(DrawConfig):
    """The searches."""

    corpus_count: int = 60
    compiles: int = 120
    """Of each module."""
    seed: int = 0
    jobs: int = os.cpu_count() or 1
    work: Path = Path("runs/train_value")
    """Where one file a module is left."""


class Wandering:
    """An outlook (``agents.best_first``) that chooses by cost and chance.

    A state promises its bytes or its instructions, whichever a coin says, and no more than the
    baseline's.
    """

    def __init__(self, explorer: Explorer, actions: Sequence[Pass], rng: random.Random) -> None:
        self._explorer = explorer
        self._actions = actions
        self._rng = rng
        self._oz = explorer.best

    def promise(self, node: Node, tried: int) -> float:
        """See ``agents.best_first.Outlook``."""
        known = self._explorer.instructions
        if self._rng.random() < 0.5:
            ratio = node.cost / max(self._explorer.baseline_cost, 1)
        else:
            ratio = known[node.key] / max(known[self._oz.key], 1)
        ahead = min(math.log(max(ratio, 1e-6)), 0.0) if node.depth else -_ROOT
        return ahead + self._rng.gauss(0.0, _NOISE) + _WEAR * tried

    def actions(self, node: Node) -> Sequence[Pass]:
        """See ``agents.best_first.Outlook``; drawn without replacement, by weight."""

        def drawn(action: Pass) -> float:
            weight = _WEIGHTS.get(action.group, (1.0, 1.0))[node.depth > 0]
            key: float = self._rng.random() ** (1 / weight)
            return -key

        return sorted(self._actions, key=drawn)


@dataclass
class Graph:
    """What a search saw of one module: S states, E edges, O states that were looked at.

    Attributes:
        costs: (S, 2) by the objectives ``COSTS``; the program as loaded is the first state.
        baseline: (2,) costs of the baseline.
        depth: (S,) actions that lead there.
        edges: (E, 3) from state, to state or ``NOWHERE``, by which action, as they were taken.
        opened: (O,) the states with ``LEAST`` edges or more.
        parts: (O, n) each of ``LOOKS``.
    """

    costs: np.ndarray
    baseline: np.ndarray
    depth: np.ndarray
    edges: np.ndarray
    opened: np.ndarray
    parts: dict[str, np.ndarray] = field(default_factory=dict)

    def save(self, path: Path) -> None:
        """Write all at once."""
        arrays = {name: value for name, value in vars(self).items() if name != "parts"}
        content = io.BytesIO()
        np.savez_compressed(content, allow_pickle=False, **arrays, **self.parts)
        write_atomically(path, content.getvalue())

    @classmethod
    def load(cls, path: Path) -> Graph:
        """Read one.

        Raises:
            DatasetError: The file is damaged.
        """
        try:
            with np.load(io.BytesIO(path.read_bytes())) as raw:  # a path would stay open
                arrays = dict(raw)
            parts = {name: arrays.pop(name) for name in LOOKS}
            return cls(**arrays, parts=parts)
        except (
            OSError,
            EOFError,
            KeyError,
            TypeError,
            ValueError,
            BadZipFile,
            zlib.error,
        ) as error:
            raise DatasetError(
                f"{path} holds no search ({type(error).__name__}: {error}); delete it: the next "
                "start makes it again"
            ) from error


def explore(module: TrainingModule, config: ExploreConfig) -> bool:
    """Search one module; False when the baseline fails on it."""
    target = config.work / "modules" / f"{module.name.replace('/', '-')}.npz"
    if target.exists():
        return True
    rng = random.Random(seed_of(config.seed, module.name))
    try:
        _search(module.bitcode(), config.compiles, rng).save(target)
    except MirgymError:
        return False
    return True


def _search(bitcode: bytes, compiles: int, rng: random.Random) -> Graph:
    actions = policy_actions().actions
    with Explorer(bitcode, SearchConfig(budget=compiles)) as explorer:
        oz = explorer.apply(explorer.root, o_level(OZ))
        if oz is None:
            raise SessionError(f"Oz fails on this module: {explorer.failures[-1].error}")
        explorer.baseline_cost = oz.cost
        edges: list[Edge] = []
        try:
            for edge in expansions(explorer, Wandering(explorer, actions, rng), _AT_ONCE):
                edges.append(edge)
        except BudgetSpentError:
            pass
        return _graph(explorer, oz, edges, actions)


def _graph(explorer: Explorer, oz: Node, edges: Sequence[Edge], actions: Sequence[Pass]) -> Graph:
    numbers = {action: index for index, action in enumerate(actions)}
    nodes = {explorer.root.key: explorer.root, oz.key: oz}
    nodes |= {edge.reached.key: edge.reached for edge in edges if edge.reached is not None}
    number = {key: index for index, key in enumerate(nodes)}
    ends = [
        (
            number[edge.node.key],
            number[edge.reached.key] if edge.reached else NOWHERE,
            numbers[edge.step],
        )
        for edge in edges
    ]
    costs = np.array([[n.cost, explorer.instructions[n.key]] for n in nodes.values()])
    table = np.array(ends, np.int64).reshape(-1, 3)
    opened, looks = [], []
    for index, node in enumerate(nodes.values()):
        if (table[:, 0] == index).sum() < LEAST:
            continue
        try:
            looks.append(observe(explorer, node, LOOKS, "tiny"))
        except CANDIDATE_ERRORS:
            continue
        opened.append(index)
    if not opened:
        raise DatasetError(f"no state has {LEAST} actions tried; allow more compiles")
    return Graph(
        costs,
        costs[number[oz.key]],
        np.array([node.depth for node in nodes.values()]),
        table,
        np.array(opened),
        {name: np.stack([look[name] for look in looks]) for name in LOOKS},
    )


def best_within(costs: np.ndarray, edges: np.ndarray, steps: int) -> np.ndarray:
    """(S,) the lowest cost that a state's edges lead to in so many steps or fewer.

    Args:
        costs: (S,) of the states.
        edges: (E, 3) from, to, action; an end that is ``NOWHERE`` leads nowhere.
        steps: 0 for the states' own.
    """
    found = edges[edges[:, 1] != NOWHERE]
    best = costs.astype(float)
    for _ in range(steps):
        further = costs.astype(float)
        np.minimum.at(further, found[:, 0], best[found[:, 1]])
        best = further
    return best


@dataclass
class Examples:
    """N states of training modules, for one objective.

    Attributes:
        modules: (N,) whose state each is.
        parts: (N, n) observations by name, ``progress`` among them.
        best: (N,) ln(best cost ÷ baseline).
        after: (N, A) the same with each action next; NaN where it was not tried or failed.
    """

    modules: np.ndarray
    parts: dict[str, np.ndarray]
    best: np.ndarray
    after: np.ndarray

    def __len__(self) -> int:
        return len(self.best)

    @property
    def gains(self) -> np.ndarray:
        """(N,) ln(best cost ÷ cost), 0 or less."""
        return np.asarray(self.best - self.parts["progress"][:, 1])

    def __getitem__(self, rows: np.ndarray) -> Examples:
        parts = {name: part[rows] for name, part in self.parts.items()}
        return Examples(self.modules[rows], parts, self.best[rows], self.after[rows])


def examples(graph: Graph, module: str, objective: str, horizon: int, n_actions: int) -> Examples:
    """The examples of one module.

    Args:
        graph: What a search saw of it.
        module: Its name.
        objective: One of ``COSTS``.
        horizon: Actions within which the best cost is to be reached.
        n_actions: Of the set that was searched with.
    """
    column = COSTS.index(objective)
    costs = np.maximum(graph.costs[:, column], 1)
    baseline = max(int(graph.baseline[column]), 1)
    here = np.log(costs)
    then = np.log(best_within(costs, graph.edges, horizon - 1)) - np.log(baseline)  # (S,)
    rows: list[int] = []
    progress: list[tuple[float, ...]] = []
    best: list[float] = []
    after: list[np.ndarray] = []
    for row, state in enumerate(graph.opened):
        edges = graph.edges[graph.edges[:, 0] == state]
        for tried in range(0, len(edges) - LEAST + 1, BATCH):
            later = edges[tried:]
            later = later[later[:, 1] != NOWHERE]
            values = np.full(n_actions, np.nan)
            values[later[:, 2]] = then[later[:, 1]]
            behind = here[state] - np.log(baseline)
            rows.append(row)
            best.append(min([behind, *then[later[:, 1]]]))
            after.append(values)
            progress.append((here[state] - here[0], behind, graph.depth[state], np.log1p(tried)))
    parts = {name: part[rows] for name, part in graph.parts.items()}
    parts["progress"] = np.array(progress, np.float32)
    return Examples(np.full(len(rows), module), parts, np.array(best), np.stack(after))


def read(work: Path, objective: str, horizon: int) -> Examples:
    """The examples of all modules in a work folder but those of which Oz leaves nothing.

    Raises:
        DatasetError: There are none.
    """
    n_actions = len(policy_actions())
    found = []
    for path in sorted((work / "modules").glob("*.npz")):
        graph = Graph.load(path)
        if graph.baseline.min() > 0:
            found.append(examples(graph, path.stem, objective, horizon, n_actions))
    if not found:
        raise DatasetError(f"no searches in {work}: none of the modules could be compiled")
    names = found[0].parts
    return Examples(
        np.concatenate([one.modules for one in found]),
        {name: np.concatenate([one.parts[name] for one in found]) for name in names},
        np.concatenate([one.best for one in found]),
        np.concatenate([one.after for one in found]),
    )
