/* All shortest paths: a parallel loop over rows for each node on the way. */
#include "kernel.h"

static long n;
static int *edge, *distance;

long prepare(long size) {
    n = size;
    edge = input(n * n * sizeof *edge);
    distance = output(n * n * sizeof *distance);
    for (long i = 0; i < n * n; i++)
        edge[i] = draw() % 8 ? 1000000 : 1 + draw() % 100;
    return n;
}

void kernel(void) {
    memcpy(distance, edge, n * n * sizeof *distance);
    for (long k = 0; k < n; k++) {
#pragma omp parallel for schedule(runtime)
        for (long i = 0; i < n; i++) {
            if (i == k)
                continue;
            int first = distance[i * n + k];
            for (long j = 0; j < n; j++) {
                int through = first + distance[k * n + j];
                if (through < distance[i * n + j])
                    distance[i * n + j] = through;
            }
        }
    }
}
