"""What ``oz_benefit`` and ``best_pass`` share: methods, sides and one head over modules' code.

A seed draws the test side: a quarter of mirbench's programs and a quarter of the algorithms, with
everything that is of them. The head is ``gain_heads``', and tunes itself inside the training rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from ..features import TOTAL_INSTRUCTIONS
from . import protocols
from .code import COUNTERS
from .gain_heads import Quality, predict
from .kernel_heads import Block
from .own_modules import SYNTH
from .protocols import Fold
from .summary import FEW_SHOT
from .task import Job, Row

TEST_SHARE = 0.25
INNER_FOLDS = 3
FEWEST = 8
"""Training rows, at least."""
SHARES = (0.01, 0.05, 0.1, 0.25)
"""Of the training rows, in the few-shot curves; the whole is the table's."""


class Method(NamedTuple):
    """What a method sees; ``counts`` are all three counters. Without kinds it sees nothing."""

    kinds: tuple[str, ...] = ()
    control: bool = False
    few_shot: bool = False


CODE_METHODS: Mapping[str, Method] = {
    "InstCount": Method(("instcount",), control=True),
    "Autophase": Method(("autophase",), control=True, few_shot=True),
    "IR2Vec": Method(("ir2vec",), control=True, few_shot=True),
    "counts": Method(("counts",), control=True, few_shot=True),
    "untrained": Method(("untrained",), control=True, few_shot=True),
    "untrained + counts": Method(("untrained", "counts"), control=True),
    "tiny": Method(("tiny",)),
    "base": Method(("base",), few_shot=True),
    "tiny + counts": Method(("tiny", "counts")),
    "base + counts": Method(("base", "counts"), few_shot=True),
}
"""Controls are what the encoder's rows have to beat; all have the same head."""


class ModuleStudy:
    """Rows about modules, and what methods see of them.

    Args:
        groups: What each row must not be parted from, (n,).
        code: Features by kind, (n, d).
        vocabulary: IR2Vec's, if it is installed.
    """

    def __init__(
        self, groups: Sequence[str], code: Mapping[str, np.ndarray], vocabulary: np.ndarray | None
    ) -> None:
        self.groups = np.array(groups)
        self._code = code
        self._vocabulary = vocabulary

    def blocks(self, method: Method) -> list[Block]:
        """What a method sees; of an encoder the code, and what it calls with the sizes."""
        return [block for kind in method.kinds for block in self._blocks(kind)]

    def _blocks(self, kind: str) -> list[Block]:
        """Counters as they are, and as shares of the instructions: ratios hardly depend on size."""
        if kind in COUNTERS or kind == "counts":
            names = COUNTERS if kind == "counts" else (kind,)
            columns = np.concatenate([self._code[name] for name in names], axis=1)
            total = np.maximum(self._code["instcount"][:, TOTAL_INSTRUCTIONS["instcount"]], 1)
            shares = columns / total[:, None]
            if kind == "ir2vec" and self._vocabulary is not None:
                return [Block(rows @ self._vocabulary, False) for rows in (columns, shares)]
            return [Block(columns, True), Block(shares, False)]
        width = (self._code[kind].shape[1] - 2) // 2
        return [Block(part, False) for part in np.split(self._code[kind], [width], axis=1)]

    def fold(self, seed: int, share: float = 1.0) -> Fold:
        """The sides that a seed draws, with a part of the training rows."""
        generator = np.random.default_rng(seed)
        held_out: list[str] = []
        names = sorted(set(self.groups) - {SYNTH})
        for bundled in (True, False):
            some = [name for name in names if ("://" in name) == bundled]
            drawn = generator.permutation(len(some))[: round(TEST_SHARE * len(some))]
            held_out += [some[place] for place in drawn]
        test = np.isin(self.groups, held_out)
        train = np.flatnonzero(~test)
        if share < 1:
            kept = generator.permutation(train)[: max(FEWEST, round(share * len(train)))]
            train = np.sort(kept)
        return Fold(train, np.flatnonzero(test))

    def inner(self, train: np.ndarray) -> list[Fold]:
        """Folds of training rows by group, as row numbers; ``synth`` is never asked about."""
        asked = train[self.groups[train] != SYNTH]
        groups = [str(group) for group in self.groups[asked]]
        if len(set(groups)) < 2:
            return []
        folds = protocols.grouped(groups, INNER_FOLDS)
        return [Fold(np.setdiff1d(train, asked[f.test]), asked[f.test]) for f in folds]

    def predict(
        self, method: Method, targets: np.ndarray, fold: Fold, quality: Quality
    ) -> np.ndarray:
        """Predictions for the test rows, (n_test, outputs); the training mean without kinds."""
        if not method.kinds:
            return np.repeat(targets[fold.train].mean(0, keepdims=True), len(fold.test), axis=0)
        return predict(self.blocks(method), targets, fold, self.inner(fold.train), quality)


def known_methods(
    names: Sequence[str], methods: Mapping[str, Method], vocabulary: np.ndarray | None
) -> tuple[dict[str, Method], list[str]]:
    """The methods of these names that can run, and notes about those that cannot."""
    named = {name: methods[name] for name in names}
    if vocabulary is not None:
        return named, []
    note = "no IR2Vec row: its vocabulary is not installed (pip install ir2vec --no-deps)"
    return {name: one for name, one in named.items() if "ir2vec" not in one.kinds}, [note]


def points(method: Method, protocol: str, seeds: int) -> list[tuple[float, int]]:
    """Shares of the training rows and seeds to run; those of curves but the last."""
    if protocol != FEW_SHOT:
        return [(1.0, seed) for seed in range(seeds)]
    return [(share, seed) for share in SHARES for seed in range(seeds * method.few_shot)]


def jobs(
    protocols: Iterable[str],
    methods: Mapping[str, Method],
    seeds: int,
    run: Callable[[str, str, float, int], Row],
) -> list[Job]:
    """All runs of these methods; ``run`` has protocol, method, share and seed."""
    return [
        Job(
            {"protocol": protocol, "method": name, "share": share, "seed": seed},
            partial(run, protocol, name, share, seed),
        )
        for protocol in protocols
        for name, method in methods.items()
        for share, seed in points(method, protocol, seeds)
    ]
