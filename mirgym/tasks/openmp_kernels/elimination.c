/* LU decomposition: for each column a parallel loop over the rows below, ever fewer. */
#include "kernel.h"

static long n;
static double *matrix, *a;

long prepare(long size) {
    n = size;
    matrix = input(n * n * sizeof *matrix);
    a = output(n * n * sizeof *a);
    fill(matrix, n * n);
    for (long i = 0; i < n; i++)
        matrix[i * n + i] += n;
    return n - 1;
}

void kernel(void) {
    memcpy(a, matrix, n * n * sizeof *a);
    for (long k = 0; k < n - 1; k++) {
#pragma omp parallel for schedule(runtime)
        for (long i = k + 1; i < n; i++) {
            double factor = a[i * n + k] / a[k * n + k];
            a[i * n + k] = factor;
            for (long j = k + 1; j < n; j++)
                a[i * n + j] -= factor * a[k * n + j];
        }
    }
}
