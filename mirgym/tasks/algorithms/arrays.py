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
    product = [
        [sum(x[i][q] * y[q][j] for q in range(m)) for j in range(k)] for i in range(n)
    ]
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
    n = w.size("n", 20, 70)
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


def _life(w: Writer, text: str) -> None:
    """Conway's game on a grid with a dead border, or on a torus."""
    n, m = w.size("n", 4, 10), w.size("m", 4, 10)
    turns = w.rng.randint(1, 5)
    cells = w.input_matrix("x", "n", "m", 0, 1)
    w.matrix("y", "T", n, m)
    call = w.call("next_cells", "MAT(T, x), MAT(T, y), I n, I m", text)
    w.work(f"for (int turn = 0; turn < {turns}; turn++) {{\n{call}\n}}")
    w.check("""
        for (I i = 0; i < n; i++) {
            for (I j = 0; j < m; j++) {
                if (M(x, i, j) != 0 && M(x, i, j) != 1) { FAIL(); }
            }
        }""")
    torus = w.template == "torus"
    for _ in range(turns):
        old = cells
        cells = [[0] * m for _ in range(n)]
        for i in range(n):
            for j in range(m):
                near = [(i + p, j + q) for p in (-1, 0, 1) for q in (-1, 0, 1) if p or q]
                if torus:
                    near = [(p % n, q % m) for p, q in near]
                alive = sum(old[p][q] for p, q in near if 0 <= p < n and 0 <= q < m)
                cells[i][j] = int(alive == 3 or (alive == 2 and old[i][j]))
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
    w.check("""
        for (I i = 0; i < n; i++) {
            for (I j = 0; j < m; j++) { living += M(x, i, j) == 2; }
        }
        if (living != 0 || largest > n * m) { FAIL(); }""", before="""
        long living = 0;
        for (I i = 0; i < n; i++) {
            for (I j = 0; j < m; j++) { living -= M(x, i, j) == 1; }
        }""")
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


MATRIX_PRODUCT = {
    "row by column": """
        for (I i = 0; i < n; i++) {
            for (I j = 0; j < k; j++) {
                T sum = 0;
                for (I l = 0; l < m; l++) { sum += M(x, i, l) * M(y, l, j); COUNT(); }
                M(z, i, j) = sum;
            }
        }""",
    "in place sum": """
        for (I i = 0; i < n; i++) {
            for (I l = 0; l < m; l++) {
                T factor = M(x, i, l);
                if (factor != 0) {
                    for (I j = 0; j < k; j++) { M(z, i, j) += factor * M(y, l, j); COUNT(); }
                }
            }
        }""",
    "blocks": """
        for (I ii = 0; ii < n; ii += 2) {
            for (I ll = 0; ll < m; ll += 2) {
                for (I i = ii; i < n && i < ii + 2; i++) {
                    for (I j = 0; j < k; j++) {
                        T sum = M(z, i, j);
                        for (I l = ll; l < m && l < ll + 2; l++) { sum += M(x, i, l) * M(y, l, j); }
                        M(z, i, j) = sum;
                        COUNT();
                    }
                }
            }
        }""",
    "columns first": """
        for (I j = k - 1; j >= 0; j--) {
            T column[8];
            for (I l = 0; l < m; l++) { column[l] = M(y, l, j); }
            for (I i = 0; i < n; i++) {
                M(z, i, j) = 0;
                for (I l = 0; l < m; l++) { M(z, i, j) += M(x, i, l) * column[l]; COUNT(); }
            }
        }""",
}

TRANSPOSE = {
    "copy": """
        for (I i = 0; i < n; i++) {
            for (I j = 0; j < n; j++) { PICK({M(y, i, j) = M(x, j, i);}, {M(y, j, i) = M(x, i, j);}); COUNT(); }
        }""",
    "copy, then swap": """
        for (I i = 0; i < n; i++) {
            for (I j = 0; j < n; j++) { M(y, i, j) = M(x, i, j); }
        }
        for (I i = 0; i < n; i++) {
            for (I j = i + 1; j < n; j++) { SWAP(M(y, i, j), M(y, j, i)); COUNT(); }
        }""",
    "diagonals": """
        for (I d = 0; d < 2 * n - 1; d++) {
            for (I i = 0; i < n; i++) {
                if (d - i >= 0 && d - i < n) { M(y, d - i, i) = M(x, i, d - i); COUNT(); }
            }
        }""",
    "halves": """
        for (I i = 0; i < n; i++) {
            M(y, i, i) = M(x, i, i);
            for (I j = 0; j < i; j++) {
                ANY(M(y, i, j) = M(x, j, i), M(y, j, i) = M(x, i, j));
                COUNT();
            }
        }""",
}

PREFIX_SUMS = {
    "from zero": """
        sums[0] = 0;
        for (I i = 0; i < n; i++) { sums[i + 1] = sums[i] + (long)a[i]; COUNT(); }
        for (I i = 0; i < m; i++) {
            int low = F(q, i, low), high = F(q, i, high);
            results[i] = low < high ? sums[high] - sums[low] : 0;
        }""",
    "running": """
        long sum = 0;
        for (I i = 0; i < n; i++) { sum += (long)a[i]; sums[i] = sum; COUNT(); }
        for (I i = 0; i < m; i++) {
            results[i] = 0;
            if (F(q, i, low) < F(q, i, high)) {
                results[i] = sums[F(q, i, high) - 1];
                if (F(q, i, low) > 0) { results[i] -= sums[F(q, i, low) - 1]; }
            }
        }""",
    "doubling": """
        for (I i = 0; i < n; i++) { sums[i + 1] = (long)a[i]; }
        for (int step = 1; step <= n; step *= 2) {
            for (int i = n; i > step; i--) { sums[i] += sums[i - step]; COUNT(); }
        }
        for (I i = 0; i < m; i++) {
            int low = F(q, i, low), high = F(q, i, high);
            if (high < low) { high = low; }
            results[i] = sums[high] - sums[low];
        }""",
    "from the end": """
        sums[n] = 0;
        for (I i = n - 1; i >= 0; i--) { sums[i] = sums[i + 1] + (long)a[i]; COUNT(); }
        I done = 0;
        while (done < m) {
            int low = F(q, done, low), high = F(q, done, high);
            if (low >= high) { results[done] = 0; } else { results[done] = sums[low] - sums[high]; }
            done++;
        }""",
}

HISTOGRAM = {
    "divide": """
        for (I i = 0; i < n; i++) { bins[(int)a[i] / WIDTH]++; COUNT(); }""",
    "scan": """
        for (int k = 0; k < BINS; k++) {
            for (I i = 0; i < n; i++) {
                if (a[i] >= (T)(k * WIDTH) && (int)a[i] < (k + 1) * WIDTH) { bins[k]++; COUNT(); }
            }
        }""",
    "bounds": """
        each (T x : a, n) {
            int k = 0, bound = WIDTH;
            while ((int)x >= bound) { ANY(k++, bound += WIDTH); COUNT(); }
            bins[k] += 1;
        }""",
    "halving": """
        int bounds[BINS + 1];
        for (int k = 0; k <= BINS; k++) { bounds[k] = k * WIDTH; }
        for (I i = 0; i < n; i++) {
            int low = 0, high = BINS;
            while (high - low > 1) {
                int middle = (low + high) / 2;
                if ((int)a[i] < bounds[middle]) { high = middle; } else { low = middle; }
                COUNT();
            }
            bins[low]++;
        }""",
}

_COPY_BACK = """
    for (I i = 0; i < n; i++) {
        for (I j = 0; j < m; j++) { M(x, i, j) = M(y, i, j); }
    }"""

LIFE = {
    "bounds in loops": """
        for (I i = 0; i < n; i++) {
            for (I j = 0; j < m; j++) {
                int alive = 0;
                for (I p = i - 1; p <= i + 1; p++) {
                    for (I q = j - 1; q <= j + 1; q++) {
                        if (p >= 0 && p < n && q >= 0 && q < m && !(p == i && q == j)) {
                            alive += (int)M(x, p, q);
                        }
                    }
                }
                M(y, i, j) = alive == 3 || (alive == 2 && M(x, i, j) == 1);
                COUNT();
            }
        }""" + _COPY_BACK,
    "torus": """
        for (I i = 0; i < n; i++) {
            for (I j = 0; j < m; j++) {
                int alive = -(int)M(x, i, j);
                for (int p = -1; p <= 1; p++) {
                    for (int q = -1; q <= 1; q++) {
                        alive += (int)M(x, (i + p + n) % n, (j + q + m) % m);
                    }
                }
                if (alive == 3) { M(y, i, j) = 1; }
                else { M(y, i, j) = alive == 2 ? M(x, i, j) : 0; }
            }
        }""" + _COPY_BACK,
    "table of steps": """
        static const signed char steps_i[8] = {-1, -1, -1, 0, 0, 1, 1, 1};
        static const signed char steps_j[8] = {-1, 0, 1, -1, 1, -1, 0, 1};
        ----
        for (I i = 0; i < n; i++) {
            for (I j = 0; j < m; j++) {
                int alive = 0;
                for (int d = 0; d < 8; d++) {
                    I p = i + steps_i[d], q = j + steps_j[d];
                    if (p < 0 || q < 0 || p >= n || q >= m) { continue; }
                    if (M(x, p, q)) { alive++; COUNT(); }
                }
                switch (alive) {
                case 2: M(y, i, j) = M(x, i, j); break;
                case 3: M(y, i, j) = 1; break;
                default: M(y, i, j) = 0;
                }
            }
        }""" + _COPY_BACK,
    "scatter": """
        for (I i = 0; i < n; i++) {
            for (I j = 0; j < m; j++) { M(y, i, j) = 0; }
        }
        for (I i = 0; i < n; i++) {
            for (I j = 0; j < m; j++) {
                if (M(x, i, j) == 0) { continue; }
                for (I p = i > 0 ? i - 1 : 0; p < n && p <= i + 1; p++) {
                    for (I q = j > 0 ? j - 1 : 0; q < m && q <= j + 1; q++) {
                        if (p != i || q != j) { M(y, p, q) += 1; COUNT(); }
                    }
                }
            }
        }
        for (I i = 0; i < n; i++) {
            for (I j = 0; j < m; j++) {
                if (M(y, i, j) == 3) { M(x, i, j) = 1; }
                else { if (M(y, i, j) != 2) { M(x, i, j) = 0; } }
            }
        }""",
}

ELIMINATION = {
    "back substitution": """
        for (I p = 0; p < n; p++) {
            for (I i = p + 1; i < n; i++) {
                double factor = M(x, i, p) / M(x, p, p);
                for (I j = p; j < n; j++) { M(x, i, j) -= factor * M(x, p, j); COUNT(); }
                v[i] -= factor * v[p];
            }
        }
        for (I i = n - 1; i >= 0; i--) {
            for (I j = i + 1; j < n; j++) { v[i] -= M(x, i, j) * v[j]; }
            v[i] /= M(x, i, i);
        }""",
    "jordan": """
        for (I p = 0; p < n; p++) {
            double pivot = M(x, p, p);
            for (I j = 0; j < n; j++) { M(x, p, j) /= pivot; }
            v[p] /= pivot;
            for (I i = 0; i < n; i++) {
                if (i != p) {
                    double factor = M(x, i, p);
                    for (I j = 0; j < n; j++) { M(x, i, j) -= factor * M(x, p, j); COUNT(); }
                    v[i] -= factor * v[p];
                }
            }
        }""",
    "factors": """
        for (I i = 1; i < n; i++) {
            for (I p = 0; p < i; p++) {
                M(x, i, p) /= M(x, p, p);
                for (I j = p + 1; j < n; j++) { M(x, i, j) -= M(x, i, p) * M(x, p, j); COUNT(); }
            }
        }
        for (I i = 0; i < n; i++) {
            for (I j = 0; j < i; j++) { v[i] -= M(x, i, j) * v[j]; }
        }
        for (I i = n; i-- > 0;) {
            double rest = v[i];
            for (I j = i + 1; j < n; j++) { rest -= M(x, i, j) * v[j]; }
            v[i] = rest / M(x, i, i);
        }""",
    "pivots": """
        for (I p = 0; p < n; p++) {
            I best = p;
            for (I i = p + 1; i < n; i++) {
                double here = M(x, i, p), there = M(x, best, p);
                if (here * here > there * there) { best = i; }
            }
            if (best != p) {
                for (I j = 0; j < n; j++) {
                    double kept = M(x, p, j);
                    M(x, p, j) = M(x, best, j);
                    M(x, best, j) = kept;
                }
                double kept = v[p];
                v[p] = v[best];
                v[best] = kept;
            }
            for (I i = p + 1; i < n; i++) {
                double factor = -M(x, i, p) / M(x, p, p);
                for (I j = p + 1; j < n; j++) { M(x, i, j) += factor * M(x, p, j); COUNT(); }
                v[i] += factor * v[p];
            }
        }
        for (I i = n - 1; i >= 0; i--) {
            v[i] /= M(x, i, i);
            for (I j = 0; j < i; j++) { v[j] -= M(x, j, i) * v[i]; }
        }""",
}

ROTATION = {
    "copy": """
        for (I i = 0; i < n; i++) { PICK({b[i] = a[(i + k) % n];}, {b[(i + n - k) % n] = a[i];}); }
        for (I i = 0; i < n; i++) { a[i] = b[i]; COUNT(); }""",
    "three reversals": """
        static void reverse(T *low, T *high) {
            while (low < high) {
                SWAP(*low, *high);
                ANY(low++, high--);
                COUNT();
            }
        }
        ----
        ANY(reverse(a, a + k - 1), reverse(a + k, a + n - 1));
        reverse(a, a + n - 1);""",
    "one by one": """
        for (I t = 0; t < k; t++) {
            T first = a[0];
            for (I i = 1; i < n; i++) { a[i - 1] = a[i]; COUNT(); }
            a[n - 1] = first;
        }""",
    "save the head": """
        for (I i = 0; i < k; i++) { b[i] = a[i]; }
        for (I i = k; i < n; i++) { a[i - k] = a[i]; COUNT(); }
        for (I i = 0; i < k; i++) { a[n - k + i] = b[i]; }""",
    "cycles": """
        I moved = 0;
        for (I start = 0; moved < n; start++) {
            T first = a[start];
            I hole = start, next = (start + k) % n;
            while (next != start) {
                a[hole] = a[next];
                hole = next;
                next = (next + k) % n;
                moved++;
                COUNT();
            }
            a[hole] = first;
            moved++;
        }""",
}

MOVING_SUMS = {
    "nested": """
        for (I i = 0; i + k <= n; i++) {
            long sum = 0;
            for (I j = i; j < i + k; j++) { sum += (long)a[j]; COUNT(); }
            results[i] = sum;
        }""",
    "slide": """
        long sum = 0;
        for (I i = 0; i < n; i++) {
            sum += (long)a[i];
            if (i >= k) { sum -= (long)a[i - k]; }
            if (i >= k - 1) { results[i - k + 1] = sum; COUNT(); }
        }""",
    "two ends": """
        T *head = a, *tail = a;
        long sum = 0, *out = results;
        while (head < a + k - 1) { sum += (long)*head++; }
        while (head < a + n) {
            sum += (long)*head++;
            *out++ = sum;
            sum -= (long)*tail++;
            COUNT();
        }""",
    "ring": """
        T ring[8] = {0};
        long sum = 0;
        for (I i = 0; i < n; i++) {
            sum -= (long)ring[i % k];
            ring[i % k] = a[i];
            sum += (long)ring[i % k];
            COUNT();
            if (i + 1 >= k) { results[i + 1 - k] = sum; }
        }""",
}

FLOOD_FILL = {
    "recursive": """
        static int fill_from(MAT(T, x), I height, I width, I i, I j) {
            if (i < 0 || j < 0 || i >= height || j >= width || M(x, i, j) != 1) { return 0; }
            M(x, i, j) = 2;
            COUNT();
            return 1 + fill_from(x, height, width, i + 1, j) + fill_from(x, height, width, i - 1, j)
                + fill_from(x, height, width, i, j + 1) + fill_from(x, height, width, i, j - 1);
        }
        ----
        r = fill_from(x, n, m, si, sj);""",
    "stack": """
        int depth = 0;
        stack[depth++] = si * m + sj;
        while (depth > 0) {
            int at = stack[--depth];
            int i = at / m, j = at % m;
            if (M(x, i, j) == 1) {
                M(x, i, j) = 2;
                r++;
                COUNT();
                if (i > 0) { stack[depth++] = at - m; }
                if (j > 0) { stack[depth++] = at - 1; }
                if (i + 1 < n) { stack[depth++] = at + m; }
                if (j + 1 < m) { stack[depth++] = at + 1; }
            }
        }""",
    "sweeps": """
        int changed = 1;
        M(x, si, sj) = 2;
        r = 1;
        for (I i = 0; i < n; i++) {
            for (I j = 0; j < m; j++) { if (M(x, i, j) == 2 && (i != si || j != sj)) { M(x, i, j) = 3; } }
        }
        while (changed) {
            changed = 0;
            for (I i = 0; i < n; i++) {
                for (I j = 0; j < m; j++) {
                    if (M(x, i, j) != 1) { continue; }
                    if ((i > 0 && M(x, i - 1, j) == 2) || (j > 0 && M(x, i, j - 1) == 2)
                        || (i + 1 < n && M(x, i + 1, j) == 2) || (j + 1 < m && M(x, i, j + 1) == 2)) {
                        M(x, i, j) = 2;
                        ANY(r++, changed = 1);
                        COUNT();
                    }
                }
            }
        }
        for (I i = 0; i < n; i++) {
            for (I j = 0; j < m; j++) { if (M(x, i, j) == 3) { M(x, i, j) = 2; } }
        }""",
    "queue": """
        static const int steps_i[] = {0, 1, 0, -1}, steps_j[] = {1, 0, -1, 0};
        ----
        int head = 0, tail = 0;
        ANY(stack[tail++] = si * m + sj, M(x, si, sj) = 2);
        while (head != tail) {
            int i = stack[head] / m, j = stack[head] % m;
            head++;
            for (int d = 0; d < 4; d++) {
                int p = i + steps_i[d], q = j + steps_j[d];
                if (p >= 0 && p < n && q >= 0 && q < m && M(x, p, q) == 1) {
                    M(x, p, q) = 2;
                    stack[tail++] = p * m + q;
                    COUNT();
                }
            }
        }
        r = tail;""",
}

ALGORITHMS = (
    Algorithm("matrix product", MATRIX_PRODUCT, _matrix_product,
              ("short", "int", "long", "float", "double")),
    Algorithm("transpose", TRANSPOSE, _transpose, NUMBERS),
    Algorithm("prefix sums", PREFIX_SUMS, _prefix_sums, NUMBERS),
    Algorithm("histogram", HISTOGRAM, _histogram, NUMBERS),
    Algorithm("game of life", LIFE, _life),
    Algorithm("linear equations", ELIMINATION, _elimination, ("double",)),
    Algorithm("rotation", ROTATION, _rotation, NUMBERS),
    Algorithm("moving sums", MOVING_SUMS, _moving_sums, NUMBERS),
    Algorithm("flood fill", FLOOD_FILL, _flood_fill),
)
