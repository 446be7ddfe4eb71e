//// shift
for (I i = 1; i < n; i++) {
    T item = a[i];
    I j = i - 1;
    while (j >= 0 && LT(item, a[j])) {
        a[j + 1] = a[j];
        j--;
        COUNT();
    }
    a[j + 1] = item;
}

//// recursive
static void insert_sorted(T *a, I count) {
    if (count < 2) { return; }
    insert_sorted(a, count - 1);
    T item = a[count - 1];
    T *p = a + count - 1;
    while (p > a && LT(item, p[-1])) { *p = p[-1]; p--; COUNT(); }
    *p = item;
}
----
insert_sorted(a, n);

//// swaps
for (I i = 1; i < n; i++) {
    for (I j = i; j > 0 && LT(a[j], a[j - 1]); j--) {
        SWAP(a[j], a[j - 1]);
        COUNT();
    }
}

//// sentinel
I first = 0;
for (I i = 1; i < n; i++) {
    if (LT(a[i], a[first])) { first = i; }
}
SWAP(a[0], a[first]);
for (I i = 2; i < n; i++) {
    T item = a[i];
    T *p = a + i;
    while (LT(item, p[-1])) { *p = p[-1]; p--; COUNT(); }
    *p = item;
}

//// binary insertion
for (I i = 1; i < n; i++) {
    T item = a[i];
    I low = 0, high = i;
    while (low < high) {
        I middle = low + PICK((high - low) / 2, (high - low >> 1));
        if (LT(item, a[middle])) { high = middle; } else { low = middle + 1; }
        COUNT();
    }
    for (I j = i; j > low; j--) { a[j] = a[j - 1]; }
    a[low] = item;
}
