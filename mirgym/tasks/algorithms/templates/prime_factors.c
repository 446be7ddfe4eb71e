//// divide out
for (long d = 2; d * d <= x; d++) {
    while (x % d == 0) { out[used++] = (int)d; x /= d; COUNT(); }
}
if (x > 1) { out[used++] = (int)x; }

//// one divisor
long d = 2;
while (x > 1) {
    if (x % d == 0) { out[used++] = (int)d; x /= d; } else { d++; COUNT(); }
}

//// recursive
static int append_factors(long v, long d, int *to, int at) {
    COUNT();
    if (v < 2) { return at; }
    if (d * d > v) { to[at] = (int)v; return at + 1; }
    if (v % d == 0) { to[at] = (int)d; return append_factors(v / d, d, to, at + 1); }
    return append_factors(v, d + 1, to, at);
}
----
used = append_factors(x, 2, out, used);

//// two, then odd
while ((x & 1) == 0) { out[used++] = 2; x >>= 1; }
for (int d = 3; x > 1; d += 2) {
    if ((long)d * d > x) { d = (int)x; }
    while (x % d == 0) { out[used++] = d; x /= d; COUNT(); }
}
