"""The leakage guard: paths, exact copies, near copies."""

from __future__ import annotations

import time

import numpy as np
import pytest

from mirgym.corpus.guard import SMALLEST, Guard, is_evaluation_path


def function(seed: int, size: int = 60) -> np.ndarray:
    """Tokens as random as no function's are, (8, size)."""
    return np.random.default_rng(seed).integers(0, 160, (8, size)).astype(np.uint16)


class TestPath:
    @pytest.mark.parametrize(
        "source",
        [
            "libtiff/tif_read.c", "jpeg/jdct.c", "src/adpcm.c", "gsm/lpc.c", "sha1.c", "sha.c",
            "lib/crc32.c", "crc.c", "aes/rijndael.c", "bf/blowfish.c", "archival/bunzip2.c",
            "network/dijkstra_small.c", "qsort1.c", "stringsearch/bmhsrch.c", "bitcnt_1.c",
            "libmad-0.15/fixed.c", "ispell.c", "susan.c", "x/patricia.c", "fft/fft.c",
        ],
    )  # fmt: skip
    def test_kept_out(self, source):
        assert is_evaluation_path("deb_any", source)

    @pytest.mark.parametrize(
        "source", ["src/sort.c", "lib/made.c", "fftw/plan.c", "shape.c", "madness.c", "a.c"]
    )
    def test_let_in(self, source):
        assert not is_evaluation_path("deb_fftw3", source)

    def test_by_the_package(self):
        assert is_evaluation_path("deb_bzip2", "huffman.c")


class TestGuard:
    guard = Guard([function(seed) for seed in range(50)])

    def test_exact(self):
        assert self.guard.leaks(function(7)) == "exact"

    def test_other_context_is_the_same_function(self):
        tokens = function(7)
        tokens[4] += 1
        assert self.guard.leaks(tokens) == "exact"

    @pytest.mark.parametrize(("changed", "verdict"), [(1, "near"), (2, "near"), (30, None)])
    def test_near(self, changed, verdict):
        tokens = function(7)
        tokens[0, np.linspace(5, 55, changed).astype(int)] += 1
        assert self.guard.leaks(tokens) == verdict

    def test_part_of_one(self):
        assert self.guard.leaks(function(7)[:, :45]) == "near"
        assert self.guard.leaks(function(7)[:, :30]) is None

    def test_unrelated(self):
        assert all(self.guard.leaks(function(seed)) is None for seed in range(100, 150))

    def test_small_ones_are_alike_by_chance(self):
        small = function(1, SMALLEST - 1)
        assert Guard([small]).leaks(small) is None

    def test_knows_nothing(self):
        assert Guard([]).leaks(function(1)) is None

    def test_agrees_with_sets(self):
        """The reference: Jaccard similarity of Python sets of column triples."""

        def triples(tokens: np.ndarray) -> set[bytes]:
            rows = np.delete(tokens, 4, axis=0)
            return {rows[:, i : i + 3].tobytes() for i in range(rows.shape[1] - 2)}

        generator = np.random.default_rng(0)
        for seed in range(50):
            tokens = function(seed)
            tokens[0, generator.choice(60, generator.integers(0, 9), replace=False)] += 1
            mine, known = triples(tokens), triples(function(seed))
            near = len(mine & known) / len(mine | known) >= 0.6
            assert (self.guard.leaks(tokens) is not None) == near

    def test_fast(self):
        queries = [function(seed, 40) for seed in range(1000)]
        start = time.perf_counter()
        for tokens in queries:
            self.guard.leaks(tokens)
        # 50,000 in less than 30 s, with room for a busy machine.
        assert time.perf_counter() - start < 5
