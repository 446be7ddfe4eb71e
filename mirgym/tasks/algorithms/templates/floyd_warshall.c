//// plain
for (I k = 0; k < n; k++) {
    for (I i = 0; i < n; i++) {
        for (I j = 0; j < n; j++) {
            COUNT();
            if (M(d, i, k) + M(d, k, j) < M(d, i, j)) { M(d, i, j) = M(d, i, k) + M(d, k, j); }
        }
    }
}

//// skip far
for (I k = 0; k < n; k++) {
    for (I i = 0; i < n; i++) {
        T there = M(d, i, k);
        if (there >= 9999 || i == k) { continue; }
        for (I j = 0; j < n; j++) {
            T way = (T)(there + M(d, k, j));
            M(d, i, j) = way < M(d, i, j) ? way : M(d, i, j);
            COUNT();
        }
    }
}

//// repeated squaring
for (int length = 1; length < n; length *= 2) {
    for (I i = 0; i < n; i++) {
        T row[16];
        for (I j = 0; j < n; j++) {
            row[j] = M(d, i, j);
            for (I k = 0; k < n; k++) {
                if (M(d, i, k) + M(d, k, j) < row[j]) { row[j] = M(d, i, k) + M(d, k, j); }
                COUNT();
            }
        }
        for (I j = 0; j < n; j++) { M(d, i, j) = row[j]; }
    }
}
