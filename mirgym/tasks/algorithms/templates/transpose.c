//// copy
for (I i = 0; i < n; i++) {
    for (I j = 0; j < n; j++) { PICK({M(y, i, j) = M(x, j, i);}, {M(y, j, i) = M(x, i, j);}); COUNT(); }
}

//// copy, then swap
for (I i = 0; i < n; i++) {
    for (I j = 0; j < n; j++) { M(y, i, j) = M(x, i, j); }
}
for (I i = 0; i < n; i++) {
    for (I j = i + 1; j < n; j++) { SWAP(M(y, i, j), M(y, j, i)); COUNT(); }
}

//// diagonals
for (I d = 0; d < 2 * n - 1; d++) {
    for (I i = 0; i < n; i++) {
        if (d - i >= 0 && d - i < n) { M(y, d - i, i) = M(x, i, d - i); COUNT(); }
    }
}

//// halves
for (I i = 0; i < n; i++) {
    M(y, i, i) = M(x, i, i);
    for (I j = 0; j < i; j++) {
        ANY(M(y, i, j) = M(x, j, i), M(y, j, i) = M(x, i, j));
        COUNT();
    }
}
