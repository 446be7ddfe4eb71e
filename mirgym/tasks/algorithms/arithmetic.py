"""Numbers: divisors, powers, roots, digits, bits."""

from __future__ import annotations

import math

from .family import Algorithm, per_query
from .writer import Writer

_WIDE = ("int", "unsigned", "long")


def _top(w: Writer, high: int) -> int:
    return {"signed char": min(high, 120), "short": min(high, 30000)}.get(w.style.element, high)


def _gcd(w: Writer, text: str) -> None:
    high = _top(w, 30000)
    check = """
        if (r < 1 || x % r != 0 || y % r != 0) { FAIL(); }
        else { for (long d = r + 1; d <= x && d < 400; d++) {
            if (x % d == 0 && y % d == 0) { FAIL(); }
        } }"""
    per_query(w, text, {"x": (1, high), "y": (1, high)}, math.gcd, check)


def _modular_power(w: Writer, text: str) -> None:
    modulus = w.rng.choice((97, 1009, 9973, 7919))
    check = f"""
        long slow = 1;
        for (long k = 0; k < (long)y; k++) {{ slow = slow * (long)x % {modulus}; }}
        if (slow != r) {{ FAIL(); }}"""
    text = text.replace("MOD", str(modulus))
    per_query(w, text, {"x": (2, 90), "y": (1, _top(w, 900))}, lambda x, y: pow(x, y, modulus), check)


def _square_root(w: Writer, text: str) -> None:
    check = "if (r * r > (long)x || (r + 1) * (r + 1) <= (long)x) { FAIL(); }"
    per_query(w, text, {"x": (1, _top(w, 30000))}, math.isqrt, check)


def _fibonacci(w: Writer, text: str) -> None:
    def fibonacci(x: int) -> int:
        a, b = 0, 1
        for _ in range(x):
            a, b = b, a + b
        return a

    check = """
        long p = 1, c = 0;
        for (long k = (long)x; k > 0; k--) { c += p; p = c - p; }
        if (c != r) { FAIL(); }"""
    per_query(w, text, {"x": (0, 22)}, fibonacci, check)


def _bit_count(w: Writer, text: str) -> None:
    check = """
        for (unsigned v = (unsigned)x; v != 0; v /= 2) { r -= v % 2; }
        if (r != 0) { FAIL(); }"""
    per_query(w, text, {"x": (0, _top(w, 30000))}, int.bit_count, check)


def _primality(w: Writer, text: str) -> None:
    def prime(x: int) -> int:
        return int(x > 1 and all(x % d for d in range(2, math.isqrt(x) + 1)))

    check = """
        long divisors = 0;
        for (long d = 1; d <= (long)x; d++) { divisors += (long)x % d == 0; }
        if ((divisors == 2) != (r == 1)) { FAIL(); }"""
    per_query(w, text, {"x": (1, _top(w, 3000))}, prime, check)


def _digits(w: Writer, text: str) -> None:
    """Print the digits of numbers in a base; the text appends each to ``out``."""
    base = w.rng.choice((2, 3, 7, 8, 16))
    n = w.size("n", 3, 12)
    numbers = w.input("numbers", "n", 1, _top(w, 30000))
    w.array("out", "signed char", 20 * n)
    text = text.replace("BASE", str(base))
    call = w.call("convert", "long x, signed char *out, int used", text, "int used")
    w.work(f"int used = 0;\neach (T number : numbers, n) {{ long x = (long)number;\n{call} }}")
    w.check("""
        int at = 0;
        each (T number : numbers, n) {
            long value = 0;
            while (value < (long)number && at < used) { value = value * BASE + out[at++]; }
            if (value != (long)number) { FAIL(); }
        }""".replace("BASE", str(base)))
    digits: list[int] = []
    for number in numbers:
        found = []
        while number:
            number, digit = divmod(number, base)
            found.append(digit)
        digits += found[::-1]
    w.show("out", "used", digits)


def _factors(w: Writer, text: str) -> None:
    """Print the prime factors of numbers; the text appends each to ``out``."""
    n = w.size("n", 3, 12)
    numbers = w.input("numbers", "n", 2, _top(w, 9000))
    w.array("out", "int", 16 * n)
    call = w.call("factorise", "long x, int *out, int used", text, "int used")
    w.work(f"int used = 0;\neach (T number : numbers, n) {{ long x = (long)number;\n{call} }}")
    w.check("""
        int at = 0;
        each (T number : numbers, n) {
            long product = 1;
            while (product < (long)number && at < used) {
                for (int d = 2; d * d <= out[at]; d++) {
                    if (out[at] % d == 0) { FAIL(); }
                }
                product *= out[at++];
            }
            if (product != (long)number) { FAIL(); }
        }""")
    factors = []
    for number in numbers:
        d = 2
        while number > 1:
            while number % d == 0:
                factors.append(d)
                number //= d
            d += 1
    w.show("out", "used", factors)


def _sieve(w: Writer, text: str) -> None:
    n = w.size("n", 60, 500)
    w.array("composite", w.rng.choice(("char", "int", "unsigned char", "T")), n + 2)
    w.array("primes", "int", n)
    array = f"{w.arrays['composite']} *composite, int *primes, I n"
    w.work(f"int found = 0;\n{w.call('sieve', array, text, 'int found')}")
    w.check("""
        int at = 0;
        for (I x = 2; x < n; x++) {
            int prime = 1;
            for (I d = 2; d < x && d * d <= x; d++) { if (x % d == 0) { prime = 0; } }
            if (prime && (at >= found || primes[at++] != x)) { FAIL(); }
        }
        if (at != found) { FAIL(); }""")
    primes = [x for x in range(2, n) if all(x % d for d in range(2, math.isqrt(x) + 1))]
    w.show("primes", "found", primes) if w.rng.random() < 0.6 else w.show_value("found", len(primes))


GCD = {
    "modulo": """
        while (y != 0) { T rest = x % y; x = y; y = rest; COUNT(); }
        r = (long)x;""",
    "recursive": """
        static T divisor(T x, T y) {
            COUNT();
            return y == 0 ? x : divisor(y, x % y);
        }
        ----
        r = (long)divisor(x, y);""",
    "binary": """
        int shift = 0;
        while (((x | y) & 1) == 0) { ANY(x = (T)(x / 2), y = (T)(y / 2), shift++); }
        while (x != 0) {
            while ((x & 1) == 0) { x = (T)(x / 2); }
            while ((y & 1) == 0) { y = (T)(y / 2); }
            if (x >= y) { x = (T)((x - y) / 2); } else { y = (T)((y - x) / 2); }
            COUNT();
        }
        r = (long)y << shift;""",
    "both sides": """
        do {
            if (x > y) { x = (T)(x % y); } else { y = (T)(y % x); }
            COUNT();
        } while (x != 0 && y != 0);
        r = (long)x + (long)y;""",
    "subtraction": """
        while (x != y) {
            COUNT();
            if (x > y) { x = (T)(x - y); } else { y = (T)(y - x); }
        }
        r = (long)x;""",
}

MODULAR_POWER = {
    "low bits first": """
        long base = (long)x % MOD, e = (long)y;
        r = 1;
        while (e > 0) {
            if (PICK(e % 2 == 1, e & 1)) { r = r * base % MOD; }
            base = base * base % MOD;
            PICK(e /= 2, e >>= 1);
            COUNT();
        }""",
    "recursive": """
        static long power(long base, long e) {
            if (e == 0) { return 1; }
            long half = power(base, e / 2);
            COUNT();
            half = half * half % MOD;
            return e % 2 != 0 ? half * base % MOD : half;
        }
        ----
        r = power((long)x, (long)y);""",
    "repeated": """
        r = 1;
        for (T e = 0; e < y; e++) { r = r * (long)x % MOD; COUNT(); }""",
    "recursive, squared base": """
        static unsigned power(unsigned base, unsigned e, unsigned m) {
            if (e == 0) { return 1 % m; }
            if (e & 1u) { return base * power(base, e - 1, m) % m; }
            COUNT();
            return power(base * base % m, e >> 1, m);
        }
        ----
        r = power((unsigned)x % MOD, (unsigned)y, MOD);""",
    "high bits first": """
        int bit = 0;
        while (((long)y >> bit) > 1) { bit++; }
        r = 1;
        for (; bit >= 0; bit--) {
            r = r * r % MOD;
            if ((long)y >> bit & 1) { r = r * (long)x % MOD; }
            COUNT();
        }""",
}

SQUARE_ROOT = {
    "integers": """
        long guess = (long)x, next = (guess + 1) / 2;
        while (next < guess) { guess = next; next = (guess + (long)x / guess) / 2; COUNT(); }
        r = guess;""",
    "tolerance": """
        double guess = (double)x / 2 + 1, change = 1;
        while (change > 1e-9 || change < -1e-9) {
            double better = 0.5 * (guess + (double)x / guess);
            change = guess - better;
            guess = better;
            COUNT();
        }
        r = (long)(guess + 1e-7);""",
    "recursive": """
        static double improve(double value, double guess, int left) {
            COUNT();
            return left == 0 ? guess : improve(value, (guess + value / guess) / 2, left - 1);
        }
        ----
        r = (long)(improve((double)x, (double)x, 24) + 1e-7);""",
    "fixed steps": """
        float value = (float)x, guess = value > 1 ? value * 0.5f : 1.0f;
        for (int k = 0; k < 20; k++) { guess -= (guess * guess - value) / (2 * guess); COUNT(); }
        r = (long)guess;
        while (r * r > (long)x) { r--; }
        while ((r + 1) * (r + 1) <= (long)x) { r++; }""",
}

FIBONACCI = {
    "two variables": """
        long before = 1;
        r = 0;
        for (int k = 0; k < (int)x; k++) {
            long sum = r + before;
            before = r;
            r = sum;
            COUNT();
        }""",
    "recursive": """
        static long fibonacci(int k) {
            COUNT();
            if (k < 2) { return k; }
            return fibonacci(k - 1) + fibonacci(k - 2);
        }
        ----
        r = fibonacci((int)x);""",
    "table": """
        long f[32] = {0, 1};
        for (int k = 2; k <= (int)x; k++) { f[k] = f[k - 1] + f[k - 2]; COUNT(); }
        r = f[(int)x];""",
    "memo": """
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
        r = fibonacci((int)x);""",
    "matrix": """
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
        r = q;""",
}

BIT_COUNT = {
    "shift": """
        unsigned v = (unsigned)x;
        while (v != 0) { r += v & 1u; v >>= 1; COUNT(); }""",
    "clear lowest": """
        unsigned v = (unsigned)x;
        while (v) { v &= v - 1; r++; COUNT(); }""",
    "table": """
        static const unsigned char ones[16] = {0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4};
        ----
        for (unsigned v = (unsigned)x; v > 0; v >>= 4) { r += ones[v & 15u]; COUNT(); }""",
    "recursive": """
        static int ones(unsigned v) { COUNT(); return v == 0 ? 0 : (int)(v & 1u) + ones(v >> 1); }
        ----
        r = ones((unsigned)x);""",
    "masks": """
        r = 0;
        for (int bit = 0; bit < 32; bit++) {
            if ((unsigned)x & 1u << bit) { r++; COUNT(); }
        }""",
    "parallel": """
        unsigned v = (unsigned)x;
        v = v - (v >> 1 & 0x55555555u);
        v = (v & 0x33333333u) + (v >> 2 & 0x33333333u);
        v = (v + (v >> 4)) & 0x0f0f0f0fu;
        r = v * 0x01010101u >> 24;""",
}

PRIMALITY = {
    "trial": """
        long v = (long)x;
        r = v > 1;
        for (long d = 2; d * d <= v && r; d++) { COUNT(); if (v % d == 0) { r = 0; } }""",
    "six k": """
        long v = (long)x;
        if (v < 2) { return 0; }
        if (v < 4) { return 1; }
        if (v % 2 == 0 || v % 3 == 0) { return 0; }
        for (long d = 5; d <= v / d; d += 6) {
            COUNT();
            if (v % d == 0 || v % (d + 2) == 0) { return 0; }
        }
        return 1;""",
    "recursive": """
        static int has_divisor(long v, long d) {
            COUNT();
            if (d * d > v) { return 0; }
            return v % d == 0 ? 1 : has_divisor(v, d + 1);
        }
        ----
        r = (long)x > 1 && !has_divisor((long)x, 2);""",
    "odd divisors": """
        int v = (int)x, d = 3;
        r = v == 2 || (v > 2 && v % 2 != 0);
        while (r == 1 && d * d <= v) {
            if (v % d == 0) { r = 0; } else { d += 2; COUNT(); }
        }""",
}

BASE_CONVERSION = {
    "reversed": """
        char digits[32];
        int k = 0;
        do { digits[k++] = (char)(x % BASE); x /= BASE; COUNT(); } while (x > 0);
        while (k > 0) { out[used++] = digits[--k]; }""",
    "recursive": """
        static int put_digits(long v, signed char *to, int at) {
            if (v >= BASE) { at = put_digits(v / BASE, to, at); }
            to[at] = (signed char)(v % BASE);
            COUNT();
            return at + 1;
        }
        ----
        used = put_digits(x, out, used);""",
    "swap in place": """
        int first = used;
        while (x != 0) { out[used++] = (signed char)(x % BASE); x = x / BASE; COUNT(); }
        for (int i = first, j = used - 1; i < j; i++, j--) {
            signed char kept = out[i];
            out[i] = out[j];
            out[j] = kept;
        }""",
    "highest power": """
        long unit = 1;
        while (unit <= x / BASE) { unit *= BASE; }
        for (; unit > 0; unit /= BASE) {
            int digit = 0;
            while (x >= unit) { x -= unit; digit++; COUNT(); }
            out[used++] = (signed char)digit;
        }""",
}

FACTORS = {
    "divide out": """
        for (long d = 2; d * d <= x; d++) {
            while (x % d == 0) { out[used++] = (int)d; x /= d; COUNT(); }
        }
        if (x > 1) { out[used++] = (int)x; }""",
    "one divisor": """
        long d = 2;
        while (x > 1) {
            if (x % d == 0) { out[used++] = (int)d; x /= d; } else { d++; COUNT(); }
        }""",
    "recursive": """
        static int append_factors(long v, long d, int *to, int at) {
            COUNT();
            if (v < 2) { return at; }
            if (d * d > v) { to[at] = (int)v; return at + 1; }
            if (v % d == 0) { to[at] = (int)d; return append_factors(v / d, d, to, at + 1); }
            return append_factors(v, d + 1, to, at);
        }
        ----
        used = append_factors(x, 2, out, used);""",
    "two, then odd": """
        while ((x & 1) == 0) { out[used++] = 2; x >>= 1; }
        for (int d = 3; x > 1; d += 2) {
            if ((long)d * d > x) { d = (int)x; }
            while (x % d == 0) { out[used++] = d; x /= d; COUNT(); }
        }""",
}

SIEVE = {
    "from twice": """
        for (I i = 2; i < n; i++) {
            if (!composite[i]) {
                primes[found++] = (int)i;
                for (int j = 2 * i; j < n; j += i) { composite[j] = 1; COUNT(); }
            }
        }""",
    "from square": """
        for (int i = 2; i * i < n; i++) {
            if (composite[i] == 0) {
                for (int j = i * i; j < n; j += i) { composite[j] = 1; COUNT(); }
            }
        }
        for (I i = 2; i < n; i++) {
            if (composite[i] == 0) { primes[found++] = (int)i; }
        }""",
    "linear": """
        for (int i = 2; i < n; i++) {
            if (!composite[i]) { primes[found++] = i; }
            for (int k = 0; k < found && i * primes[k] < n; k++) {
                composite[i * primes[k]] = 1;
                COUNT();
                if (i % primes[k] == 0) { break; }
            }
        }""",
    "odd numbers": """
        primes[found++] = 2;
        for (int i = 3; i < n; i += 2) {
            if (composite[i / 2]) { continue; }
            primes[found++] = i;
            for (int j = i * i; j < n; j += 2 * i) { composite[j / 2] = 1; COUNT(); }
        }""",
}

ALGORITHMS = (
    Algorithm("greatest common divisor", GCD, _gcd),
    Algorithm("modular power", MODULAR_POWER, _modular_power),
    Algorithm("square root", SQUARE_ROOT, _square_root),
    Algorithm("fibonacci", FIBONACCI, _fibonacci),
    Algorithm("bit count", BIT_COUNT, _bit_count),
    Algorithm("primality test", PRIMALITY, _primality),
    Algorithm("base conversion", BASE_CONVERSION, _digits, _WIDE),
    Algorithm("prime factors", FACTORS, _factors, _WIDE),
    Algorithm("sieve", SIEVE, _sieve),
)
