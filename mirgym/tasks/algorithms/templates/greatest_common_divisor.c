//// modulo
while (y != 0) { T rest = x % y; x = y; y = rest; COUNT(); }
r = (long)x;

//// recursive
static T divisor(T x, T y) {
    COUNT();
    return y == 0 ? x : divisor(y, x % y);
}
----
r = (long)divisor(x, y);

//// binary
int shift = 0;
while (((x | y) & 1) == 0) { ANY(x = (T)(x / 2), y = (T)(y / 2), shift++); }
while (x != 0) {
    while ((x & 1) == 0) { x = (T)(x / 2); }
    while ((y & 1) == 0) { y = (T)(y / 2); }
    if (x >= y) { x = (T)((x - y) / 2); } else { y = (T)((y - x) / 2); }
    COUNT();
}
r = (long)y << shift;

//// both sides
do {
    if (x > y) { x = (T)(x % y); } else { y = (T)(y % x); }
    COUNT();
} while (x != 0 && y != 0);
r = (long)x + (long)y;

//// subtraction
while (x != y) {
    COUNT();
    if (x > y) { x = (T)(x - y); } else { y = (T)(y - x); }
}
r = (long)x;
