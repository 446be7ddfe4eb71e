/* Walks until a barrier is reached, by a generator of its own for each walk. */
#include "kernel.h"

enum { BARRIER = 12, MOST = 2000 };
static long n;
static int *length;

long prepare(long size) {
    n = size;
    length = output(n * sizeof *length);
    return n;
}

void kernel(void) {
#pragma omp parallel for schedule(runtime)
    for (long walk = 0; walk < n; walk++) {
        uint64_t state = 6364136223846793005u * (walk + 1);
        int place = 0, step = 0;
        while (step < MOST && place > -BARRIER && place < BARRIER) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            place += state >> 63 ? 1 : -1;
            step++;
        }
        length[walk] = step;
    }
}
