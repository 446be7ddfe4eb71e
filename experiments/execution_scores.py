"""What predictors say along a trace, and how right they and networks are on its last part."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from .execution_data import BlockSamples, DataConfig, Recording, split
from .execution_train import Claims
from .predictors import BRANCH_PREDICTORS, PREFETCHERS

LINE_BITS = 6
"""Of an address within a cache line of 64 bytes."""
USUAL, POINTER = "usual outcome", "pointer as it stands"
"""Controls: what a branch did most often in the training part, and the load's first base."""


class Guesses(NamedTuple):
    """What was said before each event by each predictor, by its name: (events,) arrays.

    Attributes:
        taken: Whether the branch's condition will hold; False for other events.
        addresses: Of loads; 0 for other events.
        made: Whether an address was said.
    """

    taken: dict[str, np.ndarray]
    addresses: dict[str, np.ndarray]
    made: dict[str, np.ndarray]

    def save(self, path: Path) -> None:
        """Write them as npz."""
        columns = {f"{kind}/{n}": x for kind, of in self._asdict().items() for n, x in of.items()}
        with path.with_suffix(".part").open("wb") as file:
            np.savez_compressed(file, **columns)
        path.with_suffix(".part").replace(path)

    @classmethod
    def load(cls, path: Path) -> Guesses:
        """What ``save`` wrote."""
        found: dict[str, dict[str, np.ndarray]] = {kind: {} for kind in cls._fields}
        with np.load(path) as file:
            for key in file.files:
                kind, _, name = key.partition("/")
                found[kind][name] = file[key]
        return cls(**found)


def guesses(recording: Recording) -> Guesses:
    """Run all predictors over the whole trace."""
    trace = recording.trace
    found = Guesses({}, {}, {})
    at = recording.branches()
    sites, outcomes = trace.sites[at].tolist(), (trace.payloads[at] == 0).tolist()
    for name, make in BRANCH_PREDICTORS.items():
        predictor = make()
        said = np.zeros(len(trace.sites), bool)
        for event, site, outcome in zip(at.tolist(), sites, outcomes, strict=True):
            said[event] = predictor.predict(site)
            predictor.update(site, outcome)
        found.taken[name] = said
    at = recording.loads()
    sites, addresses = trace.sites[at].tolist(), trace.payloads[at].tolist()
    for name, make_prefetcher in PREFETCHERS.items():
        prefetcher = make_prefetcher()
        where, made = np.zeros(len(trace.sites), np.uint64), np.zeros(len(trace.sites), bool)
        for event, site, address in zip(at.tolist(), sites, addresses, strict=True):
            if (guess := prefetcher.predict(site)) is not None:
                where[event], made[event] = guess, True
            prefetcher.update(site, address)
        found.addresses[name], found.made[name] = where, made
    return found


@dataclass(frozen=True)
class ProgramData:
    """A program's samples, and what predictors said along its trace."""

    name: str
    train: list[BlockSamples]
    test: list[BlockSamples]
    payloads: np.ndarray  # (events,) uint64
    late_branches: np.ndarray  # events of conditional branches in the test part
    late_loads: np.ndarray
    guesses: Guesses

    @classmethod
    def of(cls, recording: Recording, guessed: Guesses, config: DataConfig) -> ProgramData:
        """Cut in time; the branches have TAGE's guess as a hint."""
        end = int(config.train_share * len(recording.trace.sites))
        tage = np.where(guessed.taken["TAGE"], 1.0, -1.0).astype(np.float32)
        samples = [
            one._replace(hints=np.where(one.branch_events >= 0, tage[one.branch_events], 0.0))
            for one in recording.samples(config)
        ]
        train, test = split(samples, end)
        branches, loads = recording.branches(), recording.loads()
        payloads = recording.trace.payloads
        return cls(
            recording.program,
            train,
            test,
            payloads,
            branches[branches >= end],
            loads[loads >= end],
            guessed,
        )


class Questions(NamedTuple):
    """The targets of test samples, in the order of ``Claims``.

    Attributes:
        branches: Events: (B,) int64.
        branches_known: Whether what the outcome depends on is known when the block begins.
        loads: Events: (L,) int64.
        loads_known: The same of the address.
    """

    branches: np.ndarray
    branches_known: np.ndarray
    loads: np.ndarray
    loads_known: np.ndarray

    @classmethod
    def of(cls, blocks: Sequence[BlockSamples]) -> Questions:
        """Of all samples of these blocks."""
        columns: list[tuple[np.ndarray, ...]] = []
        for block in blocks:
            branches = block.branch_events[block.branch_events >= 0]
            known = block.branch >= 0 and block.graph.predetermined(block.branch)
            there = block.load_events >= 0  # (S, L)
            of_loads = [block.graph.predetermined(int(load)) for load in block.loads]
            columns.append(
                (
                    branches,
                    np.full(len(branches), known),
                    block.load_events[there],
                    np.broadcast_to(np.array(of_loads, bool), there.shape)[there],
                )
            )
        return cls(*(np.concatenate(column) for column in zip(*columns, strict=True)))


class Score(NamedTuple):
    """In percent, of one program's test events; NaN where there are none.

    Attributes:
        misses: Branches predicted wrongly.
        misses_known: Of those whose condition follows from what is known when the block begins.
        exact: Loads whose 64 bits were predicted.
        exact_known: Of those whose address follows from what is known.
        line: Loads whose cache line was predicted.
        made: Loads for which there was a prediction.
    """

    misses: float
    misses_known: float
    exact: float
    exact_known: float
    line: float
    made: float


_NAN = float("nan")
NO_BRANCHES = {"misses": _NAN, "misses_known": _NAN}
NO_LOADS = {"exact": _NAN, "exact_known": _NAN, "line": _NAN, "made": _NAN}
"""What a ``Score`` has of a method that says nothing of branches, and of loads."""


def score(payloads: np.ndarray, events: Questions, claims: Claims) -> Score:
    """How right claims are."""
    wrong = claims.taken != (payloads[events.branches] == 0)
    addresses = payloads[events.loads]
    exact = claims.made & (claims.addresses == addresses)
    lines = claims.addresses >> np.uint64(LINE_BITS) == addresses >> np.uint64(LINE_BITS)
    return Score(
        misses=_percent(wrong),
        misses_known=_percent(wrong[events.branches_known]),
        exact=_percent(exact),
        exact_known=_percent(exact[events.loads_known]),
        line=_percent(claims.made & lines),
        made=_percent(claims.made),
    )


def _percent(which: np.ndarray) -> float:
    return 100.0 * float(which.mean()) if len(which) else _NAN


def score_predictors(data: ProgramData, events: Questions) -> dict[str, Score]:
    """Of each predictor on these events: branches of branch predictors, loads of prefetchers."""
    found: dict[str, Score] = {}
    nothing = Claims(
        np.zeros(len(events.branches), bool),
        np.zeros(len(events.loads), np.uint64),
        np.zeros(len(events.loads), bool),
    )
    for name, taken in data.guesses.taken.items():
        claims = nothing._replace(taken=taken[events.branches])
        found[name] = score(data.payloads, events, claims)._replace(**NO_LOADS)
    for name, addresses in data.guesses.addresses.items():
        claims = nothing._replace(
            addresses=addresses[events.loads], made=data.guesses.made[name][events.loads]
        )
        found[name] = score(data.payloads, events, claims)._replace(**NO_BRANCHES)
    return found


def late_events(data: ProgramData) -> Questions:
    """All events of the test part, sampled or not; what is known of them is not told."""
    return Questions(
        data.late_branches,
        np.zeros(len(data.late_branches), bool),
        data.late_loads,
        np.zeros(len(data.late_loads), bool),
    )


def controls(data: ProgramData) -> Claims:
    """``USUAL`` for branches, and ``POINTER`` for loads."""
    counts: Mapping[tuple[str, int], Counter[bool]] = defaultdict(Counter)
    for block in data.train:
        outcomes = block.outcomes[block.branch_events >= 0]
        counts[block.function, block.block].update(outcomes.tolist())
    taken, addresses = [], []
    for block in data.test:
        seen = counts[block.function, block.block]
        usual = seen[True] >= seen[False]
        taken.append(np.full(int((block.branch_events >= 0).sum()), usual))
        values = np.pad(block.values, ((0, 0), (0, 1)))  # the last one: no base
        pointers = values[:, block.bases[:, 0]]  # (S, L)
        addresses.append(pointers[block.load_events >= 0])
    found = np.concatenate(addresses)
    return Claims(np.concatenate(taken), found, np.ones(len(found), bool))
