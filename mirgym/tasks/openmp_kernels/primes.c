/* Trial division: a prime takes much longer than other numbers, and later ones longer. */
#include "kernel.h"

static long n;
static uint64_t *count;

long prepare(long size) {
    n = size;
    count = output(sizeof *count);
    return n;
}

void kernel(void) {
    uint64_t found = 0;
#pragma omp parallel for schedule(runtime) reduction(+ : found)
    for (long i = 2; i < n + 2; i++) {
        int prime = 1;
        for (long d = 2; d * d <= i && prime; d++)
            prime = i % d != 0;
        found += prime;
    }
    *count = found;
}
