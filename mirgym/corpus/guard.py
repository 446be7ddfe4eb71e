"""Keeps the programs of the evaluation suites out of the corpus.

Three rules: the path of a source (``is_evaluation_path``), an exact copy of a function of
at least 20 instructions, and a near copy: Jaccard similarity of at least 0.6 between the
sets of three instructions in a row.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np

SMALLEST = 20
"""Functions of fewer instructions are alike by chance."""

NEAR = 0.6

_EVALUATION = re.compile(
    r"(^|[/_.-])(?:lib)?(bitcnts?|bitcount|susan|dijkstra|patricia|blowfish|rijndael|sha1?|crc_?\d*|"
    r"adpcm|gsm|stringsearch|pbmsrch|bmhsrch|qsort\w*|bzip2?|bunzip2?|ispell|lame|mad|tiff\w*|"
    r"jpeg|ghostscript|rsynth|basicmath|fft\d*)([/_.-]|\d*\.c)",
    re.IGNORECASE,
)


def is_evaluation_path(package: str, source: str) -> bool:
    """Whether a source looks like a program of MiBench, and so of cbench-v1.

    >>> is_evaluation_path("deb_sox", "libgsm/add.c"), is_evaluation_path("deb_gsl", "fft/c.c")
    (True, True)
    """
    return bool(_EVALUATION.search(f"{package}/{source}"))


class Guard:
    """Knows the evaluation programs' functions by their tokens, (8, T) uint16 each."""

    def __init__(self, functions: Iterable[np.ndarray]) -> None:
        sets = [_shingles(tokens) for tokens in functions if tokens.shape[1] >= SMALLEST]
        self._exact = {shingles.tobytes() for shingles in sets}
        sets = [np.frombuffer(content, np.uint64) for content in sorted(self._exact)]
        self._sizes = np.array([len(one) for one in sets], np.int64)
        owners = np.repeat(np.arange(len(sets)), self._sizes)
        every = np.concatenate(sets) if sets else np.empty(0, np.uint64)
        order = np.argsort(every, kind="stable")
        self._shingles, self._owners = every[order], owners[order]

    def leaks(self, tokens: np.ndarray) -> str | None:
        """``"exact"``, ``"near"``, or None when the function may be trained on."""
        if tokens.shape[1] < SMALLEST or not len(self._sizes):
            return None
        mine = _shingles(tokens)
        if mine.tobytes() in self._exact:
            return "exact"
        first = np.searchsorted(self._shingles, mine, "left")
        counts = np.searchsorted(self._shingles, mine, "right") - first
        if not counts.any():
            return None
        # All positions in all ranges [first, first + count), without a loop.
        places = np.repeat(first - np.r_[0, np.cumsum(counts)[:-1]], counts)
        shared = np.bincount(self._owners[places + np.arange(counts.sum())], minlength=1)
        sizes = self._sizes[: len(shared)]
        return "near" if (shared / (len(mine) + sizes - shared)).max() >= NEAR else None


def _shingles(tokens: np.ndarray) -> np.ndarray:
    """Sorted distinct hashes of each three instructions in a row, uint64.

    The context row (uses, blocks) is left out: an edit nearby changes it.
    """
    rows = np.delete(tokens, 4, axis=0).astype(np.uint64)
    with np.errstate(over="ignore"):
        columns = np.zeros(tokens.shape[1], np.uint64)
        for row in rows:
            columns = (columns ^ row) * np.uint64(0x9E3779B97F4A7C15)
            columns ^= columns >> np.uint64(29)
        mixed = columns[:-2] * np.uint64(3) + columns[1:-1] * np.uint64(5) + columns[2:]
    return np.unique(mixed)
