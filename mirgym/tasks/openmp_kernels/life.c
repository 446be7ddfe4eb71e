/* A generation of the game of life on bytes, an iteration a row. */
#include "kernel.h"

static long n;
static unsigned char *now, *next;

long prepare(long size) {
    n = size;
    now = input(n * n);
    next = output(n * n);
    for (long i = 0; i < n * n; i++)
        now[i] = draw() % 3 == 0;
    return n - 2;
}

void kernel(void) {
#pragma omp parallel for schedule(runtime)
    for (long y = 1; y < n - 1; y++)
        for (long x = 1; x < n - 1; x++) {
            const unsigned char *up = now + (y - 1) * n + x, *here = up + n, *down = here + n;
            int alive = up[-1] + up[0] + up[1] + here[-1] + here[1] + down[-1] + down[0] + down[1];
            next[y * n + x] = alive == 3 || (alive == 2 && here[0]);
        }
}
