"""Dynamic programming: tables that are filled from smaller problems."""

from __future__ import annotations

import math
from functools import cache

from .family import Algorithm, per_query
from .writer import Writer

_INT = ("int", "short", "long")


def _two_strings(w: Writer, text: str, name: str, answer: int, s: str, p: str) -> None:
    """A program that computes ``r`` of two strings with a table ``t``."""
    w.matrix("t", w.style.element, len(s) + 1, len(p) + 1)
    w.work("int r = 0;")
    w.work(w.call(name, "char *s, I n, char *p, I m, MAT(T, t)", text, "int r"))
    w.show_value("r", answer)


def _strings(w: Writer) -> tuple[str, str]:
    letters = w.rng.choice(("ab", "abc", "acgt", "abcdef"))
    w.size("n", 5, 14)
    w.size("m", 5, 14)
    return w.text("s", "n", letters), w.text("p", "m", letters)


def _lcs(w: Writer, text: str) -> None:
    s, p = _strings(w)

    @cache
    def common(i: int, j: int) -> int:
        if i == 0 or j == 0:
            return 0
        if s[i - 1] == p[j - 1]:
            return common(i - 1, j - 1) + 1
        return max(common(i - 1, j), common(i, j - 1))

    _two_strings(w, text, "common_length", common(len(s), len(p)), s, p)
    w.check("""
        int best = 0;
        for (int chosen = 0; chosen < 1 << n; chosen++) {
            int length = 0;
            I at = 0;
            for (I i = 0; i < n && at <= m; i++) {
                if (chosen >> i & 1) {
                    while (at < m && p[at] != s[i]) { at++; }
                    length += at < m;
                    at++;
                }
            }
            if (at <= m && length > best) { best = length; }
        }
        if (best != r) { FAIL(); }""")


def _edit_distance(w: Writer, text: str) -> None:
    s, p = _strings(w)

    @cache
    def distance(i: int, j: int) -> int:
        if i == 0 or j == 0:
            return i + j
        change = distance(i - 1, j - 1) + (s[i - 1] != p[j - 1])
        return min(change, distance(i - 1, j) + 1, distance(i, j - 1) + 1)

    _two_strings(w, text, "edit_distance", distance(len(s), len(p)), s, p)
    w.check("""
        int cost[16][16];
        for (int d = 0; d <= n + m; d++) {
            for (int i = 0; i <= d && i <= n; i++) {
                int j = d - i;
                if (j > m) { continue; }
                cost[i][j] = i + j;
                if (i > 0 && cost[i - 1][j] + 1 < cost[i][j]) { cost[i][j] = cost[i - 1][j] + 1; }
                if (j > 0 && cost[i][j - 1] + 1 < cost[i][j]) { cost[i][j] = cost[i][j - 1] + 1; }
                if (i > 0 && j > 0) {
                    int same = cost[i - 1][j - 1] + (s[i - 1] != p[j - 1]);
                    if (same < cost[i][j]) { cost[i][j] = same; }
                }
            }
        }
        if (cost[n][m] != r) { FAIL(); }""")


def _knapsack(w: Writer, text: str) -> None:
    n, room = w.size("n", 4, 10), w.size("room", 10, 40)
    items = w.input_table("item", "n", {"weight": (1, 12), "value": (1, 30)})
    w.matrix("t", w.style.element, n + 1, room + 1)
    w.work("long r = 0;")
    w.work(w.call("best_value", "TAB(item), I n, I room, MAT(T, t)", text, "long r"))
    best = [0] * (room + 1)
    for weight, value in items:
        for space in range(room, weight - 1, -1):
            best[space] = max(best[space], best[space - weight] + value)
    w.check("""
        long most = 0;
        for (int chosen = 0; chosen < 1 << n; chosen++) {
            long weight = 0, value = 0;
            for (int i = 0; i < n; i++) {
                if (chosen >> i & 1) {
                    ANY(weight += F(item, i, weight), value += F(item, i, value));
                }
            }
            if (weight <= room && value > most) { most = value; }
        }
        if (most != r) { FAIL(); }""")
    w.show_value("r", best[room])


def _coins(w: Writer, text: str) -> None:
    """In how many ways coins make an amount. The coins differ: each adds to the last."""
    n, amount = w.size("n", 2, 5), w.size("amount", 12, 50)
    steps = w.input("coins", "n", 1, 4, "int")
    w.work("for (I i = 1; i < n; i++) { coins[i] += coins[i - 1]; }")
    coins = [sum(steps[: i + 1]) for i in range(n)]
    w.array("ways", "long", amount + 1)
    w.work("long r = 0;")
    w.work(w.call("count_ways", "int *coins, I n, I amount, long *ways", text, "long r"))
    ways = [1] + [0] * amount
    for coin in coins:
        for value in range(coin, amount + 1):
            ways[value] += ways[value - coin]
    w.check("""
        long rows[6][64] = {{1}};
        for (int i = 1; i <= n; i++) {
            for (int v = 0; v <= amount; v++) {
                int left = v;
                while (left >= 0) { rows[i][v] += rows[i - 1][left]; left -= coins[i - 1]; }
            }
        }
        if (rows[n][amount] != r) { FAIL(); }""")
    w.show_value("r", ways[amount])


def _increasing(w: Writer, text: str) -> None:
    """Length of the longest strictly increasing subsequence."""
    n = w.size("n", 8, 16)
    values = w.input("a", "n", -50, 50)
    w.array("b", "T", n + 1)
    w.array("length", "int", n + 1)
    w.work("int r = 0;")
    w.work(w.call("longest_rise", "T *a, I n, T *b, int *length", text, "int r"))
    w.check("""
        int best = 0;
        for (int chosen = 1; chosen < 1 << n; chosen++) {
            int last = -1, size = 0, rising = 1;
            for (int i = 0; i < n && rising; i++) {
                if (chosen >> i & 1) {
                    if (last >= 0 && a[i] <= a[last]) { rising = 0; }
                    ANY(last = i, size++);
                }
            }
            if (rising && size > best) { best = size; }
        }
        if (best != r) { FAIL(); }""")
    longest: list[int] = []
    for i in range(n):
        longest.append(1 + max([longest[j] for j in range(i) if values[j] < values[i]], default=0))
    w.show_value("r", max(longest))


def _binomial(w: Writer, text: str) -> None:
    check = """
        double product = 1;
        for (int k = 1; k <= (int)y; k++) { product = product * ((int)x - (int)y + k) / k; }
        if (product - (double)r > 0.5 || (double)r - product > 0.5) { FAIL(); }"""
    per_query(w, text, {"x": (0, 16), "y": (0, 16)}, math.comb, check)


ALGORITHMS = (
    Algorithm("longest common subsequence", _lcs, _INT),
    Algorithm("edit distance", _edit_distance, _INT),
    Algorithm("knapsack", _knapsack, _INT),
    Algorithm("coin change", _coins, ("int",)),
    Algorithm("longest increasing subsequence", _increasing),
    Algorithm("binomial coefficients", _binomial),
)
