/*
 * Sorting algorithms on integers (quicksort, heapsort, bottom-up merge sort,
 * shell sort, LSD radix sort) over several input patterns, then comparator
 * based sorts on records: introsort, insertion and merge sort, counting
 * comparisons, heapsort fallbacks and violations of stability.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INSERTION_LIMIT = 16, RADIX_BITS = 8, RADIX_SIZE = 1 << RADIX_BITS };
typedef void (*IntSort)(int32_t *a, size_t n);

struct record {
    int32_t key;
    uint32_t order;
    char tag[8];
};

typedef int (*RecordCompare)(const struct record *a, const struct record *b);
typedef void (*RecordSort)(struct record *a, size_t n, RecordCompare compare);

static uint64_t rng_state;
static uint64_t comparisons;
static unsigned heap_fallbacks;

static void fail(const char *what, const char *detail)
{
    fprintf(stderr, "sorting: %s: %s\n", what, detail);
    exit(1);
}

static void *allocate(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    if (memory == NULL)
        fail("allocation", "out of memory");
    return memory;
}

/* xorshift64*, upper half. */
static uint32_t random_u32(void)
{
    rng_state ^= rng_state >> 12;
    rng_state ^= rng_state << 25;
    rng_state ^= rng_state >> 27;
    return (uint32_t)((rng_state * 0x2545f4914f6cdd1du) >> 32);
}

static void swap_ints(int32_t *a, int32_t *b)
{
    int32_t t = *a;
    *a = *b;
    *b = t;
}

static void insertion_sort(int32_t *a, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        int32_t value = a[i];
        size_t j = i;
        for (; j > 0 && a[j - 1] > value; j--)
            a[j] = a[j - 1];
        a[j] = value;
    }
}

/* Hoare partition around the median of three; recurses on the smaller part. */
static void quicksort(int32_t *a, size_t n)
{
    while (n > INSERTION_LIMIT) {
        size_t mid = n / 2;
        if (a[mid] < a[0])
            swap_ints(&a[mid], &a[0]);
        if (a[n - 1] < a[0])
            swap_ints(&a[n - 1], &a[0]);
        if (a[n - 1] < a[mid])
            swap_ints(&a[n - 1], &a[mid]);

        int32_t pivot = a[mid];
        size_t left = 0, right = n - 1;
        for (;;) {
            while (a[left] < pivot)
                left++;
            while (pivot < a[right])
                right--;
            if (left >= right)
                break;
            swap_ints(&a[left++], &a[right--]);
        }
        /* a[0..left) <= pivot <= a[left..n), and both parts are non-empty. */
        if (left < n - left) {
            quicksort(a, left);
            a += left;
            n -= left;
        } else {
            quicksort(a + left, n - left);
            n = left;
        }
    }
    insertion_sort(a, n);
}

static void sift_down(int32_t *a, size_t root, size_t n)
{
    int32_t value = a[root];
    for (size_t child; (child = 2 * root + 1) < n; root = child) {
        if (child + 1 < n && a[child + 1] > a[child])
            child++;
        if (a[child] <= value)
            break;
        a[root] = a[child];
    }
    a[root] = value;
}

static void heapsort_ints(int32_t *a, size_t n)
{
    for (size_t i = n / 2; i-- > 0;)
        sift_down(a, i, n);
    while (n > 1) {
        n--;
        swap_ints(&a[0], &a[n]);
        sift_down(a, 0, n);
    }
}

static void merge_sort(int32_t *a, size_t n)
{
    int32_t *buffer = allocate(n, sizeof *buffer);
    int32_t *from = a, *to = buffer;
    for (size_t width = 1; width < n; width *= 2) {
        for (size_t start = 0; start < n; start += 2 * width) {
            size_t mid = start + width < n ? start + width : n;
            size_t end = mid + width < n ? mid + width : n;
            size_t left = start, right = mid;
            for (size_t k = start; k < end; k++) {
                if (left < mid && (right >= end || from[left] <= from[right]))
                    to[k] = from[left++];
                else
                    to[k] = from[right++];
            }
        }
        int32_t *t = from;
        from = to;
        to = t;
    }
    if (from != a)
        memcpy(a, from, n * sizeof *a);
    free(buffer);
}

/* Gaps after Tokuda: h = ceil(9h/4) approximately. */
static void shell_sort(int32_t *a, size_t n)
{
    size_t gaps[64], levels = 0;
    for (size_t gap = 1; gap < n; gap = gap * 9 / 4 + 2)
        gaps[levels++] = gap;
    while (levels-- > 0) {
        size_t gap = gaps[levels];
        for (size_t i = gap; i < n; i++) {
            int32_t value = a[i];
            size_t j = i;
            for (; j >= gap && a[j - gap] > value; j -= gap)
                a[j] = a[j - gap];
            a[j] = value;
        }
    }
}

/* Flipping the sign bit makes unsigned digit order match signed order. */
static unsigned radix_digit(int32_t value, unsigned shift)
{
    return (((uint32_t)value ^ 0x80000000u) >> shift) & (RADIX_SIZE - 1u);
}

static void radix_pass(const int32_t *from, int32_t *to, size_t n, unsigned shift)
{
    size_t position[RADIX_SIZE] = {0};
    for (size_t i = 0; i < n; i++)
        position[radix_digit(from[i], shift)]++;
    size_t sum = 0;
    for (size_t d = 0; d < RADIX_SIZE; d++) {
        size_t bucket = position[d];
        position[d] = sum;
        sum += bucket;
    }
    for (size_t i = 0; i < n; i++)
        to[position[radix_digit(from[i], shift)]++] = from[i];
}

static void radix_sort(int32_t *a, size_t n)
{
    int32_t *buffer = allocate(n, sizeof *buffer);
    for (unsigned shift = 0; shift < 32; shift += 2 * RADIX_BITS) {
        radix_pass(a, buffer, n, shift);
        radix_pass(buffer, a, n, shift + RADIX_BITS);
    }
    free(buffer);
}

static int32_t pattern_value(unsigned pattern, size_t i, size_t n)
{
    switch (pattern) {
    case 0: return (int32_t)(random_u32() >> 1) - 0x40000000;
    case 1: return (int32_t)i;
    case 2: return (int32_t)(n - i);
    case 3: return (int32_t)(random_u32() % 7) - 3;
    case 4: return (int32_t)(i % 64) - (int32_t)(i / 64 % 5);
    default: return random_u32() % 100 == 0 ? (int32_t)(random_u32() % n) : (int32_t)i;
    }
}

/* Independent of the order of the elements. */
static uint64_t multiset_digest(const int32_t *a, size_t n)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += ((uint32_t)a[i] ^ 0x9e3779b9u) * ((uint64_t)(uint32_t)a[i] | 0x100000001u);
    return sum;
}

static void run_int_sorts(size_t n)
{
    static const struct {
        const char *name;
        IntSort sort;
    } sorts[] = {
        {"quicksort", quicksort},   {"heapsort", heapsort_ints}, {"merge sort", merge_sort},
        {"shell sort", shell_sort}, {"radix sort", radix_sort},
    };
    static const char *const patterns[] = {"random",       "ascending", "descending",
                                           "few distinct", "sawtooth",  "nearly sorted"};
    int32_t *input = allocate(n, sizeof *input);
    int32_t *work = allocate(n, sizeof *work);
    for (unsigned p = 0; p < sizeof patterns / sizeof patterns[0]; p++) {
        rng_state = 0x1234567887654321u + p;
        for (size_t i = 0; i < n; i++)
            input[i] = pattern_value(p, i, n);
        uint64_t digest = multiset_digest(input, n);
        for (size_t s = 0; s < sizeof sorts / sizeof sorts[0]; s++) {
            memcpy(work, input, n * sizeof *work);
            sorts[s].sort(work, n);
            for (size_t i = 1; i < n; i++)
                if (work[i - 1] > work[i])
                    fail("not sorted", sorts[s].name);
            if (multiset_digest(work, n) != digest)
                fail("elements were lost", sorts[s].name);
        }
        printf("%-14s min %d, median %d, max %d, digest %016llx\n", patterns[p], (int)work[0],
               (int)work[n / 2], (int)work[n - 1], (unsigned long long)digest);
    }
    free(work);
    free(input);
}

static int compare_keys(const struct record *a, const struct record *b)
{
    comparisons++;
    return (a->key > b->key) - (a->key < b->key);
}

static int compare_tags(const struct record *a, const struct record *b)
{
    comparisons++;
    return strcmp(a->tag, b->tag);
}

static void swap_records(struct record *a, struct record *b)
{
    struct record t = *a;
    *a = *b;
    *b = t;
}

static void record_insertion(struct record *a, size_t n, RecordCompare compare)
{
    for (size_t i = 1; i < n; i++) {
        struct record value = a[i];
        size_t j = i;
        for (; j > 0 && compare(&a[j - 1], &value) > 0; j--)
            a[j] = a[j - 1];
        a[j] = value;
    }
}

static void record_heapsort(struct record *a, size_t n, RecordCompare compare)
{
    size_t start = n / 2;
    while (n > 1) {
        if (start > 0)
            start--;
        else
            swap_records(&a[0], &a[--n]);
        size_t root = start, child;
        while ((child = 2 * root + 1) < n) {
            if (child + 1 < n && compare(&a[child], &a[child + 1]) < 0)
                child++;
            if (compare(&a[root], &a[child]) >= 0)
                break;
            swap_records(&a[root], &a[child]);
            root = child;
        }
    }
}

static void introsort_level(struct record *a, size_t n, RecordCompare compare, int depth)
{
    while (n > INSERTION_LIMIT) {
        if (depth-- == 0) {
            heap_fallbacks++;
            record_heapsort(a, n, compare);
            return;
        }
        /* Three-way partition around the median of three. */
        const struct record *low_end = &a[0], *mid = &a[n / 2], *high_end = &a[n - 1];
        if (compare(low_end, high_end) > 0) {
            low_end = high_end;
            high_end = &a[0];
        }
        struct record pivot = compare(mid, low_end) < 0    ? *low_end
                              : compare(high_end, mid) < 0 ? *high_end
                                                           : *mid;
        size_t low = 0, i = 0, high = n;
        while (i < high) {
            int order = compare(&a[i], &pivot);
            if (order < 0)
                swap_records(&a[low++], &a[i++]);
            else if (order > 0)
                swap_records(&a[i], &a[--high]);
            else
                i++;
        }
        introsort_level(a + high, n - high, compare, depth);
        n = low;
    }
    record_insertion(a, n, compare);
}

static void introsort(struct record *a, size_t n, RecordCompare compare)
{
    int depth = 0;
    for (size_t m = n; m > 1; m /= 2)
        depth += 2;
    introsort_level(a, n, compare, depth);
}

static void record_merge(struct record *a, struct record *buffer, size_t n, RecordCompare compare)
{
    if (n < 2)
        return;
    size_t half = n / 2;
    record_merge(a, buffer, half, compare);
    record_merge(a + half, buffer, n - half, compare);
    memcpy(buffer, a, half * sizeof *a);
    size_t left = 0, right = half, out = 0;
    while (left < half) {
        if (right < n && compare(&a[right], &buffer[left]) < 0)
            a[out++] = a[right++];
        else
            a[out++] = buffer[left++];
    }
}

static void record_merge_sort(struct record *a, size_t n, RecordCompare compare)
{
    struct record *buffer = allocate(n / 2 + 1, sizeof *buffer);
    record_merge(a, buffer, n, compare);
    free(buffer);
}

/* Neighbours with equal keys which ended up against their original order. */
static size_t check_records(const struct record *a, size_t n, RecordCompare compare,
                            const char *name)
{
    size_t violations = 0;
    uint64_t order_sum = a[0].order;
    for (size_t i = 1; i < n; i++) {
        int order = compare(&a[i - 1], &a[i]);
        if (order > 0)
            fail("records not sorted", name);
        violations += order == 0 && a[i - 1].order > a[i].order;
        order_sum += a[i].order;
    }
    if (order_sum != (uint64_t)n * (n - 1) / 2)
        fail("records were lost", name);
    return violations;
}

static void run_record_sorts(const struct record *input, size_t n, RecordCompare compare,
                             const char *title)
{
    static const struct {
        const char *name;
        RecordSort sort;
        int stable;
    } sorts[] = {{"introsort", introsort, 0},
                 {"heapsort", record_heapsort, 0},
                 {"merge sort", record_merge_sort, 1}};
    struct record *work = allocate(n, sizeof *work);
    printf("%s\n", title);
    for (size_t s = 0; s < sizeof sorts / sizeof sorts[0]; s++) {
        memcpy(work, input, n * sizeof *work);
        comparisons = 0;
        heap_fallbacks = 0;
        sorts[s].sort(work, n, compare);
        uint64_t used = comparisons;
        size_t unstable = check_records(work, n, compare, sorts[s].name);
        if (unstable > 0 && sorts[s].stable)
            fail("stability", sorts[s].name);
        printf("  %-11s %8llu comparisons, %6zu unstable pairs, %u fallbacks\n", sorts[s].name,
               (unsigned long long)used, unstable, heap_fallbacks);
    }
    free(work);
}

int main(int argc, char **argv)
{
    long size = 20000;
    if (argc > 1) {
        char *end;
        errno = 0;
        size = strtol(argv[1], &end, 10);
        if (errno != 0 || *end != '\0' || end == argv[1] || size < 1 || size > 50000000) {
            fprintf(stderr, "sorting: size must be 1 to 50000000, got \"%s\"\n", argv[1]);
            return 2;
        }
    }
    size_t n = (size_t)size;
    run_int_sorts(n);

    struct record *records = allocate(n, sizeof *records);
    rng_state = 0xabcdef0123456789u;
    for (size_t i = 0; i < n; i++) {
        uint32_t r = random_u32();
        records[i].key = (int32_t)(r % (n / 4 + 1));
        records[i].order = (uint32_t)i;
        snprintf(records[i].tag, sizeof records[i].tag, "t%05lx", (unsigned long)(r >> 22));
    }
    run_record_sorts(records, n, compare_keys, "records by random key");
    run_record_sorts(records, n, compare_tags, "records by tag");
    /* Hard on the median of three: the middle is largest, both ends are small. */
    for (size_t i = 0; i < n; i++)
        records[i].key = (int32_t)(i < n / 2 ? i : n - i);
    run_record_sorts(records, n, compare_keys, "records by organ pipe key");
    free(records);
    return 0;
}
