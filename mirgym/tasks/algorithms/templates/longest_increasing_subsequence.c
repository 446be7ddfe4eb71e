//// pairs
for (I i = 0; i < n; i++) {
    length[i] = 1;
    for (I j = 0; j < i; j++) {
        COUNT();
        if (a[j] < a[i] && length[j] + 1 > length[i]) { length[i] = length[j] + 1; }
    }
    if (length[i] > r) { r = length[i]; }
}
b[0] = 0;

//// recursive
static int rise_from(T *a, int at, int count, int *known) {
    if (known[at] > 0) { return known[at]; }
    int best = 0;
    for (int j = at + 1; j < count; j++) {
        if (a[at] < a[j]) {
            int here = rise_from(a, j, count, known);
            if (here > best) { best = here; }
        }
    }
    COUNT();
    known[at] = best + 1;
    return best + 1;
}
----
for (I i = 0; i < n; i++) {
    int here = rise_from(a, (int)i, (int)n, length);
    if (here > r) { r = here; }
}
b[0] = 0;

//// linear tails
for (I i = 0; i < n; i++) {
    int at = 0;
    while (at < r && b[at] < a[i]) { at++; COUNT(); }
    b[at] = a[i];
    if (at == r) { r++; }
}
length[0] = r;

//// tails
for (I i = 0; i < n; i++) {
    int low = 0, high = r;
    while (low < high) {
        int middle = (low + high) / 2;
        COUNT();
        if (b[middle] < a[i]) { low = middle + 1; } else { high = middle; }
    }
    b[low] = a[i];
    if (low == r) { r++; }
}
length[0] = r;
