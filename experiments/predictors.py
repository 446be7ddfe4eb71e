"""Branch predictors and prefetchers as the literature defines them, in software.

They see one event of a trace at a time: they say what comes next at a site (a static branch or
load), and then learn what came.

==================  ===========================================================================
``Bimodal``         a 2-bit counter for each site (Smith, ISCA 1981)
``Gshare``          2-bit counters by site xor global history (McFarling, WRL TN-36, 1993)
``Tage``            tagged tables with geometric histories (Seznec & Michaud, JILP 2006)
``Stride``          a reference prediction table (Chen & Baer, IEEE ToC 1995)
``DeltaCorrelation``  the delta that followed the last two (Nesbit & Smith, HPCA 2004)
==================  ===========================================================================
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

_ADDRESS = (1 << 64) - 1


class BranchPredictor(Protocol):
    """Says whether the branch at a site will be taken, and learns."""

    def predict(self, site: int) -> bool:
        """What comes next at this site; call ``update`` before the next ``predict``."""
        ...

    def update(self, site: int, taken: bool) -> None:
        """What came."""
        ...


class Prefetcher(Protocol):
    """Says which address a load will read next, and learns."""

    def predict(self, site: int) -> int | None:
        """The 64-bit address; None when it makes no prediction."""
        ...

    def update(self, site: int, address: int) -> None:
        """What was read."""
        ...


def _moved(counter: int, up: bool, low: int, high: int) -> int:
    """A saturating counter one step on."""
    return min(counter + 1, high) if up else max(counter - 1, low)


class Bimodal:
    """A 2-bit counter for each of ``1 << bits`` entries, weakly taken at first."""

    def __init__(self, bits: int = 13) -> None:
        self._mask = (1 << bits) - 1
        self._counters = [2] * (1 << bits)

    def predict(self, site: int) -> bool:
        """See ``BranchPredictor``."""
        return self._counters[site & self._mask] >= 2

    def update(self, site: int, taken: bool) -> None:
        """See ``BranchPredictor``."""
        index = site & self._mask
        self._counters[index] = _moved(self._counters[index], taken, 0, 3)


class Gshare:
    """2-bit counters by site xor the outcomes of the last ``bits`` branches, of all sites."""

    def __init__(self, bits: int = 13) -> None:
        self._mask = (1 << bits) - 1
        self._counters = [2] * (1 << bits)
        self._history = 0

    def predict(self, site: int) -> bool:
        """See ``BranchPredictor``."""
        return self._counters[(site ^ self._history) & self._mask] >= 2

    def update(self, site: int, taken: bool) -> None:
        """See ``BranchPredictor``."""
        index = (site ^ self._history) & self._mask
        self._counters[index] = _moved(self._counters[index], taken, 0, 3)
        self._history = (self._history << 1 | taken) & self._mask


@dataclass
class _Entry:
    """Of a tagged table: −4 to 3, below 0 is not taken; ``useful`` from 0 to 3."""

    tag: int
    counter: int
    useful: int = 0


class _Folded:
    """The latest ``length`` outcomes as ``width`` bits: pieces of the history xor each other.

    It goes along with the history, as hardware does it: one step on, each bit moves by one
    place round the circle, the newest outcome comes in and the oldest one goes out.
    """

    def __init__(self, length: int, width: int) -> None:
        self.bits = 0
        self._width, self._out = width, length % width
        self._mask = (1 << width) - 1

    def push(self, newest: int, oldest: int) -> None:
        """One outcome comes, and one that is ``length`` outcomes old goes."""
        moved = self.bits << 1 ^ newest ^ oldest << self._out
        self.bits = (moved & self._mask) ^ moved >> self._width


class Tage:
    """A bimodal base and tagged tables indexed by ever longer histories.

    The longest match predicts; a fresh one leaves it to the next longest while those do better
    (``use_alt_on_na``). After a misprediction an entry of a longer history is allocated where
    one is not useful. Usefulness is halved at times, so that old entries make room.

    Args:
        lengths: Of the histories, a geometric series.
        bits: Entries of a tagged table, as a power of two.
        tag_bits: Of each entry's tag.
        reset: Updates after which usefulness is halved.
    """

    def __init__(
        self,
        lengths: tuple[int, ...] = (5, 9, 15, 25, 44, 76, 130),
        bits: int = 10,
        tag_bits: int = 9,
        reset: int = 1 << 18,
    ) -> None:
        self._lengths = lengths
        self._bits, self._tag_bits = bits, tag_bits
        self._base = Bimodal()
        self._tables: list[dict[int, _Entry]] = [{} for _ in lengths]
        widths = (bits, tag_bits, tag_bits - 1)
        self._folded = [[_Folded(length, width) for width in widths] for length in lengths]
        self._history = 0
        self._keep = (1 << max(lengths)) - 1
        self._use_alternate = 8  # of 16: above 7, fresh entries are not believed
        self._reset, self._updates = reset, 0
        self._places: list[tuple[int, int]] = []
        self._provider = self._alternate = -1
        self._said = self._said_alternate = self._final = False

    def _place(self, site: int, table: int) -> tuple[int, int]:
        by_index, by_tag, by_short_tag = (folded.bits for folded in self._folded[table])
        index = site ^ site >> (self._bits - table) ^ by_index
        tag = site ^ by_tag ^ by_short_tag << 1
        return index & ((1 << self._bits) - 1), tag & ((1 << self._tag_bits) - 1)

    def predict(self, site: int) -> bool:
        """See ``BranchPredictor``."""
        self._places = [self._place(site, table) for table in range(len(self._tables))]
        hits = [
            table
            for table, (index, tag) in enumerate(self._places)
            if (entry := self._tables[table].get(index)) is not None and entry.tag == tag
        ]
        self._provider = hits[-1] if hits else -1
        self._alternate = hits[-2] if len(hits) > 1 else -1
        self._said_alternate = self._of(self._alternate, site)
        self._said = self._of(self._provider, site)
        self._final = self._said_alternate if self._is_fresh() else self._said
        return self._final

    def _of(self, table: int, site: int) -> bool:
        return self._base.predict(site) if table < 0 else self._entry(table).counter >= 0

    def _entry(self, table: int) -> _Entry:
        return self._tables[table][self._places[table][0]]

    def _is_fresh(self) -> bool:
        if self._provider < 0 or self._use_alternate < 8:
            return False
        entry = self._entry(self._provider)
        return entry.useful == 0 and entry.counter in (-1, 0)

    def update(self, site: int, taken: bool) -> None:
        """See ``BranchPredictor``."""
        if self._provider >= 0:
            self._learn(site, taken)
        else:
            self._base.update(site, taken)
        if self._said != taken and self._provider < len(self._tables) - 1:
            self._allocate(taken)
        for length, registers in zip(self._lengths, self._folded, strict=True):
            oldest = self._history >> (length - 1) & 1
            for folded in registers:
                folded.push(taken, oldest)
        self._history = (self._history << 1 | taken) & self._keep
        self._updates += 1
        if self._updates % self._reset == 0:
            for table in self._tables:
                for entry in table.values():
                    entry.useful >>= 1

    def _learn(self, site: int, taken: bool) -> None:
        entry = self._entry(self._provider)
        if entry.useful == 0 and entry.counter in (-1, 0) and self._said != self._said_alternate:
            better = self._said_alternate == taken
            self._use_alternate = _moved(self._use_alternate, better, 0, 15)
        if entry.useful == 0 and self._alternate < 0:
            self._base.update(site, taken)
        if self._said != self._said_alternate:
            entry.useful = _moved(entry.useful, self._said == taken, 0, 3)
        entry.counter = _moved(entry.counter, taken, -4, 3)

    def _allocate(self, taken: bool) -> None:
        """In the first longer table whose entry is not useful; else all there become less so."""
        longer = range(self._provider + 1, len(self._tables))
        for table in longer:
            index, tag = self._places[table]
            entry = self._tables[table].get(index)
            if entry is None or entry.useful == 0:
                self._tables[table][index] = _Entry(tag, 0 if taken else -1)
                return
        for table in longer:
            entry = self._entry(table)
            entry.useful = max(entry.useful - 1, 0)


@dataclass
class _Reference:
    """A load's last address and stride, and how sure that is: from 2 on it predicts."""

    address: int
    stride: int = 0
    sure: int = 0


class Stride:
    """The last address and the last stride that came twice, for each load."""

    def __init__(self) -> None:
        self._loads: dict[int, _Reference] = {}

    def predict(self, site: int) -> int | None:
        """See ``Prefetcher``."""
        known = self._loads.get(site)
        if known is None or known.sure < 2:
            return None
        return (known.address + known.stride) & _ADDRESS

    def update(self, site: int, address: int) -> None:
        """See ``Prefetcher``."""
        known = self._loads.get(site)
        if known is None:
            self._loads[site] = _Reference(address)
            return
        stride = address - known.address
        if stride == known.stride:
            known.sure = min(known.sure + 1, 3)
        else:
            known.sure = max(known.sure - 1, 0)
            if known.sure < 2:
                known.stride = stride
        known.address = address


class DeltaCorrelation:
    """What followed the last two deltas of a load when they came before (PC/DC)."""

    def __init__(self) -> None:
        self._last: dict[int, tuple[int, int | None, int | None]] = {}
        self._next: dict[int, dict[tuple[int, int], int]] = defaultdict(dict)

    def predict(self, site: int) -> int | None:
        """See ``Prefetcher``."""
        if site not in self._last:
            return None
        address, older, newer = self._last[site]
        if older is None or newer is None:
            return None
        delta = self._next[site].get((older, newer))
        return None if delta is None else (address + delta) & _ADDRESS

    def update(self, site: int, address: int) -> None:
        """See ``Prefetcher``."""
        if site not in self._last:
            self._last[site] = (address, None, None)
            return
        before, older, newer = self._last[site]
        delta = address - before
        if older is not None and newer is not None:
            self._next[site][older, newer] = delta
        self._last[site] = (address, newer, delta)


BRANCH_PREDICTORS: dict[str, Callable[[], BranchPredictor]] = {
    "bimodal": Bimodal,
    "gshare": Gshare,
    "TAGE": Tage,
}
PREFETCHERS: dict[str, Callable[[], Prefetcher]] = {
    "stride": Stride,
    "delta correlation": DeltaCorrelation,
}


def branch_accuracy(
    predictor: BranchPredictor, events: Iterable[tuple[int, int]], skip: int = 0
) -> float:
    """Share of (site, taken) events predicted rightly, but for the first ``skip``."""
    right = seen = 0
    for index, (site, taken) in enumerate(events):
        found = predictor.predict(site)
        predictor.update(site, bool(taken))
        if index >= skip:
            seen += 1
            right += found == bool(taken)
    return right / max(seen, 1)


def address_accuracy(
    prefetcher: Prefetcher, events: Iterable[tuple[int, int]], skip: int = 0
) -> float:
    """Share of (site, address) events whose 64 bits were predicted, but for the first ``skip``."""
    right = seen = 0
    for index, (site, address) in enumerate(events):
        found = prefetcher.predict(site)
        prefetcher.update(site, address)
        if index >= skip:
            seen += 1
            right += found == address
    return right / max(seen, 1)
