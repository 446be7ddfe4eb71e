/* Greatest common divisors of random pairs: division, and loops of unknown length. */
#include "kernel.h"

static long n;
static uint32_t *a, *b, *divisor;

long prepare(long size) {
    n = size;
    a = input(n * sizeof *a);
    b = input(n * sizeof *b);
    divisor = output(n * sizeof *divisor);
    for (long i = 0; i < n; i++) {
        a[i] = draw();
        b[i] = draw() >> draw() % 28;
    }
    return n;
}

void kernel(void) {
#pragma omp parallel for schedule(runtime)
    for (long i = 0; i < n; i++) {
        uint32_t x = a[i], y = b[i];
        while (y) {
            uint32_t rest = x % y;
            x = y;
            y = rest;
        }
        divisor[i] = x;
    }
}
