/* Runs a kernel on virtual cores, and counts what a schedule makes of its work.
 *
 * virtual SIZE CALLS THREADS:KIND:CHUNK...
 *
 * Stands in for harness.c, for LLVM's OpenMP runtime, and for the functions that clang calls
 * under -fsanitize=thread (every access to memory) and -fsanitize-coverage=trace-pc-guard
 * (every block). A thread is a coroutine with a clock, which a block and an access move by 1;
 * the one that is behind runs. So the same comes out on every machine, whatever else runs there.
 *
 * Each core has a cache of 512 KiB, directly mapped; a line that another core writes is lost to
 * it. The kernel is called so many times, and counted the last time. Prints a line for each
 * configuration: COUNTERS, in their order. */
#include "kernel.h"

#include <stdio.h>
#include <stdlib.h>
#include <ucontext.h>

#define COUNTERS(X)                                                                               \
    X(span)      /* the clock after the kernel: work, the slowest thread's in parallel loops */   \
    X(work)      /* blocks and accesses of all threads */                                         \
    X(alone)     /* of these, outside of parallel loops */                                        \
    X(accesses)                                                                                   \
    X(regions)   /* parallel loops that were entered */                                           \
    X(chunks)    /* that were handed out */                                                       \
    X(atomics)   /* and critical sections */                                                      \
    X(fills)     /* of lines from memory or a larger cache */                                     \
    X(transfers) /* of lines from the core that wrote them last, or of the right to write */

enum {
    MOST_THREADS = 1024,
    MOST_ARGUMENTS = 12,
    STACK_BYTES = 1 << 18,
    LINE_BYTES = 64,
    CACHE_LINES = 512 * 1024 / LINE_BYTES,
    MEMORY_BYTES = 1 << 28,
    QUANTUM = 100, /* that a thread may be ahead of another */
    DISPATCH = 20, /* ticks to be given a chunk */
};

static struct {
#define FIELD(name) long name;
    COUNTERS(FIELD)
} counted;

typedef struct {
    ucontext_t context;
    char *stack;
    long clock, next; /* next: the place of a static schedule's next chunk */
    int running;
    uint32_t cache[CACHE_LINES]; /* number of the line + 1, or 0 */
} Thread;

static Thread *threads;
static ucontext_t fork_context;
static int count = 1, kind, current, parallel, held;
static long chunk;

static char *memory;
static size_t memory_used;
static uint16_t writer[MEMORY_BYTES / LINE_BYTES]; /* 1 + core that wrote it last, or 0 */

static struct {
    void (*task)(void);
    int argument_count;
    void *arguments[MOST_ARGUMENTS];
    long low, count, taken;
} loop;

static void fail(const char *what) {
    fprintf(stderr, "%s\n", what);
    exit(2);
}

void *input(size_t bytes) {
    void *start = memory + memory_used;
    memory_used += (bytes + LINE_BYTES - 1) / LINE_BYTES * LINE_BYTES;
    if (memory_used > MEMORY_BYTES)
        fail("too much memory");
    return start;
}

void *output(size_t bytes) { return input(bytes); }

uint32_t draw(void) { /* as in harness.c */
    static uint64_t state = 88172645463325252u;
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (uint32_t)((state * 2685821657736338717u) >> 32);
}

void fill(double *values, long n) {
    for (long i = 0; i < n; i++)
        values[i] = draw() / 4294967296.0;
}

/* --- Clocks --------------------------------------------------------------------------------- */

static int most_behind(void) {
    int found = -1;
    for (int i = 0; i < count; i++)
        if (threads[i].running && (found < 0 || threads[i].clock < threads[found].clock))
            found = i;
    return found;
}

static void tick(long ticks) {
    Thread *self = &threads[current];
    counted.work += ticks;
    if (!parallel)
        counted.alone += ticks;
    self->clock += ticks;
    if (!parallel || held || count == 1)
        return;
    int other = most_behind();
    if (self->clock > threads[other].clock + QUANTUM) {
        current = other;
        swapcontext(&self->context, &threads[other].context);
    }
}

static void access_line(uint32_t line, int writes) {
    uint32_t *own = &threads[current].cache[line % CACHE_LINES];
    int lost = 0;
    if (writes)
        for (int i = 0; i < count; i++)
            if (i != current && threads[i].cache[line % CACHE_LINES] == line + 1) {
                threads[i].cache[line % CACHE_LINES] = 0;
                lost = 1;
            }
    int foreign = writer[line] && writer[line] != current + 1;
    if (lost || (*own != line + 1 && foreign))
        counted.transfers++;
    else if (*own != line + 1)
        counted.fills++;
    *own = line + 1;
    if (writes)
        writer[line] = current + 1;
}

static void touch(const void *address, size_t bytes, int writes) {
    size_t first = (const char *)address - memory;
    if (first < MEMORY_BYTES && bytes)
        for (size_t line = first / LINE_BYTES; line <= (first + bytes - 1) / LINE_BYTES; line++)
            access_line(line, writes);
}

static void use(const void *address, size_t bytes, int writes) {
    counted.accesses++;
    touch(address, bytes, writes);
    tick(1);
}

/* --- What clang calls ----------------------------------------------------------------------- */

void __sanitizer_cov_trace_pc_guard_init(uint32_t *start, uint32_t *stop) {}
void __sanitizer_cov_trace_pc_guard(uint32_t *guard) { tick(1); }
void __tsan_init(void) {}
void __tsan_func_entry(void *caller) {}
void __tsan_func_exit(void) {}

#define ACCESS(size)                                                                              \
    void __tsan_read##size(void *at) { use(at, size, 0); }                                        \
    void __tsan_write##size(void *at) { use(at, size, 1); }                                       \
    void __tsan_unaligned_read##size(void *at) { use(at, size, 0); }                              \
    void __tsan_unaligned_write##size(void *at) { use(at, size, 1); }
ACCESS(1) ACCESS(2) ACCESS(4) ACCESS(8) ACCESS(16)

static void move(const void *from, void *to, size_t bytes) {
    if (from)
        touch(from, bytes, 0);
    touch(to, bytes, 1);
    counted.accesses += bytes / 16 + 1;
    tick(bytes / 16 + 1);
}

void *__tsan_memset(void *to, int value, size_t bytes) {
    move(NULL, to, bytes);
    return memset(to, value, bytes);
}
void *__tsan_memcpy(void *to, const void *from, size_t bytes) {
    move(from, to, bytes);
    return memcpy(to, from, bytes);
}
void *__tsan_memmove(void *to, const void *from, size_t bytes) {
    move(from, to, bytes);
    return memmove(to, from, bytes);
}

static void atomic(void *at, size_t bytes) {
    use(at, bytes, 1);
    counted.atomics++;
}

#define ATOMIC(bits)                                                                              \
    typedef uint##bits##_t U##bits;                                                               \
    U##bits __tsan_atomic##bits##_load(U##bits *at, int order) {                                  \
        use(at, bits / 8, 0);                                                                     \
        return *at;                                                                               \
    }                                                                                             \
    void __tsan_atomic##bits##_store(U##bits *at, U##bits value, int order) {                     \
        use(at, bits / 8, 1);                                                                     \
        *at = value;                                                                              \
    }                                                                                             \
    UPDATE(bits, fetch_add, +)                                                                    \
    UPDATE(bits, fetch_sub, -)                                                                    \
    UPDATE(bits, fetch_and, &)                                                                    \
    UPDATE(bits, fetch_or, |)                                                                     \
    UPDATE(bits, fetch_xor, ^)
#define UPDATE(bits, name, sign)                                                                  \
    U##bits __tsan_atomic##bits##_##name(U##bits *at, U##bits value, int order) {                 \
        atomic(at, bits / 8);                                                                     \
        U##bits before = *at;                                                                     \
        *at = before sign value;                                                                  \
        return before;                                                                            \
    }
ATOMIC(8) ATOMIC(16) ATOMIC(32) ATOMIC(64)

/* --- OpenMP --------------------------------------------------------------------------------- */

static void run_task(void) {
    int id = current;
    void **a = loop.arguments;
    /* A task takes as many as it has been given; the rest lie in registers and on the stack. */
    ((void (*)(int *, int *, void *, void *, void *, void *, void *, void *, void *, void *, void *,
               void *, void *, void *))loop.task)(&id, &id, a[0], a[1], a[2], a[3], a[4], a[5],
                                                  a[6], a[7], a[8], a[9], a[10], a[11]);
    threads[id].running = 0;
    current = most_behind();
    if (current < 0)
        setcontext(&fork_context);
    setcontext(&threads[current].context);
}

void __kmpc_fork_call(void *where, int argument_count, void (*task)(void), ...) {
    if (argument_count > MOST_ARGUMENTS || parallel)
        fail("too many arguments, or a parallel loop in another");
    __builtin_va_list list;
    __builtin_va_start(list, task);
    for (int i = 0; i < argument_count; i++)
        loop.arguments[i] = __builtin_va_arg(list, void *);
    __builtin_va_end(list);
    loop.task = task;
    loop.count = -1;
    counted.regions++;
    for (int i = 0; i < count; i++) {
        Thread *one = &threads[i];
        one->clock = threads[0].clock;
        one->next = i;
        one->running = 1;
        getcontext(&one->context);
        one->context.uc_stack.ss_sp = one->stack;
        one->context.uc_stack.ss_size = STACK_BYTES;
        makecontext(&one->context, run_task, 0);
    }
    parallel = 1;
    swapcontext(&fork_context, &threads[0].context);
    parallel = current = 0;
    for (int i = 1; i < count; i++)
        if (threads[i].clock > threads[0].clock)
            threads[0].clock = threads[i].clock;
}

void __kmpc_dispatch_init_8(void *where, int id, int schedule, int64_t low, int64_t high,
                            int64_t step, int64_t size) {
    if (step != 1)
        fail("a parallel loop whose step is not 1");
    if (loop.count >= 0) /* another thread was here */
        return;
    loop.low = low;
    loop.count = high - low + 1;
    loop.taken = 0;
}

static void take(long from, long size, int64_t *low, int64_t *high) {
    *low = loop.low + from;
    *high = loop.low + from + size - 1;
    counted.chunks++;
}

int __kmpc_dispatch_next_8(void *where, int id, int *last, int64_t *low, int64_t *high,
                           int64_t *step) {
    enum { STATIC = 1, DYNAMIC, GUIDED };
    Thread *self = &threads[current];
    if (!(kind == STATIC && !chunk))
        tick(DISPATCH);
    *last = 0;
    *step = 1;
    if (kind == STATIC && !chunk) {
        if (self->next != current)
            return 0;
        self->next = -1;
        long some = loop.count / count, more = loop.count % count;
        long from = current * some + (current < more ? current : more);
        if (!(some + (current < more)))
            return 0;
        take(from, some + (current < more), low, high);
    } else if (kind == STATIC) {
        long from = self->next * chunk;
        if (from >= loop.count)
            return 0;
        self->next += count;
        take(from, from + chunk < loop.count ? chunk : loop.count - from, low, high);
    } else {
        long left = loop.count - loop.taken, least = chunk ? chunk : 1, size = least;
        if (left <= 0)
            return 0;
        if (kind == GUIDED && left >= 2 * count * (least + 1))
            size = left / (2 * count);
        size = size < left ? size : left;
        take(loop.taken, size, low, high);
        loop.taken += size;
    }
    return 1;
}

/* Of loops that clang numbers from 0 itself. */
void __kmpc_dispatch_init_8u(void *, int, int, int64_t, int64_t, int64_t, int64_t)
    __attribute__((alias("__kmpc_dispatch_init_8")));
int __kmpc_dispatch_next_8u(void *, int, int *, int64_t *, int64_t *, int64_t *)
    __attribute__((alias("__kmpc_dispatch_next_8")));

int __kmpc_global_thread_num(void *where) { return current; }
void __kmpc_dispatch_deinit(void *where, int id) {}

int __kmpc_reduce_nowait(void *where, int id, int n, size_t bytes, void *values, void *add,
                         void *lock) {
    counted.atomics += n;
    held++;
    return 1;
}
void __kmpc_end_reduce_nowait(void *where, int id, void *lock) { held--; }
void __kmpc_critical(void *where, int id, void *lock) {
    counted.atomics++;
    held++;
}
void __kmpc_end_critical(void *where, int id, void *lock) { held--; }

int main(int argc, char **argv) {
    char *start = calloc(MEMORY_BYTES + LINE_BYTES, 1);
    threads = calloc(MOST_THREADS, sizeof *threads);
    if (!start || !threads || argc < 4)
        fail("usage: virtual SIZE CALLS THREADS:KIND:CHUNK...");
    memory = start + LINE_BYTES - (uintptr_t)start % LINE_BYTES;
    prepare(atol(argv[1]));
    for (int i = 3; i < argc; i++) {
        if (sscanf(argv[i], "%d:%d:%ld", &count, &kind, &chunk) != 3 || count < 1 ||
            count > MOST_THREADS)
            fail("expected THREADS:KIND:CHUNK, with 1 to 1024 threads");
        memset(writer, 0, memory_used / LINE_BYTES * sizeof *writer);
        for (int k = 0; k < count; k++) {
            memset(threads[k].cache, 0, sizeof threads[k].cache);
            if (!threads[k].stack && !(threads[k].stack = malloc(STACK_BYTES)))
                fail("no memory");
        }
        for (long call = atol(argv[2]); call > 0; call--) {
            memset(&counted, 0, sizeof counted);
            threads[0].clock = 0;
            kernel();
        }
        counted.span = threads[0].clock;
#define PRINT(name) printf("%ld ", counted.name);
        COUNTERS(PRINT)
        printf("\n");
    }
    return 0;
}
