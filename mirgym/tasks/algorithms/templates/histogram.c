//// divide
for (I i = 0; i < n; i++) { bins[(int)a[i] / WIDTH]++; COUNT(); }

//// scan
for (int k = 0; k < BINS; k++) {
    for (I i = 0; i < n; i++) {
        if (a[i] >= (T)(k * WIDTH) && (int)a[i] < (k + 1) * WIDTH) { bins[k]++; COUNT(); }
    }
}

//// bounds
each (T x : a, n) {
    int k = 0, bound = WIDTH;
    while ((int)x >= bound) { ANY(k++, bound += WIDTH); COUNT(); }
    bins[k] += 1;
}

//// halving
int bounds[BINS + 1];
for (int k = 0; k <= BINS; k++) { bounds[k] = k * WIDTH; }
for (I i = 0; i < n; i++) {
    int low = 0, high = BINS;
    while (high - low > 1) {
        int middle = (low + high) / 2;
        if ((int)a[i] < bounds[middle]) { high = middle; } else { low = middle; }
        COUNT();
    }
    bins[low]++;
}
