"""Searches in arrays."""

from __future__ import annotations

from itertools import accumulate

from .family import Algorithm
from .style import NUMBERS
from .writer import Writer


def _queries(w: Writer, text: str, values: list[int], low: int, high: int) -> None:
    """Search every key of a second array; print where each was found, or -1."""
    w.size("m", 4, 20)
    keys = w.input("keys", "m", low, high)
    w.array("found", "int", w.sizes["m"])
    call = w.call(w.rng.choice(("find", "search", "position")), "T *a, I n, T key", text, "I r")
    w.work(
        f"for (I q = 0; q < m; q++) {{ T key = keys[q];\nI r = 0;\n{call}\nfound[q] = (int)r; }}"
    )
    w.check("""
        for (I q = 0; q < m; q++) {
            if (found[q] >= 0) {
                if (found[q] >= n || a[found[q]] != keys[q]) { FAIL(); }
            } else {
                each (T x : a, n) { if (x == keys[q]) { FAIL(); } }
            }
        }""")
    w.show("found", "m", [values.index(key) if key in values else -1 for key in keys])


def _linear_search(w: Writer, text: str) -> None:
    n = w.size("n", 10, 40)
    values = w.input("a", "n", 0, 60, room=n + 1)
    _queries(w, text, values, 0, 60)


def _binary_search(w: Writer, text: str) -> None:
    """The array is made increasing by adding its index to small values."""
    n = w.size("n", 10, 36)
    small = w.input("a", "n", 0, 2)
    w.work("for (I i = 0; i < n; i++) { a[i] += (T)(3 * i); }")
    _queries(w, text, [3 * i + value for i, value in enumerate(small)], 0, 3 * n)


def _kth_smallest(w: Writer, text: str) -> None:
    n = w.size("n", 11, 40)
    values = w.input("a", "n", -100, 100)
    k = w.size("k", 0, n - 1)
    w.array("b", "T", n)
    w.work("for (I i = 0; i < n; i++) { b[i] = a[i]; }")
    w.work("T r = 0;")
    w.work(w.call("select_kth", "T *b, I n, I k", text, "T r"))
    w.check("""
        I below = 0, same = 0;
        each (T x : a, n) {
            if (x < r) { below++; } else { same += x == r; }
        }
        if (below > k || below + same <= k) { FAIL(); }""")
    w.show_value("r", sorted(values)[k])


def _maximum_subarray(w: Writer, text: str) -> None:
    w.size("n", 10, 40)
    values = w.input("a", "n", -30, 30)
    w.work("long r = 0;")
    w.work(w.call("best_sum", "T *a, I n", text, "long r"))
    sums = [0, *accumulate(values)]
    best = max(high - low for i, low in enumerate(sums) for high in sums[i + 1 :])
    w.check("""
        int reached = 0;
        for (I i = 0; i < n; i++) {
            long sum = 0;
            for (I j = i; j < n; j++) {
                sum += (long)a[j];
                if (sum > r) { FAIL(); }
                reached |= sum == r;
            }
        }
        if (!reached) { FAIL(); }""")
    w.show_value("r", best)


ALGORITHMS = (
    Algorithm("linear search", _linear_search, NUMBERS),
    Algorithm("binary search", _binary_search, NUMBERS),
    Algorithm("kth smallest", _kth_smallest, NUMBERS),
    Algorithm("maximum subarray", _maximum_subarray, NUMBERS),
)
