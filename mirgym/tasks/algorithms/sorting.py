"""Sorts: one frame, and the text between reading and printing."""

from __future__ import annotations

from .family import Algorithm
from .style import INTEGERS, NUMBERS
from .writer import Writer

_IN_ORDER = """
for (I i = 1; i < n; i++) {
    if (LT(a[i], a[i - 1])) { FAIL(); }
}
each (T x : a, n) { total -= (long)KEY(x); }
if (total != 0) { FAIL(); }
"""
_TOTAL = """
long total = 0;
each (T x : a, n) { total += (long)KEY(x); }
"""


def _sort(w: Writer, text: str) -> None:
    if w.rng.random() < 0.3:
        w.records()
    n = w.size("n", 9, 45)
    high = 100 if w.style.element == "signed char" else w.rng.choice((50, 1000, 30000))
    values = w.input("a", "n", w.rng.choice((-high, -50, 0)), high)
    parameters = "T *a, I n"
    if "b[" in text or "b," in text:
        w.array("b", "T", n)
        parameters += ", T *b"
    w.work(w.call(w.rng.choice(("sort", "arrange", "order")), parameters, text))
    w.check(_IN_ORDER, before=_TOTAL)
    w.show("a", "n", sorted(values, reverse=w.style.descending), "KEY({0})")


def _counting_sort(w: Writer, text: str) -> None:
    """Without comparisons of keys: always ascending, never records."""
    w.size("n", 12, 60)
    top = w.rng.choice((9, 15, 63, 99))
    values = w.input("a", "n", 0, top)
    w.array("b", "T", w.sizes["n"])
    w.array("count", "int", 130)
    w.work(w.call("sort", "T *a, I n, T *b, int *count", text.replace("TOP", str(top))))
    w.check(_IN_ORDER.replace("LT(a[i], a[i - 1])", "a[i] < a[i - 1]"), before=_TOTAL)
    w.show("a", "n", sorted(values))


ALGORITHMS = (
    Algorithm("bubble sort", _sort, NUMBERS),
    Algorithm("insertion sort", _sort, NUMBERS),
    Algorithm("selection sort", _sort, NUMBERS),
    Algorithm("quicksort", _sort, NUMBERS),
    Algorithm("merge sort", _sort, NUMBERS),
    Algorithm("heap sort", _sort, NUMBERS),
    Algorithm("shell sort", _sort, NUMBERS),
    Algorithm("counting sort", _counting_sort, INTEGERS),
    Algorithm("radix sort", _counting_sort, INTEGERS),
)
