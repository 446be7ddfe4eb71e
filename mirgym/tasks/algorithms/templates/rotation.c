//// copy
for (I i = 0; i < n; i++) { PICK({b[i] = a[(i + k) % n];}, {b[(i + n - k) % n] = a[i];}); }
for (I i = 0; i < n; i++) { a[i] = b[i]; COUNT(); }

//// three reversals
static void reverse(T *low, T *high) {
    while (low < high) {
        SWAP(*low, *high);
        ANY(low++, high--);
        COUNT();
    }
}
----
ANY(reverse(a, a + k - 1), reverse(a + k, a + n - 1));
reverse(a, a + n - 1);

//// one by one
for (I t = 0; t < k; t++) {
    T first = a[0];
    for (I i = 1; i < n; i++) { a[i - 1] = a[i]; COUNT(); }
    a[n - 1] = first;
}

//// save the head
for (I i = 0; i < k; i++) { b[i] = a[i]; }
for (I i = k; i < n; i++) { a[i - k] = a[i]; COUNT(); }
for (I i = 0; i < k; i++) { a[n - k + i] = b[i]; }

//// cycles
I moved = 0;
for (I start = 0; moved < n; start++) {
    T first = a[start];
    I hole = start, next = (start + k) % n;
    while (next != start) {
        a[hole] = a[next];
        hole = next;
        next = (next + k) % n;
        moved++;
        COUNT();
    }
    a[hole] = first;
    moved++;
}
