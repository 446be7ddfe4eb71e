/* Breadth-first levels of a random graph: one loop over all nodes for each level. */
#include "kernel.h"

enum { DEGREE = 4 };
static long n;
static int *neighbour, *level;

long prepare(long size) {
    n = size;
    neighbour = input(n * DEGREE * sizeof *neighbour);
    level = output(n * sizeof *level);
    for (long k = 0; k < n * DEGREE; k++)
        neighbour[k] = draw() % n;
    return n;
}

void kernel(void) {
    int current = 1, changed = 1;
    memset(level, 0, n * sizeof *level);
    level[0] = 1;
    while (changed) {
        changed = 0;
#pragma omp parallel for schedule(runtime) reduction(| : changed)
        for (long i = 0; i < n; i++) {
            if (level[i])
                continue;
            for (int k = 0; k < DEGREE; k++) {
                int other;
#pragma omp atomic read
                other = level[neighbour[i * DEGREE + k]];
                if (other == current) {
#pragma omp atomic write
                    level[i] = current + 1;
                    changed = 1;
                    break;
                }
            }
        }
        current++;
    }
}
