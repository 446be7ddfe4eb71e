//// sift in loop
static void sift(T *a, I root, I count) {
    while (2 * root + 1 < count) {
        I child = 2 * root + 1;
        if (child + 1 < count && LT(a[child], a[child + 1])) { child++; }
        if (!(LT(a[root], a[child]))) { return; }
        SWAP(a[root], a[child]);
        root = child;
        COUNT();
    }
}
----
for (I i = n / 2 - 1; i >= 0; i--) { sift(a, i, n); }
for (I end = n - 1; end > 0; end--) {
    SWAP(a[0], a[end]);
    sift(a, 0, end);
}

//// sift recursive
static void heapify(T *a, I count, I root) {
    I top = root, left = PICK(2 * root + 1, root + root + 1), right = left + 1;
    if (left < count && LT(a[top], a[left])) { top = left; }
    if (right < count && LT(a[top], a[right])) { top = right; }
    if (top != root) {
        SWAP(a[root], a[top]);
        COUNT();
        heapify(a, count, top);
    }
}
----
I start = n / 2;
while (start > 0) { start--; heapify(a, n, start); }
I end = n;
while (end > 1) {
    end--;
    SWAP(a[0], a[end]);
    heapify(a, end, 0);
}

//// insert and extract
for (I i = 1; i < n; i++) {
    I child = i;
    while (child > 0 && LT(a[(child - 1) / 2], a[child])) {
        SWAP(a[(child - 1) / 2], a[child]);
        child = (child - 1) / 2;
        COUNT();
    }
}
for (I end = n - 1; end > 0; end--) {
    T item = a[end];
    I hole = 0, child = 1;
    a[end] = a[0];
    while (child < end) {
        if (child + 1 < end && LT(a[child], a[child + 1])) { child++; }
        if (!(LT(item, a[child]))) { break; }
        a[hole] = a[child];
        hole = child;
        child = 2 * hole + 1;
    }
    a[hole] = item;
}
