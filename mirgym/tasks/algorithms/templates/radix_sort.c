//// two digits
for (int shift = 0; shift < 8; shift += PICK(4, 2)) {
    PICK(memset(count, 0, 17 * sizeof(int));, for (int d = 0; d < 17; d++) { count[d] = 0; });
    for (I i = 0; i < n; i++) { count[((int)a[i] >> shift & 15) + 1]++; }
    for (int d = 0; d < 16; d++) { count[d + 1] += count[d]; }
    for (I i = 0; i < n; i++) { b[count[(int)a[i] >> shift & 15]++] = a[i]; COUNT(); }
    for (I i = 0; i < n; i++) { a[i] = b[i]; }
}

//// decimal
for (int unit = 1; unit <= TOP; unit *= 10) {
    int start[11] = {0};
    each (T x : a, n) { start[(int)x / unit % 10 + 1]++; }
    for (int d = 1; d < 10; d++) { start[d] += start[d - 1]; }
    each (T x : a, n) {
        int digit = (int)x / unit % 10;
        b[start[digit]] = x;
        start[digit] += 1;
    }
    memcpy(a, b, (unsigned long)n * sizeof(T));
}

//// bits
for (int bit = 1; bit <= TOP; bit <<= 1) {
    I zeros = 0, ones = 0;
    for (I i = 0; i < n; i++) {
        COUNT();
        if ((int)a[i] & bit) { b[ones++] = a[i]; } else { a[zeros++] = a[i]; }
    }
    for (I i = 0; i < ones; i++) { a[zeros + i] = b[i]; }
}
