/* A histogram of its own for each row of an image. */
#include "kernel.h"

enum { BINS = 256, WIDTH = 2048 };
static long n;
static unsigned char *pixels;
static uint16_t *count;

long prepare(long size) {
    n = size;
    pixels = input(n * WIDTH);
    count = output(n * BINS * sizeof *count);
    for (long i = 0; i < n * WIDTH; i++)
        pixels[i] = draw();
    return n;
}

void kernel(void) {
#pragma omp parallel for schedule(runtime)
    for (long row = 0; row < n; row++) {
        uint16_t *own = count + row * BINS;
        for (int i = 0; i < BINS; i++)
            own[i] = 0;
        for (int i = 0; i < WIDTH; i++)
            own[pixels[row * WIDTH + i]]++;
    }
}
