/* How often a word stands in each of many texts of very different length. */
#include "kernel.h"

static const char word[] = "abca";
static long n;
static int *start, *count;
static char *text;

long prepare(long size) {
    n = size;
    start = input((n + 1) * sizeof *start);
    count = output(n * sizeof *count);
    for (long i = 0; i < n; i++)
        start[i + 1] = start[i] + 16 + (draw() % 16 ? draw() % 64 : draw() % 4096);
    text = input(start[n]);
    for (long i = 0; i < start[n]; i++)
        text[i] = 'a' + draw() % 3;
    return n;
}

void kernel(void) {
#pragma omp parallel for schedule(runtime)
    for (long i = 0; i < n; i++) {
        int found = 0;
        for (int at = start[i]; at + 4 <= start[i + 1]; at++) {
            int same = 0;
            while (same < 4 && text[at + same] == word[same])
                same++;
            found += same == 4;
        }
        count[i] = found;
    }
}
