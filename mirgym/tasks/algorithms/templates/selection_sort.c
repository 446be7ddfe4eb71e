//// smallest
for (I i = 0; i < n - 1; i++) {
    I best = i;
    for (I j = i + 1; j < n; j++) {
        COUNT();
        if (LT(a[j], a[best])) { best = j; }
    }
    if (best != i) { SWAP(a[i], a[best]); }
}

//// largest last
for (I end = n - 1; end > 0; end--) {
    I best = 0;
    for (I j = 1; j <= end; j++) {
        if (LT(a[best], a[j])) { best = j; COUNT(); }
    }
    SWAP(a[end], a[best]);
}

//// pointers
T *stop = a + n;
for (T *p = a; p < stop; p++) {
    T *best = p;
    for (T *q = p + 1; q < stop; q++) {
        COUNT();
        if (LT(*q, *best)) { best = q; }
    }
    SWAP(*p, *best);
}

//// both ends
I low = 0, high = n - 1;
while (low < high) {
    I least = low, most = low;
    for (I j = low; j <= high; j++) {
        if (LT(a[j], a[least])) { least = j; }
        if (LT(a[most], a[j])) { most = j; }
        COUNT();
    }
    SWAP(a[low], a[least]);
    if (most == low) { most = least; }
    SWAP(a[high], a[most]);
    ANY(low++, high--);
}
