//// quickselect
I low = 0, high = n - 1;
while (low < high) {
    T pivot = b[PICK((low + high) / 2, k)];
    I i = low, j = high;
    do {
        while (b[i] < pivot) { i++; }
        while (pivot < b[j]) { j--; }
        if (i <= j) { SWAP(b[i], b[j]); ANY(i++, j--); COUNT(); }
    } while (i <= j);
    if (j < k) { low = i; }
    if (k < i) { high = j; }
}
r = b[k];

//// partial selection
for (I i = 0; i <= k; i++) {
    I best = i;
    for (I j = i + 1; j < n; j++) {
        COUNT();
        if (b[j] < b[best]) { best = j; }
    }
    SWAP(b[i], b[best]);
}
r = b[k];

//// ranks
for (I i = 0; i < n; i++) {
    I rank = 0;
    for (I j = 0; j < n; j++) {
        if (b[j] < b[i]) { rank++; } else { if (b[j] == b[i] && j < i) { rank++; } }
    }
    COUNT();
    if (rank == k) { r = b[i]; }
}

//// recursive
static T select_from(T *b, I low, I high, I rank) {
    if (low == high) { return b[low]; }
    I at = low;
    for (I j = low; j < high; j++) {
        if (b[j] < b[high]) { SWAP(b[at], b[j]); at++; COUNT(); }
    }
    SWAP(b[at], b[high]);
    if (at == rank) { return b[at]; }
    if (rank < at) { return select_from(b, low, at - 1, rank); }
    return select_from(b, at + 1, high, rank);
}
----
r = select_from(b, 0, n - 1, k);
