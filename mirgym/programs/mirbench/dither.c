/*
 * Colour reduction of a generated picture: Floyd-Steinberg and Atkinson error
 * diffusion, ordered Bayer dithering, a median-cut palette, and integer
 * conversions between RGB, YCbCr and HSV.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_SIDE = 480, MAX_SIDE = 8192, PALETTE_SIZE = 32, CHANNELS = 3 };
enum { BAYER_BITS = 3, BAYER_SIDE = 1 << BAYER_BITS, HUE_SECTOR = 256, KERNEL_SIZE = 6 };

typedef struct {
    uint8_t c[CHANNELS]; /* red, green, blue */
} Rgb;

typedef struct {
    int luma, cb, cr;
} Ycc;

typedef struct {
    int hue; /* six sectors of HUE_SECTOR steps, red = 0 */
    int saturation, value;
} Hsv;

typedef struct {
    int side;
    Rgb *pixels;
} Picture;

/* A range of the colour array that becomes one palette entry. */
typedef struct {
    Rgb *colours;
    size_t count;
    int longest_axis, extent;
} Box;

typedef struct {
    int dx, dy, weight;
} KernelTap;

typedef struct {
    const char *name;
    int divisor;
    KernelTap tap[KERNEL_SIZE]; /* unused taps have weight 0 */
} Kernel;

static const Kernel floyd_steinberg = {
    "floyd-steinberg", 16, {{1, 0, 7}, {-1, 1, 3}, {0, 1, 5}, {1, 1, 1}}};
static const Kernel atkinson = {
    "atkinson", 8, {{1, 0, 1}, {2, 0, 1}, {-1, 1, 1}, {0, 1, 1}, {1, 1, 1}, {0, 2, 1}}};

static void *allocate(size_t count, size_t size)
{
    void *p = calloc(count, size);
    if (p == NULL) {
        fprintf(stderr, "dither: out of memory\n");
        exit(1);
    }
    return p;
}

static int clamp_byte(int value)
{
    return value < 0 ? 0 : value > 255 ? 255 : value;
}

static Rgb make_rgb(int r, int g, int b)
{
    return (Rgb){{(uint8_t)r, (uint8_t)g, (uint8_t)b}};
}

static size_t pixel_count(const Picture *picture)
{
    return (size_t)picture->side * (size_t)picture->side;
}

static uint32_t hash_bytes(const void *data, size_t length)
{
    const uint8_t *bytes = data;
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ bytes[i]) * 16777619u;
    return hash;
}

/* BT.601 with 16 fraction bits. */
static Ycc rgb_to_ycc(Rgb p)
{
    int r = p.c[0], g = p.c[1], b = p.c[2];
    Ycc out;
    out.luma = (19595 * r + 38470 * g + 7471 * b + 32768) / 65536;
    out.cb = 128 + (-11059 * r - 21709 * g + 32768 * b) / 65536;
    out.cr = 128 + (32768 * r - 27439 * g - 5329 * b) / 65536;
    return out;
}

static Rgb ycc_to_rgb(Ycc p)
{
    int cb = p.cb - 128, cr = p.cr - 128;
    int r = p.luma + 91881 * cr / 65536;
    int g = p.luma - (22554 * cb + 46802 * cr) / 65536;
    int b = p.luma + 116130 * cb / 65536;
    return make_rgb(clamp_byte(r), clamp_byte(g), clamp_byte(b));
}

static Hsv rgb_to_hsv(Rgb p)
{
    int r = p.c[0], g = p.c[1], b = p.c[2];
    int high = r > g ? r : g, low = r < g ? r : g;
    high = high > b ? high : b;
    low = low < b ? low : b;
    int chroma = high - low;
    Hsv out = {0, 0, high};
    if (chroma == 0)
        return out;
    out.saturation = (255 * chroma + high / 2) / high;
    if (high == r)
        out.hue = (g - b) * HUE_SECTOR / chroma;
    else if (high == g)
        out.hue = 2 * HUE_SECTOR + (b - r) * HUE_SECTOR / chroma;
    else
        out.hue = 4 * HUE_SECTOR + (r - g) * HUE_SECTOR / chroma;
    if (out.hue < 0)
        out.hue += 6 * HUE_SECTOR;
    return out;
}

static Rgb hsv_to_rgb(Hsv p)
{
    int sector = p.hue / HUE_SECTOR, fraction = p.hue % HUE_SECTOR;
    int v = p.value, s = p.saturation;
    int low = v * (255 - s) / 255;
    int falling = v * (255 * HUE_SECTOR - s * fraction) / (255 * HUE_SECTOR);
    int rising = v * (255 * HUE_SECTOR - s * (HUE_SECTOR - fraction)) / (255 * HUE_SECTOR);
    switch (sector) {
    case 0: return make_rgb(v, rising, low);
    case 1: return make_rgb(falling, v, low);
    case 2: return make_rgb(low, v, rising);
    case 3: return make_rgb(low, falling, v);
    case 4: return make_rgb(rising, low, v);
    default: return make_rgb(v, low, falling);
    }
}

/* A hue wheel that darkens downwards, with grey blobs and some noise. */
static Picture generate_picture(int side)
{
    uint32_t seed = 777;
    Picture picture = {side, NULL};
    picture.pixels = allocate(pixel_count(&picture), sizeof *picture.pixels);
    for (int y = 0; y < side; y++)
        for (int x = 0; x < side; x++) {
            int dx = x % 60 - 30, dy = y % 75 - 37;
            int distance = dx * dx + dy * dy;
            Hsv colour = {6 * HUE_SECTOR * x / side, 90 + 165 * y / side, 255 - 200 * y / side};
            if (distance < 400)
                colour.saturation = colour.saturation * distance / 400;
            Rgb base = hsv_to_rgb(colour);
            for (int k = 0; k < CHANNELS; k++) {
                seed = seed * 1664525u + 1013904223u;
                base.c[k] = (uint8_t)clamp_byte(base.c[k] + (int)(seed >> 28) - 8);
            }
            picture.pixels[y * side + x] = base;
        }
    return picture;
}

static int luma_at(const Picture *picture, size_t index)
{
    return rgb_to_ycc(picture->pixels[index]).luma;
}

/* Prints the share of white and how far the mean brightness has moved. */
static void report_bilevel(const char *name, const Picture *source, const uint8_t *bits)
{
    size_t count = pixel_count(source), white = 0;
    uint64_t before = 0;
    for (size_t i = 0; i < count; i++) {
        before += (uint64_t)luma_at(source, i);
        white += bits[i] != 0;
    }
    printf("%-16s %8zu white, mean %llu -> %llu, hash %08x\n", name, white,
           (unsigned long long)(before / count), (unsigned long long)(white * 255 / count),
           (unsigned)hash_bytes(bits, count));
}

/* Scans in alternating directions, with mirrored taps on the odd rows. */
static void diffuse(const Picture *source, const Kernel *kernel)
{
    int side = source->side;
    size_t count = pixel_count(source);
    int *level = allocate(count, sizeof *level);
    uint8_t *bits = allocate(count, 1);
    for (size_t i = 0; i < count; i++)
        level[i] = luma_at(source, i) * kernel->divisor;
    for (int y = 0; y < side; y++) {
        int forward = y % 2 == 0 ? 1 : -1;
        for (int step = 0; step < side; step++) {
            int x = forward > 0 ? step : side - 1 - step;
            int value = level[y * side + x] / kernel->divisor;
            bits[y * side + x] = value >= 128 ? 255 : 0;
            int error = value - bits[y * side + x];
            for (int t = 0; t < KERNEL_SIZE && kernel->tap[t].weight > 0; t++) {
                int tx = x + forward * kernel->tap[t].dx, ty = y + kernel->tap[t].dy;
                if (tx >= 0 && tx < side && ty < side)
                    level[ty * side + tx] += error * kernel->tap[t].weight;
            }
        }
    }
    report_bilevel(kernel->name, source, bits);
    free(level);
    free(bits);
}

/* Threshold from interleaving the bits of x ^ y and y, highest rank lowest bit. */
static int bayer_threshold(int x, int y)
{
    int mixed = x ^ y, rank = 0;
    for (int bit = 0; bit < BAYER_BITS; bit++)
        rank = rank << 2 | (mixed >> bit & 1) << 1 | (y >> bit & 1);
    return rank;
}

static void dither_ordered(const Picture *source)
{
    uint8_t *bits = allocate(pixel_count(source), 1);
    int threshold[BAYER_SIDE][BAYER_SIDE];
    for (int y = 0; y < BAYER_SIDE; y++)
        for (int x = 0; x < BAYER_SIDE; x++)
            threshold[y][x] = bayer_threshold(x, y) * 4 + 2;
    for (int y = 0; y < source->side; y++)
        for (int x = 0; x < source->side; x++) {
            size_t i = (size_t)y * (size_t)source->side + (size_t)x;
            bits[i] = luma_at(source, i) > threshold[y % BAYER_SIDE][x % BAYER_SIDE] ? 255 : 0;
        }
    report_bilevel("bayer 8x8", source, bits);
    free(bits);
}

static void measure_box(Box *box)
{
    box->extent = -1;
    for (int k = 0; k < CHANNELS; k++) {
        int low = 255, high = 0;
        for (size_t i = 0; i < box->count; i++) {
            int value = box->colours[i].c[k];
            low = value < low ? value : low;
            high = value > high ? value : high;
        }
        if (high - low > box->extent) {
            box->extent = high - low;
            box->longest_axis = k;
        }
    }
}

/* Sorts a box along its longest axis by counting and returns the index where
 * the upper half begins; equal values stay together, so both halves shrink. */
static size_t split_position(Box *box, Rgb *scratch)
{
    size_t start[257] = {0};
    int axis = box->longest_axis;
    for (size_t i = 0; i < box->count; i++)
        start[box->colours[i].c[axis] + 1]++;
    for (int v = 0; v < 256; v++)
        start[v + 1] += start[v];
    for (size_t i = 0; i < box->count; i++)
        scratch[start[box->colours[i].c[axis]]++] = box->colours[i];
    memcpy(box->colours, scratch, box->count * sizeof *scratch);
    size_t middle = box->count / 2;
    while (middle > 0 && scratch[middle - 1].c[axis] == scratch[middle].c[axis])
        middle--;
    while (middle == 0 || scratch[middle - 1].c[axis] == scratch[middle].c[axis])
        middle++;
    return middle;
}

static Rgb box_mean(const Box *box)
{
    uint64_t sum[CHANNELS] = {0};
    Rgb mean;
    for (size_t i = 0; i < box->count; i++)
        for (int k = 0; k < CHANNELS; k++)
            sum[k] += box->colours[i].c[k];
    for (int k = 0; k < CHANNELS; k++)
        mean.c[k] = (uint8_t)((sum[k] + box->count / 2) / box->count);
    return mean;
}

/* Returns the number of palette entries, fewer when there are fewer colours. */
static int median_cut(const Picture *source, Rgb palette[PALETTE_SIZE])
{
    size_t count = pixel_count(source);
    Rgb *colours = allocate(2 * count, sizeof *colours);
    Rgb *scratch = colours + count;
    Box boxes[PALETTE_SIZE] = {{colours, count, 0, 0}};
    int used = 1;
    memcpy(colours, source->pixels, count * sizeof *colours);
    measure_box(&boxes[0]);
    while (used < PALETTE_SIZE) {
        Box *widest = boxes;
        for (Box *box = boxes + 1; box < boxes + used; box++)
            if (box->extent > widest->extent)
                widest = box;
        if (widest->extent == 0)
            break;
        size_t middle = split_position(widest, scratch);
        Box upper = {widest->colours + middle, widest->count - middle, 0, 0};
        widest->count = middle;
        measure_box(widest);
        measure_box(&upper);
        boxes[used++] = upper;
    }
    for (int b = 0; b < used; b++)
        palette[b] = box_mean(&boxes[b]);
    free(colours);
    return used;
}

static int squared_distance(Rgb a, Rgb b)
{
    int sum = 0;
    for (int k = 0; k < CHANNELS; k++)
        sum += (a.c[k] - b.c[k]) * (a.c[k] - b.c[k]);
    return sum;
}

static void quantize(const Picture *source)
{
    size_t count = pixel_count(source);
    Rgb palette[PALETTE_SIZE];
    uint8_t *index = allocate(count, 1);
    uint64_t error = 0;
    int used = median_cut(source, palette);
    for (size_t i = 0; i < count; i++) {
        int best = squared_distance(source->pixels[i], palette[0]);
        for (int p = 1; p < used; p++) {
            int distance = squared_distance(source->pixels[i], palette[p]);
            if (distance < best) {
                best = distance;
                index[i] = (uint8_t)p;
            }
        }
        error += (uint64_t)best;
    }
    printf("median cut       %d colours, mean square error %llu, hash %08x %08x\n", used,
           (unsigned long long)(error / count),
           (unsigned)hash_bytes(palette, (size_t)used * sizeof *palette),
           (unsigned)hash_bytes(index, count));
    free(index);
}

/* Largest channel error after a conversion there and back. */
static int worst_round_trip(const Picture *source, int via_hsv)
{
    int worst = 0;
    for (size_t i = 0; i < pixel_count(source); i++) {
        Rgb before = source->pixels[i];
        Rgb after = via_hsv ? hsv_to_rgb(rgb_to_hsv(before)) : ycc_to_rgb(rgb_to_ycc(before));
        for (int k = 0; k < CHANNELS; k++) {
            int error = abs(before.c[k] - after.c[k]);
            worst = error > worst ? error : worst;
        }
    }
    return worst;
}

static int parse_size(const char *text)
{
    char *end;
    long value = strtol(text, &end, 10);
    if (end == text || *end != '\0' || value < 1 || value > MAX_SIDE) {
        fprintf(stderr, "dither: picture side must be from 1 to %d, not '%s'\n", MAX_SIDE, text);
        exit(2);
    }
    return (int)value;
}

int main(int argc, char **argv)
{
    Picture picture = generate_picture(argc > 1 ? parse_size(argv[1]) : DEFAULT_SIDE);
    printf("picture          %d x %d, hash %08x\n", picture.side, picture.side,
           (unsigned)hash_bytes(picture.pixels, pixel_count(&picture) * sizeof *picture.pixels));
    int worst_ycc = worst_round_trip(&picture, 0), worst_hsv = worst_round_trip(&picture, 1);
    printf("round trip       worst error %d by ycbcr, %d by hsv\n", worst_ycc, worst_hsv);
    diffuse(&picture, &floyd_steinberg);
    diffuse(&picture, &atkinson);
    dither_ordered(&picture);
    quantize(&picture);
    free(picture.pixels);
    if (worst_ycc > 4 || worst_hsv > 4) {
        fprintf(stderr, "dither: colour conversions lose too much\n");
        return 1;
    }
    return 0;
}
