"""Linked structures, stacks, and searches through choices."""

from __future__ import annotations

import itertools
from collections import Counter

from .family import Algorithm, per_query
from .writer import Writer


def _tree_sort(w: Writer, text: str) -> None:
    """Insert values into a binary search tree and walk it in order; equal values once."""
    n = w.size("n", 8, 40)
    values = w.input("a", "n", -60, 60)
    w.array("out", "T", n + 1)
    w.work("int used = 0;")
    w.work(w.call("sorted_set", "T *a, I n, T *out", text, "int used"))
    w.check("""
        for (int i = 1; i < used; i++) { if (out[i] <= out[i - 1]) { FAIL(); } }
        for (I i = 0; i < n; i++) {
            int seen = 0;
            each (T x : out, used) { seen += x == a[i]; }
            if (seen != 1) { FAIL(); }
        }""")
    w.show("out", "used", sorted(set(values)))


def _list_reverse(w: Writer, text: str) -> None:
    n = w.size("n", 5, 40)
    values = w.input("a", "n", -100, 100)
    w.array("out", "T", n)
    w.work(w.call("reverse_list", "T *a, I n, T *out", text))
    w.check("for (I i = 0; i < n; i++) { if (out[i] != a[n - 1 - i]) { FAIL(); } }")
    w.show("out", "n", values[::-1])


def _expression(w: Writer, text: str) -> None:
    """Value of an infix expression with +, -, * and brackets."""
    source = _random_expression(w, 3)
    while not 5 <= len(source) <= 60 or abs(eval(source)) > 10**6:
        source = _random_expression(w, 3)
    w.array("s", "char", len(source) + 1)
    w.given_text("s", source)
    w.work("long r = 0;")
    w.work(w.call(w.rng.choice(("evaluate", "value_of")), "char *s", text, "long r"))
    w.check("""{
        long totals[32], products[32], factor[32], number = 0;
        int depth = 0;
        ANY(totals[0] = 0, products[0] = 1, factor[0] = 1);
        for (char *at = s; ; at++) {
            if (*at >= 48 && *at <= 57) { number = number * 10 + (*at - 48); continue; }
            if (*at == 40) {
                depth++;
                ANY(totals[depth] = 0, products[depth] = 1, factor[depth] = 1);
                continue;
            }
            if (*at == 42) { products[depth] *= number; number = 0; continue; }
            long term = factor[depth] * products[depth] * number;
            ANY(totals[depth] += term, products[depth] = 1, number = 0);
            factor[depth] = *at == 45 ? -1 : 1;
            if (*at == 41) { number = totals[depth]; depth--; }
            if (*at == 0) { break; }
        }
        if (totals[0] != r) { FAIL(); }
    }""")
    w.show_value("r", eval(source))


def _random_expression(w: Writer, depth: int) -> str:
    if depth == 0 or w.rng.random() < 0.2:
        return str(w.rng.randint(0, 30))
    operator = w.rng.choice("++-*")
    left, right = _random_expression(w, depth - 1), _random_expression(w, depth - 1)
    text = f"{left}{operator}{right}"
    return f"({text})" if w.rng.random() < 0.5 else text


def _queens(w: Writer, text: str) -> None:
    check = """{
        static const int known[] = {1, 1, 0, 0, 2, 10, 4};
        if (r != known[(int)x]) { FAIL(); }
    }"""
    per_query(w, text, {"x": (1, 6)}, lambda x: (1, 1, 0, 0, 2, 10, 4)[x], check)


def _permutations(w: Writer, text: str) -> None:
    """How many orders of an array have a weighted sum that is divisible."""
    n = w.size("n", 3, 6)
    divisor = w.rng.choice((2, 3, 5, 7))
    values = w.input("a", "n", 0, 20, "int")
    w.array("order", "int", n + 1)
    w.array("used", "int", n + 1)
    w.function(
        f"""static int counts(int *a, int *order, int count) {{
            int sum = 0;
            for (int i = 0; i < count; i++) {{ sum += (i + 1) * a[order[i]]; }}
            return sum % {divisor} == 0;
        }}"""
    )
    w.work("int r = 0;")
    parameters = "int *a, I n, int *order, int *used"
    w.work(w.call("count_orders", parameters, text, "int r"))
    w.check("""
        int codes = 1, expected = 0;
        for (I i = 0; i < n; i++) { codes *= (int)n; }
        for (int code = 0; code < codes; code++) {
            int seen = 0, rest = code;
            for (I i = 0; i < n; i++) {
                order[i] = rest % (int)n;
                seen |= 1 << order[i];
                rest /= (int)n;
            }
            if (seen == (1 << n) - 1) { expected += counts(a, order, (int)n); }
        }
        if (expected != r) { FAIL(); }""")
    sums = (sum(i * v for i, v in enumerate(p, 1)) for p in itertools.permutations(values))
    w.show_value("r", sum(total % divisor == 0 for total in sums))


def _subset_sums(w: Writer, text: str) -> None:
    """How many subsets have a given sum."""
    n, goal = w.size("n", 4, 10), w.size("goal", 8, 40)
    values = w.input("a", "n", 1, 12)
    w.array("ways", "long", 160)
    w.work("long r = 0;")
    w.work(w.call("count_subsets", "T *a, I n, I goal, long *ways", text, "long r"))
    w.check("""
        long sums[161] = {0};
        sums[0] = 1;
        for (I i = 0; i < n; i++) {
            for (int s = 160; s >= (int)a[i]; s--) { sums[s] += sums[s - (int)a[i]]; }
        }
        if (sums[goal] != r) { FAIL(); }""")
    subsets = itertools.product((0, 1), repeat=n)
    totals = (sum(itertools.compress(values, chosen)) for chosen in subsets)
    w.show_value("r", sum(total == goal for total in totals))


def _hanoi(w: Writer, text: str) -> None:
    """The moves of the tower of Hanoi, each as 3 * from + to."""
    n = w.size("n", 2, 6)
    w.array("moves", "int", 64)
    w.work("int count = 0;")
    w.work(w.call(w.rng.choice(("hanoi", "move_tower")), "I n, int *moves", text, "int count"))
    w.check("""{
        int peg[8] = {0};
        for (int i = 0; i < count; i++) {
            int disk = 0;
            while (disk < n && peg[disk] != moves[i] / 3) { disk++; }
            if (disk == n) { FAIL(); }
            for (int k = 0; k < disk; k++) { if (peg[k] == moves[i] % 3) { FAIL(); } }
            peg[disk] = moves[i] % 3;
        }
        for (int k = 0; k < n; k++) { if (peg[k] != 2) { FAIL(); } }
        if (count != (1 << n) - 1) { FAIL(); }
    }""")

    def moves(disks: int, start: int, end: int) -> list[int]:
        if disks == 0:
            return []
        other = 3 - start - end
        return [*moves(disks - 1, start, other), 3 * start + end, *moves(disks - 1, other, end)]

    w.show("moves", "count", moves(n, 0, 2))


def _hash_table(w: Writer, text: str) -> None:
    """How often each of some keys was inserted."""
    w.size("n", 8, 30)
    w.size("m", 3, 12)
    values, keys = w.input("a", "n", 0, 40), w.input("b", "m", 0, 40)
    w.array("results", "int", w.sizes["m"])
    w.work(w.call("count_keys", "T *a, I n, T *b, I m, int *results", text))
    w.check("""
        for (I q = 0; q < m; q++) {
            int seen = 0;
            each (T x : a, n) { seen += x == b[q]; }
            if (seen != results[q]) { FAIL(); }
        }""")
    counts = Counter(values)
    w.show("results", "m", [counts[key] for key in keys])


def _josephus(w: Writer, text: str) -> None:
    """Who is left of x people in a ring when every y-th goes."""

    def last(x: int, y: int) -> int:
        left = 0
        for people in range(2, x + 1):
            left = (left + y) % people
        return left

    check = """
        long at = 0;
        for (long people = 2; people <= (long)x; people++) { at = (at + (long)y) % people; }
        if (at != r) { FAIL(); }"""
    per_query(w, text, {"x": (1, 25), "y": (1, 9)}, last, check)


ALGORITHMS = (
    Algorithm("binary tree", _tree_sort),
    Algorithm("list reversal", _list_reverse),
    Algorithm("expression", _expression, ("long",)),
    Algorithm("n queens", _queens),
    Algorithm("permutations", _permutations, ("int",)),
    Algorithm("subset sums", _subset_sums),
    Algorithm("hanoi", _hanoi, ("int",)),
    Algorithm("hash table", _hash_table),
    Algorithm("josephus", _josephus),
)
