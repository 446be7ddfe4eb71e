/* Sparse matrix (CSR) times vector; the first rows are by far the longest. */
#include "kernel.h"

static long n;
static int *start, *column;
static double *value, *x, *y;

long prepare(long size) {
    n = size;
    start = input((n + 1) * sizeof *start);
    for (long i = 0; i < n; i++)
        start[i + 1] = start[i] + 2 + (int)(8 * n / (10 * i + n / 20 + 1));
    column = input(start[n] * sizeof *column);
    value = input(start[n] * sizeof *value);
    x = input(n * sizeof *x);
    y = output(n * sizeof *y);
    for (long k = 0; k < start[n]; k++)
        column[k] = draw() % n;
    fill(value, start[n]);
    fill(x, n);
    return n;
}

void kernel(void) {
#pragma omp parallel for schedule(runtime)
    for (long i = 0; i < n; i++) {
        double sum = 0;
        for (int k = start[i]; k < start[i + 1]; k++)
            sum += value[k] * x[column[k]];
        y[i] = sum;
    }
}
