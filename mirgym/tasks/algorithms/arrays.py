"""Arrays and matrices: products, sums, counts, cells."""

from __future__ import annotations

from collections import deque
from itertools import accumulate

from .family import Algorithm
from .style import NUMBERS
from .writer import Writer


def _matrix_product(w: Writer, text: str) -> None:
    n, m, k = w.size("n", 2, 8), w.size("m", 2, 8), w.size("k", 2, 8)
    x = w.input_matrix("x", "n", "m", -3, 3)
    y = w.input_matrix("y", "m", "k", -3, 3)
    w.matrix("z", "T", n, k)
    parameters = "MAT(T, x), MAT(T, y), MAT(T, z), I n, I m, I k"
    w.work(w.call(w.rng.choice(("multiply", "product")), parameters, text))
    w.check("""
        for (I i = 0; i < n; i++) {
            long left = 0, right = 0;
            for (I j = 0; j < k; j++) { left += (long)M(z, i, j); }
            for (I l = 0; l < m; l++) {
                for (I j = 0; j < k; j++) { right += (long)M(x, i, l) * (long)M(y, l, j); }
            }
            if (left != right) { FAIL(); }
        }""")
    product = [[sum(x[i][q] * y[q][j] for q in range(m)) for j in range(k)] for i in range(n)]
    w.show_matrix("z", "n", "k", product)


def _transpose(w: Writer, text: str) -> None:
    n = w.size("n", 3, 10)
    x = w.input_matrix("x", "n", "n", -90, 90)
    w.matrix("y", "T", n, n)
    w.work(w.call("transpose", "MAT(T, x), MAT(T, y), I n", text))
    w.check(
        """for (I i = 0; i < n; i++) { trace -= (long)M(y, i, i) * (i + 1); }
        for (I i = 0; i < n; i++) { corner -= (long)M(y, n - 1, i) * (i + 1); }
        if (trace != 0 || corner != 0) { FAIL(); }""",
        before="""
        long trace = 0, corner = 0;
        for (I i = 0; i < n; i++) { trace += (long)M(x, i, i) * (i + 1); }
        for (I i = 0; i < n; i++) { corner += (long)M(x, i, n - 1) * (i + 1); }""",
    )
    w.show_matrix("y", "n", "n", [list(column) for column in zip(*x, strict=True)])


def _prefix_sums(w: Writer, text: str) -> None:
    """Sums between two positions of an array, for many pairs."""
    n = w.size("n", 10, 40)
    w.size("m", 3, 12)
    values = w.input("a", "n", -50, 50)
    pairs = w.input_table("q", "m", {"low": (0, n - 1), "high": (0, n)})
    w.array("sums", "long", n + 1)
    w.array("results", "long", w.sizes["m"])
    w.work(w.call("answer_all", "T *a, I n, TAB(q), I m, long *sums, long *results", text))
    w.check("""
        for (I i = 0; i < m; i++) {
            long sum = 0;
            for (I j = 0; j < n; j++) {
                if (j >= F(q, i, low) && j < F(q, i, high)) { sum += (long)a[j]; }
            }
            if (sum != results[i] && F(q, i, low) <= F(q, i, high)) { FAIL(); }
        }""")
    sums = [0, *accumulate(values)]
    w.show("results", "m", [sums[max(low, high)] - sums[low] for low, high in pairs])


def _histogram(w: Writer, text: str) -> None:
    width = w.rng.choice((5, 8, 10, 16))
    w.size("n", 20, 70)
    values = w.input("a", "n", 0, 99)
    w.array("bins", w.rng.choice(("int", "unsigned", "long")), 24)
    text = text.replace("WIDTH", str(width)).replace("BINS", str(99 // width + 1))
    parameters = f"T *a, I n, {w.arrays['bins']} *bins"
    w.work(w.call("count_values", parameters, text))
    w.check(f"""
        I counted = 0;
        each (T x : a, n) {{ if ((int)x / {width} == 1) {{ counted++; }} }}
        if (counted != (I)bins[1]) {{ FAIL(); }}
        for (int k = 0; k < 24; k++) {{ counted += (I)bins[k]; }}
        if (counted != n + (I)bins[1]) {{ FAIL(); }}""")
    bins = [0] * (99 // width + 1)
    for value in values:
        bins[value // width] += 1
    w.show("bins", str(len(bins)), bins)


_LIFE_CHECK = """
for (int turn = 0; turn < TURNS; turn++) {
    memcpy(old, now, sizeof old);
    for (I i = 0; i < n; i++) {
        for (I j = 0; j < m; j++) {
            int alive = 0;
            for (int d = 0; d < 9; d++) {
                NEAR
                if (d != 4 && p >= 0 && q >= 0 && p < n && q < m) { alive += old[p][q]; }
            }
            now[i][j] = (alive | old[i][j]) == 3;
        }
    }
}
for (I i = 0; i < n; i++) {
    for (I j = 0; j < m; j++) {
        if (M(x, i, j) != now[i][j]) { FAIL(); }
    }
}"""


def _next_life(old: list[list[int]], torus: bool) -> list[list[int]]:
    n, m = len(old), len(old[0])
    cells = [[0] * m for _ in range(n)]
    for i in range(n):
        for j in range(m):
            near = [(i + p, j + q) for p in (-1, 0, 1) for q in (-1, 0, 1) if p or q]
            if torus:
                near = [(p % n, q % m) for p, q in near]
            alive = sum(old[p][q] for p, q in near if 0 <= p < n and 0 <= q < m)
            cells[i][j] = int(alive == 3 or (alive == 2 and old[i][j] == 1))
    return cells


def _life(w: Writer, text: str) -> None:
    """Conway's game on a grid with a dead border, or on a torus."""
    n, m = w.size("n", 4, 10), w.size("m", 4, 10)
    turns = w.rng.randint(1, 5)
    cells = w.input_matrix("x", "n", "m", 0, 1)
    w.matrix("y", "T", n, m)
    call = w.call("next_cells", "MAT(T, x), MAT(T, y), I n, I m", text)
    w.work(f"for (int turn = 0; turn < {turns}; turn++) {{\n{call}\n}}")
    if w.template == "torus":
        near = "I p = (i + d / 3 - 1 + n) % n, q = (j + d % 3 - 1 + m) % m;"
    else:
        near = "I p = i + d / 3 - 1, q = j + d % 3 - 1;"
    w.check(
        _LIFE_CHECK.replace("TURNS", str(turns)).replace("NEAR", near),
        before="""
        signed char old[10][10], now[10][10];
        for (I i = 0; i < n; i++) {
            for (I j = 0; j < m; j++) { now[i][j] = (signed char)M(x, i, j); }
        }""",
    )
    for _ in range(turns):
        cells = _next_life(cells, w.template == "torus")
    if w.rng.random() < 0.5:
        w.show_matrix("x", "n", "m", cells)
    else:
        w.work("""long living = 0;
            for (I i = 0; i < n; i++) {
                for (I j = 0; j < m; j++) { living += (long)M(x, i, j); }
            }""")
        w.show_value("living", sum(map(sum, cells)))


def _elimination(w: Writer, text: str) -> None:
    """Solve linear equations whose solution is known to be whole numbers."""
    n = w.size("n", 2, 6)
    w.input_matrix("x", "n", "n", -4, 4, "double")
    wanted = w.input("s", "n", -9, 9, "int")
    w.array("v", "double", n)
    w.work("""
        for (I i = 0; i < n; i++) {
            M(x, i, i) += M(x, i, i) < 0 ? -40 : 40;
            for (I j = 0; j < n; j++) { v[i] += M(x, i, j) * s[j]; }
        }""")
    w.work(w.call(w.rng.choice(("solve", "eliminate")), "MAT(double, x), double *v, I n", text))
    w.check("""
        for (I i = 0; i < n; i++) {
            double difference = v[i] - s[i];
            if (difference > 1e-6 || difference < -1e-6) { FAIL(); }
        }""")
    w.show("v", "n", wanted, "{0} < 0 ? {0} - 0.5 : {0} + 0.5")


def _rotation(w: Writer, text: str) -> None:
    """Rotate an array to the left by k."""
    n = w.size("n", 6, 40)
    k = w.size("k", 1, n - 1)
    values = w.input("a", "n", -100, 100)
    w.array("b", "T", n)
    w.work(w.call("rotate", "T *a, I n, I k, T *b", text))
    w.check(
        """for (I i = 0; i < n; i++) { mark -= (long)a[i] * ((i + k) % n); }
        if (mark != 0) { FAIL(); }""",
        before="""
        long mark = 0;
        for (I i = 0; i < n; i++) { mark += (long)a[i] * i; }""",
    )
    w.show("a", "n", values[k:] + values[:k])


def _moving_sums(w: Writer, text: str) -> None:
    """Sums of k neighbours."""
    n = w.size("n", 10, 40)
    k = w.size("k", 2, 6)
    values = w.input("a", "n", -50, 50)
    w.array("results", "long", n)
    w.work(w.call("window_sums", "T *a, I n, I k, long *results", text))
    w.check("""
        for (I i = 1; i + k <= n; i++) {
            if (results[i] - results[i - 1] != (long)a[i + k - 1] - (long)a[i - 1]) { FAIL(); }
        }
        if (n < k) { FAIL(); }""")
    w.show("results", "(n - k + 1)", [sum(values[i : i + k]) for i in range(n - k + 1)])


_REGIONS = """
int moved = 1, groups = 0, most = 0;
while (moved) {
    moved = 0;
    for (I i = 0; i < n; i++) {
        for (I j = 0; j < m; j++) {
            for (int d = 0; d < 4; d++) {
                I p = i + (d == 0) - (d == 1), q = j + (d == 2) - (d == 3);
                if (area[i][j] == 0 || p < 0 || q < 0 || p >= n || q >= m) { continue; }
                if (area[p][q] > area[i][j]) { area[i][j] = area[p][q]; moved = 1; }
            }
        }
    }
}
for (int label = 1; label <= n * m; label++) {
    int cells = 0;
    for (I i = 0; i < n; i++) {
        for (I j = 0; j < m; j++) { cells += area[i][j] == label; }
    }
    groups += cells > 0;
    if (cells > most) { most = cells; }
}
if (groups != regions || most != largest) { FAIL(); }"""


def _flood_fill(w: Writer, text: str) -> None:
    """Size of every region of equal cells; text sets r to the one of (si, sj)."""
    n, m = w.size("n", 4, 9), w.size("m", 4, 9)
    cells = w.input_matrix("x", "n", "m", 0, 1)
    w.array("stack", "int", 4 * n * m + 4)
    call = w.call("fill", "MAT(T, x), I n, I m, int *stack, I si, I sj", text, "int r")
    w.work(f"""
        int regions = 0, largest = 0;
        for (I si = 0; si < n; si++) {{
            for (I sj = 0; sj < m; sj++) {{
                if (M(x, si, sj) == 1) {{
                    int r = 0;
                    {call}
                    regions++;
                    if (r > largest) {{ largest = r; }}
                }}
            }}
        }}""")
    w.check(
        _REGIONS,
        before="""
        int area[10][10];
        for (I i = 0; i < n; i++) {
            for (I j = 0; j < m; j++) { area[i][j] = M(x, i, j) == 1 ? i * m + j + 1 : 0; }
        }""",
    )
    sizes = []
    for i in range(n):
        for j in range(m):
            if cells[i][j] == 1:
                queue, size = deque([(i, j)]), 0
                cells[i][j] = 2
                while queue:
                    p, q = queue.popleft()
                    size += 1
                    for r, c in ((p + 1, q), (p - 1, q), (p, q + 1), (p, q - 1)):
                        if 0 <= r < n and 0 <= c < m and cells[r][c] == 1:
                            cells[r][c] = 2
                            queue.append((r, c))
                sizes.append(size)
    w.show_value("regions", len(sizes))
    w.show_value("largest", max(sizes, default=0))


ALGORITHMS = (
    Algorithm("matrix product", _matrix_product, ("short", "int", "long", "float", "double")),
    Algorithm("transpose", _transpose, NUMBERS),
    Algorithm("prefix sums", _prefix_sums, NUMBERS),
    Algorithm("histogram", _histogram, NUMBERS),
    Algorithm("game of life", _life),
    Algorithm("linear equations", _elimination, ("double",)),
    Algorithm("rotation", _rotation, NUMBERS),
    Algorithm("moving sums", _moving_sums, NUMBERS),
    Algorithm("flood fill", _flood_fill),
)
