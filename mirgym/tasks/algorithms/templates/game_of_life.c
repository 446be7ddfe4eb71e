//// bounds in loops
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
}
for (I i = 0; i < n; i++) {
    for (I j = 0; j < m; j++) { M(x, i, j) = M(y, i, j); }
}

//// torus
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
}
for (I i = 0; i < n; i++) {
    for (I j = 0; j < m; j++) { M(x, i, j) = M(y, i, j); }
}

//// table of steps
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
}
for (I i = 0; i < n; i++) {
    for (I j = 0; j < m; j++) { M(x, i, j) = M(y, i, j); }
}

//// scatter
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
}
