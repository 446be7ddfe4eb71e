/* Prime numbers three ways: sieve of Eratosthenes, a segmented sieve, and trial
 * division on a wheel; Euler's totients and divisor sums, checked against each other. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { SEGMENT = 4096 };

static void fail(const char *what)
{
    fprintf(stderr, "primes: %s\n", what);
    exit(1);
}

static unsigned char *allocate(size_t size)
{
    unsigned char *memory = calloc(size, 1);
    if (memory == NULL)
        fail("out of memory");
    return memory;
}

/* Marks the composites below limit; returns the number of primes. */
static uint32_t sieve(unsigned char *composite, uint32_t limit)
{
    uint32_t count = 0;
    for (uint32_t i = 2; i < limit; i++) {
        if (composite[i])
            continue;
        count++;
        for (uint64_t j = (uint64_t)i * i; j < limit; j += i)
            composite[j] = 1;
    }
    return count;
}

static uint32_t segmented_count(const unsigned char *composite, uint32_t limit)
{
    unsigned char marks[SEGMENT];
    uint32_t count = 0;
    for (uint32_t low = 2; low < limit; low += SEGMENT) {
        uint32_t high = limit - low < SEGMENT ? limit : low + SEGMENT;
        for (uint32_t i = 0; i < SEGMENT; i++)
            marks[i] = 0;
        for (uint32_t p = 2; (uint64_t)p * p < high; p++) {
            if (composite[p])
                continue;
            uint32_t first = (low + p - 1) / p * p;
            for (uint32_t j = first < p * p ? p * p : first; j < high; j += p)
                marks[j - low] = 1;
        }
        for (uint32_t i = low; i < high; i++)
            count += !marks[i - low];
    }
    return count;
}

static int is_prime(uint32_t n)
{
    static const uint32_t wheel[8] = {4, 2, 4, 2, 4, 6, 2, 6};
    if (n % 2 == 0 || n % 3 == 0 || n % 5 == 0)
        return n == 2 || n == 3 || n == 5;
    unsigned spoke = 0;
    for (uint32_t d = 7; d <= n / d; d += wheel[spoke++ % 8])
        if (n % d == 0)
            return 0;
    return n > 1;
}

static uint32_t totient(uint32_t n)
{
    uint32_t result = n;
    for (uint32_t p = 2; p <= n / p; p++) {
        if (n % p != 0)
            continue;
        while (n % p == 0)
            n /= p;
        result -= result / p;
    }
    return n > 1 ? result - result / n : result;
}

static uint64_t divisor_sum(uint32_t n)
{
    uint64_t sum = 0;
    for (uint32_t d = 1; d <= n / d; d++)
        if (n % d == 0)
            sum += d + (d == n / d ? 0 : n / d);
    return sum;
}

int main(int argc, char **argv)
{
    uint32_t limit = 60000;
    if (argc > 1) {
        char *end;
        errno = 0;
        long value = strtol(argv[1], &end, 10);
        if (errno != 0 || end == argv[1] || *end != '\0' || value < 1 || value > 50000000) {
            fprintf(stderr, "usage: primes [limit from 1 to 50000000]\n");
            return 2;
        }
        limit = (uint32_t)value;
    }
    unsigned char *composite = allocate((size_t)limit + 1);
    uint32_t count = sieve(composite, limit);
    if (count != segmented_count(composite, limit))
        fail("the two sieves disagree");
    uint64_t totients = 0, abundant = 0, twins = 0;
    for (uint32_t n = 2; n < limit; n++) {
        if (is_prime(n) != !composite[n] || (totient(n) == n - 1) != !composite[n])
            fail("a number is prime one way and not the other");
        totients += totient(n);
        abundant += divisor_sum(n) > 2 * (uint64_t)n;
        twins += n > 3 && !composite[n] && !composite[n - 2];
    }
    printf("primes below %u: %u, twins %llu\n", limit, count, (unsigned long long)twins);
    printf("sum of totients: %llu\n", (unsigned long long)totients);
    printf("abundant numbers: %llu\n", (unsigned long long)abundant);
    free(composite);
    return 0;
}
