//// low bits first
long base = (long)x % MOD, e = (long)y;
r = 1;
while (e > 0) {
    if (PICK(e % 2 == 1, e & 1)) { r = r * base % MOD; }
    base = base * base % MOD;
    PICK(e /= 2, e >>= 1);
    COUNT();
}

//// recursive
static long power(long base, long e) {
    if (e == 0) { return 1; }
    long half = power(base, e / 2);
    COUNT();
    half = half * half % MOD;
    return e % 2 != 0 ? half * base % MOD : half;
}
----
r = power((long)x, (long)y);

//// repeated
r = 1;
for (T e = 0; e < y; e++) { r = r * (long)x % MOD; COUNT(); }

//// recursive, squared base
static unsigned power(unsigned base, unsigned e, unsigned m) {
    if (e == 0) { return 1 % m; }
    if (e & 1u) { return base * power(base, e - 1, m) % m; }
    COUNT();
    return power(base * base % m, e >> 1, m);
}
----
r = power((unsigned)x % MOD, (unsigned)y, MOD);

//// high bits first
int bit = 0;
while (((long)y >> bit) > 1) { bit++; }
r = 1;
for (; bit >= 0; bit--) {
    r = r * r % MOD;
    if ((long)y >> bit & 1) { r = r * (long)x % MOD; }
    COUNT();
}
