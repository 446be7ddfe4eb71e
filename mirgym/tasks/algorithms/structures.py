"""Linked structures, stacks, and searches through choices."""

from __future__ import annotations

import itertools
from collections import Counter

from .family import Algorithm, per_query
from .writer import Writer

_NODE = """struct node {{ T {0}; struct node *left; struct node *right; }};
static struct node *new_node(T value) {{
    struct node *made = calloc(1, sizeof *made);
    if (!made) {{ exit(3); }}
    made->{0} = value;
    return made;
}}
"""


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
    while not 5 <= len(source) <= 60 or abs(eval(source)) > 10**6:  # noqa: S307 our own text
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
    w.show_value("r", eval(source))  # noqa: S307


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
            for (I i = 0; i < n; i++) { order[i] = rest % (int)n; seen |= 1 << order[i]; rest /= (int)n; }
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


_WALK = """
static int walk(struct node *at, T *out, int used) {
    if (at == NULL) { return used; }
    used = walk(at->left, out, used);
    out[used++] = at->value;
    return walk(at->right, out, used);
}
"""

TREE = {
    "recursive": _NODE.format("value") + _WALK + """
        static struct node *insert(struct node *at, T value) {
            if (at == NULL) { return new_node(value); }
            COUNT();
            if (value < at->value) { at->left = insert(at->left, value); }
            else if (value > at->value) { at->right = insert(at->right, value); }
            return at;
        }
        ----
        struct node *root = NULL;
        each (T x : a, n) { root = insert(root, x); }
        used = walk(root, out, 0);""",
    "loop": _NODE.format("value") + _WALK + """
        ----
        struct node *root = new_node(a[0]);
        for (I i = 1; i < n; i++) {
            struct node *at = root;
            int placed = 0;
            while (!placed && at->value != a[i]) {
                COUNT();
                if (a[i] < at->value) {
                    if (at->left == NULL) { at->left = new_node(a[i]); placed = 1; }
                    at = at->left;
                } else {
                    if (at->right == NULL) { at->right = new_node(a[i]); placed = 1; }
                    at = at->right;
                }
            }
        }
        used = walk(root, out, 0);""",
    "links": _NODE.format("value") + """
        ----
        struct node *root = NULL, *stack[64];
        int depth = 0;
        for (I i = 0; i < n; i++) {
            struct node **link = &root;
            while (*link != NULL && (*link)->value != a[i]) {
                link = a[i] < (*link)->value ? &(*link)->left : &(*link)->right;
                COUNT();
            }
            if (*link == NULL) { *link = new_node(a[i]); }
        }
        struct node *at = root;
        while (at != NULL || depth > 0) {
            while (at != NULL) { stack[depth++] = at; at = at->left; }
            at = stack[--depth];
            out[used++] = at->value;
            at = at->right;
        }""",
    "arrays": """
        T key[64];
        int left[64], right[64], stack[64];
        int nodes = 0, depth = 0;
        for (I i = 0; i < n; i++) {
            int at = 0, equal = 0, last = -1;
            while (nodes > 0 && at >= 0 && !equal) {
                ANY(last = at, equal = key[at] == a[i]);
                at = a[i] < key[at] ? left[at] : right[at];
                COUNT();
            }
            if (!equal) {
                if (last >= 0) { if (a[i] < key[last]) { left[last] = nodes; } else { right[last] = nodes; } }
                ANY(key[nodes] = a[i], left[nodes] = -1, right[nodes] = -1);
                nodes++;
            }
        }
        int at = 0;
        while (at >= 0 || depth > 0) {
            if (at >= 0) { stack[depth++] = at; at = left[at]; }
            else { at = stack[--depth]; out[used++] = key[at]; at = right[at]; }
        }""",
}

_LINK = """
struct link { T value; struct link *next; };
static struct link *push(struct link *head, T value) {
    struct link *made = malloc(sizeof *made);
    if (!made) { exit(3); }
    ANY(made->value = value, made->next = head);
    return made;
}
"""
_BUILD_LIST = """
struct link *head = NULL;
for (I i = n - 1; i >= 0; i--) { head = push(head, a[i]); }
"""
_TAKE_LIST = """
for (I i = 0; i < n; i++) {
    struct link *gone = head;
    out[i] = head->value;
    head = head->next;
    free(gone);
}
"""

LIST_REVERSE = {
    "three pointers": _LINK + "----\n" + _BUILD_LIST + """
        struct link *before = NULL;
        while (head != NULL) {
            struct link *after = head->next;
            head->next = before;
            before = head;
            head = after;
            COUNT();
        }
        head = before;
        """ + _TAKE_LIST,
    "recursive": _LINK + """
        static struct link *reversed(struct link *head) {
            if (head == NULL || head->next == NULL) { return head; }
            struct link *rest = reversed(head->next);
            head->next->next = head;
            head->next = NULL;
            COUNT();
            return rest;
        }
        ----
        """ + _BUILD_LIST + "head = reversed(head);" + _TAKE_LIST,
    "indices": """
        T value[64];
        int next[64], head = 0, back = -1;
        for (I i = 0; i < n; i++) { ANY(value[i] = a[i], next[i] = i + 1 < n ? (int)i + 1 : -1); }
        while (head >= 0) {
            int after = next[head];
            next[head] = back;
            back = head;
            head = after;
            COUNT();
        }
        for (I i = 0; i < n; i++) { out[i] = value[back]; back = next[back]; }""",
    "move to front": _LINK + "----\n" + _BUILD_LIST + """
        struct link *first = head;
        while (first->next != NULL) {
            struct link *moved = first->next;
            first->next = moved->next;
            moved->next = head;
            head = moved;
            COUNT();
        }
        """ + _TAKE_LIST,
}

EXPRESSION = {
    "descent": """
        static long sum_at(const char **at);
        static long factor_at(const char **at) {
            long value = 0;
            if (**at == '(') {
                (*at)++;
                value = sum_at(at);
                (*at)++;
                return value;
            }
            while (**at >= '0' && **at <= '9') { value = value * 10 + (*(*at)++ - '0'); }
            COUNT();
            return value;
        }
        static long product_at(const char **at) {
            long value = factor_at(at);
            while (**at == '*') { (*at)++; value *= factor_at(at); }
            return value;
        }
        static long sum_at(const char **at) {
            long value = product_at(at);
            while (**at == '+' || **at == '-') {
                char sign = *(*at)++;
                if (sign == '+') { value += product_at(at); } else { value -= product_at(at); }
            }
            return value;
        }
        ----
        const char *at = s;
        r = sum_at(&at);""",
    "two stacks": """
        static int rank_of(char c) { return c == '*' ? 2 : c == '+' || c == '-' ? 1 : 0; }
        static long apply(char c, long x, long y) {
            COUNT();
            switch (c) {
            case '+': return x + y;
            case '-': return x - y;
            default: return x * y;
            }
        }
        ----
        long values[40];
        char operators[64];
        int v = 0, o = 0;
        for (char *at = s; *at;) {
            if (*at >= '0' && *at <= '9') {
                long number = 0;
                while (*at >= '0' && *at <= '9') { number = number * 10 + (*at - '0'); at++; }
                values[v++] = number;
            } else {
                if (*at == '(') { operators[o++] = *at; }
                else {
                    while (o > 0 && operators[o - 1] != '(' && (*at == ')' || rank_of(operators[o - 1]) >= rank_of(*at))) {
                        v--;
                        values[v - 1] = apply(operators[--o], values[v - 1], values[v]);
                    }
                    if (*at == ')') { o--; } else { operators[o++] = *at; }
                }
                at++;
            }
        }
        while (o > 0) { v--; values[v - 1] = apply(operators[--o], values[v - 1], values[v]); }
        r = values[0];""",
    "climbing": """
        static long climb(const char *text, int *at, int least) {
            long left = 0;
            if (text[*at] == '(') { *at += 1; left = climb(text, at, 1); *at += 1; }
            else { while (text[*at] >= '0' && text[*at] <= '9') { left = left * 10 + text[*at] - '0'; *at += 1; } }
            for (;;) {
                char c = text[*at];
                int rank = c == '*' ? 2 : c == '+' || c == '-' ? 1 : 0;
                if (rank < least || rank == 0) { return left; }
                *at += 1;
                long right = climb(text, at, rank + 1);
                COUNT();
                if (c == '*') { left *= right; }
                else { left = c == '+' ? left + right : left - right; }
            }
        }
        ----
        int at = 0;
        r = climb(s, &at, 1);""",
    "postfix": """
        long code[80], stack[40];
        char operators[64];
        int length = 0, waiting = 0, depth = 0, i = 0;
        while (1) {
            char c = s[i];
            if (c >= '0' && c <= '9') {
                long number = 0;
                while (s[i] >= '0' && s[i] <= '9') { number = 10 * number + (s[i++] - '0'); }
                code[length++] = number;
                continue;
            }
            if (c == '(') { operators[waiting++] = c; }
            else {
                while (waiting > 0 && operators[waiting - 1] != '(' && (c != '*' || operators[waiting - 1] == '*')) {
                    code[length++] = -(long)operators[--waiting];
                }
                if (c == 0) { break; }
                if (c == ')') { waiting--; } else { operators[waiting++] = c; }
            }
            i++;
        }
        for (int k = 0; k < length; k++) {
            COUNT();
            if (code[k] >= 0) { stack[depth++] = code[k]; continue; }
            depth--;
            if (code[k] == -'+') { stack[depth - 1] += stack[depth]; }
            else if (code[k] == -'-') { stack[depth - 1] -= stack[depth]; }
            else { stack[depth - 1] *= stack[depth]; }
        }
        r = stack[0];""",
}

QUEENS = {
    "columns": """
        static int place_queen(int *column, int row, int size) {
            int solutions = 0;
            if (row == size) { return 1; }
            for (int c = 0; c < size; c++) {
                int safe = 1;
                for (int i = 0; i < row && safe; i++) {
                    if (column[i] == c || column[i] - c == row - i || c - column[i] == row - i) { safe = 0; }
                }
                COUNT();
                if (safe) { column[row] = c; solutions += place_queen(column, row + 1, size); }
            }
            return solutions;
        }
        ----
        int column[8] = {0};
        r = place_queen(column, 0, (int)x);""",
    "marks": """
        static int taken[8], rising[16], falling[16];
        static long queens(int row, int size) {
            long total = 0;
            if (row >= size) { COUNT(); return 1; }
            for (int c = 0; c < size; c++) {
                if (!taken[c] && !rising[row + c] && !falling[row - c + 8]) {
                    ANY(taken[c] = 1, rising[row + c] = 1, falling[row - c + 8] = 1);
                    total += queens(row + 1, size);
                    ANY(taken[c] = 0, rising[row + c] = 0, falling[row - c + 8] = 0);
                }
            }
            return total;
        }
        ----
        r = queens(0, (int)x);""",
    "backtracking": """
        int column[8], row = 0, size = (int)x;
        column[0] = -1;
        while (row >= 0) {
            int safe = 0;
            while (!safe && column[row] < size - 1) {
                column[row]++;
                safe = 1;
                for (int i = 0; i < row; i++) {
                    if (column[i] == column[row] || abs(column[i] - column[row]) == row - i) { safe = 0; }
                }
                COUNT();
            }
            if (!safe) { row--; }
            else {
                if (row == size - 1) { r++; }
                else { row++; column[row] = -1; }
            }
        }""",
    "bits": """
        static long place_bits(unsigned all, unsigned down, unsigned left, unsigned right) {
            long total = 0;
            unsigned free_bits = all & ~(down | left | right);
            if (down == all) { return 1; }
            while (free_bits != 0) {
                unsigned bit = free_bits & (0u - free_bits);
                free_bits ^= bit;
                COUNT();
                total += place_bits(all, down | bit, (left | bit) << 1, (right | bit) >> 1);
            }
            return total;
        }
        ----
        r = place_bits((1u << (unsigned)x) - 1u, 0, 0, 0);""",
}

PERMUTATIONS = {
    "swaps": """
        static int permute(int *a, int *order, int at, int count) {
            int total = 0;
            if (at == count) { return counts(a, order, count); }
            for (int i = at; i < count; i++) {
                int kept = order[at];
                order[at] = order[i];
                order[i] = kept;
                COUNT();
                total += permute(a, order, at + 1, count);
                kept = order[at];
                order[at] = order[i];
                order[i] = kept;
            }
            return total;
        }
        ----
        for (I i = 0; i < n; i++) { order[i] = (int)i; }
        r = permute(a, order, 0, (int)n);
        used[0] = r;""",
    "marks": """
        static void choose(int *a, int *order, int *used, int at, int count, int *total) {
            if (at == count) { *total += counts(a, order, count); return; }
            for (int i = 0; i < count; i++) {
                if (used[i]) { continue; }
                ANY(used[i] = 1, order[at] = i);
                COUNT();
                choose(a, order, used, at + 1, count, total);
                used[i] = 0;
            }
        }
        ----
        choose(a, order, used, 0, (int)n, &r);""",
    "heap": """
        for (I i = 0; i < n; i++) { ANY(order[i] = (int)i, used[i] = 0); }
        r = counts(a, order, (int)n);
        int i = 0;
        while (i < n) {
            if (used[i] < i) {
                int from = i % 2 == 0 ? 0 : used[i];
                int kept = order[from];
                order[from] = order[i];
                order[i] = kept;
                r += counts(a, order, (int)n);
                used[i]++;
                i = 0;
                COUNT();
            } else { used[i] = 0; i++; }
        }""",
    "next in order": """
        for (I i = 0; i < n; i++) { order[i] = (int)i; }
        I at = 0;
        do {
            r += counts(a, order, (int)n);
            at = n - 2;
            while (at >= 0 && order[at] > order[at + 1]) { at--; COUNT(); }
            if (at >= 0) {
                I other = n - 1;
                while (order[other] < order[at]) { other--; }
                int kept = order[at];
                order[at] = order[other];
                order[other] = kept;
                for (I low = at + 1, high = n - 1; low < high; low++, high--) {
                    kept = order[low];
                    order[low] = order[high];
                    order[high] = kept;
                }
            }
        } while (at >= 0);
        used[0] = r;""",
}

SUBSETS = {
    "bits": """
        for (int chosen = 0; chosen < 1 << n; chosen++) {
            long sum = 0;
            for (I i = 0; i < n; i++) { if (chosen >> i & 1) { sum += (long)a[i]; COUNT(); } }
            if (sum == goal) { r++; }
        }
        ways[0] = r;""",
    "recursive": """
        static long subsets(T *a, int left, long rest) {
            COUNT();
            if (left == 0) { return rest == 0; }
            return subsets(a, left - 1, rest) + subsets(a, left - 1, rest - (long)a[left - 1]);
        }
        ----
        r = subsets(a, (int)n, (long)goal);
        ways[0] = r;""",
    "gray code": """
        long sum = 0;
        int inside[16] = {0};
        for (int turn = 0; turn < 1 << n; turn++) {
            if (sum == goal) { r++; }
            int bit = 0;
            while (bit < n - 1 && !(turn >> bit & 1 ^ 1)) { bit++; }
            sum += inside[bit] ? -(long)a[bit] : (long)a[bit];
            inside[bit] ^= 1;
            COUNT();
        }
        ways[0] = sum;""",
    "table": """
        ways[0] = 1;
        for (I i = 0; i < n; i++) {
            for (I sum = goal; sum >= (I)a[i]; sum--) { ways[sum] += ways[sum - (I)a[i]]; COUNT(); }
        }
        r = ways[goal];""",
}

HANOI = {
    "recursive": """
        static int move_disks(int disks, int from, int to, int *moves, int used) {
            if (disks == 0) { return used; }
            used = move_disks(disks - 1, from, 3 - from - to, moves, used);
            moves[used++] = 3 * from + to;
            COUNT();
            return move_disks(disks - 1, 3 - from - to, to, moves, used);
        }
        ----
        count = move_disks((int)n, 0, 2, moves, 0);""",
    "stack": """
        int disks[64], from[64], to[64], depth = 1;
        ANY(disks[0] = (int)n, from[0] = 0, to[0] = 2);
        while (depth > 0) {
            depth--;
            int d = disks[depth], f = from[depth], t = to[depth], o = 3 - f - t;
            if (d == 1) { moves[count++] = 3 * f + t; }
            else {
                ANY(disks[depth] = d - 1, from[depth] = o, to[depth] = t);
                depth++;
                ANY(disks[depth] = 1, from[depth] = f, to[depth] = t);
                depth++;
                ANY(disks[depth] = d - 1, from[depth] = f, to[depth] = o);
                depth++;
                COUNT();
            }
        }""",
    "half of the moves": """
        static void solve_tower(int disks, char from, char spare, char to, int *moves, int *used) {
            if (disks > 1) { solve_tower(disks - 1, from, to, spare, moves, used); }
            moves[*used] = (from - 'A') * 3 + (to - 'A');
            *used += 1;
            if (disks > 1) { solve_tower(disks - 1, spare, from, to, moves, used); }
            COUNT();
        }
        ----
        solve_tower((int)n, 'A', 'B', 'C', moves, &count);""",
    "counting": """
        int peg[8] = {0};
        for (int turn = 1; turn < 1 << n; turn++) {
            int disk = 0;
            while (!(turn >> disk & 1)) { disk++; }
            int step = (n - disk) % 2 == 0 ? 1 : 2;
            int to = (peg[disk] + step) % 3;
            moves[count++] = 3 * peg[disk] + to;
            peg[disk] = to;
            COUNT();
        }""",
}

_ENTRY = """
struct entry { T key; int seen; struct entry *next; };
"""

HASH_TABLE = {
    "probing": """
        T key[64];
        int seen[64] = {0};
        for (I i = 0; i < n; i++) {
            unsigned at = (unsigned)(int)a[i] * 7u % 61u;
            while (seen[at] > 0 && key[at] != a[i]) { at = (at + 1) % 61u; COUNT(); }
            ANY(key[at] = a[i], seen[at]++);
        }
        for (I q = 0; q < m; q++) {
            unsigned at = (unsigned)(int)b[q] * 7u % 61u;
            while (seen[at] && key[at] != b[q]) { at = (at + 1) % 61u; }
            results[q] = seen[at];
        }""",
    "chains": _ENTRY + """
        ----
        struct entry *buckets[8] = {NULL};
        each (T x : a, n) {
            struct entry *at = buckets[(int)x & 7];
            while (at != NULL && at->key != x) { at = at->next; COUNT(); }
            if (at == NULL) {
                at = calloc(1, sizeof *at);
                if (at == NULL) { exit(3); }
                ANY(at->key = x, at->next = buckets[(int)x & 7]);
                buckets[(int)x & 7] = at;
            }
            at->seen++;
        }
        for (I q = 0; q < m; q++) {
            results[q] = 0;
            for (struct entry *at = buckets[(int)b[q] & 7]; at != NULL; at = at->next) {
                if (at->key == b[q]) { results[q] = at->seen; }
            }
        }""",
    "double hashing": """
        int slot_of[37], used = 0, seen[40] = {0};
        T keys[40];
        for (int i = 0; i < 37; i++) { slot_of[i] = -1; }
        for (I i = 0; i < n; i++) {
            int at = (int)a[i] % 37, step = 1 + (int)a[i] % 35;
            while (slot_of[at] >= 0 && keys[slot_of[at]] != a[i]) { at = (at + step) % 37; COUNT(); }
            if (slot_of[at] < 0) { keys[used] = a[i]; slot_of[at] = used++; }
            seen[slot_of[at]]++;
        }
        for (I q = 0; q < m; q++) {
            int at = (int)b[q] % 37, step = 1 + (int)b[q] % 35;
            while (slot_of[at] >= 0 && keys[slot_of[at]] != b[q]) { at = (at + step) % 37; }
            results[q] = slot_of[at] < 0 ? 0 : seen[slot_of[at]];
        }""",
    "chains in arrays": """
        int head[16], next[64], seen[64];
        T key[64];
        int used = 0;
        memset(head, -1, sizeof head);
        for (I i = 0; i < n; i++) {
            int h = ((int)a[i] * 31 + 5) % 16, at = head[h];
            while (at >= 0 && key[at] != a[i]) { at = next[at]; COUNT(); }
            if (at >= 0) { seen[at] += 1; }
            else {
                ANY(key[used] = a[i], seen[used] = 1, next[used] = head[h]);
                head[h] = used++;
            }
        }
        I q = 0;
        while (q < m) {
            int at = head[((int)b[q] * 31 + 5) % 16];
            while (at >= 0 && key[at] != b[q]) { at = next[at]; }
            results[q++] = at < 0 ? 0 : seen[at];
        }""",
}

JOSEPHUS = {
    "formula": """
        for (int people = 2; people <= (int)x; people++) { r = (r + (long)y) % people; COUNT(); }""",
    "recursive": """
        static long survivor(int people, int step) {
            COUNT();
            return people == 1 ? 0 : (survivor(people - 1, step) + step) % people;
        }
        ----
        r = survivor((int)x, (int)y);""",
    "remove": """
        int ring[32], left = (int)x, at = 0;
        for (int i = 0; i < left; i++) { ring[i] = i; }
        while (left > 1) {
            at = (at + (int)y - 1) % left;
            left--;
            for (int i = at; i < left; i++) { ring[i] = ring[i + 1]; COUNT(); }
        }
        r = ring[0];""",
    "linked ring": """
        int next[32], people = (int)x, at = people - 1;
        for (int i = 0; i < people; i++) { next[i] = i + 1 == people ? 0 : i + 1; }
        while (next[at] != at) {
            for (int step = 1; step < (int)y; step++) { at = next[at]; COUNT(); }
            next[at] = next[next[at]];
        }
        r = at;""",
    "marks": """
        int gone[32] = {0}, left = (int)x, at = -1;
        while (left > 0) {
            int step = (int)y;
            while (step > 0) {
                at++;
                if (at == (int)x) { at = 0; }
                if (!gone[at]) { step--; COUNT(); }
            }
            ANY(gone[at] = 1, left--);
        }
        r = at;""",
}

ALGORITHMS = (
    Algorithm("binary tree", TREE, _tree_sort),
    Algorithm("list reversal", LIST_REVERSE, _list_reverse),
    Algorithm("expression", EXPRESSION, _expression, ("long",)),
    Algorithm("n queens", QUEENS, _queens),
    Algorithm("permutations", PERMUTATIONS, _permutations, ("int",)),
    Algorithm("subset sums", SUBSETS, _subset_sums),
    Algorithm("hanoi", HANOI, _hanoi, ("int",)),
    Algorithm("hash table", HASH_TABLE, _hash_table),
    Algorithm("josephus", JOSEPHUS, _josephus),
)
