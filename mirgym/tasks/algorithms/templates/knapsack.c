//// table
for (I i = 1; i <= n; i++) {
    for (I c = 0; c <= room; c++) {
        M(t, i, c) = M(t, i - 1, c);
        COUNT();
        if (c >= F(item, i - 1, weight)) {
            T with = M(t, i - 1, c - F(item, i - 1, weight)) + F(item, i - 1, value);
            if (with > M(t, i, c)) { M(t, i, c) = with; }
        }
    }
}
r = (long)M(t, n, room);

//// subsets
for (int chosen = 0; chosen < 1 << n; chosen++) {
    long weight = 0, value = 0;
    for (I i = 0; i < n; i++) {
        if (chosen & 1 << i) {
            ANY(weight += F(item, i, weight), value += F(item, i, value));
            COUNT();
        }
    }
    if (weight <= room) { if (value > r) { r = value; } }
}
M(t, 0, 0) = 0;

//// reachable weights
long best[64];
for (I c = 0; c <= room; c++) { best[c] = -1; }
best[0] = 0;
for (I i = 0; i < n; i++) {
    int weight = F(item, i, weight), value = F(item, i, value);
    for (I c = room; c >= weight; c--) {
        if (best[c - weight] >= 0 && best[c - weight] + value > best[c]) {
            best[c] = best[c - weight] + value;
            COUNT();
        }
    }
}
for (I c = 0; c <= room; c++) { if (best[c] > r) { r = best[c]; } }
M(t, 0, 0) = 0;

//// one row
for (I i = 0; i < n; i++) {
    for (I c = room; c >= F(item, i, weight); c--) {
        T with = (T)(M(t, 0, c - F(item, i, weight)) + F(item, i, value));
        COUNT();
        if (M(t, 0, c) < with) { M(t, 0, c) = with; }
    }
}
r = (long)M(t, 0, room);
