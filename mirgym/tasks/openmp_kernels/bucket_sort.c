/* Insertion sort of many buckets, a few of which are long. */
#include "kernel.h"

static long n;
static int *start;
static uint32_t *unsorted, *sorted;

long prepare(long size) {
    n = size;
    start = input((n + 1) * sizeof *start);
    for (long i = 0; i < n; i++)
        start[i + 1] = start[i] + (draw() % 20 ? 4 + draw() % 12 : 100 + draw() % 100);
    unsorted = input(start[n] * sizeof *unsorted);
    sorted = output(start[n] * sizeof *sorted);
    for (long i = 0; i < start[n]; i++)
        unsorted[i] = draw();
    return n;
}

void kernel(void) {
#pragma omp parallel for schedule(runtime)
    for (long bucket = 0; bucket < n; bucket++)
        for (int i = start[bucket]; i < start[bucket + 1]; i++) {
            uint32_t value = unsorted[i];
            int at = i;
            while (at > start[bucket] && sorted[at - 1] > value) {
                sorted[at] = sorted[at - 1];
                at--;
            }
            sorted[at] = value;
        }
}
