//// recursive
static int fill_from(MAT(T, x), I height, I width, I i, I j) {
    if (i < 0 || j < 0 || i >= height || j >= width || M(x, i, j) != 1) { return 0; }
    M(x, i, j) = 2;
    COUNT();
    return 1 + fill_from(x, height, width, i + 1, j) + fill_from(x, height, width, i - 1, j)
        + fill_from(x, height, width, i, j + 1) + fill_from(x, height, width, i, j - 1);
}
----
r = fill_from(x, n, m, si, sj);

//// stack
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
}

//// sweeps
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
}

//// queue
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
r = tail;
