/* Steps of a heat equation on a line: many short parallel loops one after the other. */
#include "kernel.h"

enum { STEPS = 20 };
static long n;
static double *start, *a, *b;

long prepare(long size) {
    n = size;
    start = input(n * sizeof *start);
    a = output(n * sizeof *a);
    b = output(n * sizeof *b);
    fill(start, n);
    return n - 2;
}

void kernel(void) {
    memcpy(a, start, n * sizeof *a);
    memcpy(b, start, n * sizeof *b);
    for (int step = 0; step < STEPS; step++) {
        double *from = step % 2 ? b : a, *to = step % 2 ? a : b;
#pragma omp parallel for schedule(runtime)
        for (long i = 1; i < n - 1; i++)
            to[i] = from[i] + 0.1 * (from[i - 1] - 2 * from[i] + from[i + 1]);
    }
}
