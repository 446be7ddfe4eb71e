//// swaps
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
used[0] = r;

//// marks
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
choose(a, order, used, 0, (int)n, &r);

//// heap
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
}

//// next in order
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
used[0] = r;
