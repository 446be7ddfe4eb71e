/* The largest value and where it first is, under a lock that is seldom needed. */
#include "kernel.h"

static long n;
static uint32_t *values;
static int64_t *found;

long prepare(long size) {
    n = size;
    values = input(n * sizeof *values);
    found = output(2 * sizeof *found);
    for (long i = 0; i < n; i++)
        values[i] = draw() >> 4;
    return n;
}

void kernel(void) {
    int64_t best = -1, place = -1;
#pragma omp parallel for schedule(runtime)
    for (long i = 0; i < n; i++) {
        int64_t known;
#pragma omp atomic read
        known = best;
        if (values[i] < known)
            continue;
#pragma omp critical
        if (values[i] > best || (values[i] == best && i < place)) {
            place = i;
#pragma omp atomic write
            best = values[i];
        }
    }
    found[0] = best;
    found[1] = place;
}
