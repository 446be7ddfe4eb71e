/* Longest common subsequence along diagonals: parallel loops that grow and shrink. */
#include "kernel.h"

static long n;
static unsigned char *a, *b;
static int *length;

long prepare(long size) {
    n = size;
    a = input(n);
    b = input(n);
    length = output((n + 1) * (n + 1) * sizeof *length);
    for (long i = 0; i < n; i++) {
        a[i] = draw() % 4;
        b[i] = draw() % 4;
    }
    return n;
}

void kernel(void) {
    long width = n + 1;
    for (long diagonal = 2; diagonal <= 2 * n; diagonal++) {
        long low = diagonal > n ? diagonal - n : 1, high = diagonal > n ? n : diagonal - 1;
#pragma omp parallel for schedule(runtime)
        for (long i = low; i <= high; i++) {
            long j = diagonal - i;
            int up = length[(i - 1) * width + j], left = length[i * width + j - 1];
            int best = up > left ? up : left;
            if (a[i - 1] == b[j - 1])
                best = length[(i - 1) * width + j - 1] + 1;
            length[i * width + j] = best;
        }
    }
}
