/*
 * A ray tracer: spheres, a chequered floor and triangle meshes in a bounding
 * volume hierarchy, with Lambert and Phong shading, hard shadows, mirror
 * reflection and refraction. Hits through the hierarchy are compared with a
 * linear search; image statistics are quantised to hide rounding differences.
 */
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { MAX_SHAPES = 2048, LEAF_SHAPES = 4, BINS = 12, MAX_DEPTH = 4, GRID = 4 };

static const double pi = 3.14159265358979323846;
static const double epsilon = 1e-6;

typedef struct {
    double x, y, z;
} Vec;

typedef struct {
    Vec origin, direction;
} Ray;

typedef struct {
    Vec low, high;
} Box;

typedef struct {
    Vec colour;
    double diffuse, specular, shininess, mirror, glass;
} Material;

typedef enum { SPHERE, TRIANGLE } ShapeKind;

typedef struct {
    ShapeKind kind;
    int material;
    Vec a, b, c; /* a triangle's corners, or a sphere's centre in a */
    double radius;
    Box bounds;
} Shape;

typedef struct {
    Box bounds;
    int first, count; /* of the shapes of a leaf; count is 0 inside */
    int left, right;
} Node;

typedef struct {
    double distance;
    int material;
    Vec point, normal;
} Hit;

typedef struct {
    Vec position, colour;
} Light;

enum { FLOOR, CHROME, RED, GLASS, JADE, GOLD };

static const Material materials[] = {
    [FLOOR] = {{0.9, 0.9, 0.85}, 0.9, 0.0, 1, 0.12, 0.0},
    [CHROME] = {{0.8, 0.85, 0.9}, 0.2, 0.8, 80, 0.75, 0.0},
    [RED] = {{0.85, 0.2, 0.15}, 0.8, 0.4, 20, 0.05, 0.0},
    [GLASS] = {{0.95, 1.0, 0.95}, 0.05, 0.9, 120, 0.08, 0.85},
    [JADE] = {{0.2, 0.65, 0.4}, 0.85, 0.3, 12, 0.1, 0.0},
    [GOLD] = {{0.9, 0.7, 0.2}, 0.6, 0.6, 30, 0.3, 0.0},
};

static const Light lights[] = {
    {{-6.0, 9.0, -4.0}, {0.8, 0.78, 0.7}},
    {{7.0, 5.0, -6.0}, {0.3, 0.33, 0.4}},
};

static Shape shapes[MAX_SHAPES];
static Node nodes[2 * MAX_SHAPES];
static int shape_count, node_count;
static unsigned long box_tests, shape_tests;

static void fail(const char *what)
{
    fprintf(stderr, "raytrace: %s\n", what);
    exit(1);
}

static Vec add(Vec a, Vec b)
{
    return (Vec){a.x + b.x, a.y + b.y, a.z + b.z};
}

static Vec sub(Vec a, Vec b)
{
    return (Vec){a.x - b.x, a.y - b.y, a.z - b.z};
}

static Vec scale(Vec a, double factor)
{
    return (Vec){a.x * factor, a.y * factor, a.z * factor};
}

static Vec modulate(Vec a, Vec b)
{
    return (Vec){a.x * b.x, a.y * b.y, a.z * b.z};
}

static double dot(Vec a, Vec b)
{
    return a.x * b.x + a.y * b.y + a.z * b.z;
}

static Vec cross(Vec a, Vec b)
{
    return (Vec){a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
}

static Vec normalise(Vec a)
{
    return scale(a, 1.0 / sqrt(dot(a, a)));
}

static double component(Vec a, int axis)
{
    return axis == 0 ? a.x : axis == 1 ? a.y : a.z;
}

static Vec reflect(Vec incoming, Vec normal)
{
    return sub(incoming, scale(normal, 2.0 * dot(incoming, normal)));
}

static Box empty_box(void)
{
    return (Box){{1e30, 1e30, 1e30}, {-1e30, -1e30, -1e30}};
}

static Box join(Box a, Box b)
{
    return (Box){
        {fmin(a.low.x, b.low.x), fmin(a.low.y, b.low.y), fmin(a.low.z, b.low.z)},
        {fmax(a.high.x, b.high.x), fmax(a.high.y, b.high.y), fmax(a.high.z, b.high.z)},
    };
}

static double surface(Box box)
{
    Vec size = sub(box.high, box.low);
    return size.x < 0.0 ? 0.0 : 2.0 * (size.x * size.y + size.y * size.z + size.z * size.x);
}

static double centre_on(const Shape *shape, int axis)
{
    return 0.5 * (component(shape->bounds.low, axis) + component(shape->bounds.high, axis));
}

static Shape *new_shape(ShapeKind kind, int material)
{
    if (shape_count == MAX_SHAPES)
        fail("too many shapes");
    Shape *shape = &shapes[shape_count++];
    shape->kind = kind;
    shape->material = material;
    return shape;
}

static void add_sphere(Vec centre, double radius, int material)
{
    Shape *sphere = new_shape(SPHERE, material);
    Vec extent = {radius, radius, radius};
    sphere->a = centre;
    sphere->radius = radius;
    sphere->bounds = (Box){sub(centre, extent), add(centre, extent)};
}

static void add_triangle(Vec a, Vec b, Vec c, int material)
{
    Shape *triangle = new_shape(TRIANGLE, material);
    triangle->a = a;
    triangle->b = b;
    triangle->c = c;
    triangle->bounds = join(join((Box){a, a}, (Box){b, b}), (Box){c, c});
}

static Vec torus_point(Vec centre, double major, double minor, double u, double v)
{
    double ring = major + minor * cos(v);
    return add(centre, (Vec){ring * cos(u), ring * sin(u), minor * sin(v)});
}

static void add_torus(Vec centre, double major, double minor, int segments, int sides, int material)
{
    for (int i = 0; i < segments; i++) {
        for (int j = 0; j < sides; j++) {
            double u0 = 2 * pi * i / segments, u1 = 2 * pi * (i + 1) / segments;
            double v0 = 2 * pi * j / sides, v1 = 2 * pi * (j + 1) / sides;
            Vec a = torus_point(centre, major, minor, u0, v0), b = torus_point(centre, major, minor, u1, v0);
            Vec c = torus_point(centre, major, minor, u1, v1), d = torus_point(centre, major, minor, u0, v1);
            add_triangle(a, b, c, material);
            add_triangle(a, c, d, material);
        }
    }
}

static void add_octahedron(Vec centre, double size, int material)
{
    for (int i = 0; i < 8; i++) {
        Vec x = {i & 1 ? size : -size, 0, 0}, y = {0, i & 2 ? size : -size, 0}, z = {0, 0, i & 4 ? size : -size};
        add_triangle(add(centre, x), add(centre, y), add(centre, z), material);
    }
}

static void build_scene(void)
{
    add_sphere((Vec){-1.9, 1.1, 1.2}, 1.1, CHROME);
    add_sphere((Vec){1.8, 0.8, -0.7}, 0.8, GLASS);
    add_torus((Vec){0.4, 1.5, 2.3}, 1.1, 0.35, 28, 14, JADE);
    add_octahedron((Vec){-0.4, 0.75, -1.0}, 0.75, RED);
    for (int i = 0; i < 40; i++) { /* a spiral of beads */
        double angle = 0.41 * i, distance = 2.6 + 0.05 * i;
        add_sphere((Vec){distance * cos(angle), 0.18, distance * sin(angle) + 0.8}, 0.18, i % 3 == 0 ? GOLD : RED);
    }
}

static int make_leaf(int node, int first, int count)
{
    nodes[node].first = first;
    nodes[node].count = count;
    return node;
}

/* Surface-area heuristic over a fixed number of bins along the longest axis of the centres. */
static int build_node(int first, int count)
{
    int node = node_count++, axis = 0, best = 0;
    Box bounds = empty_box(), centres = empty_box();
    for (int i = first; i < first + count; i++) {
        Vec centre = {centre_on(&shapes[i], 0), centre_on(&shapes[i], 1), centre_on(&shapes[i], 2)};
        bounds = join(bounds, shapes[i].bounds);
        centres = join(centres, (Box){centre, centre});
    }
    nodes[node].bounds = bounds;
    if (count <= LEAF_SHAPES)
        return make_leaf(node, first, count);

    Vec size = sub(centres.high, centres.low);
    for (int i = 1; i < 3; i++)
        if (component(size, i) > component(size, axis))
            axis = i;
    double start = component(centres.low, axis), extent = component(size, axis), best_cost = 1e30;
    for (int bin = 1; bin < BINS; bin++) {
        double plane = start + extent * bin / BINS;
        Box side[2] = {empty_box(), empty_box()};
        int on_side[2] = {0, 0};
        for (int i = first; i < first + count; i++) {
            int which = centre_on(&shapes[i], axis) >= plane;
            side[which] = join(side[which], shapes[i].bounds);
            on_side[which]++;
        }
        double cost = on_side[0] * surface(side[0]) + on_side[1] * surface(side[1]);
        if (on_side[0] > 0 && on_side[1] > 0 && cost < best_cost) {
            best_cost = cost;
            best = bin;
        }
    }
    if (best == 0)
        return make_leaf(node, first, count);

    double plane = start + extent * best / BINS;
    int middle = first;
    for (int i = first; i < first + count; i++) {
        if (centre_on(&shapes[i], axis) < plane) {
            Shape swap = shapes[i];
            shapes[i] = shapes[middle];
            shapes[middle++] = swap;
        }
    }
    nodes[node].left = build_node(first, middle - first);
    nodes[node].right = build_node(middle, first + count - middle);
    return node;
}

static bool narrow(double low, double high, double origin, double direction, double *near, double *far)
{
    if (fabs(direction) < 1e-12)
        return origin >= low && origin <= high;
    double t0 = (low - origin) / direction, t1 = (high - origin) / direction;
    *near = fmax(*near, fmin(t0, t1));
    *far = fmin(*far, fmax(t0, t1));
    return *near <= *far;
}

static bool hits_box(const Ray *ray, const Box *box, double limit)
{
    double near = 0.0, far = limit;
    box_tests++;
    return narrow(box->low.x, box->high.x, ray->origin.x, ray->direction.x, &near, &far) &&
           narrow(box->low.y, box->high.y, ray->origin.y, ray->direction.y, &near, &far) &&
           narrow(box->low.z, box->high.z, ray->origin.z, ray->direction.z, &near, &far);
}

/* The distance along the ray, or a negative number. */
static double hit_sphere(const Ray *ray, const Shape *sphere)
{
    Vec offset = sub(ray->origin, sphere->a);
    double half = dot(offset, ray->direction);
    double discriminant = half * half - dot(offset, offset) + sphere->radius * sphere->radius;
    if (discriminant < 0.0)
        return -1.0;
    double root = sqrt(discriminant);
    return -half - root > epsilon ? -half - root : -half + root;
}

/* Moeller and Trumbore's test. */
static double hit_triangle(const Ray *ray, const Shape *triangle)
{
    Vec edge1 = sub(triangle->b, triangle->a), edge2 = sub(triangle->c, triangle->a);
    Vec p = cross(ray->direction, edge2);
    double determinant = dot(edge1, p);
    if (fabs(determinant) < 1e-12)
        return -1.0;
    Vec offset = sub(ray->origin, triangle->a), q = cross(offset, edge1);
    double u = dot(offset, p) / determinant, v = dot(ray->direction, q) / determinant;
    return u < 0.0 || v < 0.0 || u + v > 1.0 ? -1.0 : dot(edge2, q) / determinant;
}

static void hit_range(const Ray *ray, int first, int count, double *distance, int *nearest)
{
    for (int i = first; i < first + count; i++) {
        double at = shapes[i].kind == SPHERE ? hit_sphere(ray, &shapes[i]) : hit_triangle(ray, &shapes[i]);
        if (at > epsilon && at < *distance) {
            *distance = at;
            *nearest = i;
        }
    }
    shape_tests += (unsigned long)count;
}

static int hit_tree(const Ray *ray, double *distance)
{
    int stack[64], depth = 0, nearest = -1;
    stack[depth++] = 0;
    while (depth > 0) {
        const Node *node = &nodes[stack[--depth]];
        if (!hits_box(ray, &node->bounds, *distance))
            continue;
        if (node->count > 0) {
            hit_range(ray, node->first, node->count, distance, &nearest);
        } else {
            if (depth + 2 > 64)
                fail("hierarchy is too deep");
            stack[depth++] = node->right;
            stack[depth++] = node->left;
        }
    }
    return nearest;
}

static bool find_hit(const Ray *ray, Hit *hit)
{
    double distance = 1e9;
    int nearest = hit_tree(ray, &distance);
    double floor_distance = ray->direction.y < -1e-9 ? -ray->origin.y / ray->direction.y : -1.0;
    bool on_floor = floor_distance > epsilon && floor_distance < distance;
    if (nearest < 0 && !on_floor)
        return false;
    hit->distance = on_floor ? floor_distance : distance;
    hit->point = add(ray->origin, scale(ray->direction, hit->distance));
    if (on_floor) {
        hit->material = FLOOR;
        hit->normal = (Vec){0.0, 1.0, 0.0};
        return true;
    }
    const Shape *shape = &shapes[nearest];
    hit->material = shape->material;
    hit->normal = shape->kind == SPHERE ? sub(hit->point, shape->a)
                                        : cross(sub(shape->b, shape->a), sub(shape->c, shape->a));
    hit->normal = normalise(hit->normal);
    return true;
}

static Vec sky(Vec direction)
{
    double height = 0.5 * (direction.y + 1.0);
    return add(scale((Vec){0.95, 0.9, 0.85}, 1.0 - height), scale((Vec){0.35, 0.55, 0.9}, height));
}

static Vec shade(const Ray *ray, const Hit *hit, Vec normal)
{
    const Material *material = &materials[hit->material];
    Vec colour = material->colour;
    if (hit->material == FLOOR && ((int)floor(hit->point.x * 0.8) + (int)floor(hit->point.z * 0.8)) % 2 != 0)
        colour = scale(colour, 0.35);
    Vec total = scale(colour, 0.12);
    Vec outside = add(hit->point, scale(normal, 1e-4));
    for (size_t i = 0; i < sizeof lights / sizeof *lights; i++) {
        Vec towards = sub(lights[i].position, outside);
        double distance = sqrt(dot(towards, towards));
        Ray to_light = {outside, scale(towards, 1.0 / distance)};
        double facing = dot(normal, to_light.direction);
        if (facing <= 0.0 || hit_tree(&to_light, &distance) >= 0)
            continue;
        total = add(total, scale(modulate(colour, lights[i].colour), material->diffuse * facing));
        double gleam = dot(reflect(ray->direction, normal), to_light.direction);
        if (gleam > 0.0)
            total = add(total, scale(lights[i].colour, material->specular * pow(gleam, material->shininess)));
    }
    return total;
}

static Vec trace(const Ray *ray, int depth)
{
    Hit hit;
    if (!find_hit(ray, &hit))
        return sky(ray->direction);
    const Material *material = &materials[hit.material];
    bool leaving = dot(ray->direction, hit.normal) > 0.0;
    Vec normal = leaving ? scale(hit.normal, -1.0) : hit.normal;
    Vec colour = shade(ray, &hit, normal);
    if (depth == MAX_DEPTH)
        return colour;
    if (material->mirror > 0.0) {
        Ray mirrored = {add(hit.point, scale(normal, 1e-4)), reflect(ray->direction, normal)};
        colour = add(scale(colour, 1.0 - material->mirror), scale(trace(&mirrored, depth + 1), material->mirror));
    }
    if (material->glass > 0.0) {
        double ratio = leaving ? 1.5 : 1.0 / 1.5, cosine = -dot(ray->direction, normal);
        double rest = 1.0 - ratio * ratio * (1.0 - cosine * cosine);
        if (rest > 0.0) {
            Vec bent = add(scale(ray->direction, ratio), scale(normal, ratio * cosine - sqrt(rest)));
            Ray inside = {sub(hit.point, scale(normal, 1e-4)), normalise(bent)};
            Vec seen = modulate(trace(&inside, depth + 1), material->colour);
            colour = add(scale(colour, 1.0 - material->glass), scale(seen, material->glass));
        }
    }
    return colour;
}

static Ray camera_ray(double x, double y, double aspect)
{
    Vec eye = {0.6, 2.6, -6.5}, target = {0.0, 0.9, 0.6};
    Vec forward = normalise(sub(target, eye)), right = normalise(cross((Vec){0.0, 1.0, 0.0}, forward));
    Vec up = cross(forward, right);
    Vec direction = add(forward, add(scale(right, 0.62 * aspect * (2 * x - 1)), scale(up, 0.62 * (1 - 2 * y))));
    return (Ray){eye, normalise(direction)};
}

static void check_hierarchy(int rays)
{
    int hits = 0;
    for (int i = 0; i < rays; i++) {
        Ray ray = camera_ray((i + 0.5) / rays, (i * 37 % rays + 0.5) / rays, 1.5);
        double by_tree = 1e9, by_list = 1e9;
        int nearest = -1, found = hit_tree(&ray, &by_tree);
        hit_range(&ray, 0, shape_count, &by_list, &nearest);
        if ((found < 0) != (nearest < 0) || fabs(by_tree - by_list) > 1e-6)
            fail("the hierarchy and the linear search differ");
        hits += found >= 0;
    }
    printf("check: %d rays, about %d%% hit a shape\n", rays, (100 * hits + rays / 2) / rays / 5 * 5);
}

static uint8_t to_byte(double value)
{
    return (uint8_t)(255.0 * sqrt(fmin(fmax(value, 0.0), 1.0)) + 0.5);
}

/* Averages over the cells of a coarse grid do not show a pixel that differs by one level. */
static void render(int width, int height)
{
    uint64_t sums[GRID][GRID][3] = {{{0}}};
    uint64_t pixels[GRID][GRID] = {{0}}, dark = 0;
    static const char ramp[] = " .:-=+*#%@";
    double aspect = (double)width / height;
    for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x++) {
            Ray ray = camera_ray((x + 0.5) / width, (y + 0.5) / height, aspect);
            Vec colour = trace(&ray, 0);
            uint8_t rgb[3] = {to_byte(colour.x), to_byte(colour.y), to_byte(colour.z)};
            int row = y * GRID / height, column = x * GRID / width;
            for (int i = 0; i < 3; i++)
                sums[row][column][i] += rgb[i];
            pixels[row][column]++;
            dark += rgb[0] + rgb[1] + rgb[2] < 330;
        }
    }
    uint32_t checksum = 2166136261u;
    for (int row = 0; row < GRID; row++) {
        printf("image:");
        for (int column = 0; column < GRID; column++) {
            unsigned level[3];
            for (int i = 0; i < 3; i++) {
                level[i] = (unsigned)(sums[row][column][i] / pixels[row][column] / 8);
                checksum = (checksum ^ level[i]) * 16777619u;
            }
            printf("  %2u %2u %2u %c", level[0], level[1], level[2], ramp[(level[0] + level[1] + level[2]) / 10]);
        }
        printf("\n");
    }
    uint64_t share = 100 * dark / ((uint64_t)width * (uint64_t)height);
    printf("image: %dx%d, about %d%% dark, checksum %08x\n", width, height, (int)share / 5 * 5, (unsigned)checksum);
}

int main(int argc, char **argv)
{
    long width = 280;
    if (argc > 1) {
        char *end;
        width = strtol(argv[1], &end, 10);
        if (end == argv[1] || *end != '\0' || width < 12 || width > 4000) {
            fprintf(stderr, "raytrace: width must be a number from 12 to 4000, not '%s'\n", argv[1]);
            return 2;
        }
    }
    build_scene();
    build_node(0, shape_count);
    printf("scene: %d shapes\n", shape_count);
    check_hierarchy((int)width);
    box_tests = shape_tests = 0;
    render((int)width, (int)width * 2 / 3);
    if (box_tests == 0 || shape_tests / box_tests > 4)
        fail("the hierarchy does not save work");
    return 0;
}
