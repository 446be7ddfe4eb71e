//// nested
for (I i = 0; i + k <= n; i++) {
    long sum = 0;
    for (I j = i; j < i + k; j++) { sum += (long)a[j]; COUNT(); }
    results[i] = sum;
}

//// slide
long sum = 0;
for (I i = 0; i < n; i++) {
    sum += (long)a[i];
    if (i >= k) { sum -= (long)a[i - k]; }
    if (i >= k - 1) { results[i - k + 1] = sum; COUNT(); }
}

//// two ends
T *head = a, *tail = a;
long sum = 0, *out = results;
while (head < a + k - 1) { sum += (long)*head++; }
while (head < a + n) {
    sum += (long)*head++;
    *out++ = sum;
    sum -= (long)*tail++;
    COUNT();
}

//// ring
T ring[8] = {0};
long sum = 0;
for (I i = 0; i < n; i++) {
    sum -= (long)ring[i % k];
    ring[i % k] = a[i];
    sum += (long)ring[i % k];
    COUNT();
    if (i + 1 >= k) { results[i + 1 - k] = sum; }
}
