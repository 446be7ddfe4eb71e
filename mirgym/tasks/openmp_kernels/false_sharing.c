/* Neighbouring counters: with small chunks the threads write to the same cache lines. */
#include "kernel.h"

enum { STEPS = 64 };
static long n;
static volatile uint32_t *counter;

long prepare(long size) {
    n = size;
    counter = output(n * sizeof *counter);
    return n;
}

void kernel(void) {
#pragma omp parallel for schedule(runtime)
    for (long i = 0; i < n; i++) {
        counter[i] = 0;
        for (int step = 0; step < STEPS; step++)
            counter[i] += i ^ step;
    }
}
