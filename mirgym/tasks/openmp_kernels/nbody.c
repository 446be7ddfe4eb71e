/* Forces between all pairs of bodies; square root and division. */
#include "kernel.h"

static long n;
static double *x, *y, *mass, *force;

long prepare(long size) {
    n = size;
    x = input(n * sizeof *x);
    y = input(n * sizeof *y);
    mass = input(n * sizeof *mass);
    force = output(2 * n * sizeof *force);
    fill(x, n);
    fill(y, n);
    fill(mass, n);
    return n;
}

void kernel(void) {
#pragma omp parallel for schedule(runtime)
    for (long i = 0; i < n; i++) {
        double fx = 0, fy = 0;
        for (long j = 0; j < n; j++) {
            double dx = x[j] - x[i], dy = y[j] - y[i];
            double square = dx * dx + dy * dy + 0.01;
            double pull = mass[j] / (square * __builtin_sqrt(square));
            fx += pull * dx;
            fy += pull * dy;
        }
        force[2 * i] = fx;
        force[2 * i + 1] = fy;
    }
}
