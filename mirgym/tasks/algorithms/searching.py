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


LINEAR_SEARCH = {
    "flag": """
        r = -1;
        for (I i = 0; i < n && r < 0; i++) {
            COUNT();
            if (a[i] == key) { r = i; }
        }""",
    "return": """
        for (I i = 0; i < n; i++) {
            COUNT();
            if (a[i] == key) { return i; }
        }
        return -1;""",
    "backwards": """
        r = -1;
        for (I i = n - 1; i >= 0; i--) {
            if (a[i] == key) { r = i; COUNT(); }
        }""",
    "recursive": """
        static I find_from(T *a, I at, I count, T key) {
            if (at == count) { return -1; }
            COUNT();
            return a[at] == key ? at : find_from(a, at + 1, count, key);
        }
        ----
        r = find_from(a, 0, n, key);""",
    "sentinel": """
        T kept = a[n];
        a[n] = key;
        T *p = a;
        while (*p != key) { p++; COUNT(); }
        a[n] = kept;
        r = (I)(p - a);
        if (r == n) { r = -1; }""",
}

BINARY_SEARCH = {
    "closed": """
        I low = 0, high = n - 1;
        r = -1;
        while (low <= high) {
            I middle = PICK((low + high) / 2, low + (high - low) / 2, (low + high) >> 1);
            COUNT();
            if (a[middle] == key) { r = middle; break; }
            if (a[middle] < key) { low = middle + 1; } else { high = middle - 1; }
        }""",
    "lower bound": """
        I low = 0, high = n;
        while (low < high) {
            I middle = low + (high - low) / 2;
            COUNT();
            if (a[middle] < key) { low = middle + 1; } else { high = middle; }
        }
        r = low < n && a[low] == key ? low : -1;""",
    "recursive": """
        static I find_between(T *a, I low, I high, T key) {
            if (low > high) { return -1; }
            I middle = PICK((low + high) / 2, low + (high - low) / 2);
            if (key < a[middle]) { return find_between(a, low, middle - 1, key); }
            if (key > a[middle]) { return find_between(a, middle + 1, high, key); }
            COUNT();
            return middle;
        }
        ----
        r = find_between(a, 0, n - 1, key);""",
    "pointers": """
        T *base = a;
        I left = n;
        while (left > 1) {
            I half = left / 2;
            if (base[half] <= key) { base += half; }
            left -= half;
            COUNT();
        }
        r = *base == key ? (I)(base - a) : -1;""",
    "steps": """
        I step = 1, at = -1;
        while (step <= n) { step *= 2; }
        for (step /= 2; step > 0; step /= 2) {
            COUNT();
            if (at + step < n && a[at + step] <= key) { at += step; }
        }
        r = at >= 0 && a[at] == key ? at : -1;""",
}

KTH_SMALLEST = {
    "quickselect": """
        I low = 0, high = n - 1;
        while (low < high) {
            T pivot = b[PICK((low + high) / 2, k)];
            I i = low, j = high;
            do {
                while (b[i] < pivot) { i++; }
                while (pivot < b[j]) { j--; }
                if (i <= j) { SWAP(b[i], b[j]); ANY(i++, j--); COUNT(); }
            } while (i <= j);
            if (j < k) { low = i; }
            if (k < i) { high = j; }
        }
        r = b[k];""",
    "partial selection": """
        for (I i = 0; i <= k; i++) {
            I best = i;
            for (I j = i + 1; j < n; j++) {
                COUNT();
                if (b[j] < b[best]) { best = j; }
            }
            SWAP(b[i], b[best]);
        }
        r = b[k];""",
    "ranks": """
        for (I i = 0; i < n; i++) {
            I rank = 0;
            for (I j = 0; j < n; j++) {
                if (b[j] < b[i]) { rank++; } else { if (b[j] == b[i] && j < i) { rank++; } }
            }
            COUNT();
            if (rank == k) { r = b[i]; }
        }""",
    "recursive": """
        static T select_from(T *b, I low, I high, I rank) {
            if (low == high) { return b[low]; }
            I at = low;
            for (I j = low; j < high; j++) {
                if (b[j] < b[high]) { SWAP(b[at], b[j]); at++; COUNT(); }
            }
            SWAP(b[at], b[high]);
            if (at == rank) { return b[at]; }
            if (rank < at) { return select_from(b, low, at - 1, rank); }
            return select_from(b, at + 1, high, rank);
        }
        ----
        r = select_from(b, 0, n - 1, k);""",
}

MAXIMUM_SUBARRAY = {
    "kadane": """
        long ending = (long)a[0];
        r = ending;
        for (I i = 1; i < n; i++) {
            COUNT();
            if (ending < 0) { ending = (long)a[i]; } else { ending += (long)a[i]; }
            if (ending > r) { r = ending; }
        }""",
    "all pairs": """
        r = (long)a[0];
        for (I i = 0; i < n; i++) {
            long sum = 0;
            for (I j = i; j < n; j++) {
                sum += (long)a[j];
                COUNT();
                if (r < sum) { r = sum; }
            }
        }""",
    "halves": """
        static long best_between(T *a, I low, I high) {
            if (high - low == 1) { return (long)a[low]; }
            I middle = (low + high) / 2;
            long left = best_between(a, low, middle), right = best_between(a, middle, high);
            long sum = (long)a[middle], across = sum, best = sum;
            for (I i = middle + 1; i < high; i++) {
                sum += (long)a[i];
                if (sum > across) { across = sum; }
            }
            sum = across;
            best = across;
            for (I i = middle - 1; i >= low; i--) {
                sum += (long)a[i];
                if (sum > best) { best = sum; }
            }
            COUNT();
            if (left > best) { best = left; }
            return right > best ? right : best;
        }
        ----
        r = best_between(a, 0, n);""",
    "prefix minimum": """
        long sum = 0, least = 0;
        r = (long)a[0];
        each (T x : a, n) {
            sum += (long)x;
            if (sum - least > r) { r = sum - least; }
            if (sum < least) { least = sum; COUNT(); }
        }""",
}

ALGORITHMS = (
    Algorithm("linear search", LINEAR_SEARCH, _linear_search, NUMBERS),
    Algorithm("binary search", BINARY_SEARCH, _binary_search, NUMBERS),
    Algorithm("kth smallest", KTH_SMALLEST, _kth_smallest, NUMBERS),
    Algorithm("maximum subarray", MAXIMUM_SUBARRAY, _maximum_subarray, NUMBERS),
)
