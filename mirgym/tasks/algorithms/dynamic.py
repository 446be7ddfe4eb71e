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
                for (int left = v; left >= 0; left -= coins[i - 1]) { rows[i][v] += rows[i - 1][left]; }
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


LCS = {
    "table": """
        for (I i = 1; i <= n; i++) {
            for (I j = 1; j <= m; j++) {
                COUNT();
                if (s[i - 1] == p[j - 1]) { M(t, i, j) = M(t, i - 1, j - 1) + 1; }
                else {
                    if (M(t, i - 1, j) > M(t, i, j - 1)) { M(t, i, j) = M(t, i - 1, j); }
                    else { M(t, i, j) = M(t, i, j - 1); }
                }
            }
        }
        r = (int)M(t, n, m);""",
    "recursive": """
        static int common(MAT(T, t), const char *s, const char *p, int i, int j) {
            if (s[i] == 0 || p[j] == 0) { return 0; }
            if (M(t, i, j) != 0) { return (int)M(t, i, j) - 1; }
            int best;
            if (s[i] == p[j]) { best = 1 + common(t, s, p, i + 1, j + 1); }
            else {
                int left = common(t, s, p, i + 1, j), right = common(t, s, p, i, j + 1);
                best = left > right ? left : right;
            }
            COUNT();
            M(t, i, j) = (T)(best + 1);
            return best;
        }
        ----
        r = common(t, s, p, 0, 0);""",
    "from the end": """
        for (I i = n - 1; i >= 0; i--) {
            for (I j = m - 1; j >= 0; j--) {
                T up = M(t, i + 1, j), left = M(t, i, j + 1), here = up;
                if (s[i] == p[j]) { here = (T)(M(t, i + 1, j + 1) + 1); }
                else { if (left > here) { here = left; } }
                M(t, i, j) = here;
                COUNT();
            }
        }
        r = (int)M(t, 0, 0);""",
    "two rows": """
        for (I i = 1; i <= n; i++) {
            I now = i % 2, before = 1 - now;
            for (I j = 1; j <= m; j++) {
                T best = M(t, before, j);
                if (M(t, now, j - 1) > best) { best = M(t, now, j - 1); }
                if (s[i - 1] == p[j - 1]) { best = M(t, before, j - 1) + 1; }
                M(t, now, j) = best;
                COUNT();
            }
        }
        r = (int)M(t, n % 2, m);""",
}

EDIT_DISTANCE = {
    "table": """
        for (I i = 0; i <= n; i++) { M(t, i, 0) = (T)i; }
        for (I j = 0; j <= m; j++) { M(t, 0, j) = (T)j; }
        for (I i = 1; i <= n; i++) {
            for (I j = 1; j <= m; j++) {
                T best = M(t, i - 1, j - 1) + (s[i - 1] != p[j - 1]);
                if (M(t, i - 1, j) + 1 < best) { best = M(t, i - 1, j) + 1; }
                if (M(t, i, j - 1) + 1 < best) { best = M(t, i, j - 1) + 1; }
                M(t, i, j) = best;
                COUNT();
            }
        }
        r = (int)M(t, n, m);""",
    "recursive": """
        static int least(int x, int y) { return x < y ? x : y; }
        static int distance(MAT(T, t), const char *s, const char *p, int i, int j) {
            if (i == 0) { return j; }
            if (j == 0) { return i; }
            if (M(t, i, j) > 0) { return (int)M(t, i, j) - 1; }
            int best = distance(t, s, p, i - 1, j - 1);
            COUNT();
            if (s[i - 1] != p[j - 1]) {
                best = 1 + least(best, least(distance(t, s, p, i - 1, j), distance(t, s, p, i, j - 1)));
            }
            M(t, i, j) = (T)(best + 1);
            return best;
        }
        ----
        r = distance(t, s, p, (int)n, (int)m);""",
    "equal letters": """
        for (I i = 0; i <= n; i++) {
            for (I j = 0; j <= m; j++) {
                if (i == 0 || j == 0) { M(t, i, j) = (T)(i + j); }
                else if (s[i - 1] == p[j - 1]) { M(t, i, j) = M(t, i - 1, j - 1); }
                else {
                    T up = M(t, i - 1, j), left = M(t, i, j - 1), both = M(t, i - 1, j - 1);
                    T best = up < left ? up : left;
                    M(t, i, j) = (T)(1 + (both < best ? both : best));
                    COUNT();
                }
            }
        }
        r = (int)M(t, n, m);""",
    "one row": """
        T row[16];
        for (I j = 0; j <= m; j++) { row[j] = (T)j; }
        for (I i = 1; i <= n; i++) {
            T corner = row[0];
            row[0] = (T)i;
            for (I j = 1; j <= m; j++) {
                T up = row[j];
                T best = corner;
                if (s[i - 1] != p[j - 1]) {
                    if (up < best) { best = up; }
                    if (row[j - 1] < best) { best = row[j - 1]; }
                    best++;
                }
                ANY(row[j] = best, corner = up);
                COUNT();
            }
        }
        r = (int)row[m];
        M(t, 0, 0) = 0;""",
}

KNAPSACK = {
    "table": """
        for (I i = 1; i <= n; i++) {
            for (I c = 0; c <= room; c++) {
                M(t, i, c) = M(t, i - 1, c);
                COUNT();
                if (c >= F(item, i - 1, weight)) {
                    T with = M(t, i - 1, c - F(item, i - 1, weight)) + F(item, i - 1, value);
                    if (with > M(t, i, c)) { M(t, i, c) = with; }
                }
            }
        }
        r = (long)M(t, n, room);""",
    "subsets": """
        for (int chosen = 0; chosen < 1 << n; chosen++) {
            long weight = 0, value = 0;
            for (I i = 0; i < n; i++) {
                if (chosen & 1 << i) {
                    ANY(weight += F(item, i, weight), value += F(item, i, value));
                    COUNT();
                }
            }
            if (weight <= room) { if (value > r) { r = value; } }
        }
        M(t, 0, 0) = 0;""",
    "reachable weights": """
        long best[64];
        for (I c = 0; c <= room; c++) { best[c] = -1; }
        best[0] = 0;
        for (I i = 0; i < n; i++) {
            int weight = F(item, i, weight), value = F(item, i, value);
            for (I c = room; c >= weight; c--) {
                if (best[c - weight] >= 0 && best[c - weight] + value > best[c]) {
                    best[c] = best[c - weight] + value;
                    COUNT();
                }
            }
        }
        for (I c = 0; c <= room; c++) { if (best[c] > r) { r = best[c]; } }
        M(t, 0, 0) = 0;""",
    "one row": """
        for (I i = 0; i < n; i++) {
            for (I c = room; c >= F(item, i, weight); c--) {
                T with = (T)(M(t, 0, c - F(item, i, weight)) + F(item, i, value));
                COUNT();
                if (M(t, 0, c) < with) { M(t, 0, c) = with; }
            }
        }
        r = (long)M(t, 0, room);""",
}

COINS = {
    "one row": """
        ways[0] = 1;
        for (I i = 0; i < n; i++) {
            for (I v = coins[i]; v <= amount; v++) { ways[v] += ways[v - coins[i]]; COUNT(); }
        }
        r = ways[amount];""",
    "recursive": """
        static long ways_from(int *coins, int left, int amount_left) {
            COUNT();
            if (amount_left == 0) { return 1; }
            if (amount_left < 0 || left == 0) { return 0; }
            return ways_from(coins, left - 1, amount_left)
                + ways_from(coins, left, amount_left - coins[left - 1]);
        }
        ----
        r = ways_from(coins, (int)n, (int)amount);
        ways[0] = r;""",
    "rows": """
        long next[64];
        ways[0] = 1;
        for (I i = 0; i < n; i++) {
            for (I v = 0; v <= amount; v++) {
                next[v] = 0;
                for (int used = 0; used <= v; used += coins[i]) { next[v] += ways[v - used]; COUNT(); }
            }
            for (I v = 0; v <= amount; v++) { ways[v] = next[v]; }
        }
        r = ways[amount];""",
    "largest first": """
        for (I v = 0; v <= amount; v++) { ways[v] = v == 0; }
        I i = n;
        while (i-- > 0) {
            int coin = coins[i];
            for (I v = 0; v + coin <= amount; v++) {
                if (ways[v] != 0) { ways[v + coin] += ways[v]; COUNT(); }
            }
        }
        r = ways[amount];""",
}

INCREASING = {
    "pairs": """
        for (I i = 0; i < n; i++) {
            length[i] = 1;
            for (I j = 0; j < i; j++) {
                COUNT();
                if (a[j] < a[i] && length[j] + 1 > length[i]) { length[i] = length[j] + 1; }
            }
            if (length[i] > r) { r = length[i]; }
        }
        b[0] = 0;""",
    "recursive": """
        static int rise_from(T *a, int at, int count, int *known) {
            if (known[at] > 0) { return known[at]; }
            int best = 0;
            for (int j = at + 1; j < count; j++) {
                if (a[at] < a[j]) {
                    int here = rise_from(a, j, count, known);
                    if (here > best) { best = here; }
                }
            }
            COUNT();
            known[at] = best + 1;
            return best + 1;
        }
        ----
        for (I i = 0; i < n; i++) {
            int here = rise_from(a, (int)i, (int)n, length);
            if (here > r) { r = here; }
        }
        b[0] = 0;""",
    "linear tails": """
        for (I i = 0; i < n; i++) {
            int at = 0;
            while (at < r && b[at] < a[i]) { at++; COUNT(); }
            b[at] = a[i];
            if (at == r) { r++; }
        }
        length[0] = r;""",
    "tails": """
        for (I i = 0; i < n; i++) {
            int low = 0, high = r;
            while (low < high) {
                int middle = (low + high) / 2;
                COUNT();
                if (b[middle] < a[i]) { low = middle + 1; } else { high = middle; }
            }
            b[low] = a[i];
            if (low == r) { r++; }
        }
        length[0] = r;""",
}

BINOMIAL = {
    "triangle": """
        long t[18][18];
        for (int i = 0; i <= (int)x; i++) {
            for (int j = 0; j <= i; j++) {
                if (j == 0 || j == i) { t[i][j] = 1; } else { t[i][j] = t[i - 1][j - 1] + t[i - 1][j]; }
                COUNT();
            }
        }
        r = (int)y > (int)x ? 0 : t[(int)x][(int)y];""",
    "one row": """
        long row[18] = {1};
        for (int i = 1; i <= (int)x; i++) {
            for (int j = i; j > 0; j--) { row[j] += row[j - 1]; COUNT(); }
        }
        r = row[(int)y];""",
    "recursive": """
        static long choose(int from, int count) {
            COUNT();
            if (count > from) { return 0; }
            if (count == 0 || count == from) { return 1; }
            return choose(from - 1, count - 1) + choose(from - 1, count);
        }
        ----
        r = choose((int)x, (int)y);""",
    "product": """
        int count = (int)y;
        r = count <= (int)x;
        if (count > (int)x - count && r == 1) { count = (int)x - count; }
        for (int k = 1; k <= count && r > 0; k++) { r = r * ((int)x - count + k) / k; COUNT(); }""",
}

ALGORITHMS = (
    Algorithm("longest common subsequence", LCS, _lcs, _INT),
    Algorithm("edit distance", EDIT_DISTANCE, _edit_distance, _INT),
    Algorithm("knapsack", KNAPSACK, _knapsack, _INT),
    Algorithm("coin change", COINS, _coins, ("int",)),
    Algorithm("longest increasing subsequence", INCREASING, _increasing),
    Algorithm("binomial coefficients", BINOMIAL, _binomial),
)
