/*
 * Clustering toolkit on a synthetic mixture of blobs: k-means++ seeding with
 * Lloyd iterations, mini-batch k-means, a centroid-based silhouette score,
 * principal components by power iteration, and k-nearest-neighbour queries on
 * a k-d tree that are verified against an exhaustive scan.
 */
#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    DIM = 6,
    CLUSTERS = 9,
    MAX_LLOYD = 40,
    BATCH = 64,
    COMPONENTS = 3,
    NEIGHBOURS = 7,
    LEAF_SIZE = 8
};

typedef struct {
    size_t count;
    double *coord; /* count rows of DIM values */
} PointSet;

typedef struct {
    double centre[CLUSTERS][DIM];
    size_t size[CLUSTERS];
} Model;

typedef struct {
    int axis; /* -1 for a leaf */
    double split;
    size_t begin, end; /* range in the permutation array */
    int left, right;
} KdNode;

typedef struct {
    const PointSet *points;
    size_t *order;
    KdNode *nodes;
    int used;
} KdTree;

typedef struct {
    size_t count;
    double dist[NEIGHBOURS]; /* ascending */
    size_t id[NEIGHBOURS];
} NeighbourList;

static uint64_t rng_state = 0x9e3779b97f4a7c15u;

static uint64_t rng_next(void)
{
    uint64_t x = rng_state;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    rng_state = x;
    return x * 0x2545f4914f6cdd1du;
}

static double rng_unit(void)
{
    return (double)(rng_next() >> 11) * (1.0 / 9007199254740992.0);
}

/* Approximately normal: the sum of twelve uniforms has unit variance. */
static double rng_normal(void)
{
    double sum = -6.0;
    for (int i = 0; i < 12; i++)
        sum += rng_unit();
    return sum;
}

static void *allocate(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    if (memory == NULL) {
        fprintf(stderr, "kmeans: out of memory\n");
        exit(1);
    }
    return memory;
}

static void fail(const char *what)
{
    fprintf(stderr, "kmeans: check failed: %s\n", what);
    exit(1);
}

static const double *row(const PointSet *set, size_t i)
{
    return set->coord + i * DIM;
}

static double distance2(const double *a, const double *b)
{
    double sum = 0.0;
    for (int d = 0; d < DIM; d++) {
        double diff = a[d] - b[d];
        sum += diff * diff;
    }
    return sum;
}

static PointSet generate_blobs(size_t count)
{
    PointSet set = {count, allocate(count * DIM, sizeof(double))};
    double middle[CLUSTERS][DIM];
    double spread[CLUSTERS];
    for (int c = 0; c < CLUSTERS; c++) {
        for (int d = 0; d < DIM; d++)
            middle[c][d] = 20.0 * rng_unit() * (d == 0 ? 2.0 : 1.0);
        spread[c] = 0.6 + 1.5 * rng_unit();
    }
    for (size_t i = 0; i < count; i++) {
        size_t c = rng_next() % CLUSTERS;
        for (int d = 0; d < DIM; d++)
            set.coord[i * DIM + (size_t)d] = middle[c][d] + spread[c] * rng_normal();
    }
    return set;
}

/* ---- k-means ---------------------------------------------------------- */

static int nearest_centre(const Model *model, const double *point, double *best_out)
{
    int best = 0;
    double best_d = DBL_MAX;
    for (int c = 0; c < CLUSTERS; c++) {
        double d = distance2(point, model->centre[c]);
        if (d < best_d) {
            best_d = d;
            best = c;
        }
    }
    *best_out = best_d;
    return best;
}

static void seed_plus_plus(const PointSet *set, Model *model)
{
    double *weight = allocate(set->count, sizeof *weight);
    for (size_t i = 0; i < set->count; i++)
        weight[i] = DBL_MAX;
    size_t pick = rng_next() % set->count;
    for (int c = 0; c < CLUSTERS; c++) {
        memcpy(model->centre[c], row(set, pick), sizeof model->centre[c]);
        double total = 0.0;
        for (size_t i = 0; i < set->count; i++) {
            double d = distance2(row(set, i), model->centre[c]);
            if (d < weight[i])
                weight[i] = d;
            total += weight[i];
        }
        double target = rng_unit() * total;
        pick = 0;
        while (pick + 1 < set->count && target >= weight[pick])
            target -= weight[pick++];
    }
    free(weight);
}

static double assign_points(const PointSet *set, Model *model, int *label, size_t *moved)
{
    double inertia = 0.0;
    *moved = 0;
    memset(model->size, 0, sizeof model->size);
    for (size_t i = 0; i < set->count; i++) {
        double d;
        int c = nearest_centre(model, row(set, i), &d);
        inertia += d;
        model->size[c]++;
        if (label[i] != c) {
            label[i] = c;
            (*moved)++;
        }
    }
    return inertia;
}

static void update_centres(const PointSet *set, Model *model, const int *label)
{
    double sum[CLUSTERS][DIM] = {{0.0}};
    for (size_t i = 0; i < set->count; i++)
        for (int d = 0; d < DIM; d++)
            sum[label[i]][d] += row(set, i)[d];
    for (int c = 0; c < CLUSTERS; c++)
        if (model->size[c] > 0)
            for (int d = 0; d < DIM; d++)
                model->centre[c][d] = sum[c][d] / (double)model->size[c];
}

static double lloyd(const PointSet *set, Model *model, int *label, int *rounds)
{
    double inertia = DBL_MAX;
    for (*rounds = 1; *rounds <= MAX_LLOYD; ++*rounds) {
        size_t moved;
        double now = assign_points(set, model, label, &moved);
        if (now > inertia * (1.0 + 1e-9))
            fail("inertia must not increase");
        inertia = now;
        if (moved == 0)
            break;
        update_centres(set, model, label);
    }
    return inertia;
}

static void mini_batch(const PointSet *set, Model *model, int rounds)
{
    size_t seen[CLUSTERS] = {0};
    for (int r = 0; r < rounds; r++) {
        for (int b = 0; b < BATCH; b++) {
            const double *point = row(set, rng_next() % set->count);
            double d;
            int c = nearest_centre(model, point, &d);
            double rate = 1.0 / (double)++seen[c];
            for (int k = 0; k < DIM; k++)
                model->centre[c][k] += rate * (point[k] - model->centre[c][k]);
        }
    }
}

/* Simplified silhouette: distances to centres rather than to all members. */
static double silhouette(const PointSet *set, const Model *model, const int *label)
{
    double total = 0.0;
    for (size_t i = 0; i < set->count; i++) {
        double own = sqrt(distance2(row(set, i), model->centre[label[i]]));
        double other = DBL_MAX;
        for (int c = 0; c < CLUSTERS; c++)
            if (c != label[i])
                other = fmin(other, sqrt(distance2(row(set, i), model->centre[c])));
        double widest = fmax(own, other);
        if (widest > 0.0)
            total += (other - own) / widest;
    }
    return total / (double)set->count;
}

/* ---- principal components --------------------------------------------- */

static void covariance(const PointSet *set, double cov[DIM][DIM])
{
    double mean[DIM] = {0.0};
    for (size_t i = 0; i < set->count; i++)
        for (int d = 0; d < DIM; d++)
            mean[d] += row(set, i)[d] / (double)set->count;
    memset(cov, 0, sizeof(double[DIM][DIM]));
    for (size_t i = 0; i < set->count; i++) {
        const double *p = row(set, i);
        for (int a = 0; a < DIM; a++)
            for (int b = 0; b <= a; b++)
                cov[a][b] += (p[a] - mean[a]) * (p[b] - mean[b]);
    }
    for (int a = 0; a < DIM; a++)
        for (int b = 0; b <= a; b++)
            cov[b][a] = cov[a][b] /= (double)set->count;
}

/* Dominant eigenpair of a symmetric matrix, which is then deflated. */
static double power_iteration(double cov[DIM][DIM], double vec[DIM])
{
    double value = 0.0;
    for (int d = 0; d < DIM; d++)
        vec[d] = 1.0 / (1.0 + d);
    for (int round = 0; round < 2000; round++) {
        double next[DIM];
        double norm = 0.0, change = 0.0;
        for (int a = 0; a < DIM; a++) {
            next[a] = 0.0;
            for (int b = 0; b < DIM; b++)
                next[a] += cov[a][b] * vec[b];
            norm += next[a] * next[a];
        }
        value = sqrt(norm);
        if (value <= 0.0)
            break;
        for (int a = 0; a < DIM; a++) {
            change += fabs(next[a] / value - vec[a]);
            vec[a] = next[a] / value;
        }
        if (change < 1e-13)
            break;
    }
    for (int a = 0; a < DIM; a++)
        for (int b = 0; b < DIM; b++)
            cov[a][b] -= value * vec[a] * vec[b];
    return value;
}

static void report_components(const PointSet *set)
{
    double cov[DIM][DIM], axis[COMPONENTS][DIM];
    covariance(set, cov);
    double trace = 0.0, explained = 0.0;
    for (int d = 0; d < DIM; d++)
        trace += cov[d][d];
    for (int c = 0; c < COMPONENTS; c++) {
        double value = power_iteration(cov, axis[c]);
        explained += value / trace;
        printf("pca: component %d variance %.4f cumulative %.4f\n", c, value, explained);
        for (int other = 0; other < c; other++) {
            double dot = 0.0;
            for (int d = 0; d < DIM; d++)
                dot += axis[c][d] * axis[other][d];
            if (fabs(dot) > 1e-6)
                fail("principal axes must be orthogonal");
        }
    }
}

/* ---- k-d tree ---------------------------------------------------------- */

static void swap_index(size_t *a, size_t *b)
{
    size_t t = *a;
    *a = *b;
    *b = t;
}

/* Quickselect: afterwards order[middle] is where sorting would have put it. */
static void select_middle(KdTree *tree, size_t lo, size_t hi, size_t middle, int axis)
{
    const double *coord = tree->points->coord + axis;
    size_t *order = tree->order;
    while (hi - lo > 1) {
        double pivot = coord[order[lo + (hi - lo) / 2] * DIM];
        size_t less = lo, scan = lo, greater = hi;
        while (scan < greater) {
            double value = coord[order[scan] * DIM];
            if (value < pivot)
                swap_index(&order[less++], &order[scan++]);
            else if (value > pivot)
                swap_index(&order[scan], &order[--greater]);
            else
                scan++;
        }
        if (middle < less)
            hi = less;
        else if (middle >= greater)
            lo = greater;
        else
            return;
    }
}

static int widest_axis(const KdTree *tree, size_t begin, size_t end)
{
    int best = 0;
    double best_extent = -1.0;
    for (int d = 0; d < DIM; d++) {
        double low = DBL_MAX, high = -DBL_MAX;
        for (size_t i = begin; i < end; i++) {
            double value = row(tree->points, tree->order[i])[d];
            low = fmin(low, value);
            high = fmax(high, value);
        }
        if (high - low > best_extent) {
            best_extent = high - low;
            best = d;
        }
    }
    return best;
}

static int kd_build(KdTree *tree, size_t begin, size_t end)
{
    int id = tree->used++;
    KdNode *node = &tree->nodes[id];
    *node = (KdNode){.axis = -1, .begin = begin, .end = end, .left = -1, .right = -1};
    if (end - begin <= LEAF_SIZE)
        return id;
    size_t middle = begin + (end - begin) / 2;
    node->axis = widest_axis(tree, begin, end);
    select_middle(tree, begin, end, middle, node->axis);
    node->split = row(tree->points, tree->order[middle])[node->axis];
    node->left = kd_build(tree, begin, middle);
    node->right = kd_build(tree, middle, end);
    return id;
}

static void offer(NeighbourList *list, size_t id, double dist)
{
    if (list->count == NEIGHBOURS && dist >= list->dist[NEIGHBOURS - 1])
        return;
    size_t slot = list->count < NEIGHBOURS ? list->count++ : NEIGHBOURS - 1;
    while (slot > 0 && list->dist[slot - 1] > dist) {
        list->dist[slot] = list->dist[slot - 1];
        list->id[slot] = list->id[slot - 1];
        slot--;
    }
    list->dist[slot] = dist;
    list->id[slot] = id;
}

static void kd_search(const KdTree *tree, int id, const double *query, NeighbourList *list)
{
    const KdNode *node = &tree->nodes[id];
    if (node->axis < 0) {
        for (size_t i = node->begin; i < node->end; i++)
            offer(list, tree->order[i], distance2(query, row(tree->points, tree->order[i])));
        return;
    }
    double offset = query[node->axis] - node->split;
    kd_search(tree, offset < 0.0 ? node->left : node->right, query, list);
    if (list->count < NEIGHBOURS || offset * offset < list->dist[NEIGHBOURS - 1])
        kd_search(tree, offset < 0.0 ? node->right : node->left, query, list);
}

static void report_neighbours(const PointSet *set, const int *label)
{
    KdTree tree = {.points = set};
    tree.order = allocate(set->count, sizeof *tree.order);
    tree.nodes = allocate(set->count + 1, sizeof *tree.nodes);
    for (size_t i = 0; i < set->count; i++)
        tree.order[i] = i;
    int root = kd_build(&tree, 0, set->count);

    size_t queries = set->count / 4 + 1, same_label = 0;
    double radius = 0.0;
    uint64_t checksum = 0;
    for (size_t q = 0; q < queries; q++) {
        size_t base = rng_next() % set->count;
        double query[DIM];
        for (int d = 0; d < DIM; d++)
            query[d] = row(set, base)[d] + 0.25 * rng_normal();
        NeighbourList found = {.count = 0};
        kd_search(&tree, root, query, &found);
        for (size_t i = 0; i < found.count; i++) {
            same_label += label[found.id[i]] == label[base];
            checksum = checksum * 31 + found.id[i];
        }
        radius += sqrt(found.dist[found.count - 1]);
        if (q % 16 == 0) {
            NeighbourList expected = {.count = 0};
            for (size_t i = 0; i < set->count; i++)
                offer(&expected, i, distance2(query, row(set, i)));
            for (size_t i = 0; i < found.count; i++)
                if (expected.id[i] != found.id[i])
                    fail("k-d tree disagrees with exhaustive search");
        }
    }
    printf("knn: %d nodes, %zu queries, mean radius %.5f, same cluster %zu, checksum %016llx\n",
           tree.used, queries, radius / (double)queries, same_label,
           (unsigned long long)checksum);
    free(tree.order);
    free(tree.nodes);
}

static size_t parse_size(int argc, char **argv, size_t fallback)
{
    if (argc < 2)
        return fallback;
    char *end;
    long value = strtol(argv[1], &end, 10);
    if (end == argv[1] || *end != '\0' || value < 1 || value > 10000000) {
        fprintf(stderr, "usage: kmeans [points], an integer from 1 to 10000000\n");
        exit(2);
    }
    return value < CLUSTERS ? CLUSTERS : (size_t)value;
}

int main(int argc, char **argv)
{
    PointSet set = generate_blobs(parse_size(argc, argv, 16000));
    int *label = allocate(set.count, sizeof *label);
    Model model = {0};
    int rounds;
    size_t moved;

    seed_plus_plus(&set, &model);
    Model batch_model = model;
    double inertia = lloyd(&set, &model, label, &rounds);
    printf("lloyd: %zu points, %d rounds, inertia per point %.5f\nsizes:", set.count, rounds,
           inertia / (double)set.count);
    for (int c = 0; c < CLUSTERS; c++)
        printf(" %zu", model.size[c]);
    printf("\nsilhouette: %.5f\n", silhouette(&set, &model, label));

    mini_batch(&set, &batch_model, (int)(set.count / 128) + 10);
    double batch_inertia = assign_points(&set, &batch_model, label, &moved);
    printf("mini-batch: inertia per point %.5f, ratio to lloyd %.4f\n",
           batch_inertia / (double)set.count, batch_inertia / inertia);

    report_components(&set);
    report_neighbours(&set, label);
    free(label);
    free(set.coord);
    return 0;
}
