/* Pairs in the wrong order: every iteration has more work than the one before. */
#include "kernel.h"

static long n;
static uint32_t *values;
static uint64_t *count;

long prepare(long size) {
    n = size;
    values = input(n * sizeof *values);
    count = output(sizeof *count);
    for (long i = 0; i < n; i++)
        values[i] = draw();
    return n;
}

void kernel(void) {
    uint64_t sum = 0;
#pragma omp parallel for schedule(runtime) reduction(+ : sum)
    for (long i = 0; i < n; i++)
        for (long j = 0; j < i; j++)
            sum += values[j] > values[i];
    *count = sum;
}
