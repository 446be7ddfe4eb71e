//// trial
long v = (long)x;
r = v > 1;
for (long d = 2; d * d <= v && r; d++) { COUNT(); if (v % d == 0) { r = 0; } }

//// six k
long v = (long)x;
if (v < 2) { return 0; }
if (v < 4) { return 1; }
if (v % 2 == 0 || v % 3 == 0) { return 0; }
for (long d = 5; d <= v / d; d += 6) {
    COUNT();
    if (v % d == 0 || v % (d + 2) == 0) { return 0; }
}
return 1;

//// recursive
static int has_divisor(long v, long d) {
    COUNT();
    if (d * d > v) { return 0; }
    return v % d == 0 ? 1 : has_divisor(v, d + 1);
}
----
r = (long)x > 1 && !has_divisor((long)x, 2);

//// odd divisors
int v = (int)x, d = 3;
r = v == 2 || (v > 2 && v % 2 != 0);
while (r == 1 && d * d <= v) {
    if (v % d == 0) { r = 0; } else { d += 2; COUNT(); }
}
