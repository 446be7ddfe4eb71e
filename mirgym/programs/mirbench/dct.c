/*
 * A small grey-scale image codec: 8x8 DCT (floating point and fixed point),
 * JPEG-style quantisation, zigzag order, and run-length plus exponential-Golomb
 * coding to a bit stream, which is decoded again and compared.
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    DEFAULT_SIDE = 720,
    MAX_SIDE = 8192,
    N = 8,
    AREA = N * N,
    COS_BITS = 12, /* fraction bits of the fixed-point basis */
    END_OF_BLOCK = AREA
};

typedef struct {
    size_t blocks; /* the image is blocks x blocks of 8x8 pixels */
    size_t side;
    uint8_t *pixels;
} Image;

typedef struct {
    uint8_t *bytes;
    size_t capacity;
    size_t bit; /* position of the next bit to write or read */
} BitStream;

static const uint8_t luminance_table[AREA] = {
    16, 11, 10, 16, 24,  40,  51,  61,  12, 12, 14, 19, 26,  58,  60,  55,
    14, 13, 16, 24, 40,  57,  69,  56,  14, 17, 22, 29, 51,  87,  80,  62,
    18, 22, 37, 56, 68,  109, 103, 77,  24, 35, 55, 64, 81,  104, 113, 92,
    49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99};

static double basis[N][N];   /* basis[u][x] = c(u) cos((2x + 1) u pi / 16) */
static int32_t fixed_basis[N][N];
static uint8_t zigzag[AREA]; /* raster index of each coefficient in scan order */

static void *allocate(size_t count, size_t size)
{
    void *p = calloc(count, size);
    if (p == NULL) {
        fprintf(stderr, "dct: out of memory\n");
        exit(1);
    }
    return p;
}

static void init_tables(void)
{
    const double pi = 3.14159265358979323846;
    for (int u = 0; u < N; u++)
        for (int x = 0; x < N; x++) {
            double scale = u == 0 ? sqrt(0.125) : 0.5;
            basis[u][x] = scale * cos((2 * x + 1) * u * pi / 16.0);
            fixed_basis[u][x] = (int32_t)lround(basis[u][x] * (1 << COS_BITS));
        }
    /* Walk the anti-diagonals in alternating direction. */
    int count = 0;
    for (int diagonal = 0; diagonal < 2 * N - 1; diagonal++)
        for (int step = 0; step <= diagonal; step++) {
            int y = diagonal % 2 == 0 ? diagonal - step : step;
            int x = diagonal - y;
            if (x < N && y < N)
                zigzag[count++] = (uint8_t)(y * N + x);
        }
}

static Image image_new(size_t blocks)
{
    Image image = {blocks, blocks * N, allocate(blocks * blocks, AREA)};
    return image;
}

/* Ramps, a chequerboard, discs and noise, so that blocks differ in activity. */
static void image_generate(Image *image)
{
    uint32_t seed = 12345;
    int side = (int)image->side;
    for (int y = 0; y < side; y++)
        for (int x = 0; x < side; x++) {
            int value = 40 + 100 * x / side + 60 * y / side;
            int dx = x % 96 - 48, dy = y % 80 - 40;
            if (dx * dx + dy * dy < 700)
                value = 220 - (dx * dx + dy * dy) / 8;
            else if ((x / 128 + y / 128) % 3 == 0)
                value += (x / 5 + y / 7) % 2 * 36;
            seed = seed * 1664525u + 1013904223u;
            value += (int)(seed >> 28) - 8;
            image->pixels[y * side + x] = (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
        }
}

static uint8_t *block_origin(const Image *image, size_t index)
{
    size_t by = index / image->blocks, bx = index % image->blocks;
    return image->pixels + by * N * image->side + bx * N;
}

static void load_block(const Image *image, size_t index, int32_t *block)
{
    const uint8_t *row = block_origin(image, index);
    for (int y = 0; y < N; y++, row += image->side)
        for (int x = 0; x < N; x++)
            block[y * N + x] = row[x] - 128;
}

static void store_block(Image *image, size_t index, const int32_t *block)
{
    uint8_t *row = block_origin(image, index);
    for (int y = 0; y < N; y++, row += image->side)
        for (int x = 0; x < N; x++) {
            int32_t value = block[y * N + x] + 128;
            row[x] = (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
        }
}

/* One separable pass: out[v][y] = sum over x of basis[v][x] * in[y][x]. Doing
 * it twice transforms rows, then columns, and restores the orientation. */
static void float_pass(const double *in, double *out)
{
    for (int y = 0; y < N; y++)
        for (int v = 0; v < N; v++) {
            double sum = 0.0;
            for (int x = 0; x < N; x++)
                sum += basis[v][x] * in[y * N + x];
            out[v * N + y] = sum;
        }
}

static void float_forward(const int32_t *block, double *coefficients)
{
    double samples[AREA], half[AREA];
    for (int i = 0; i < AREA; i++)
        samples[i] = block[i];
    float_pass(samples, half);
    float_pass(half, coefficients);
}

/* Division by 2^shift that rounds to nearest, halves away from zero. */
static int32_t round_shift(int32_t value, int shift)
{
    int32_t half = 1 << (shift - 1), unit = 1 << shift;
    return value >= 0 ? (value + half) / unit : -((half - value) / unit);
}

/* As float_pass, with a result scaled by 2^(COS_BITS - shift); the inverse
 * pass uses the transposed basis. */
static void fixed_pass(const int32_t *in, int32_t *out, int inverse, int shift)
{
    for (int y = 0; y < N; y++)
        for (int v = 0; v < N; v++) {
            int32_t sum = 0;
            for (int x = 0; x < N; x++)
                sum += (inverse ? fixed_basis[x][v] : fixed_basis[v][x]) * in[y * N + x];
            out[v * N + y] = round_shift(sum, shift);
        }
}

/* Keeps three extra bits of precision between the two passes. */
static void fixed_transform(const int32_t *in, int32_t *out, int inverse)
{
    int32_t half[AREA];
    fixed_pass(in, half, inverse, COS_BITS - 3);
    fixed_pass(half, out, inverse, COS_BITS + 3);
}

static void put_bits(BitStream *stream, uint32_t value, int count)
{
    while (count-- > 0) {
        if (stream->bit / 8 == stream->capacity) {
            size_t grown = stream->capacity * 2 + 1024;
            uint8_t *bytes = realloc(stream->bytes, grown);
            if (bytes == NULL) {
                fprintf(stderr, "dct: out of memory\n");
                exit(1);
            }
            memset(bytes + stream->capacity, 0, grown - stream->capacity);
            stream->bytes = bytes;
            stream->capacity = grown;
        }
        if (value >> count & 1u)
            stream->bytes[stream->bit / 8] |= (uint8_t)(0x80u >> stream->bit % 8);
        stream->bit++;
    }
}

static uint32_t get_bits(BitStream *stream, int count)
{
    uint32_t value = 0;
    for (; count > 0; count--, stream->bit++)
        value = value << 1 | (stream->bytes[stream->bit / 8] >> (7 - stream->bit % 8) & 1u);
    return value;
}

/* Exponential-Golomb: the value plus 2^k in binary, after as many zeros as it
 * has bits beyond the lowest k + 1. */
static void put_golomb(BitStream *stream, uint32_t value, int k)
{
    uint32_t shifted = value + (1u << k);
    int extra = 0;
    while (shifted >> (k + extra + 1) != 0)
        extra++;
    put_bits(stream, 0, extra);
    put_bits(stream, shifted, k + extra + 1);
}

static uint32_t get_golomb(BitStream *stream, int k)
{
    int extra = 0;
    while (get_bits(stream, 1) == 0)
        extra++;
    return (1u << (k + extra) | get_bits(stream, k + extra)) - (1u << k);
}

/* Maps 0, -1, 1, -2, 2, ... to 0, 1, 2, 3, 4, ... */
static uint32_t fold_sign(int32_t value)
{
    return value >= 0 ? 2 * (uint32_t)value : 2 * (uint32_t)-value - 1;
}

static int32_t unfold_sign(uint32_t code)
{
    return code % 2 == 0 ? (int32_t)(code / 2) : -(int32_t)(code / 2) - 1;
}

static int32_t quantizer_step(int index, int quality)
{
    int32_t step = (luminance_table[index] * (105 - quality) + 25) / 50;
    return step < 1 ? 1 : step;
}

/* Quantises and writes one block: the DC difference, then (run, level) pairs. */
static void encode_block(BitStream *stream, const int32_t *coefficients, int quality,
                         int32_t *previous_dc)
{
    uint32_t run = 0;
    for (int i = 0; i < AREA; i++) {
        int32_t value = coefficients[zigzag[i]];
        int32_t step = quantizer_step(zigzag[i], quality);
        int32_t level = value >= 0 ? (value + step / 2) / step : -((step / 2 - value) / step);
        if (i == 0) {
            put_golomb(stream, fold_sign(level - *previous_dc), 2);
            *previous_dc = level;
        } else if (level == 0) {
            run++;
        } else {
            put_golomb(stream, run, 1);
            put_golomb(stream, fold_sign(level) - 1, 0);
            run = 0;
        }
    }
    put_golomb(stream, END_OF_BLOCK, 1);
}

static void decode_block(BitStream *stream, int32_t *coefficients, int quality,
                         int32_t *previous_dc)
{
    memset(coefficients, 0, AREA * sizeof *coefficients);
    *previous_dc += unfold_sign(get_golomb(stream, 2));
    coefficients[0] = *previous_dc * quantizer_step(0, quality);
    uint32_t position = 1;
    for (;;) {
        position += get_golomb(stream, 1);
        if (position >= AREA)
            return;
        int32_t level = unfold_sign(get_golomb(stream, 0) + 1);
        coefficients[zigzag[position]] = level * quantizer_step(zigzag[position], quality);
        position++;
    }
}

static void encode_image(const Image *image, BitStream *stream, int quality)
{
    int32_t block[AREA], coefficients[AREA], dc = 0;
    for (size_t i = 0; i < image->blocks * image->blocks; i++) {
        load_block(image, i, block);
        fixed_transform(block, coefficients, 0);
        encode_block(stream, coefficients, quality, &dc);
    }
}

static void decode_image(Image *image, BitStream *stream, int quality)
{
    int32_t block[AREA], coefficients[AREA], dc = 0;
    for (size_t i = 0; i < image->blocks * image->blocks; i++) {
        decode_block(stream, coefficients, quality, &dc);
        fixed_transform(coefficients, block, 1);
        store_block(image, i, block);
    }
}

/* Number of coefficients where the two transforms differ by more than one. */
static size_t compare_transforms(const Image *image)
{
    int32_t block[AREA], fixed[AREA];
    double exact[AREA];
    size_t outliers = 0;
    for (size_t i = 0; i < image->blocks * image->blocks; i++) {
        load_block(image, i, block);
        fixed_transform(block, fixed, 0);
        float_forward(block, exact);
        for (int k = 0; k < AREA; k++)
            outliers += fabs(exact[k] - fixed[k]) > 1.0;
    }
    return outliers;
}

/* Peak signal-to-noise ratio in hundredths of a decibel, 1000 log10(255^2 / mse):
 * the bits of the binary logarithm come from repeated squaring of the ratio. */
static int psnr_hundredths(uint64_t squared_error, uint64_t pixels)
{
    if (squared_error == 0)
        return 9999;
    uint64_t ratio = (65025 * pixels << 16) / squared_error;
    int log2_q16 = -(16 << 16);
    while (ratio >= (uint64_t)1 << 32) {
        ratio >>= 1;
        log2_q16 += 1 << 16;
    }
    while (ratio < (uint64_t)1 << 31) {
        ratio <<= 1;
        log2_q16 -= 1 << 16;
    }
    log2_q16 += 31 << 16;
    for (int bit = 1 << 15; bit > 0; bit >>= 1) {
        ratio = ratio * ratio >> 31;
        if (ratio >= (uint64_t)1 << 32) {
            ratio >>= 1;
            log2_q16 += bit;
        }
    }
    return (int)((int64_t)log2_q16 * 30103 / 6553600);
}

static int run_quality(const Image *image, int quality)
{
    BitStream stream = {NULL, 0, 0};
    Image decoded = image_new(image->blocks);
    size_t pixels = image->side * image->side;
    uint64_t squared_error = 0;
    uint32_t hash = 2166136261u;
    encode_image(image, &stream, quality);
    size_t written = stream.bit;
    stream.bit = 0;
    decode_image(&decoded, &stream, quality);
    for (size_t i = 0; i < pixels; i++) {
        int difference = image->pixels[i] - decoded.pixels[i];
        squared_error += (uint64_t)(difference * difference);
    }
    for (size_t i = 0; i < (written + 7) / 8; i++)
        hash = (hash ^ stream.bytes[i]) * 16777619u;
    int psnr = psnr_hundredths(squared_error, pixels);
    printf("quality %d: %zu bits, stream hash %08x, psnr %d.%02d dB\n", quality, written,
           (unsigned)hash, psnr / 100, psnr % 100);
    int ok = stream.bit == written && psnr >= 2500;
    free(stream.bytes);
    free(decoded.pixels);
    return ok;
}

static size_t parse_size(const char *text)
{
    char *end;
    long value = strtol(text, &end, 10);
    if (end == text || *end != '\0' || value < 1 || value > MAX_SIDE) {
        fprintf(stderr, "dct: image side must be from 1 to %d, not '%s'\n", MAX_SIDE, text);
        exit(2);
    }
    return (size_t)value;
}

int main(int argc, char **argv)
{
    size_t side = argc > 1 ? parse_size(argv[1]) : DEFAULT_SIDE;
    Image image = image_new((side + N - 1) / N);
    init_tables();
    image_generate(&image);
    printf("image: %zu x %zu pixels\n", image.side, image.side);
    size_t outliers = compare_transforms(&image);
    int ok = outliers == 0;
    printf("fixed-point coefficients off by more than one: %zu\n", outliers);
    for (int quality = 25; quality <= 95; quality += 35)
        ok = run_quality(&image, quality) && ok;
    free(image.pixels);
    if (!ok)
        fprintf(stderr, "dct: the decoded image does not match\n");
    return ok ? 0 : 1;
}
