/* Values from random places of a table. */
#include "kernel.h"

static long n;
static int *place;
static double *table, *picked;

long prepare(long size) {
    n = size;
    place = input(n * sizeof *place);
    table = input(n * sizeof *table);
    picked = output(n * sizeof *picked);
    for (long i = 0; i < n; i++)
        place[i] = draw() % n;
    fill(table, n);
    return n;
}

void kernel(void) {
#pragma omp parallel for schedule(runtime)
    for (long i = 0; i < n; i++)
        picked[i] = table[place[i]];
}
