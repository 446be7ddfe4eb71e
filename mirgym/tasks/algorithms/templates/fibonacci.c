//// two variables
long before = 1;
r = 0;
for (int k = 0; k < (int)x; k++) {
    long sum = r + before;
    before = r;
    r = sum;
    COUNT();
}

//// recursive
static long fibonacci(int k) {
    COUNT();
    if (k < 2) { return k; }
    return fibonacci(k - 1) + fibonacci(k - 2);
}
----
r = fibonacci((int)x);

//// table
long f[32] = {0, 1};
for (int k = 2; k <= (int)x; k++) { f[k] = f[k - 1] + f[k - 2]; COUNT(); }
r = f[(int)x];

//// memo
static long known[64];
static long fibonacci(int k) {
    if (k < 2) { return k; }
    if (known[k] == 0) {
        known[k] = fibonacci(k - 2) + fibonacci(k - 1);
        COUNT();
    }
    return known[k];
}
----
r = fibonacci((int)x);

//// matrix
long a = 1, b = 1, d = 0, p = 1, q = 0, s = 1;
int e = (int)x;
while (e > 0) {
    if (e & 1) {
        long np = p * a + q * b, nq = p * b + q * d;
        s = q * b + s * d;
        ANY(p = np, q = nq);
    }
    long na = a * a + b * b, nb = a * b + b * d, nd = b * b + d * d;
    ANY(a = na, b = nb, d = nd);
    e /= 2;
    COUNT();
}
r = q;
