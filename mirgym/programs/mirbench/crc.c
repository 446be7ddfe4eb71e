/*
 * Checksums: parametrised CRCs from 8 to 64 bits (bit by bit and with a table),
 * slicing-by-4 and slicing-by-8 for CRC-32, combination of CRCs through GF(2)
 * matrices, Adler-32 and Fletcher-16/32.  Published check values are verified,
 * all methods must agree, and burst errors must be detected.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The usual "Rocksoft" description of a CRC; refin and refout are always equal. */
struct crc_model {
    const char *name;
    int width;
    uint64_t poly;
    uint64_t init;
    bool reflected;
    uint64_t xorout;
    uint64_t check; /* CRC of "123456789". */
};

struct crc_table {
    const struct crc_model *model;
    uint64_t mask;
    uint64_t entry[256];
};

static const struct crc_model models[] = {
    {"crc-8/smbus", 8, 0x07, 0, false, 0, 0xf4},
    {"crc-8/maxim", 8, 0x31, 0, true, 0, 0xa1},
    {"crc-16/arc", 16, 0x8005, 0, true, 0, 0xbb3d},
    {"crc-16/modbus", 16, 0x8005, 0xffff, true, 0, 0x4b37},
    {"crc-16/xmodem", 16, 0x1021, 0, false, 0, 0x31c3},
    {"crc-16/x-25", 16, 0x1021, 0xffff, true, 0xffff, 0x906e},
    {"crc-32/iso", 32, 0x04c11db7, 0xffffffff, true, 0xffffffff, 0xcbf43926},
    {"crc-32c", 32, 0x1edc6f41, 0xffffffff, true, 0xffffffff, 0xe3069283},
    {"crc-32/bzip2", 32, 0x04c11db7, 0xffffffff, false, 0xffffffff, 0xfc891918},
    {"crc-64/ecma", 64, 0x42f0e1eba9ea3693, 0, false, 0, 0x6c40df5f0b497347},
    {"crc-64/xz", 64, 0x42f0e1eba9ea3693, UINT64_MAX, true, UINT64_MAX, 0x995dc9bbdf1939fa},
    {"crc-64/go-iso", 64, 0x1b, UINT64_MAX, true, UINT64_MAX, 0xb90956c775a41001},
};

enum { MODEL_COUNT = sizeof models / sizeof models[0], CRC32_MODEL = 6 };

static const uint8_t check_text[] = {'1', '2', '3', '4', '5', '6', '7', '8', '9'};

static uint32_t slices[8][256];

static void require(bool condition, const char *what)
{
    if (!condition) {
        fprintf(stderr, "crc: check failed: %s\n", what);
        exit(1);
    }
}

static uint64_t reflect(uint64_t value, int width)
{
    uint64_t result = 0;
    for (int bit = 0; bit < width; bit++)
        if ((value >> bit) & 1)
            result |= (uint64_t)1 << (width - 1 - bit);
    return result;
}

static uint64_t width_mask(int width)
{
    return UINT64_MAX >> (64 - width);
}

/* Straight from the definition: one message bit at a time, no reflected register. */
static uint64_t crc_bitwise(const struct crc_model *model, const uint8_t *data, size_t length)
{
    uint64_t top = (uint64_t)1 << (model->width - 1);
    uint64_t reg = model->init;
    for (size_t i = 0; i < length; i++) {
        for (int bit = 0; bit < 8; bit++) {
            unsigned in = (data[i] >> (model->reflected ? bit : 7 - bit)) & 1u;
            bool carry = ((reg & top) != 0) != (in != 0);
            reg = (reg << 1) ^ (carry ? model->poly : 0);
        }
    }
    reg &= width_mask(model->width);
    if (model->reflected)
        reg = reflect(reg, model->width);
    return reg ^ model->xorout;
}

static void build_table(struct crc_table *table, const struct crc_model *model)
{
    table->model = model;
    table->mask = width_mask(model->width);
    uint64_t mirrored = reflect(model->poly, model->width);
    uint64_t top = (uint64_t)1 << (model->width - 1);
    for (unsigned i = 0; i < 256; i++) {
        uint64_t reg = model->reflected ? i : (uint64_t)i << (model->width - 8);
        for (int bit = 0; bit < 8; bit++) {
            if (model->reflected)
                reg = (reg >> 1) ^ ((reg & 1) ? mirrored : 0);
            else
                reg = (reg << 1) ^ ((reg & top) ? model->poly : 0);
        }
        table->entry[i] = reg & table->mask;
    }
}

static uint64_t crc_bytewise(const struct crc_table *table, const uint8_t *data, size_t length)
{
    const struct crc_model *model = table->model;
    if (model->reflected) {
        uint64_t reg = reflect(model->init, model->width);
        for (size_t i = 0; i < length; i++)
            reg = (reg >> 8) ^ table->entry[(reg ^ data[i]) & 255u];
        return reg ^ model->xorout;
    }
    uint64_t reg = model->init;
    for (size_t i = 0; i < length; i++)
        reg = ((reg << 8) ^ table->entry[((reg >> (model->width - 8)) ^ data[i]) & 255u]) &
              table->mask;
    return reg ^ model->xorout;
}

/* slices[k][b] is the effect of byte b followed by k zero bytes. */
static void build_slices(const struct crc_table *table)
{
    for (unsigned i = 0; i < 256; i++)
        slices[0][i] = (uint32_t)table->entry[i];
    for (unsigned k = 1; k < 8; k++)
        for (unsigned i = 0; i < 256; i++)
            slices[k][i] = (slices[k - 1][i] >> 8) ^ slices[0][slices[k - 1][i] & 255u];
}

static uint32_t load_le32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint32_t slice4(unsigned first, uint32_t word)
{
    return slices[first + 3][word & 255u] ^ slices[first + 2][(word >> 8) & 255u] ^
           slices[first + 1][(word >> 16) & 255u] ^ slices[first][word >> 24];
}

static uint32_t crc32_tail(uint32_t reg, const uint8_t *data, size_t length)
{
    while (length-- > 0)
        reg = (reg >> 8) ^ slices[0][(reg ^ *data++) & 255u];
    return ~reg;
}

static uint32_t crc32_slicing4(const uint8_t *data, size_t length)
{
    uint32_t reg = 0xffffffffu;
    for (; length >= 4; data += 4, length -= 4)
        reg = slice4(0, reg ^ load_le32(data));
    return crc32_tail(reg, data, length);
}

static uint32_t crc32_slicing8(const uint8_t *data, size_t length)
{
    uint32_t reg = 0xffffffffu;
    for (; length >= 8; data += 8, length -= 8)
        reg = slice4(4, reg ^ load_le32(data)) ^ slice4(0, load_le32(data + 4));
    return crc32_tail(reg, data, length);
}

/* A column per input bit. */
static uint32_t gf2_apply(const uint32_t matrix[32], uint32_t vector)
{
    uint32_t sum = 0;
    for (; vector != 0; vector >>= 1, matrix++)
        if (vector & 1u)
            sum ^= *matrix;
    return sum;
}

/* CRC-32 of a concatenation, from the CRCs of both parts and the second length. */
static uint32_t crc32_combine(uint32_t first, uint32_t second, size_t second_length)
{
    uint32_t power[32];
    for (unsigned bit = 0; bit < 32; bit++) {
        uint32_t unit = (uint32_t)1 << bit;
        power[bit] = (unit >> 8) ^ slices[0][unit & 255u]; /* Appends one zero byte. */
    }
    for (; second_length != 0; second_length >>= 1) {
        if (second_length & 1u)
            first = gf2_apply(power, first);
        uint32_t square[32];
        for (unsigned bit = 0; bit < 32; bit++)
            square[bit] = gf2_apply(power, power[bit]);
        memcpy(power, square, sizeof power);
    }
    return first ^ second;
}

/* Sums are reduced once per block, short enough for 32 bits not to overflow. */
static uint32_t adler32(const uint8_t *data, size_t length)
{
    uint32_t a = 1, b = 0;
    while (length > 0) {
        size_t block = length < 5552 ? length : 5552;
        length -= block;
        while (block-- > 0) {
            a += *data++;
            b += a;
        }
        a %= 65521u;
        b %= 65521u;
    }
    return b << 16 | a;
}

static uint32_t adler32_simple(const uint8_t *data, size_t length)
{
    uint32_t a = 1, b = 0;
    for (size_t i = 0; i < length; i++) {
        a = (a + data[i]) % 65521u;
        b = (b + a) % 65521u;
    }
    return b << 16 | a;
}

static uint32_t fletcher16(const uint8_t *data, size_t length)
{
    uint32_t a = 0, b = 0;
    for (size_t i = 0; i < length; i++) {
        a = (a + data[i]) % 255u;
        b = (b + a) % 255u;
    }
    return b << 8 | a;
}

/* Little-endian 16-bit words; an odd last byte is padded with zero. */
static uint32_t fletcher32(const uint8_t *data, size_t length)
{
    uint32_t a = 0, b = 0;
    for (size_t i = 0; i < length; i += 2) {
        uint32_t word = data[i];
        if (i + 1 < length)
            word |= (uint32_t)data[i + 1] << 8;
        a = (a + word) % 65535u;
        b = (b + a) % 65535u;
    }
    return b << 16 | a;
}

static void fill_message(uint8_t *data, size_t length)
{
    uint64_t state = 0x853c49e6748fea9bu;
    for (size_t i = 0; i < length; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        data[i] = (uint8_t)(state >> 56);
    }
}

/* Corrupts one byte at a time; every such burst must be noticed. */
static unsigned detect_bursts(const struct crc_table *table, uint8_t *data, size_t length)
{
    uint64_t good = crc_bytewise(table, data, length);
    uint64_t state = 0x9e3779b97f4a7c15u;
    unsigned detected = 0;
    for (unsigned trial = 0; trial < 8; trial++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        size_t at = (size_t)((state >> 33) % length);
        uint8_t flip = (uint8_t)((state >> 20) | 1u);
        data[at] ^= flip;
        detected += crc_bytewise(table, data, length) != good;
        data[at] ^= flip;
    }
    return detected;
}

static void run_models(uint8_t *data, size_t length)
{
    struct crc_table table;
    for (size_t m = 0; m < MODEL_COUNT; m++) {
        const struct crc_model *model = &models[m];
        build_table(&table, model);
        require(crc_bitwise(model, check_text, sizeof check_text) == model->check, model->name);
        require(crc_bytewise(&table, check_text, sizeof check_text) == model->check, model->name);
        uint64_t crc = crc_bytewise(&table, data, length);
        require(crc_bitwise(model, data, length) == crc, model->name);
        unsigned bursts = detect_bursts(&table, data, length);
        require(bursts == 8, "burst detection");
        printf("%-14s %0*llx, %u bursts detected\n", model->name, model->width / 4,
               (unsigned long long)crc, bursts);
    }
}

static void run_crc32(const uint8_t *data, size_t length)
{
    struct crc_table table;
    build_table(&table, &models[CRC32_MODEL]);
    build_slices(&table);
    uint32_t whole = (uint32_t)crc_bytewise(&table, data, length);
    uint32_t mixed = 0;
    for (size_t skip = 0; skip < 9 && skip < length; skip++) {
        uint32_t by4 = crc32_slicing4(data + skip, length - skip);
        require(by4 == crc32_slicing8(data + skip, length - skip), "slicing by 4 and by 8");
        uint32_t head = crc32_slicing8(data, skip);
        require(crc32_combine(head, by4, length - skip) == whole, "combination");
        mixed = mixed * 31u + by4;
    }
    printf("slicing and combination agree, digest %08lx\n", (unsigned long)mixed);
}

static void run_sums(const uint8_t *data, size_t length)
{
    require(adler32((const uint8_t *)"Wikipedia", 9) == 0x11e60398u, "adler-32");
    require(fletcher16((const uint8_t *)"abcdef", 6) == 0x2057u, "fletcher-16");
    require(fletcher32((const uint8_t *)"abcdef", 6) == 0x56502d2au, "fletcher-32");
    uint32_t adler = adler32(data, length);
    require(adler == adler32_simple(data, length), "adler-32 block reduction");
    printf("adler-32       %08lx\n", (unsigned long)adler);
    printf("fletcher-16    %04lx\n", (unsigned long)fletcher16(data, length));
    printf("fletcher-32    %08lx\n", (unsigned long)fletcher32(data, length));
}

static size_t parse_length(const char *text)
{
    char *end;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || value < 1 || value > 1000000000) {
        fprintf(stderr, "crc: \"%s\" is not a message length from 1 to 1000000000\n", text);
        exit(2);
    }
    return (size_t)value;
}

int main(int argc, char **argv)
{
    size_t length = argc > 1 ? parse_length(argv[1]) : 60000;
    uint8_t *data = malloc(length);
    if (data == NULL) {
        fprintf(stderr, "crc: out of memory\n");
        return 1;
    }
    fill_message(data, length);
    printf("message of %zu bytes\n", length);
    run_models(data, length);
    run_crc32(data, length);
    run_sums(data, length);
    free(data);
    return 0;
}
