/* Counters that all threads share, by atomic additions. */
#include "kernel.h"

enum { BINS = 256 };
static long n;
static unsigned char *values;
static uint32_t *count;

long prepare(long size) {
    n = size;
    values = input(n);
    count = output(BINS * sizeof *count);
    for (long i = 0; i < n; i++)
        values[i] = draw() & draw();
    return n;
}

void kernel(void) {
    memset(count, 0, BINS * sizeof *count);
#pragma omp parallel for schedule(runtime)
    for (long i = 0; i < n; i++) {
#pragma omp atomic
        count[values[i]]++;
    }
}
