//// reversed
char digits[32];
int k = 0;
do { digits[k++] = (char)(x % BASE); x /= BASE; COUNT(); } while (x > 0);
while (k > 0) { out[used++] = digits[--k]; }

//// recursive
static int put_digits(long v, signed char *to, int at) {
    if (v >= BASE) { at = put_digits(v / BASE, to, at); }
    to[at] = (signed char)(v % BASE);
    COUNT();
    return at + 1;
}
----
used = put_digits(x, out, used);

//// swap in place
int first = used;
while (x != 0) { out[used++] = (signed char)(x % BASE); x = x / BASE; COUNT(); }
for (int i = first, j = used - 1; i < j; i++, j--) {
    signed char kept = out[i];
    out[i] = out[j];
    out[j] = kept;
}

//// highest power
long unit = 1;
while (unit <= x / BASE) { unit *= BASE; }
for (; unit > 0; unit /= BASE) {
    int digit = 0;
    while (x >= unit) { x -= unit; digit++; COUNT(); }
    out[used++] = (signed char)digit;
}
