//// top down
static void merge_sort(T *a, T *b, I low, I high) {
    if (high - low < 2) { return; }
    I middle = low + (high - low) / 2;
    ANY(merge_sort(a, b, low, middle), merge_sort(a, b, middle, high));
    I i = low, j = middle, k = low;
    while (i < middle && j < high) {
        COUNT();
        if (LT(a[j], a[i])) { b[k++] = a[j++]; } else { b[k++] = a[i++]; }
    }
    while (i < middle) { b[k++] = a[i++]; }
    while (j < high) { b[k++] = a[j++]; }
    for (k = low; k < high; k++) { a[k] = b[k]; }
}
----
merge_sort(a, b, 0, n);

//// halves
static void merge_sort(T *a, I count, T *b) {
    I half = count / 2;
    if (half > 0) {
        merge_sort(a, half, b);
        merge_sort(a + half, count - half, b);
        memcpy(b, a, (unsigned long)half * sizeof(T));
        T *left = b, *right = a + half, *out = a;
        while (left < b + half) {
            COUNT();
            if (right < a + count && LT(*right, *left)) { *out++ = *right++; }
            else { *out++ = *left++; }
        }
    }
}
----
merge_sort(a, n, b);

//// bottom up
for (I width = 1; width < n; width *= 2) {
    for (I low = 0; low < n; low += 2 * width) {
        I middle = low + width < n ? low + width : n;
        I high = low + 2 * width < n ? low + 2 * width : n;
        I i = low, j = middle;
        for (I k = low; k < high; k++) {
            COUNT();
            if (i < middle && (j >= high || !(LT(a[j], a[i])))) { b[k] = a[i++]; }
            else { b[k] = a[j++]; }
        }
    }
    for (I k = 0; k < n; k++) { a[k] = b[k]; }
}
