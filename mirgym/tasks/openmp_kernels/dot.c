/* Dot product of integers: a reduction that streams through memory. */
#include "kernel.h"

static long n;
static int32_t *x, *y;
static int64_t *product;

long prepare(long size) {
    n = size;
    x = input(n * sizeof *x);
    y = input(n * sizeof *y);
    product = output(sizeof *product);
    for (long i = 0; i < n; i++) {
        x[i] = draw() % 1000;
        y[i] = draw() % 1000;
    }
    return n;
}

void kernel(void) {
    int64_t sum = 0;
#pragma omp parallel for schedule(runtime) reduction(+ : sum)
    for (long i = 0; i < n; i++)
        sum += (int64_t)x[i] * y[i];
    *product = sum;
}
