/* Steps until a point escapes, an iteration a row; the middle rows take the longest. */
#include "kernel.h"

enum { STEPS = 200 };
static long n;
static int *steps;

long prepare(long size) {
    n = size;
    steps = output(n * n * sizeof *steps);
    return n;
}

void kernel(void) {
#pragma omp parallel for schedule(runtime)
    for (long row = 0; row < n; row++)
        for (long column = 0; column < n; column++) {
            double re = 3.0 * column / n - 2.2, im = 2.4 * row / n - 0.3;
            double x = 0, y = 0;
            int step = 0;
            while (step < STEPS && x * x + y * y < 4) {
                double next = x * x - y * y + re;
                y = 2 * x * y + im;
                x = next;
                step++;
            }
            steps[row * n + column] = step;
        }
}
