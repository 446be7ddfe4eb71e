/* Dynamic programming: a parallel loop over the capacities for each thing. */
#include "kernel.h"

enum { THINGS = 24 };
static long n;
static int weight[THINGS], worth[THINGS];
static int *a, *b;

long prepare(long size) {
    n = size;
    a = output(n * sizeof *a);
    b = output(n * sizeof *b);
    for (int i = 0; i < THINGS; i++) {
        weight[i] = 1 + draw() % (n / 4 + 1);
        worth[i] = 1 + draw() % 1000;
    }
    return n;
}

void kernel(void) {
    memset(a, 0, n * sizeof *a);
    for (int thing = 0; thing < THINGS; thing++) {
        const int *from = thing % 2 ? b : a;
        int *to = thing % 2 ? a : b, heavy = weight[thing], good = worth[thing];
#pragma omp parallel for schedule(runtime)
        for (long room = 0; room < n; room++) {
            int with = room >= heavy ? from[room - heavy] + good : 0;
            to[room] = with > from[room] ? with : from[room];
        }
    }
}
