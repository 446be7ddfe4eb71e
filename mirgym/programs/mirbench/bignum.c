/*
 * Natural numbers of any size: schoolbook and Karatsuba multiplication, Knuth's
 * algorithm D, gcd, Montgomery exponentiation, Miller-Rabin and decimal
 * conversion. Digits of pi from a spigot are compared with Machin's
 * formula, and every fast algorithm with a simple one.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KARATSUBA_MIN = 24, DECIMAL_CHUNK = 9, GUARD_DIGITS = 12 };

static const uint32_t decimal_base = 1000000000;

typedef struct {
    uint32_t *limb; /* least significant first, no leading zeros */
    size_t len;
} Big;

static uint64_t rng_state = 0x9e3779b97f4a7c15u;

static void check(bool ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "bignum: %s\n", what);
        exit(1);
    }
}

static uint32_t next_random(void)
{
    rng_state ^= rng_state << 13;
    rng_state ^= rng_state >> 7;
    rng_state ^= rng_state << 17;
    return (uint32_t)(rng_state >> 32);
}

static void *new_zeroed(size_t count, size_t size)
{
    void *memory = calloc(count + 1, size);
    check(memory != NULL, "out of memory");
    return memory;
}

static Big big_new(size_t len)
{
    return (Big){new_zeroed(len, sizeof(uint32_t)), len};
}

/* The same value, with leading zeros up to len limbs. */
static Big big_padded(const Big *a, size_t len)
{
    Big fresh = big_new(len);
    for (size_t i = 0; i < a->len; i++)
        fresh.limb[i] = a->limb[i];
    return fresh;
}

/* Takes a list that ends with NULL. */
static void free_all(Big *const *list)
{
    for (; *list != NULL; list++)
        free((*list)->limb);
}

/* Moves a fresh value into *out, so that every operation may alias its operands. */
static void big_move(Big *out, Big value)
{
    while (value.len > 0 && value.limb[value.len - 1] == 0)
        value.len--;
    free(out->limb);
    *out = value;
}

static void big_set(Big *out, uint64_t value)
{
    Big fresh = big_new(2);
    fresh.limb[0] = (uint32_t)value;
    fresh.limb[1] = (uint32_t)(value >> 32);
    big_move(out, fresh);
}

static void big_random(Big *out, size_t bits)
{
    Big fresh = big_new((bits + 31) / 32);
    for (size_t i = 0; i < fresh.len; i++)
        fresh.limb[i] = next_random();
    if (bits % 32 != 0)
        fresh.limb[fresh.len - 1] &= (1u << bits % 32) - 1;
    fresh.limb[fresh.len - 1] |= 1u << (bits - 1) % 32;
    big_move(out, fresh);
}

static int big_compare(const Big *a, const Big *b)
{
    if (a->len != b->len)
        return a->len < b->len ? -1 : 1;
    for (size_t i = a->len; i-- > 0;)
        if (a->limb[i] != b->limb[i])
            return a->limb[i] < b->limb[i] ? -1 : 1;
    return 0;
}

static size_t big_bits(const Big *a)
{
    size_t bits = 32 * a->len;
    for (uint32_t top = a->len > 0 ? a->limb[a->len - 1] : 0; top != 0 && top >> 31 == 0; top <<= 1)
        bits--;
    return bits;
}

static unsigned big_bit(const Big *a, size_t index)
{
    return index / 32 < a->len ? a->limb[index / 32] >> index % 32 & 1 : 0;
}

/* x += y, where x has room for the carry; returns the carry out of x. */
static uint32_t limbs_add(uint32_t *x, size_t nx, const uint32_t *y, size_t ny)
{
    uint64_t carry = 0;
    for (size_t i = 0; i < nx && (i < ny || carry != 0); i++) {
        carry += (uint64_t)x[i] + (i < ny ? y[i] : 0);
        x[i] = (uint32_t)carry;
        carry >>= 32;
    }
    return (uint32_t)carry;
}

static uint32_t limbs_sub(uint32_t *x, size_t nx, const uint32_t *y, size_t ny)
{
    uint64_t borrow = 0;
    for (size_t i = 0; i < nx && (i < ny || borrow != 0); i++) {
        uint64_t difference = (uint64_t)x[i] - (i < ny ? y[i] : 0) - borrow;
        x[i] = (uint32_t)difference;
        borrow = difference >> 63;
    }
    return (uint32_t)borrow;
}

static void big_add(Big *out, const Big *a, const Big *b)
{
    Big sum = big_padded(a, (a->len > b->len ? a->len : b->len) + 1);
    limbs_add(sum.limb, sum.len, b->limb, b->len);
    big_move(out, sum);
}

static void big_sub(Big *out, const Big *a, const Big *b)
{
    Big difference = big_padded(a, a->len);
    check(limbs_sub(difference.limb, a->len, b->limb, b->len) == 0, "subtraction went below zero");
    big_move(out, difference);
}

static void big_mul_add_small(Big *out, const Big *a, uint32_t factor, uint32_t addend)
{
    Big product = big_new(a->len + 1);
    uint64_t carry = addend;
    for (size_t i = 0; i < a->len; i++) {
        carry += (uint64_t)a->limb[i] * factor;
        product.limb[i] = (uint32_t)carry;
        carry >>= 32;
    }
    product.limb[a->len] = (uint32_t)carry;
    big_move(out, product);
}

static uint32_t big_div_small(Big *quotient, const Big *a, uint32_t divisor)
{
    Big result = big_new(a->len);
    uint64_t rest = 0;
    for (size_t i = a->len; i-- > 0;) {
        rest = rest << 32 | a->limb[i];
        result.limb[i] = (uint32_t)(rest / divisor);
        rest %= divisor;
    }
    big_move(quotient, result);
    return (uint32_t)rest;
}

static void mul_school(uint32_t *out, const uint32_t *a, size_t na, const uint32_t *b, size_t nb)
{
    memset(out, 0, (na + nb) * sizeof *out);
    for (size_t i = 0; i < na; i++) {
        uint64_t carry = 0;
        for (size_t j = 0; j < nb; j++) {
            carry += (uint64_t)a[i] * b[j] + out[i + j];
            out[i + j] = (uint32_t)carry;
            carry >>= 32;
        }
        out[i + nb] = (uint32_t)carry;
    }
}

/* Both operands have n limbs; scratch needs 6 n + 256. */
static void mul_karatsuba(uint32_t *out, const uint32_t *a, const uint32_t *b, size_t n, uint32_t *scratch)
{
    if (n < KARATSUBA_MIN) {
        mul_school(out, a, n, b, n);
        return;
    }
    size_t low = n / 2, high = n - low, wide = high + 1;
    uint32_t *sum_a = scratch, *sum_b = sum_a + wide, *middle = sum_b + wide, *rest = middle + 2 * wide;

    mul_karatsuba(out, a, b, low, rest);
    mul_karatsuba(out + 2 * low, a + low, b + low, high, rest);
    memcpy(sum_a, a + low, high * sizeof *a);
    memcpy(sum_b, b + low, high * sizeof *b);
    sum_a[high] = 0;
    sum_b[high] = 0;
    limbs_add(sum_a, wide, a, low);
    limbs_add(sum_b, wide, b, low);
    mul_karatsuba(middle, sum_a, sum_b, wide, rest);
    limbs_sub(middle, 2 * wide, out, 2 * low);
    limbs_sub(middle, 2 * wide, out + 2 * low, 2 * high);
    limbs_add(out + low, 2 * n - low, middle, 2 * wide);
}

static void big_mul(Big *out, const Big *a, const Big *b)
{
    size_t n = a->len > b->len ? a->len : b->len, least = a->len + b->len - n;
    if (least < KARATSUBA_MIN || 3 * least < 2 * n) {
        Big product = big_new(a->len + b->len);
        mul_school(product.limb, a->limb, a->len, b->limb, b->len);
        big_move(out, product);
        return;
    }
    Big product = big_new(2 * n);
    uint32_t *work = new_zeroed(8 * n + 256, sizeof *work);
    memcpy(work, a->limb, a->len * sizeof *work);
    memcpy(work + n, b->limb, b->len * sizeof *work);
    mul_karatsuba(product.limb, work, work + n, n, work + 2 * n);
    free(work);
    big_move(out, product);
}

static void big_shift_left(Big *out, const Big *a, size_t bits)
{
    size_t limbs = bits / 32, shift = bits % 32;
    Big shifted = big_new(a->len + limbs + 1);
    for (size_t i = 0; i < a->len; i++) {
        uint64_t wide = (uint64_t)a->limb[i] << shift;
        shifted.limb[i + limbs] |= (uint32_t)wide;
        shifted.limb[i + limbs + 1] = (uint32_t)(wide >> 32);
    }
    big_move(out, shifted);
}

static void big_shift_right(Big *out, const Big *a, size_t bits)
{
    size_t limbs = bits / 32, shift = bits % 32;
    Big shifted = big_new(a->len > limbs ? a->len - limbs : 0);
    for (size_t i = 0; i < shifted.len; i++) {
        uint64_t wide = a->limb[i + limbs];
        if (i + limbs + 1 < a->len)
            wide |= (uint64_t)a->limb[i + limbs + 1] << 32;
        shifted.limb[i] = (uint32_t)(wide >> shift);
    }
    big_move(out, shifted);
}

/* Knuth, The Art of Computer Programming, volume 2, algorithm 4.3.1 D. */
static void big_divmod(Big *quotient, Big *remainder, const Big *a, const Big *b)
{
    check(b->len > 0, "division by zero");
    Big u = {NULL, 0}, v = {NULL, 0}, q = {NULL, 0};
    if (big_compare(a, b) < 0) {
        big_move(&u, big_padded(a, a->len));
    } else if (b->len == 1) {
        big_set(&u, big_div_small(&q, a, b->limb[0]));
    } else {
        size_t shift = 32 * b->len - big_bits(b), n = b->len, m = a->len - n;
        big_shift_left(&v, b, shift);
        big_shift_left(&u, a, shift); /* leaves room for one limb more than a has */
        q = big_new(m + 1);
        for (size_t j = m + 1; j-- > 0;) {
            uint64_t top = (uint64_t)u.limb[j + n] << 32 | u.limb[j + n - 1];
            uint64_t guess = top / v.limb[n - 1], rest = top % v.limb[n - 1];
            while (rest >> 32 == 0 &&
                   (guess >> 32 != 0 || guess * v.limb[n - 2] > (rest << 32 | u.limb[j + n - 2]))) {
                guess--;
                rest += v.limb[n - 1];
            }
            uint64_t carry = 0, borrow = 0;
            for (size_t i = 0; i < n; i++) {
                carry += guess * v.limb[i];
                uint64_t difference = (uint64_t)u.limb[i + j] - (uint32_t)carry - borrow;
                u.limb[i + j] = (uint32_t)difference;
                borrow = difference >> 63;
                carry >>= 32;
            }
            uint64_t difference = (uint64_t)u.limb[j + n] - carry - borrow;
            u.limb[j + n] = (uint32_t)difference;
            if (difference >> 63 != 0) {
                guess--;
                u.limb[j + n] += limbs_add(u.limb + j, n, v.limb, n);
            }
            q.limb[j] = (uint32_t)guess;
        }
        u.len = n;
        big_shift_right(&u, &u, shift);
    }
    big_move(remainder, u);
    if (quotient != NULL)
        big_move(quotient, q);
    free_all((Big *[]){&v, quotient == NULL ? &q : NULL, NULL});
}

static void big_gcd(Big *out, const Big *a, const Big *b)
{
    Big x = {NULL, 0}, y = {NULL, 0};
    big_move(&x, big_padded(a, a->len));
    big_move(&y, big_padded(b, b->len));
    while (y.len > 0) {
        big_divmod(NULL, &x, &x, &y);
        Big swap = x;
        x = y;
        y = swap;
    }
    big_move(out, x);
    free_all((Big *[]){&y, NULL});
}

/* out = a b / 2^(32 n) modulo m, where inverse = -1 / m modulo 2^32; work has 2 n + 1 limbs. */
static void montgomery_mul(uint32_t *out, const uint32_t *a, const uint32_t *b, const Big *m, uint32_t inverse,
                           uint32_t *work)
{
    size_t n = m->len;
    mul_school(work, a, n, b, n);
    work[2 * n] = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t factor = work[i] * inverse, carry_out;
        uint64_t carry = 0;
        for (size_t j = 0; j < n; j++) {
            carry += (uint64_t)factor * m->limb[j] + work[i + j];
            work[i + j] = (uint32_t)carry;
            carry >>= 32;
        }
        carry_out = (uint32_t)carry;
        limbs_add(work + i + n, n - i + 1, &carry_out, 1);
    }
    memcpy(out, work + n, n * sizeof *out);
    if (limbs_sub(work + n, n + 1, m->limb, n) == 0)
        memcpy(out, work + n, n * sizeof *out);
}

/* Square and multiply in Montgomery form; the modulus is odd. */
static void power_mod(Big *out, const Big *base, const Big *exponent, const Big *m)
{
    size_t n = m->len;
    uint32_t inverse = m->limb[0]; /* Newton's iteration for 1 / m modulo 2^32 */
    for (int i = 0; i < 4; i++)
        inverse *= 2 - m->limb[0] * inverse;
    inverse = 0 - inverse;

    Big factor = {NULL, 0}, shifted = {NULL, 0}, work = big_new(2 * n + 1), unit = big_new(n);
    unit.limb[0] = 1;
    big_shift_left(&shifted, base, 32 * n);
    big_divmod(NULL, &shifted, &shifted, m);
    big_move(&factor, big_padded(&shifted, n));
    big_set(&shifted, 1);
    big_shift_left(&shifted, &shifted, 32 * n);
    big_divmod(NULL, &shifted, &shifted, m);
    Big result = big_padded(&shifted, n);
    for (size_t i = big_bits(exponent); i-- > 0;) {
        montgomery_mul(result.limb, result.limb, result.limb, m, inverse, work.limb);
        if (big_bit(exponent, i))
            montgomery_mul(result.limb, result.limb, factor.limb, m, inverse, work.limb);
    }
    montgomery_mul(result.limb, result.limb, unit.limb, m, inverse, work.limb);
    big_move(out, result);
    free_all((Big *[]){&factor, &shifted, &work, &unit, NULL});
}

/* For n above the small primes. */
static bool is_probable_prime(const Big *n, int rounds)
{
    static const uint32_t small_primes[] = {3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47};
    if (n->len == 0 || n->limb[0] % 2 == 0)
        return false;
    Big odd = {NULL, 0}, less_one = {NULL, 0}, x = {NULL, 0};
    bool prime = true;
    for (size_t i = 0; i < sizeof small_primes / sizeof *small_primes && prime; i++)
        prime = big_div_small(&x, n, small_primes[i]) != 0;
    big_move(&less_one, big_padded(n, n->len));
    less_one.limb[0]--;
    size_t twos = 0;
    while (!big_bit(&less_one, twos))
        twos++;
    big_shift_right(&odd, &less_one, twos);
    for (int round = 0; round < rounds && prime; round++) {
        big_set(&x, 2 + next_random() % 1000000);
        power_mod(&x, &x, &odd, n);
        bool passed = (x.len == 1 && x.limb[0] == 1) || big_compare(&x, &less_one) == 0;
        for (size_t i = 1; i < twos && !passed; i++) {
            big_mul(&x, &x, &x);
            big_divmod(NULL, &x, &x, n);
            passed = big_compare(&x, &less_one) == 0;
        }
        prime = passed;
    }
    free_all((Big *[]){&odd, &less_one, &x, NULL});
    return prime;
}

static size_t find_prime(Big *out, size_t bits)
{
    big_random(out, bits);
    out->limb[0] |= 1;
    size_t tried = 1;
    for (; !is_probable_prime(out, 8); tried++)
        big_mul_add_small(out, out, 1, 2);
    return tried;
}

static char *to_decimal(const Big *a)
{
    size_t room = a->len * 10 + DECIMAL_CHUNK + 1, at = room - 1;
    char *text = new_zeroed(room, 1);
    Big rest = {NULL, 0};
    big_move(&rest, big_padded(a, a->len));
    do {
        uint32_t chunk = big_div_small(&rest, &rest, decimal_base);
        for (int i = 0; i < DECIMAL_CHUNK; i++, chunk /= 10)
            text[--at] = (char)('0' + chunk % 10);
    } while (rest.len > 0);
    while (text[at] == '0' && text[at + 1] != '\0')
        at++;
    memmove(text, text + at, room - at);
    free_all((Big *[]){&rest, NULL});
    return text;
}

static void from_decimal(Big *out, const char *text)
{
    big_set(out, 0);
    while (*text != '\0') {
        uint32_t chunk = 0, scale = 1;
        for (; *text != '\0' && scale < decimal_base; text++, scale *= 10)
            chunk = chunk * 10 + (uint32_t)(*text - '0');
        big_mul_add_small(out, out, scale, chunk);
    }
}

static uint32_t hash_big(const Big *a)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < a->len; i++)
        hash = (hash ^ a->limb[i]) * 16777619u;
    return hash ^ hash >> 15;
}

/* The spigot of Rabinowitz and Wagon, with nines held back until a carry is settled. */
static char *pi_by_spigot(size_t digits)
{
    size_t length = digits * 10 / 3 + 2, produced = 0, nines = 0;
    uint32_t *mixed = new_zeroed(length, sizeof *mixed), held = 0;
    char *text = new_zeroed(digits, 1);
    bool started = false;
    for (size_t i = 0; i < length; i++)
        mixed[i] = 2;
    while (produced < digits) {
        uint64_t digit = 0;
        for (size_t i = length; i-- > 0;) {
            uint64_t value = 10 * (uint64_t)mixed[i] + digit * (i + 1);
            uint64_t base = i == 0 ? 10 : 2 * i + 1;
            mixed[i] = (uint32_t)(value % base);
            digit = value / base;
        }
        if (digit == 9) {
            nines++;
            continue;
        }
        uint32_t overflow = digit == 10;
        if (started)
            text[produced++] = (char)('0' + held + overflow);
        for (; nines > 0 && produced < digits; nines--)
            text[produced++] = overflow ? '0' : '9';
        nines = 0;
        held = overflow ? 0 : (uint32_t)digit;
        started = true;
    }
    free(mixed);
    return text;
}

static void arctan_inverse(Big *out, const Big *unit, uint32_t x)
{
    Big power = {NULL, 0}, term = {NULL, 0};
    big_div_small(&power, unit, x);
    big_move(out, big_padded(&power, power.len));
    for (uint32_t k = 1; power.len > 0; k++) {
        big_div_small(&power, &power, x * x);
        big_div_small(&term, &power, 2 * k + 1);
        if (k % 2 != 0)
            big_sub(out, out, &term);
        else
            big_add(out, out, &term);
    }
    free_all((Big *[]){&power, &term, NULL});
}

static void section_pi(size_t digits)
{
    char *spigot = pi_by_spigot(digits);
    Big unit = {NULL, 0}, first = {NULL, 0}, second = {NULL, 0};
    big_set(&unit, 1);
    for (size_t i = 0; i < digits + GUARD_DIGITS; i++)
        big_mul_add_small(&unit, &unit, 10, 0);
    arctan_inverse(&first, &unit, 5);
    arctan_inverse(&second, &unit, 239);
    big_mul_add_small(&first, &first, 16, 0);
    big_mul_add_small(&second, &second, 4, 0);
    big_sub(&first, &first, &second);
    char *machin = to_decimal(&first);
    check(strncmp(spigot, machin, digits) == 0, "the two computations of pi differ");
    from_decimal(&first, spigot);
    printf("pi: %zu digits, ending %s, hash %08x\n", digits, spigot + digits - 10, (unsigned)hash_big(&first));
    free(spigot);
    free(machin);
    free_all((Big *[]){&unit, &first, &second, NULL});
}

static void section_arithmetic(size_t limbs)
{
    Big a = {NULL, 0}, b = {NULL, 0}, fast = {NULL, 0}, q = {NULL, 0}, r = {NULL, 0};
    uint32_t quotients = 0, remainders = 0, products = 0;
    for (size_t round = 0; round < 8; round++) {
        big_random(&a, 32 * limbs - 5 * round);
        big_random(&b, 24 * limbs + 3 * round + 1);
        big_mul(&fast, &a, &b);
        Big slow = big_new(a.len + b.len);
        mul_school(slow.limb, b.limb, b.len, a.limb, a.len);
        big_move(&q, slow);
        check(big_compare(&fast, &q) == 0, "Karatsuba and schoolbook products differ");
        products ^= hash_big(&fast);
        big_divmod(&q, &r, &fast, &b);
        check(big_compare(&q, &a) == 0 && r.len == 0, "exact division failed");
        big_random(&b, 8 * limbs + 77 * round + 40);
        big_divmod(&q, &r, &fast, &b);
        check(big_compare(&r, &b) < 0, "remainder is not reduced");
        quotients += hash_big(&q);
        remainders += hash_big(&r);
        big_mul(&q, &b, &q);
        big_add(&q, &q, &r);
        check(big_compare(&q, &fast) == 0, "quotient times divisor plus remainder differs");
    }
    char *text = to_decimal(&fast);
    from_decimal(&q, text);
    check(big_compare(&q, &fast) == 0, "decimal conversion does not round-trip");
    printf("arithmetic: products %08x, quotients %08x, remainders %08x\n", (unsigned)products, (unsigned)quotients,
           (unsigned)remainders);
    printf("decimal: %zu digits, starting %.20s\n", strlen(text), text);
    free(text);
    free_all((Big *[]){&a, &b, &fast, &q, &r, NULL});
}

static void section_primes(size_t bits)
{
    Big p = {NULL, 0}, q = {NULL, 0}, n = {NULL, 0}, x = {NULL, 0}, y = {NULL, 0}, z = {NULL, 0};
    printf("mersenne:");
    big_set(&n, 127);
    for (size_t exponent = 7; exponent <= 127; exponent++, big_mul_add_small(&n, &n, 2, 1))
        if (is_probable_prime(&n, 4))
            printf(" %zu", exponent);

    size_t tried = find_prime(&p, bits) + find_prime(&q, bits + 16);
    big_mul(&n, &p, &q);
    check(!is_probable_prime(&n, 8), "a product of two primes passed Miller-Rabin");
    big_gcd(&x, &n, &p);
    check(big_compare(&x, &p) == 0, "gcd missed a factor");
    big_random(&x, bits);
    big_sub(&y, &n, &p); /* Euler: x^(n - p - q + 2) = x modulo n = p q */
    big_sub(&y, &y, &q);
    big_mul_add_small(&y, &y, 1, 2);
    power_mod(&z, &x, &y, &n);
    check(big_compare(&z, &x) == 0, "Euler's theorem fails");
    power_mod(&z, &x, &p, &n);
    printf("\nprimes: %zu candidates, product of %zu bits, power %08x\n", tried, big_bits(&n),
           (unsigned)hash_big(&z));
    free_all((Big *[]){&p, &q, &n, &x, &y, &z, NULL});
}

int main(int argc, char **argv)
{
    long size = 1500;
    if (argc > 1) {
        char *end;
        size = strtol(argv[1], &end, 10);
        if (end == argv[1] || *end != '\0' || size < 20 || size > 20000) {
            fprintf(stderr, "bignum: size must be a number from 20 to 20000, not '%s'\n", argv[1]);
            return 2;
        }
    }
    section_pi((size_t)size);
    section_arithmetic((size_t)size / 4 + 4);
    section_primes((size_t)size / 6 + 32);
    return 0;
}
