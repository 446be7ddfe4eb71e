/* Solutions of n queens by the places of the first two: few iterations of uneven work. */
#include "kernel.h"

static long n;
static uint64_t *solutions;

static uint64_t count(uint32_t columns, uint32_t left, uint32_t right, uint32_t all) {
    if (columns == all)
        return 1;
    uint64_t sum = 0;
    for (uint32_t free = all & ~(columns | left | right); free; free &= free - 1) {
        uint32_t place = free & -free;
        sum += count(columns | place, (left | place) << 1, (right | place) >> 1, all);
    }
    return sum;
}

long prepare(long size) {
    n = size;
    solutions = output(sizeof *solutions);
    return n * n;
}

void kernel(void) {
    uint32_t all = (1u << n) - 1;
    uint64_t sum = 0;
#pragma omp parallel for schedule(runtime) reduction(+ : sum)
    for (long pair = 0; pair < n * n; pair++) {
        uint32_t first = 1u << pair / n, second = 1u << pair % n;
        if (second & (first | first << 1 | first >> 1))
            continue;
        sum += count(first | second, (first << 1 | second) << 1, (first >> 1 | second) >> 1, all);
    }
    *solutions = sum;
}
