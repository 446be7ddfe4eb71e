//// row by column
for (I i = 0; i < n; i++) {
    for (I j = 0; j < k; j++) {
        T sum = 0;
        for (I l = 0; l < m; l++) { sum += M(x, i, l) * M(y, l, j); COUNT(); }
        M(z, i, j) = sum;
    }
}

//// in place sum
for (I i = 0; i < n; i++) {
    for (I l = 0; l < m; l++) {
        T factor = M(x, i, l);
        if (factor != 0) {
            for (I j = 0; j < k; j++) { M(z, i, j) += factor * M(y, l, j); COUNT(); }
        }
    }
}

//// blocks
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
}

//// columns first
for (I j = k - 1; j >= 0; j--) {
    T column[8];
    for (I l = 0; l < m; l++) { column[l] = M(y, l, j); }
    for (I i = 0; i < n; i++) {
        M(z, i, j) = 0;
        for (I l = 0; l < m; l++) { M(z, i, j) += M(x, i, l) * column[l]; COUNT(); }
    }
}
