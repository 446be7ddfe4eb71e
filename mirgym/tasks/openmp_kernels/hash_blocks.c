/* A hash of each block: long iterations of equal work, one step depends on the last. */
#include "kernel.h"

enum { BLOCK = 512 };
static long n;
static uint32_t *words, *hash;

long prepare(long size) {
    n = size;
    words = input(n * BLOCK * sizeof *words);
    hash = output(n * sizeof *hash);
    for (long i = 0; i < n * BLOCK; i++)
        words[i] = draw();
    return n;
}

void kernel(void) {
#pragma omp parallel for schedule(runtime)
    for (long block = 0; block < n; block++) {
        uint32_t sum = 2166136261u;
        for (int i = 0; i < BLOCK; i++)
            sum = (sum ^ words[block * BLOCK + i]) * 16777619u;
        hash[block] = sum;
    }
}
