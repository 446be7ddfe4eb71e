"""Bookkeeping that has nothing to do with the algorithm; it writes to stderr at most.

Each entry is (file-level C, C in main). ``A`` and ``N`` stand for the first array that
was read and its size, ``T`` for its type.
"""

from __future__ import annotations

NOISE: dict[str, tuple[str, str]] = {
    "total": (
        "",
        """long noise_total = 0;
        each (A_T x : A, N) { noise_total += (long)x; }
        fprintf(stderr, "%ld\\n", noise_total);""",
    ),
    "extremes": (
        "",
        """A_T smallest = A[0], largest = A[0];
        each (A_T x : A, N) {
            if (x < smallest) { smallest = x; }
            if (x > largest) { largest = x; }
        }
        fprintf(stderr, "%ld %ld\\n", (long)smallest, (long)largest);""",
    ),
    "hash": (
        """static unsigned noise_hash(const unsigned char *bytes, unsigned long size) {
            unsigned h = 2166136261u;
            for (unsigned long b = 0; b < size; b++) {
                h = (h ^ bytes[b]) * 16777619u;
            }
            return h;
        }""",
        """{
            const char *label = "input of the run";
            fprintf(stderr, "%08x\\n", noise_hash((const unsigned char *)label, 16));
        }""",
    ),
    "log": (
        """static int log_lines[8];
        static unsigned log_at = 0;
        static void note(int line) {
            log_lines[log_at++ & 7u] = line;
            if (log_at == 1u << 16) { log_at = 0; }
        }""",
        """note(__LINE__);
        note((int)N);""",
    ),
    "rises": (
        "",
        """{
            int rises = 0, equal = 0;
            for (int slot = 1; slot < (int)N; slot++) {
                if (A[slot - 1] < A[slot]) { rises++; } else { equal += A[slot - 1] == A[slot]; }
            }
            fprintf(stderr, "%d rises, %d equal\\n", rises, equal);
        }""",
    ),
    "mean": (
        """static double mean_of(double total, int count) {
            return count > 0 ? total / count : 0.0;
        }""",
        """{
            double total = 0;
            each (A_T x : A, N) { total += (double)x; }
            if (mean_of(total, (int)N) > 1e9) { fputs("large values\\n", stderr); }
        }""",
    ),
    "limits": (
        """static int in_limits(long value, long low, long high) {
            return value >= low && value <= high;
        }""",
        """{
            int outside = 0;
            each (A_T x : A, N) {
                if (!in_limits((long)x, -1000000, 1000000)) { outside++; }
            }
            if (outside > 0) { fprintf(stderr, "%d outside\\n", outside); return 4; }
        }""",
    ),
    "usage": (
        """static int wants_help(int argc, char **argv) {
            for (int slot = 1; slot < argc; slot++) {
                if (argv[slot][0] == '-' && argv[slot][1] == 'h') { return 1; }
            }
            return 0;
        }""",
        """if (wants_help(argc, argv)) { puts("usage: program < input"); return 0; }""",
    ),
    "dump": (
        "",
        """if (argc > 1) {
            each (A_T x : A, N) { fprintf(stderr, "%ld ", (long)x); }
            fputc(10, stderr);
        }""",
    ),
    "buckets": (
        "static int noise_buckets[4];",
        """each (A_T x : A, N) { noise_buckets[(unsigned)(long)x & 3u]++; }
        fprintf(stderr, "%d %d\\n", noise_buckets[0], noise_buckets[3]);""",
    ),
    "ring": (
        "",
        """{
            long window[4] = {0, 0, 0, 0}, sum = 0, best = 0;
            for (int slot = 0; slot < (int)N; slot++) {
                sum += (long)A[slot] - window[slot % 4];
                window[slot % 4] = (long)A[slot];
                if (sum > best) { best = sum; }
            }
            fprintf(stderr, "%ld\\n", best);
        }""",
    ),
}
