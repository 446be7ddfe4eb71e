/*
 * Gravitational n-body simulation: a planetary system with a fourth-order
 * symplectic integrator, and a disc galaxy with leapfrog steps whose forces come
 * from a Barnes-Hut quadtree. Conservation laws and tree forces are checked.
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { DEFAULT_BODIES = 1800, MAX_BODIES = 1000000, PLANETS = 5, MAX_DEPTH = 40 };
enum { PLANET_STEPS = 4000, GALAXY_STEPS = 8, EMPTY = -1 };

static const double softening2 = 1e-3;
static const double opening_angle = 0.5;

typedef struct {
    double x, y;
} Vec;

typedef struct {
    Vec position, velocity, acceleration;
    double mass;
} Body;

/* A square cell; a leaf holds a list of bodies, which is longer than one only
 * at the maximum depth. */
typedef struct {
    Vec centre, mass_centre;
    double half_size, mass;
    int child[4];
    int first_body;
    int is_leaf;
} Cell;

typedef struct {
    Cell *cells;
    int *next_body; /* links the bodies of one leaf */
    int count, capacity;
} Tree;

static uint32_t rng_state = 0x5EED1234u;

/* Uniform in [-1, 1). */
static double random_signed(void)
{
    rng_state = rng_state * 1664525u + 1013904223u;
    return (double)(rng_state >> 8) / 8388608.0 - 1.0;
}

static void *resize(void *block, size_t size)
{
    void *p = realloc(block, size);
    if (p == NULL) {
        fprintf(stderr, "nbody: out of memory\n");
        exit(1);
    }
    return p;
}

static Vec add_scaled(Vec a, Vec b, double factor)
{
    return (Vec){a.x + factor * b.x, a.y + factor * b.y};
}

static double squared_norm(Vec v)
{
    return v.x * v.x + v.y * v.y;
}

/* Acceleration at `where` from a point mass. */
static Vec attraction(Vec where, Vec source, double mass)
{
    Vec d = add_scaled(source, where, -1.0);
    double r2 = squared_norm(d) + softening2;
    double factor = mass / (r2 * sqrt(r2));
    return (Vec){factor * d.x, factor * d.y};
}

static void direct_forces(Body *bodies, int count)
{
    for (int i = 0; i < count; i++)
        bodies[i].acceleration = (Vec){0.0, 0.0};
    for (int i = 0; i < count; i++)
        for (int j = i + 1; j < count; j++) {
            Vec unit = attraction(bodies[i].position, bodies[j].position, 1.0);
            Body *a = &bodies[i], *b = &bodies[j];
            a->acceleration = add_scaled(a->acceleration, unit, b->mass);
            b->acceleration = add_scaled(b->acceleration, unit, -a->mass);
        }
}

static int tree_new_cell(Tree *tree, Vec centre, double half_size)
{
    if (tree->count == tree->capacity) {
        tree->capacity = tree->capacity * 2 + 64;
        tree->cells = resize(tree->cells, (size_t)tree->capacity * sizeof *tree->cells);
    }
    Cell fresh = {centre, {0.0, 0.0}, half_size, 0.0, {EMPTY, EMPTY, EMPTY, EMPTY}, EMPTY, 1};
    tree->cells[tree->count] = fresh;
    return tree->count++;
}

/* The child cell that contains `where`, created on demand. */
static int tree_descend(Tree *tree, int cell, Vec where)
{
    Vec centre = tree->cells[cell].centre;
    double quarter = tree->cells[cell].half_size / 2.0;
    int east = where.x >= centre.x, north = where.y >= centre.y;
    int quadrant = 2 * north + east;
    if (tree->cells[cell].child[quadrant] == EMPTY) {
        Vec offset = {east ? quarter : -quarter, north ? quarter : -quarter};
        int fresh = tree_new_cell(tree, add_scaled(centre, offset, 1.0), quarter);
        tree->cells[cell].child[quadrant] = fresh;
    }
    return tree->cells[cell].child[quadrant];
}

static void tree_insert(Tree *tree, const Body *bodies, int body)
{
    int cell = 0;
    for (int depth = 0; depth < MAX_DEPTH; depth++) {
        if (tree->cells[cell].is_leaf) {
            int resident = tree->cells[cell].first_body;
            if (resident == EMPTY)
                break;
            /* Push the resident one level down and try again below. */
            int child = tree_descend(tree, cell, bodies[resident].position);
            tree->cells[child].first_body = resident;
            tree->cells[cell].first_body = EMPTY;
            tree->cells[cell].is_leaf = 0;
        }
        cell = tree_descend(tree, cell, bodies[body].position);
    }
    tree->next_body[body] = tree->cells[cell].first_body;
    tree->cells[cell].first_body = body;
}

/* Children have larger indices than their parents, so one backward sweep gives
 * every cell its total mass and centre of mass. */
static void tree_summarize(Tree *tree, const Body *bodies)
{
    for (int i = tree->count - 1; i >= 0; i--) {
        Cell *cell = &tree->cells[i];
        Vec moment = {0.0, 0.0};
        for (int b = cell->first_body; b != EMPTY; b = tree->next_body[b]) {
            cell->mass += bodies[b].mass;
            moment = add_scaled(moment, bodies[b].position, bodies[b].mass);
        }
        for (int q = 0; q < 4; q++)
            if (cell->child[q] != EMPTY) {
                const Cell *child = &tree->cells[cell->child[q]];
                cell->mass += child->mass;
                moment = add_scaled(moment, child->mass_centre, child->mass);
            }
        cell->mass_centre = (Vec){moment.x / cell->mass, moment.y / cell->mass};
    }
}

static void tree_build(Tree *tree, const Body *bodies, int count)
{
    double reach = 1.0;
    for (int i = 0; i < count; i++)
        reach = fmax(reach, fmax(fabs(bodies[i].position.x), fabs(bodies[i].position.y)));
    tree->count = 0;
    tree_new_cell(tree, (Vec){0.0, 0.0}, reach);
    for (int i = 0; i < count; i++)
        tree_insert(tree, bodies, i);
    tree_summarize(tree, bodies);
}

static Vec tree_acceleration(const Tree *tree, const Body *bodies, int body, int index)
{
    const Cell *cell = &tree->cells[index];
    Vec where = bodies[body].position, sum = {0.0, 0.0};
    if (cell->is_leaf) {
        for (int b = cell->first_body; b != EMPTY; b = tree->next_body[b])
            if (b != body)
                sum = add_scaled(
                    sum, attraction(where, bodies[b].position, bodies[b].mass), 1.0);
        return sum;
    }
    double distance2 = squared_norm(add_scaled(cell->mass_centre, where, -1.0));
    double size = 2.0 * cell->half_size;
    if (size * size < opening_angle * opening_angle * distance2)
        return attraction(where, cell->mass_centre, cell->mass);
    for (int q = 0; q < 4; q++)
        if (cell->child[q] != EMPTY)
            sum = add_scaled(sum, tree_acceleration(tree, bodies, body, cell->child[q]), 1.0);
    return sum;
}

static void tree_forces(Tree *tree, Body *bodies, int count)
{
    tree_build(tree, bodies, count);
    for (int i = 0; i < count; i++)
        bodies[i].acceleration = tree_acceleration(tree, bodies, i, 0);
}

static void kick(Body *bodies, int count, double dt)
{
    for (int i = 0; i < count; i++)
        bodies[i].velocity = add_scaled(bodies[i].velocity, bodies[i].acceleration, dt);
}

static void drift(Body *bodies, int count, double dt)
{
    for (int i = 0; i < count; i++)
        bodies[i].position = add_scaled(bodies[i].position, bodies[i].velocity, dt);
}

/* Yoshida's composition of three leapfrog steps cancels their third-order error. */
static void yoshida_step(Body *bodies, int count, double dt)
{
    const double outer = 1.0 / (2.0 - cbrt(2.0));
    const double weight[3] = {outer, 1.0 - 2.0 * outer, outer};
    for (int stage = 0; stage < 3; stage++) {
        drift(bodies, count, 0.5 * weight[stage] * dt);
        direct_forces(bodies, count);
        kick(bodies, count, weight[stage] * dt);
        drift(bodies, count, 0.5 * weight[stage] * dt);
    }
}

static double total_energy(const Body *bodies, int count)
{
    double energy = 0.0;
    for (int i = 0; i < count; i++) {
        energy += 0.5 * bodies[i].mass * squared_norm(bodies[i].velocity);
        for (int j = i + 1; j < count; j++) {
            Vec d = add_scaled(bodies[i].position, bodies[j].position, -1.0);
            energy -= bodies[i].mass * bodies[j].mass / sqrt(squared_norm(d) + softening2);
        }
    }
    return energy;
}

static Vec total_momentum(const Body *bodies, int count)
{
    Vec sum = {0.0, 0.0};
    for (int i = 0; i < count; i++)
        sum = add_scaled(sum, bodies[i].velocity, bodies[i].mass);
    return sum;
}

static double angular_momentum(const Body *bodies, int count)
{
    double sum = 0.0;
    for (int i = 0; i < count; i++) {
        Vec r = bodies[i].position, v = bodies[i].velocity;
        sum += bodies[i].mass * (r.x * v.y - r.y * v.x);
    }
    return sum;
}

/* Moves into the frame where the total momentum vanishes. */
static void remove_momentum(Body *bodies, int count)
{
    double mass = 0.0;
    for (int i = 0; i < count; i++)
        mass += bodies[i].mass;
    Vec momentum = total_momentum(bodies, count);
    for (int i = 0; i < count; i++)
        bodies[i].velocity = add_scaled(bodies[i].velocity, momentum, -1.0 / mass);
}

static int run_planets(void)
{
    Body bodies[PLANETS + 1] = {{.mass = 1.0}};
    for (int p = 1; p <= PLANETS; p++) {
        double radius = 0.5 + 0.4 * p;
        bodies[p].position = p % 2 == 0 ? (Vec){radius, 0.0} : (Vec){0.0, radius};
        double speed = sqrt(1.0 / radius) * (1.0 - 0.01 * p);
        bodies[p].velocity = p % 2 == 0 ? (Vec){0.0, speed} : (Vec){-speed, 0.0};
        bodies[p].mass = 1e-4 / p;
    }
    remove_momentum(bodies, PLANETS + 1);
    double energy = total_energy(bodies, PLANETS + 1);
    double spin = angular_momentum(bodies, PLANETS + 1);
    for (int step = 0; step < PLANET_STEPS; step++)
        yoshida_step(bodies, PLANETS + 1, 0.01);
    printf("planets: energy %.6e, angular momentum %.6e\n", energy, spin);
    for (int p = 1; p <= PLANETS; p++)
        printf("  planet %d at (%.4f, %.4f)\n", p, bodies[p].position.x, bodies[p].position.y);
    return fabs(total_energy(bodies, PLANETS + 1) / energy - 1.0) < 1e-6 &&
           fabs(angular_momentum(bodies, PLANETS + 1) / spin - 1.0) < 1e-10 &&
           sqrt(squared_norm(total_momentum(bodies, PLANETS + 1))) < 1e-12;
}

/* A rotating disc of unit mass around a central body of the same mass. */
static Body *make_galaxy(int count)
{
    Body *bodies = resize(NULL, (size_t)count * sizeof *bodies);
    bodies[0] = (Body){.mass = 1.0};
    for (int i = 1; i < count; i++) {
        Vec p;
        do {
            p.x = random_signed();
            p.y = random_signed();
        } while (squared_norm(p) > 1.0 || squared_norm(p) < 0.04);
        double radius = sqrt(squared_norm(p));
        double speed = sqrt((1.0 + radius * radius) / radius) / radius;
        bodies[i] = (Body){p, {-p.y * speed, p.x * speed}, {0.0, 0.0}, 1.0 / count};
    }
    remove_momentum(bodies, count);
    return bodies;
}

/* Root mean square error of the tree forces relative to direct summation. */
static double tree_error(Tree *tree, Body *bodies, int count)
{
    double error = 0.0, scale = 0.0;
    direct_forces(bodies, count);
    tree_build(tree, bodies, count);
    for (int i = 0; i < count; i++) {
        Vec approximate = tree_acceleration(tree, bodies, i, 0);
        scale += squared_norm(bodies[i].acceleration);
        error += squared_norm(add_scaled(approximate, bodies[i].acceleration, -1.0));
    }
    return scale > 0.0 ? sqrt(error / scale) : 0.0;
}

static int run_galaxy(int count)
{
    const double dt = 0.004;
    Tree tree = {NULL, resize(NULL, (size_t)count * sizeof(int)), 0, 0};
    Body *bodies = make_galaxy(count);
    double error = tree_error(&tree, bodies, count);
    double energy = total_energy(bodies, count);
    double spin = angular_momentum(bodies, count);
    printf("galaxy: %d bodies in %d cells, tree error below 1%%: %s\n", count, tree.count,
           error < 0.01 ? "yes" : "no");
    printf("  before: energy %.5f, angular momentum %.5f\n", energy, spin);
    for (int step = 0; step < GALAXY_STEPS; step++) {
        kick(bodies, count, 0.5 * dt);
        drift(bodies, count, dt);
        tree_forces(&tree, bodies, count);
        kick(bodies, count, 0.5 * dt);
    }
    double final_energy = total_energy(bodies, count);
    double final_spin = angular_momentum(bodies, count);
    printf("  after:  energy %.5f, angular momentum %.5f\n", final_energy, final_spin);
    free(tree.cells);
    free(tree.next_body);
    free(bodies);
    return error < 0.01 && fabs(final_energy - energy) <= 0.01 * fabs(energy) &&
           fabs(final_spin - spin) <= 0.01 * fabs(spin);
}

static int parse_size(const char *text)
{
    char *end;
    long value = strtol(text, &end, 10);
    if (end == text || *end != '\0' || value < 1 || value > MAX_BODIES) {
        fprintf(stderr, "nbody: body count must be from 1 to %d, not '%s'\n", MAX_BODIES, text);
        exit(2);
    }
    return (int)value;
}

int main(int argc, char **argv)
{
    int count = argc > 1 ? parse_size(argv[1]) : DEFAULT_BODIES;
    int planets_ok = run_planets();
    int galaxy_ok = run_galaxy(count);
    if (!planets_ok || !galaxy_ok) {
        fprintf(stderr, "nbody: %s: conservation or accuracy check failed\n",
                planets_ok ? "galaxy" : "planets");
        return 1;
    }
    return 0;
}
