/* A polynomial of high degree at each point: regular and bound by arithmetic. */
#include "kernel.h"

enum { DEGREE = 32 };
static long n;
static double *x, *y, coefficient[DEGREE];

long prepare(long size) {
    n = size;
    x = input(n * sizeof *x);
    y = output(n * sizeof *y);
    fill(x, n);
    fill(coefficient, DEGREE);
    return n;
}

void kernel(void) {
#pragma omp parallel for schedule(runtime)
    for (long i = 0; i < n; i++) {
        double value = 0;
        for (int k = 0; k < DEGREE; k++)
            value = value * x[i] + coefficient[k];
        y[i] = value;
    }
}
