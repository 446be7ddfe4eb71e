//// from zero
sums[0] = 0;
for (I i = 0; i < n; i++) { sums[i + 1] = sums[i] + (long)a[i]; COUNT(); }
for (I i = 0; i < m; i++) {
    int low = F(q, i, low), high = F(q, i, high);
    results[i] = low < high ? sums[high] - sums[low] : 0;
}

//// running
long sum = 0;
for (I i = 0; i < n; i++) { sum += (long)a[i]; sums[i] = sum; COUNT(); }
for (I i = 0; i < m; i++) {
    results[i] = 0;
    if (F(q, i, low) < F(q, i, high)) {
        results[i] = sums[F(q, i, high) - 1];
        if (F(q, i, low) > 0) { results[i] -= sums[F(q, i, low) - 1]; }
    }
}

//// doubling
for (I i = 0; i < n; i++) { sums[i + 1] = (long)a[i]; }
for (int step = 1; step <= n; step *= 2) {
    for (int i = n; i > step; i--) { sums[i] += sums[i - step]; COUNT(); }
}
for (I i = 0; i < m; i++) {
    int low = F(q, i, low), high = F(q, i, high);
    if (high < low) { high = low; }
    results[i] = sums[high] - sums[low];
}

//// from the end
sums[n] = 0;
for (I i = n - 1; i >= 0; i--) { sums[i] = sums[i + 1] + (long)a[i]; COUNT(); }
I done = 0;
while (done < m) {
    int low = F(q, done, low), high = F(q, done, high);
    if (low >= high) { results[done] = 0; } else { results[done] = sums[low] - sums[high]; }
    done++;
}
