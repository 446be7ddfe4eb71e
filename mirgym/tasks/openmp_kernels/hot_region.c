/* Work only where a mask is set, and that is in the first quarter. */
#include "kernel.h"

enum { STEPS = 40 };
static long n;
static unsigned char *hot;
static double *x, *y;

long prepare(long size) {
    n = size;
    hot = input(n);
    x = input(n * sizeof *x);
    y = output(n * sizeof *y);
    for (long i = 0; i < n; i++)
        hot[i] = i < n / 4 ? draw() % 8 != 0 : draw() % 64 == 0;
    fill(x, n);
    return n;
}

void kernel(void) {
#pragma omp parallel for schedule(runtime)
    for (long i = 0; i < n; i++) {
        double value = x[i];
        if (hot[i])
            for (int step = 0; step < STEPS; step++)
                value = 0.5 * (value + x[i] / value + 0.1);
        y[i] = value;
    }
}
