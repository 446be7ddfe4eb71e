//// kadane
long ending = (long)a[0];
r = ending;
for (I i = 1; i < n; i++) {
    COUNT();
    if (ending < 0) { ending = (long)a[i]; } else { ending += (long)a[i]; }
    if (ending > r) { r = ending; }
}

//// all pairs
r = (long)a[0];
for (I i = 0; i < n; i++) {
    long sum = 0;
    for (I j = i; j < n; j++) {
        sum += (long)a[j];
        COUNT();
        if (r < sum) { r = sum; }
    }
}

//// halves
static long best_between(T *a, I low, I high) {
    if (high - low == 1) { return (long)a[low]; }
    I middle = (low + high) / 2;
    long left = best_between(a, low, middle), right = best_between(a, middle, high);
    long sum = (long)a[middle], across = sum, best = sum;
    for (I i = middle + 1; i < high; i++) {
        sum += (long)a[i];
        if (sum > across) { across = sum; }
    }
    sum = across;
    best = across;
    for (I i = middle - 1; i >= low; i--) {
        sum += (long)a[i];
        if (sum > best) { best = sum; }
    }
    COUNT();
    if (left > best) { best = left; }
    return right > best ? right : best;
}
----
r = best_between(a, 0, n);

//// prefix minimum
long sum = 0, least = 0;
r = (long)a[0];
each (T x : a, n) {
    sum += (long)x;
    if (sum - least > r) { r = sum - least; }
    if (sum < least) { least = sum; COUNT(); }
}
