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
    per_query(
        w, text, {"x": (2, 90), "y": (1, _top(w, 900))}, lambda x, y: pow(x, y, modulus), check
    )


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
    w.check(
        """
        int at = 0;
        each (T number : numbers, n) {
            long value = 0;
            while (value < (long)number && at < used) { value = value * BASE + out[at++]; }
            if (value != (long)number) { FAIL(); }
        }""".replace("BASE", str(base))
    )
    digits: list[int] = []
    for number in numbers:
        powers = [base**k for k in range(16) if base**k <= number]
        digits += [number // power % base for power in reversed(powers)]
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
    w.show("out", "used", [factor for number in numbers for factor in _prime_factors(number)])


def _prime_factors(x: int) -> list[int]:
    least = next((d for d in range(2, x) if x % d == 0), x)
    return [x] if least == x else [least, *_prime_factors(x // least)]


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
    w.show("primes", "found", primes) if w.rng.random() < 0.6 else w.show_value(
        "found", len(primes)
    )


ALGORITHMS = (
    Algorithm("greatest common divisor", _gcd),
    Algorithm("modular power", _modular_power),
    Algorithm("square root", _square_root),
    Algorithm("fibonacci", _fibonacci),
    Algorithm("bit count", _bit_count),
    Algorithm("primality test", _primality),
    Algorithm("base conversion", _digits, _WIDE),
    Algorithm("prime factors", _factors, _WIDE),
    Algorithm("sieve", _sieve),
)
