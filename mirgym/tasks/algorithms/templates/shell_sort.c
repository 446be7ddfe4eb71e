//// halving
for (I gap = n / 2; gap > 0; gap /= 2) {
    for (I i = gap; i < n; i++) {
        T item = a[i];
        I j = i;
        while (j >= gap && LT(item, a[j - gap])) {
            a[j] = a[j - gap];
            j -= gap;
            COUNT();
        }
        a[j] = item;
    }
}

//// knuth
I gap = 1;
while (gap < n / 3) { gap = 3 * gap + 1; }
while (gap >= 1) {
    for (I i = gap; i < n; i++) {
        for (I j = i; j >= gap && LT(a[j], a[j - gap]); j -= gap) {
            SWAP(a[j], a[j - gap]);
            COUNT();
        }
    }
    gap = gap / 3;
}

//// table of gaps
static const int gaps[] = {57, 23, 10, 4, 1};
static void sort_chain(T *a, I count, I first, I gap) {
    for (I i = first + gap; i < count; i += gap) {
        T item = a[i];
        I j = i - gap;
        while (j >= 0 && LT(item, a[j])) { a[j + gap] = a[j]; j -= gap; COUNT(); }
        a[j + gap] = item;
    }
}
----
for (int g = 0; g < 5; g++) {
    for (int first = 0; first < gaps[g] && first < n; first++) {
        sort_chain(a, n, first, gaps[g]);
    }
}
