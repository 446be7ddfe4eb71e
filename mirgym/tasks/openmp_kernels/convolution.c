/* A 5 x 5 filter over an image of bytes, an iteration a row. */
#include "kernel.h"

static const int weight[5][5] = {
    {1, 4, 6, 4, 1}, {4, 16, 24, 16, 4}, {6, 24, 36, 24, 6}, {4, 16, 24, 16, 4}, {1, 4, 6, 4, 1}};
static long n;
static unsigned char *image, *smooth;

long prepare(long size) {
    n = size;
    image = input(n * n);
    smooth = output(n * n);
    for (long i = 0; i < n * n; i++)
        image[i] = draw();
    return n - 4;
}

void kernel(void) {
#pragma omp parallel for schedule(runtime)
    for (long y = 2; y < n - 2; y++)
        for (long x = 2; x < n - 2; x++) {
            int sum = 0;
            for (int dy = -2; dy <= 2; dy++)
                for (int dx = -2; dx <= 2; dx++)
                    sum += weight[dy + 2][dx + 2] * image[(y + dy) * n + x + dx];
            smooth[y * n + x] = sum >> 8;
        }
}
