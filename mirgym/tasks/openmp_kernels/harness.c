/* Times a kernel under several configurations that take turns.
 *
 * harness SIZE ROUNDS MILLISECONDS CONFIGURATION...
 *
 * A configuration is THREADS:KIND:CHUNK; KIND is omp_sched_t's number, CHUNK 0 the default.
 * How often the kernel runs for one time is doubled until the first configuration takes
 * MILLISECONDS. Then each round runs all of them, every second round in reverse order.
 * Prints "iterations bytes repeats checksum", then a line a round with nanoseconds for each
 * configuration. Ends with 1 when results differ. */
#include "kernel.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* Of omp.h, which not every clang brings. */
void omp_set_num_threads(int threads);
void omp_set_schedule(int kind, int chunk);
void omp_set_dynamic(int dynamic);

enum { MOST_OUTPUTS = 8, MOST_CONFIGURATIONS = 64, MOST_REPEATS = 1 << 24, PARTS = 32, PATIENCE = 20 };

typedef struct {
    int threads, kind, chunk;
} Configuration;

static struct {
    uint64_t *start;
    size_t words;
} outputs[MOST_OUTPUTS];
static int output_count;
static size_t bytes_in_use;
static uint64_t state = 88172645463325252u;

void *input(size_t bytes) {
    bytes = (bytes + 7) / 8 * 8;
    void *memory = calloc(bytes, 1);
    if (!memory) {
        fprintf(stderr, "no memory for %zu bytes\n", bytes);
        exit(2);
    }
    bytes_in_use += bytes;
    return memory;
}

void *output(size_t bytes) {
    if (output_count == MOST_OUTPUTS)
        abort();
    outputs[output_count].start = input(bytes);
    outputs[output_count].words = (bytes + 7) / 8;
    return outputs[output_count++].start;
}

uint32_t draw(void) { /* xorshift64*, Vigna 2016 */
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (uint32_t)((state * 2685821657736338717u) >> 32);
}

void fill(double *values, long n) {
    for (long i = 0; i < n; i++)
        values[i] = draw() / 4294967296.0;
}

static void clear(void) {
    for (int i = 0; i < output_count; i++)
        memset(outputs[i].start, 0, 8 * outputs[i].words);
}

static uint64_t checksum(void) { /* FNV-1a over words */
    uint64_t sum = 14695981039346656037u;
    for (int i = 0; i < output_count; i++)
        for (size_t k = 0; k < outputs[i].words; k++)
            sum = (sum ^ outputs[i].start[k]) * 1099511628211u;
    return sum;
}

static double nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1e9 + now.tv_nsec;
}

/* Nanoseconds of a run, the mean of so many; of fewer when they take longer than the limit:
 * where another process has a core, threads that wait for each other take very long. */
static double timed(Configuration configuration, long repeats, double limit) {
    clear();
    omp_set_num_threads(configuration.threads);
    omp_set_schedule(configuration.kind, configuration.chunk);
    kernel(); /* threads start, caches fill */
    long part = (repeats + PARTS - 1) / PARTS, done = 0;
    double start = nanoseconds(), passed = 0;
    do {
        for (long i = 0; i < part; i++)
            kernel();
        done += part;
        passed = nanoseconds() - start;
    } while (done < repeats && passed < limit);
    return passed / done;
}

int main(int argc, char **argv) {
    Configuration configurations[MOST_CONFIGURATIONS];
    double ns[MOST_CONFIGURATIONS];
    int count = argc - 4;
    if (count < 1 || count > MOST_CONFIGURATIONS) {
        fprintf(stderr, "usage: harness SIZE ROUNDS MILLISECONDS THREADS:KIND:CHUNK...\n");
        return 2;
    }
    for (int i = 0; i < count; i++) {
        Configuration *one = &configurations[i];
        if (sscanf(argv[i + 4], "%d:%d:%d", &one->threads, &one->kind, &one->chunk) != 3) {
            fprintf(stderr, "%s is not THREADS:KIND:CHUNK\n", argv[i + 4]);
            return 2;
        }
    }
    int rounds = atoi(argv[2]);
    double enough = atof(argv[3]) * 1e6, limit = PATIENCE * enough;
    omp_set_dynamic(0);
    long iterations = prepare(atol(argv[1]));
    long repeats = 1;
    while (timed(configurations[0], repeats, limit) * repeats < enough && repeats < MOST_REPEATS)
        repeats *= 2;
    uint64_t expected = checksum();
    printf("%ld %zu %ld %016" PRIx64 "\n", iterations, bytes_in_use, repeats, expected);
    for (int round = 0; round < rounds; round++) {
        for (int k = 0; k < count; k++) {
            int i = round % 2 ? count - 1 - k : k;
            ns[i] = timed(configurations[i], repeats, limit);
            if (checksum() != expected) {
                fprintf(stderr, "%s gives another result\n", argv[i + 4]);
                return 1;
            }
        }
        for (int i = 0; i < count; i++)
            printf("%.1f%c", ns[i], i + 1 < count ? ' ' : '\n');
    }
    return 0;
}
