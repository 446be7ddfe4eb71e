/* A step of PageRank that pulls along edges; in-degrees fall with a node's number. */
#include "kernel.h"

static long n;
static int *start, *source;
static double *rank, *next;

long prepare(long size) {
    n = size;
    start = input((n + 1) * sizeof *start);
    for (long i = 0; i < n; i++)
        start[i + 1] = start[i] + 1 + (int)(draw() % (2 + 16 * (n - i) / n));
    source = input(start[n] * sizeof *source);
    rank = input(n * sizeof *rank);
    next = output(n * sizeof *next);
    for (long k = 0; k < start[n]; k++)
        source[k] = draw() % n;
    fill(rank, n);
    return n;
}

void kernel(void) {
#pragma omp parallel for schedule(runtime)
    for (long i = 0; i < n; i++) {
        double sum = 0;
        for (int k = start[i]; k < start[i + 1]; k++)
            sum += rank[source[k]];
        next[i] = 0.15 / n + 0.85 * sum;
    }
}
