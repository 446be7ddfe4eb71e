/* Segmented sieve, an iteration a segment: few iterations of like size. */
#include "kernel.h"

enum { SEGMENT = 16384, ROOT = 1024 };
static long n;
static int small[ROOT], small_count;
static int *count;

long prepare(long size) {
    n = size;
    count = output(n * sizeof *count);
    for (int i = 2; i < ROOT; i++) {
        int prime = 1;
        for (int k = 0; k < small_count && prime; k++)
            prime = i % small[k] != 0;
        if (prime)
            small[small_count++] = i;
    }
    return n;
}

void kernel(void) {
#pragma omp parallel for schedule(runtime)
    for (long segment = 0; segment < n; segment++) {
        unsigned char composite[SEGMENT] = {0};
        long low = segment * SEGMENT;
        for (int k = 0; k < small_count; k++) {
            long p = small[k];
            long first = low <= p * p ? p * p : (low + p - 1) / p * p;
            for (long m = first - low; m < SEGMENT; m += p)
                composite[m] = 1;
        }
        int primes = 0;
        for (long m = 0; m < SEGMENT; m++)
            primes += !composite[m];
        count[segment] = primes;
    }
}
