/*
 * Edge and corner detection on a generated scene: separable Gaussian blur,
 * Sobel gradients, non-maximum suppression and hysteresis as in Canny's method,
 * SUSAN corners, and binary morphology. Integer arithmetic throughout.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    DEFAULT_SIDE = 960,
    MAX_SIDE = 10000,
    BLUR_RADIUS = 3,
    EDGE_LOW = 24,
    EDGE_HIGH = 140,
    SUSAN_RADIUS = 3,
    SUSAN_AREA = 37,
    SUSAN_CONTRAST = 25,
    SUSAN_LIMIT = SUSAN_AREA / 2
};

typedef struct {
    int width, height;
    uint8_t *data;
} Image;

typedef struct {
    int *magnitude;
    uint8_t *sector; /* direction of the gradient: 0 = E, 1 = SE, 2 = S, 3 = SW */
} Gradient;

static uint32_t rng_state = 0x0BADCAFEu;

static uint32_t next_random(void)
{
    rng_state = rng_state * 1664525u + 1013904223u;
    return rng_state >> 8;
}

static void *allocate(size_t count, size_t size)
{
    void *p = calloc(count, size);
    if (p == NULL) {
        fprintf(stderr, "edges: out of memory\n");
        exit(1);
    }
    return p;
}

static Image image_new(int width, int height)
{
    Image image = {width, height, allocate((size_t)width * (size_t)height, 1)};
    return image;
}

static int clamp(int value, int low, int high)
{
    if (value < low)
        return low;
    return value > high ? high : value;
}

/* Pixels beyond the border repeat the nearest one inside. */
static int pixel(const Image *image, int x, int y)
{
    x = clamp(x, 0, image->width - 1);
    y = clamp(y, 0, image->height - 1);
    return image->data[y * image->width + x];
}

static void report(const char *name, const Image *image)
{
    uint32_t hash = 2166136261u;
    long set = 0;
    for (int i = 0; i < image->width * image->height; i++) {
        hash = (hash ^ image->data[i]) * 16777619u;
        set += image->data[i] != 0;
    }
    printf("%-12s %8ld pixels set, hash %08x\n", name, set, (unsigned)hash);
}

static void fill_polygon(Image *image, const int (*corner)[2], int corners, int shade)
{
    for (int y = 0; y < image->height; y++)
        for (int x = 0; x < image->width; x++) {
            int inside = 1;
            for (int i = 0; i < corners && inside; i++) {
                const int *p = corner[i], *q = corner[(i + 1) % corners];
                inside = (q[0] - p[0]) * (y - p[1]) >= (q[1] - p[1]) * (x - p[0]);
            }
            if (inside)
                image->data[y * image->width + x] = (uint8_t)shade;
        }
}

static void fill_disc(Image *image, int cx, int cy, int radius, int shade)
{
    for (int y = clamp(cy - radius, 0, image->height); y < image->height && y <= cy + radius; y++)
        for (int x = clamp(cx - radius, 0, image->width); x < image->width && x <= cx + radius; x++)
            if ((x - cx) * (x - cx) + (y - cy) * (y - cy) <= radius * radius)
                image->data[y * image->width + x] = (uint8_t)shade;
}

static void generate_scene(Image *image)
{
    int w = image->width, h = image->height;
    const int triangle[3][2] = {{w / 8, h * 7 / 8}, {w / 3, h / 6}, {w / 2, h * 3 / 4}};
    const int kite[4][2] = {{w * 3 / 4, h / 10}, {w * 9 / 10, h / 3}, {w * 3 / 4, h * 5 / 8},
                            {w * 5 / 8, h / 3}};
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++)
            image->data[y * w + x] = (uint8_t)(40 + 50 * x / w);
    fill_polygon(image, triangle, 3, 170);
    fill_polygon(image, kite, 4, 230);
    for (int i = 0; i < 12; i++) {
        int cx = (int)(next_random() % (unsigned)w);
        int cy = (int)(next_random() % (unsigned)h);
        fill_disc(image, cx, cy, 3 + w / 40 + i, 90 + 12 * i);
    }
    for (int i = 0; i < w * h; i++)
        image->data[i] = (uint8_t)clamp(image->data[i] + (int)(next_random() % 13) - 6, 0, 255);
}

/* Binomial weights of order 2 * BLUR_RADIUS approximate a Gaussian. */
static Image gaussian_blur(const Image *source)
{
    int kernel[2 * BLUR_RADIUS + 1] = {1};
    Image rows = image_new(source->width, source->height);
    Image result = image_new(source->width, source->height);
    const int half = 1 << (2 * BLUR_RADIUS - 1), shift = 2 * BLUR_RADIUS;
    for (int order = 1; order <= 2 * BLUR_RADIUS; order++)
        for (int i = order; i > 0; i--)
            kernel[i] += kernel[i - 1];
    for (int y = 0; y < source->height; y++)
        for (int x = 0; x < source->width; x++) {
            int sum = half;
            for (int k = -BLUR_RADIUS; k <= BLUR_RADIUS; k++)
                sum += kernel[k + BLUR_RADIUS] * pixel(source, x + k, y);
            rows.data[y * rows.width + x] = (uint8_t)(sum >> shift);
        }
    for (int y = 0; y < source->height; y++)
        for (int x = 0; x < source->width; x++) {
            int sum = half;
            for (int k = -BLUR_RADIUS; k <= BLUR_RADIUS; k++)
                sum += kernel[k + BLUR_RADIUS] * pixel(&rows, x, y + k);
            result.data[y * result.width + x] = (uint8_t)(sum >> shift);
        }
    free(rows.data);
    return result;
}

/* Quantises a direction to one of four; tan 22.5 degrees is about 5 / 12. */
static uint8_t gradient_sector(int gx, int gy)
{
    int ax = abs(gx), ay = abs(gy);
    if (12 * ay < 5 * ax)
        return 0;
    if (12 * ax < 5 * ay)
        return 2;
    return (gx < 0) == (gy < 0) ? 1 : 3;
}

static Gradient sobel(const Image *image)
{
    size_t count = (size_t)image->width * (size_t)image->height;
    Gradient g = {allocate(count, sizeof *g.magnitude), allocate(count, 1)};
    for (int y = 0; y < image->height; y++)
        for (int x = 0; x < image->width; x++) {
            int nw = pixel(image, x - 1, y - 1), ne = pixel(image, x + 1, y - 1);
            int sw = pixel(image, x - 1, y + 1), se = pixel(image, x + 1, y + 1);
            int gx = ne + 2 * pixel(image, x + 1, y) + se - nw - 2 * pixel(image, x - 1, y) - sw;
            int gy = sw + 2 * pixel(image, x, y + 1) + se - nw - 2 * pixel(image, x, y - 1) - ne;
            int i = y * image->width + x;
            g.magnitude[i] = abs(gx) + abs(gy);
            g.sector[i] = gradient_sector(gx, gy);
        }
    return g;
}

/* Keeps local maxima across the edge: 255 above the high threshold, 128 above
 * the low one. The outermost pixels are never edges. */
static Image suppress_non_maxima(const Gradient *g, int width, int height)
{
    const int step[4] = {1, width + 1, width, width - 1};
    Image thin = image_new(width, height);
    for (int y = 1; y < height - 1; y++)
        for (int x = 1; x < width - 1; x++) {
            int i = y * width + x, m = g->magnitude[i];
            int across = step[g->sector[i]];
            if (m < EDGE_LOW || m < g->magnitude[i - across] || m <= g->magnitude[i + across])
                continue;
            thin.data[i] = m >= EDGE_HIGH ? 255 : 128;
        }
    return thin;
}

/* Weak pixels survive if a chain of edge pixels links them to a strong one.
 * Relies on the border being empty. */
static void hysteresis(Image *edges)
{
    int count = edges->width * edges->height, depth = 0;
    int w = edges->width;
    const int neighbour[8] = {-w - 1, -w, -w + 1, -1, 1, w - 1, w, w + 1};
    int *stack = allocate((size_t)count, sizeof *stack);
    for (int i = 0; i < count; i++)
        if (edges->data[i] == 255)
            stack[depth++] = i;
    while (depth > 0) {
        int from = stack[--depth];
        for (int k = 0; k < 8; k++) {
            int to = from + neighbour[k];
            if (edges->data[to] == 128) {
                edges->data[to] = 255;
                stack[depth++] = to;
            }
        }
    }
    for (int i = 0; i < count; i++)
        if (edges->data[i] != 255)
            edges->data[i] = 0;
    free(stack);
}

/* Response: how far the area of similar brightness in a disc around the pixel
 * falls short of half the disc. */
static Image susan_response(const Image *image)
{
    static const int half_width[2 * SUSAN_RADIUS + 1] = {1, 2, 3, 3, 3, 2, 1};
    Image response = image_new(image->width, image->height);
    for (int y = SUSAN_RADIUS; y < image->height - SUSAN_RADIUS; y++)
        for (int x = SUSAN_RADIUS; x < image->width - SUSAN_RADIUS; x++) {
            int centre = image->data[y * image->width + x];
            int similar = 0;
            for (int dy = -SUSAN_RADIUS; dy <= SUSAN_RADIUS; dy++) {
                const uint8_t *row = image->data + (y + dy) * image->width + x;
                int reach = half_width[dy + SUSAN_RADIUS];
                for (int dx = -reach; dx <= reach; dx++)
                    similar += abs(row[dx] - centre) <= SUSAN_CONTRAST;
            }
            if (similar < SUSAN_LIMIT)
                response.data[y * image->width + x] = (uint8_t)(SUSAN_LIMIT - similar);
        }
    return response;
}

/* A corner is the first of the largest responses in its 5x5 neighbourhood. */
static int count_corners(const Image *response)
{
    int corners = 0;
    for (int y = 0; y < response->height; y++)
        for (int x = 0; x < response->width; x++) {
            int here = pixel(response, x, y);
            int peak = here > 0;
            for (int dy = -2; dy <= 2 && peak; dy++)
                for (int dx = -2; dx <= 2 && peak; dx++) {
                    int before = dy < 0 || (dy == 0 && dx < 0);
                    int other = pixel(response, x + dx, y + dy);
                    peak = before ? other < here : other <= here;
                }
            corners += peak;
        }
    return corners;
}

/* Maximum (dilation) or minimum (erosion) over a 3x3 square. */
static Image morphology(const Image *image, int dilate)
{
    Image result = image_new(image->width, image->height);
    for (int y = 0; y < image->height; y++)
        for (int x = 0; x < image->width; x++) {
            int best = pixel(image, x, y);
            for (int dy = -1; dy <= 1; dy++)
                for (int dx = -1; dx <= 1; dx++) {
                    int other = pixel(image, x + dx, y + dy);
                    if (dilate ? other > best : other < best)
                        best = other;
                }
            result.data[y * image->width + x] = (uint8_t)best;
        }
    return result;
}

static Image inverted(const Image *image)
{
    Image result = image_new(image->width, image->height);
    for (int i = 0; i < image->width * image->height; i++)
        result.data[i] = (uint8_t)(255 - image->data[i]);
    return result;
}

/* Closes gaps in the edges. Checks that erosion and dilation are dual and that
 * closing contains the original. */
static int close_edges(const Image *edges)
{
    size_t size = (size_t)edges->width * (size_t)edges->height;
    Image dilated = morphology(edges, 1);
    Image closed = morphology(&dilated, 0);
    Image complement = inverted(edges);
    Image eroded = morphology(&complement, 0);
    Image dual = inverted(&eroded);
    int ok = memcmp(dual.data, dilated.data, size) == 0;
    for (size_t i = 0; i < size; i++)
        ok = ok && closed.data[i] >= edges->data[i];
    report("dilated", &dilated);
    report("closed", &closed);
    free(dilated.data);
    free(closed.data);
    free(complement.data);
    free(eroded.data);
    free(dual.data);
    return ok;
}

static int parse_size(const char *text)
{
    char *end;
    long value = strtol(text, &end, 10);
    if (end == text || *end != '\0' || value < 1 || value > MAX_SIDE) {
        fprintf(stderr, "edges: image side must be from 1 to %d, not '%s'\n", MAX_SIDE, text);
        exit(2);
    }
    return (int)value;
}

int main(int argc, char **argv)
{
    int side = argc > 1 ? parse_size(argv[1]) : DEFAULT_SIDE;
    Image scene = image_new(side, side);
    generate_scene(&scene);
    Image smooth = gaussian_blur(&scene);
    Gradient gradient = sobel(&smooth);
    Image edges = suppress_non_maxima(&gradient, side, side);
    report("scene", &scene);
    report("blurred", &smooth);
    report("thinned", &edges);
    hysteresis(&edges);
    report("edges", &edges);
    Image response = susan_response(&scene);
    report("susan", &response);
    printf("corners: %d\n", count_corners(&response));
    int ok = close_edges(&edges);
    free(scene.data);
    free(smooth.data);
    free(gradient.magnitude);
    free(gradient.sector);
    free(edges.data);
    free(response.data);
    if (!ok)
        fprintf(stderr, "edges: erosion and dilation are inconsistent\n");
    return ok ? 0 : 1;
}
