//// bits
for (int chosen = 0; chosen < 1 << n; chosen++) {
    long sum = 0;
    for (I i = 0; i < n; i++) { if (chosen >> i & 1) { sum += (long)a[i]; COUNT(); } }
    if (sum == goal) { r++; }
}
ways[0] = r;

//// recursive
static long subsets(T *a, int left, long rest) {
    COUNT();
    if (left == 0) { return rest == 0; }
    return subsets(a, left - 1, rest) + subsets(a, left - 1, rest - (long)a[left - 1]);
}
----
r = subsets(a, (int)n, (long)goal);
ways[0] = r;

//// gray code
long sum = 0;
int inside[16] = {0};
for (int turn = 0; turn < 1 << n; turn++) {
    if (sum == goal) { r++; }
    int bit = 0;
    while (bit < n - 1 && !(turn >> bit & 1 ^ 1)) { bit++; }
    sum += inside[bit] ? -(long)a[bit] : (long)a[bit];
    inside[bit] ^= 1;
    COUNT();
}
ways[0] = sum;

//// table
ways[0] = 1;
for (I i = 0; i < n; i++) {
    for (I sum = goal; sum >= (I)a[i]; sum--) { ways[sum] += ways[sum - (I)a[i]]; COUNT(); }
}
r = ways[goal];
