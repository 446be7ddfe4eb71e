"""OpenMP loops: with how many threads, which schedule and which chunk should one run?

Our own kernels (``openmp_kernels``) at four sizes each, with the time of every configuration on
one machine. Labels of one machine come with mirgym; ``mirgym tasks measure openmp`` takes those
of yours, and from then on they are the ones that are used.

Each kernel in turn is left out at all its sizes. A method sees the others' times, and of the
left-out kernel its code, the iterations of its parallel loop and the bytes of its arrays; it
names a configuration for each size. Methods with *one run* also see how long the default takes,
as the literature's see the counters of a run. Methods with a *profile* see no time of the kernel,
but what counting says of it (``openmp_profile``): they predict the time under each configuration
by prices of what is counted, fitted to the other kernels, and correct that by trees
(``openmp_times``).

What the oracle's figure consists of is told by oracles that choose only a part, or by the times
of another measurement, as noisy as the one that counts.

The metric is the geometric mean of the speedups over the default (all cores, ``static``), and
what share of the oracle's that is, with 95 % intervals by a bootstrap over kernels.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..errors import DatasetError
from .code import COUNTERS, Kernels, packaged_vocabulary
from .heads import Blocks, Features, prepare
from .names import picked
from .openmp_labels import (
    ROUNDS,
    Configuration,
    Labels,
    available_cores,
    measure,
    noise,
    read_labels,
)
from .openmp_profile import Profile, measure_profile, read_profile, write_profile
from .openmp_programs import SIZES, read_code
from .openmp_report import text_table, write_report
from .openmp_times import adjust, amounts, describe, estimate, fit_prices
from .protocols import Fold, leave_one_out
from .published import PublishedFile, install_directory
from .tables import TextTable
from .task import Job, Row, TaskConfig, Work, stamp_of

PACKAGED = Path(__file__).parent.parent / "data" / "openmp"
PROTOCOL = "leave one kernel out"
TREES = 64
LEAF = 2
LIMIT = 1.5
"""Of the logarithm of a time ratio: how bad a bad configuration is hardly matters."""
COMPONENTS = 8
"""Of the code: 35 training kernels tell no more apart."""
VERSION = 2
"""Goes up when the same inputs give other rows."""


class Method(NamedTuple):
    """What trees see besides iterations and bytes.

    Attributes:
        code: An encoder or IR2Vec.
        counts: InstCount and Autophase.
        run: The time of one run under the default.
        profile: What counting says of the kernel under each configuration.
        control: Whether it is something that the encoder's rows have to beat.
        learns: Whether there are trees at all.
        priced: Without trees, the prices of what is counted.
    """

    code: str = ""
    counts: bool = False
    run: bool = False
    profile: bool = False
    control: bool = True
    learns: bool = True
    priced: bool = False


METHODS = {
    "default": Method(learns=False),
    "random": Method(learns=False),
    "constant": Method(learns=False),
    "oracle": Method(learns=False),
    "oracle, threads only": Method(learns=False),
    "oracle, schedule only": Method(learns=False),
    "oracle, default chunks": Method(learns=False),
    "oracle, measured again": Method(learns=False),
    "sizes": Method(),
    "raw counts": Method(counts=True),
    "IR2Vec": Method("ir2vec"),
    "untrained": Method("untrained"),
    "tiny": Method("tiny", control=False),
    "base": Method("base", control=False),
    "base + counts": Method("base", counts=True, control=False),
    "one run": Method(run=True),
    "raw counts, one run": Method(counts=True, run=True),
    "untrained, one run": Method("untrained", run=True),
    "tiny, one run": Method("tiny", run=True, control=False),
    "base, one run": Method("base", run=True, control=False),
    "profile, prices only": Method(profile=True, learns=False, priced=True),
    "profile": Method(profile=True),
    "raw counts + profile": Method(counts=True, profile=True),
    "untrained + profile": Method("untrained", profile=True),
    "tiny + profile": Method("tiny", profile=True, control=False),
    "base + profile": Method("base", profile=True, control=False),
}
ORACLES: dict[str, Callable[[Configuration, Configuration], bool]] = {
    "oracle": lambda one, default: True,
    "oracle, threads only": lambda one, default: one[1:] == default[1:],
    "oracle, schedule only": lambda one, default: one.threads == default.threads,
    "oracle, default chunks": lambda one, default: one.chunk == (one.schedule != "static"),
}
"""Perfect methods, and which configurations they may choose: what each choice is worth."""
_DRAWS = frozenset({"random", "oracle, measured again"}) | {
    name for name, method in METHODS.items() if method.learns
}


class OpenMP:
    """See the module's text."""

    name = "openmp"
    description = "threads, schedule and chunk of OpenMP loops; measured here, or by you"
    files: Sequence[PublishedFile] = ()
    sizes: Mapping[str, Sequence[int]] = SIZES

    def measure(
        self, folder: Path | None, rounds: int | None, shown: Callable[[int, int], None]
    ) -> Path:
        """Take the times of all kernels on this machine, and their profile; the labels' folder.

        Raises:
            DatasetError: There is but one core. And see ``openmp_labels.measure``.
        """
        if available_cores() < 2:
            raise DatasetError(
                "this process may use one core only, where there is nothing to choose; run it "
                "on two or more (is it pinned, as by `taskset`?)"
            )
        folder = folder or install_directory(self.name)
        labels = measure(folder, shown, rounds or ROUNDS, self.sizes)
        profile = measure_profile(labels.cases, labels.configurations, shown)
        write_profile(folder, labels.cases, labels.configurations, profile)
        return folder

    def work(self, config: TaskConfig, shown: Callable[[int, int], None]) -> Work:
        """All runs; kernels are compiled and embedded here, or come from the cache."""
        methods = picked(config.methods, METHODS, "method")
        picked(config.protocols, (PROTOCOL,), "protocol")
        own = install_directory(self.name)
        folder = own if (own / "labels.csv").is_file() else PACKAGED
        labels = read_labels(folder)
        notes = [_told(labels)]
        vocabulary = packaged_vocabulary()
        if vocabulary is None:
            methods = [name for name in methods if METHODS[name].code != "ir2vec"]
            notes.append(
                "no IR2Vec row: its vocabulary is not installed (pip install ir2vec --no-deps)"
            )
        names = list(dict.fromkeys(case.kernel for case in labels.cases))
        kernels = read_code(names, shown)
        profile = read_profile(folder, labels.cases, labels.configurations)
        if profile is None:
            profile = measure_profile(labels.cases, labels.configurations, shown)
            write_profile(folder, labels.cases, labels.configurations, profile)
        study = Study(labels, kernels, profile, vocabulary)
        jobs = [
            Job({"method": name, "seed": seed}, partial(study.run, name, seed))
            for name in methods
            for seed in range(config.seeds if name in _DRAWS else 1)
        ]
        numbers = (labels.ns, profile.cost, profile.counts)
        times = hashlib.sha256(b"".join(one.tobytes() for one in numbers)).hexdigest()
        return Work(jobs, stamp_of(VERSION, labels.cases, times, kernels.version), notes)

    def report(self, folder: Path, rows: Sequence[Row]) -> Mapping[str, Any]:
        """``table.csv``."""
        controls = frozenset(name for name, method in METHODS.items() if method.control)
        return write_report(folder, rows, controls)

    def tables(self, figures: Mapping[str, Any]) -> list[TextTable]:
        """One table."""
        return [text_table(figures["table"])]


def _told(labels: Labels) -> str:
    where = labels.where
    machine = where.get("machine", {})
    return (
        f"times: {len(labels.cases)} cases × {len(labels.configurations)} configurations, "
        f"{machine.get('cores', '?')} cores of {machine.get('cpu', 'an unknown machine')}; the "
        f"default measured twice differs by {100 * where.get('noise_median', np.nan):.1f} % in "
        f"the median, {100 * where.get('noise_95', np.nan):.1f} % at the 95th percentile"
    )


class Study:
    """The times, the kernels' code and their profile, and how methods choose."""

    def __init__(
        self,
        labels: Labels,
        kernels: Kernels,
        profile: Profile,
        vocabulary: np.ndarray | None = None,
    ) -> None:
        self.labels = labels
        self._kernels = kernels
        self._vocabulary = vocabulary
        self._names = [case.kernel for case in labels.cases]
        # (cases, configurations): logarithm of the time ÷ the default's
        self._ratios = np.log(labels.ns / labels.ns[:, :1])
        self._paid = amounts(profile, labels.configurations)
        self._described = describe(profile, labels.configurations)
        self._estimates: dict[bytes, np.ndarray] = {}

    def run(self, name: str, seed: int) -> Row:
        """By case: what is chosen, its speedup, and what share of the oracle's that is."""
        chosen = np.zeros(len(self._names), np.int64)
        for fold in leave_one_out(self._names):
            chosen[fold.test] = self.choose(name, fold, seed)
        ns = self.labels.ns
        taken = ns[np.arange(len(ns)), chosen]
        return {
            "kernel": self._names,
            "chosen": [str(self.labels.configurations[place]) for place in chosen],
            "speedup": (ns[:, 0] / taken).tolist(),
            "share": (ns.min(1) / taken).tolist(),
        }

    def choose(self, name: str, fold: Fold, seed: int) -> np.ndarray:
        """Configurations of the fold's test cases, (n_test,); only oracles see their times."""
        count = len(fold.test)
        if name == "default":
            return np.zeros(count, np.int64)
        if name == "random":
            generator = np.random.default_rng([seed, int(fold.test[0])])
            return generator.integers(0, self._ratios.shape[1], count)
        if name == "constant":
            return np.full(count, self._ratios[fold.train].mean(0).argmin())
        if name in ORACLES:
            default, allowed = self.labels.configurations[0], ORACLES[name]
            barred = [not allowed(one, default) for one in self.labels.configurations]
            seen = np.where(barred, np.inf, self._ratios[fold.test])
        elif name == "oracle, measured again":
            generator = np.random.default_rng([seed, int(fold.test[0])])
            seen = self._ratios[fold.test] + noise(
                self.labels.where, self._ratios[fold.test].shape, generator
            )
        else:
            seen = self._predict(METHODS[name], fold, seed)
        best: np.ndarray = seen.argmin(1)
        return best

    def _predict(self, method: Method, fold: Fold, seed: int) -> np.ndarray:
        """Logarithms of the test cases' times ÷ the default's, (n_test, configurations)."""
        from sklearn.ensemble import ExtraTreesRegressor

        features = self._features(method)
        left, right = prepare(features.at(fold.train), features.at(fold.test))
        if method.profile:
            return self._predict_by_profile(method, fold, seed, (left, right))
        wanted = np.clip(self._ratios[fold.train], -LIMIT, LIMIT)
        trees = ExtraTreesRegressor(
            TREES, max_features=0.5, min_samples_leaf=LEAF, random_state=seed
        ).fit(left.columns(COMPONENTS), wanted)
        found: np.ndarray = trees.predict(right.columns(COMPONENTS)).reshape(len(fold.test), -1)
        return found

    def _predict_by_profile(
        self, method: Method, fold: Fold, seed: int, blocks: tuple[Blocks, Blocks]
    ) -> np.ndarray:
        estimates = self._estimate(fold)
        left: np.ndarray = estimates[fold.train]
        right: np.ndarray = estimates[fold.test]
        if method.priced:
            return right

        def seen(rows: np.ndarray, block: Blocks) -> np.ndarray:
            count = self._ratios.shape[1]
            code = np.repeat(block.columns(COMPONENTS)[:, None], count, axis=1)
            known = estimates[rows, :, None]
            ahead = known - known.min(1, keepdims=True)
            return np.concatenate([self._described[rows], known, ahead, code], axis=2)

        both = seen(fold.train, blocks[0]), seen(fold.test, blocks[1])
        return adjust(both, (left, right), self._ratios[fold.train], seed)

    def _estimate(self, fold: Fold) -> np.ndarray:
        """By prices that fit the training cases: the same for all methods and seeds."""
        key = fold.test.tobytes() + fold.train.tobytes()
        if key not in self._estimates:
            prices = fit_prices(self._paid[fold.train], self.labels.ns[fold.train])
            self._estimates[key] = estimate(self._paid, prices)
        return self._estimates[key]

    def _features(self, method: Method) -> Features:
        cases = self.labels.cases
        iterations = np.array([case.iterations for case in cases], float)
        totals = [np.array([case.bytes for case in cases], float)]
        if method.run:
            totals.append(self.labels.ns[:, 0])
        numbers = np.stack([iterations, *(n for t in totals for n in (t, t / iterations))], 1)
        counts = code = np.zeros((len(numbers), 0))
        if method.counts:
            blocks = [self._kernels.rows(kind, self._names) for kind in COUNTERS[:2]]
            counts = np.concatenate(blocks, axis=1)
        if method.code:
            code = self._kernels.rows(method.code, self._names)
        if method.code == "ir2vec" and self._vocabulary is not None:
            code = code @ self._vocabulary
        return Features(numbers, counts, code)
