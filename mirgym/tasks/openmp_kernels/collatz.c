/* Length of each number's Collatz sequence: irregular, without memory. */
#include "kernel.h"

static long n;
static int *length;

long prepare(long size) {
    n = size;
    length = output(n * sizeof *length);
    return n;
}

void kernel(void) {
#pragma omp parallel for schedule(runtime)
    for (long i = 0; i < n; i++) {
        uint64_t value = i + 1;
        int steps = 0;
        while (value != 1) {
            value = value % 2 ? 3 * value + 1 : value / 2;
            steps++;
        }
        length[i] = steps;
    }
}
