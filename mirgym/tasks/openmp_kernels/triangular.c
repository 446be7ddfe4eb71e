/* Upper triangular matrix times vector: every iteration has less work than the one before. */
#include "kernel.h"

static long n;
static double *a, *x, *y;

long prepare(long size) {
    n = size;
    a = input(n * n * sizeof *a);
    x = input(n * sizeof *x);
    y = output(n * sizeof *y);
    fill(a, n * n);
    fill(x, n);
    return n;
}

void kernel(void) {
#pragma omp parallel for schedule(runtime)
    for (long i = 0; i < n; i++) {
        double sum = 0;
        for (long j = i; j < n; j++)
            sum += a[i * n + j] * x[j];
        y[i] = sum;
    }
}
