/* Product of two square matrices, an iteration a row. */
#include "kernel.h"

static long n;
static double *a, *b, *c;

long prepare(long size) {
    n = size;
    a = input(n * n * sizeof *a);
    b = input(n * n * sizeof *b);
    c = output(n * n * sizeof *c);
    fill(a, n * n);
    fill(b, n * n);
    return n;
}

void kernel(void) {
#pragma omp parallel for schedule(runtime)
    for (long i = 0; i < n; i++) {
        for (long j = 0; j < n; j++)
            c[i * n + j] = 0;
        for (long k = 0; k < n; k++)
            for (long j = 0; j < n; j++)
                c[i * n + j] += a[i * n + k] * b[k * n + j];
    }
}
