/* a x + y: regular, little work for each iteration. */
#include "kernel.h"

static long n;
static double *x, *y, *z;

long prepare(long size) {
    n = size;
    x = input(n * sizeof *x);
    y = input(n * sizeof *y);
    z = output(n * sizeof *z);
    fill(x, n);
    fill(y, n);
    return n;
}

void kernel(void) {
#pragma omp parallel for schedule(runtime)
    for (long i = 0; i < n; i++)
        z[i] = 2.5 * x[i] + y[i];
}
