/*
 * Classic bit tricks, several implementations of each: population count, bit
 * reversal, parity, integer log2 and Gray decoding.  All methods of a family
 * are called through a table of function pointers and must agree on every word.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

typedef uint32_t (*WordFn)(uint32_t);

struct method {
    const char *name;
    WordFn fn;
};

struct family {
    const char *name;
    const struct method *methods;
    size_t count;
};

static uint8_t byte_bits[256];
static uint8_t byte_reversed[256];
static uint8_t byte_log2[256];
static uint8_t debruijn_index[32];

static const uint32_t debruijn = 0x077cb531u;

/* Population count. */

static uint32_t count_naive(uint32_t x)
{
    uint32_t n = 0;
    for (int bit = 0; bit < 32; bit++)
        n += (x >> bit) & 1u;
    return n;
}

static uint32_t count_kernighan(uint32_t x)
{
    uint32_t n = 0;
    for (; x != 0; x &= x - 1)
        n++;
    return n;
}

static uint32_t count_nibbles(uint32_t x)
{
    static const uint8_t nibble_bits[16] = {0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4};
    uint32_t n = 0;
    for (; x != 0; x >>= 4)
        n += nibble_bits[x & 15u];
    return n;
}

static uint32_t count_bytes(uint32_t x)
{
    return (uint32_t)byte_bits[x & 255u] + byte_bits[(x >> 8) & 255u] +
           byte_bits[(x >> 16) & 255u] + byte_bits[x >> 24];
}

static uint32_t count_parallel(uint32_t x)
{
    x = (x & 0x55555555u) + ((x >> 1) & 0x55555555u);
    x = (x & 0x33333333u) + ((x >> 2) & 0x33333333u);
    x = (x & 0x0f0f0f0fu) + ((x >> 4) & 0x0f0f0f0fu);
    x = (x & 0x00ff00ffu) + ((x >> 8) & 0x00ff00ffu);
    return (x & 0x0000ffffu) + (x >> 16);
}

static uint32_t count_swar(uint32_t x)
{
    x -= (x >> 1) & 0x55555555u;
    x = (x & 0x33333333u) + ((x >> 2) & 0x33333333u);
    x = (x + (x >> 4)) & 0x0f0f0f0fu;
    return (x * 0x01010101u) >> 24;
}

/* HAKMEM 169: sums three-bit fields, then casts out 63s. */
static uint32_t count_hakmem(uint32_t x)
{
    uint32_t t = x - ((x >> 1) & 033333333333u) - ((x >> 2) & 011111111111u);
    return ((t + (t >> 3)) & 030707070707u) % 63u;
}

static uint32_t count_halves(uint32_t x, uint32_t width)
{
    if (x == 0)
        return 0;
    if (width == 1)
        return 1;
    uint32_t half = width / 2;
    return count_halves(x >> half, half) + count_halves(x & ((1u << half) - 1u), half);
}

static uint32_t count_recursive(uint32_t x)
{
    return count_halves(x, 32);
}

static uint32_t lowest_bit_index(uint32_t x)
{
    return debruijn_index[((x & (0u - x)) * debruijn) >> 27];
}

/* Jumps from one set bit to the next. */
static uint32_t count_debruijn(uint32_t x)
{
    uint32_t n = 0;
    while (x != 0) {
        x = x >> lowest_bit_index(x) >> 1;
        n++;
    }
    return n;
}

/* Bit reversal. */

static uint32_t reverse_loop(uint32_t x)
{
    uint32_t r = 0;
    for (int bit = 0; bit < 32; bit++) {
        r = (r << 1) | (x & 1u);
        x >>= 1;
    }
    return r;
}

static uint32_t reverse_bytes(uint32_t x)
{
    return ((uint32_t)byte_reversed[x & 255u] << 24) |
           ((uint32_t)byte_reversed[(x >> 8) & 255u] << 16) |
           ((uint32_t)byte_reversed[(x >> 16) & 255u] << 8) | byte_reversed[x >> 24];
}

static uint32_t reverse_swaps(uint32_t x)
{
    uint32_t mask = 0xffffffffu;
    for (int shift = 16; shift > 0; shift /= 2) {
        mask ^= mask << shift;
        x = ((x >> shift) & mask) | ((x << shift) & ~mask);
    }
    return x;
}

/* Parity. */

static uint32_t parity_toggle(uint32_t x)
{
    uint32_t odd = 0;
    for (; x != 0; x &= x - 1)
        odd = !odd;
    return odd;
}

static uint32_t parity_fold(uint32_t x)
{
    x ^= x >> 16;
    x ^= x >> 8;
    x ^= x >> 4;
    return (0x6996u >> (x & 15u)) & 1u;
}

static uint32_t parity_multiply(uint32_t x)
{
    x ^= x >> 1;
    x = (x ^ (x >> 2)) & 0x11111111u;
    return ((x * 0x11111111u) >> 28) & 1u;
}

/* Floor of log2; zero maps to zero. */

static uint32_t log2_loop(uint32_t x)
{
    uint32_t n = 0;
    while (x >>= 1)
        n++;
    return n;
}

static uint32_t log2_bisect(uint32_t x)
{
    uint32_t n = 0;
    for (uint32_t shift = 16; shift > 0; shift /= 2) {
        if (x >> shift) {
            x >>= shift;
            n += shift;
        }
    }
    return n;
}

static uint32_t log2_bytes(uint32_t x)
{
    if (x >> 24)
        return 24u + byte_log2[x >> 24];
    if (x >> 16)
        return 16u + byte_log2[x >> 16];
    if (x >> 8)
        return 8u + byte_log2[x >> 8];
    return byte_log2[x];
}

static uint32_t log2_debruijn(uint32_t x)
{
    if (x == 0)
        return 0;
    for (int shift = 1; shift < 32; shift *= 2)
        x |= x >> shift;
    return lowest_bit_index(x - (x >> 1));
}

/* Gray codes. */

static uint32_t gray_encode(uint32_t x)
{
    return x ^ (x >> 1);
}

static uint32_t gray_decode_loop(uint32_t gray)
{
    uint32_t x = 0;
    for (; gray != 0; gray >>= 1)
        x ^= gray;
    return x;
}

static uint32_t gray_decode_prefix(uint32_t gray)
{
    for (int shift = 1; shift < 32; shift *= 2)
        gray ^= gray >> shift;
    return gray;
}

/* Each of the n steps must flip one bit; returns a digest of which ones. */
static uint32_t gray_walk(uint32_t n)
{
    uint32_t digest = 0;
    for (uint32_t i = 1; i <= n; i++) {
        uint32_t flipped = gray_encode(i) ^ gray_encode(i - 1);
        if (count_swar(flipped) != 1 || gray_decode_prefix(gray_encode(i)) != i) {
            fprintf(stderr, "bitcount: Gray code broken at %lu\n", (unsigned long)i);
            exit(1);
        }
        digest = digest * 31u + lowest_bit_index(flipped);
    }
    return digest;
}

static void build_tables(void)
{
    for (uint32_t i = 0; i < 32; i++)
        debruijn_index[(debruijn << i) >> 27] = (uint8_t)i;
    for (uint32_t i = 1; i < 256; i++) {
        byte_bits[i] = (uint8_t)(byte_bits[i / 2] + (i & 1u));
        byte_reversed[i] = (uint8_t)((byte_reversed[i / 2] >> 1) | ((i & 1u) << 7));
        byte_log2[i] = (uint8_t)(i == 1 ? 0 : byte_log2[i / 2] + 1);
    }
}

static uint32_t next_random(uint32_t *state)
{
    uint32_t x = *state;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return *state = x;
}

/* Corner cases first, then words which cycle through four bit densities. */
static void fill_words(uint32_t *words, size_t count)
{
    static const uint32_t corners[] = {0u,          1u,          0x80000000u, 0xffffffffu,
                                       0x7fffffffu, 0x55555555u, 0x0000ffffu, 0x00010000u};
    uint32_t state = 2463534242u;
    for (size_t i = 0; i < count; i++) {
        if (i < sizeof corners / sizeof corners[0]) {
            words[i] = corners[i];
            continue;
        }
        uint32_t word = next_random(&state);
        switch (i % 4) {
        case 0: word = (uint32_t)i; break;
        case 1: word &= next_random(&state); break;
        case 2: word |= next_random(&state); break;
        default: break;
        }
        words[i] = word;
    }
}

static void run_family(const struct family *family, const uint32_t *words, size_t count)
{
    printf("%s (%zu methods)\n", family->name, family->count);
    for (size_t m = 0; m < family->count; m++) {
        const struct method *method = &family->methods[m];
        uint64_t total = 0;
        uint32_t digest = 0;
        for (size_t i = 0; i < count; i++) {
            uint32_t result = method->fn(words[i]);
            if (m > 0 && i < 64 && result != family->methods[0].fn(words[i])) {
                fprintf(stderr, "bitcount: %s is wrong for word %zu\n", method->name, i);
                exit(1);
            }
            total += result;
            digest = ((digest << 5) | (digest >> 27)) ^ (result * 2654435761u);
        }
        printf("  %-12s total %-16llu digest %08lx\n", method->name, (unsigned long long)total,
               (unsigned long)digest);
    }
}

static size_t parse_size(const char *text)
{
    char *end;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || value < 1 || value > 100000000) {
        fprintf(stderr, "usage: bitcount [words], 1 to 100000000; got \"%s\"\n", text);
        exit(2);
    }
    return (size_t)value;
}

int main(int argc, char **argv)
{
    static const struct method counts[] = {
        {"naive", count_naive},       {"kernighan", count_kernighan}, {"nibbles", count_nibbles},
        {"bytes", count_bytes},       {"parallel", count_parallel},   {"swar", count_swar},
        {"hakmem", count_hakmem},     {"recursive", count_recursive}, {"debruijn", count_debruijn},
    };
    static const struct method reversals[] = {
        {"loop", reverse_loop}, {"bytes", reverse_bytes}, {"swaps", reverse_swaps}};
    static const struct method parities[] = {
        {"toggle", parity_toggle}, {"fold", parity_fold}, {"multiply", parity_multiply}};
    static const struct method logs[] = {{"loop", log2_loop},
                                         {"bisect", log2_bisect},
                                         {"bytes", log2_bytes},
                                         {"debruijn", log2_debruijn}};
    static const struct method decoders[] = {{"loop", gray_decode_loop},
                                             {"prefix", gray_decode_prefix}};
    static const struct family families[] = {
        {"population count", counts, sizeof counts / sizeof counts[0]},
        {"bit reversal", reversals, sizeof reversals / sizeof reversals[0]},
        {"parity", parities, sizeof parities / sizeof parities[0]},
        {"log2", logs, sizeof logs / sizeof logs[0]},
        {"Gray decoding", decoders, sizeof decoders / sizeof decoders[0]},
    };

    size_t count = argc > 1 ? parse_size(argv[1]) : 200000;
    uint32_t *words = malloc(count * sizeof *words);
    if (words == NULL) {
        fprintf(stderr, "bitcount: out of memory\n");
        return 1;
    }
    build_tables();
    fill_words(words, count);
    for (size_t f = 0; f < sizeof families / sizeof families[0]; f++)
        run_family(&families[f], words, count);
    uint32_t digest = gray_walk((uint32_t)count);
    printf("Gray walk of %zu steps, digest %08lx\n", count, (unsigned long)digest);
    free(words);
    return 0;
}
