/* Mean of five neighbours on a plane, an iteration a row. */
#include "kernel.h"

static long n;
static double *a, *b;

long prepare(long size) {
    n = size;
    a = input(n * n * sizeof *a);
    b = output(n * n * sizeof *b);
    fill(a, n * n);
    return n - 2;
}

void kernel(void) {
#pragma omp parallel for schedule(runtime)
    for (long i = 1; i < n - 1; i++)
        for (long j = 1; j < n - 1; j++)
            b[i * n + j] = 0.2 * (a[i * n + j] + a[i * n + j - 1] + a[i * n + j + 1] +
                                  a[(i - 1) * n + j] + a[(i + 1) * n + j]);
}
