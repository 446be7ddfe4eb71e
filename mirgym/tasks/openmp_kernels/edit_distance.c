/* Edit distance of pairs of words whose length grows with their number. */
#include "kernel.h"

enum { LONGEST = 128 };
static long n;
static unsigned char *words;
static int *distance;

long prepare(long size) {
    n = size;
    words = input(2 * n * LONGEST);
    distance = output(n * sizeof *distance);
    for (long i = 0; i < 2 * n * LONGEST; i++)
        words[i] = draw() % 4;
    return n;
}

void kernel(void) {
#pragma omp parallel for schedule(runtime)
    for (long pair = 0; pair < n; pair++) {
        const unsigned char *a = words + 2 * pair * LONGEST, *b = a + LONGEST;
        int length = 8 + (int)(pair * (LONGEST - 8) / n), row[LONGEST + 1];
        for (int j = 0; j <= length; j++)
            row[j] = j;
        for (int i = 1; i <= length; i++) {
            int corner = row[0];
            row[0] = i;
            for (int j = 1; j <= length; j++) {
                int best = corner + (a[i - 1] != b[j - 1]);
                corner = row[j];
                if (row[j] + 1 < best)
                    best = row[j] + 1;
                if (row[j - 1] + 1 < best)
                    best = row[j - 1] + 1;
                row[j] = best;
            }
        }
        distance[pair] = row[length];
    }
}
