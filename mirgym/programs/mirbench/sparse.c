/*
 * Sparse linear algebra on a variable-coefficient diffusion problem: assembly
 * in coordinate form, conversion to CSR and ELL, matrix-vector products,
 * conjugate gradients with Jacobi and SSOR preconditioners, Gauss-Seidel, and
 * a two-level multigrid cycle whose coarse problem is solved by CG.
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    int row, col;
    double value;
} Triplet;

typedef struct {
    int rows;
    size_t count, capacity;
    Triplet *entry;
} Coo;

typedef struct {
    int rows;
    int *start, *col;
    double *value, *diagonal;
} Csr;

typedef struct {
    int rows, width;
    int *col; /* column-major, padded with the row's own index */
    double *value;
} Ell;

typedef enum { PLAIN, JACOBI, SSOR } Preconditioner;

static void fail(const char *what)
{
    fprintf(stderr, "sparse: check failed: %s\n", what);
    exit(1);
}

static void *allocate(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    if (memory == NULL)
        fail("out of memory");
    return memory;
}

static double *vector(int n)
{
    return allocate((size_t)n, sizeof(double));
}

static double dot(int n, const double *a, const double *b)
{
    double sum = 0.0;
    for (int i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

static double norm(int n, const double *a)
{
    return sqrt(dot(n, a, a));
}

/* ---- assembly ---- */

static void coo_add(Coo *m, int row, int col, double value)
{
    if (m->count == m->capacity) {
        m->capacity = m->capacity * 2 + 64;
        m->entry = realloc(m->entry, m->capacity * sizeof *m->entry);
        if (m->entry == NULL)
            fail("out of memory");
    }
    m->entry[m->count++] = (Triplet){row, col, value};
}

static int compare_triplets(const void *a, const void *b)
{
    const Triplet *x = a, *y = b;
    if (x->row != y->row)
        return x->row < y->row ? -1 : 1;
    return (x->col > y->col) - (x->col < y->col);
}

/* Conductivity between neighbouring cells varies smoothly over the domain. */
static double conductivity(int x, int y, int side)
{
    double u = (double)x / side, v = (double)y / side;
    return 1.0 + 8.0 * u * u + 3.0 * u * v;
}

/* One contribution per grid edge, so diagonal entries arrive as duplicates. */
static Coo assemble(int side)
{
    Coo m = {.rows = side * side};
    for (int y = 0; y < side; y++) {
        for (int x = 0; x < side; x++) {
            int here = y * side + x;
            const int neighbour[4][2] = {{x - 1, y}, {x + 1, y}, {x, y - 1}, {x, y + 1}};
            for (int k = 0; k < 4; k++) {
                int nx = neighbour[k][0], ny = neighbour[k][1];
                double c = conductivity(x + nx, y + ny, 2 * side);
                coo_add(&m, here, here, c);
                if (nx >= 0 && nx < side && ny >= 0 && ny < side)
                    coo_add(&m, here, ny * side + nx, -c);
            }
        }
    }
    return m;
}

/* Sorts the triplets and merges duplicates in place. */
static void coo_compress(Coo *m)
{
    qsort(m->entry, m->count, sizeof *m->entry, compare_triplets);
    size_t kept = 0;
    for (size_t i = 1; i < m->count; i++) {
        if (compare_triplets(&m->entry[kept], &m->entry[i]) == 0)
            m->entry[kept].value += m->entry[i].value;
        else
            m->entry[++kept] = m->entry[i];
    }
    m->count = kept + 1;
}

static Csr csr_from_coo(const Coo *m)
{
    Csr a = {.rows = m->rows};
    a.start = allocate((size_t)m->rows + 1, sizeof(int));
    a.col = allocate(m->count, sizeof(int));
    a.value = allocate(m->count, sizeof(double));
    a.diagonal = vector(m->rows);
    for (size_t i = 0; i < m->count; i++) {
        const Triplet *t = &m->entry[i];
        a.start[t->row + 1]++;
        a.col[i] = t->col;
        a.value[i] = t->value;
        if (t->row == t->col)
            a.diagonal[t->row] = t->value;
    }
    for (int r = 0; r < m->rows; r++)
        a.start[r + 1] += a.start[r];
    return a;
}

static void csr_free(Csr *a)
{
    free(a->start);
    free(a->col);
    free(a->value);
    free(a->diagonal);
}

static Ell ell_from_csr(const Csr *a)
{
    Ell e = {.rows = a->rows};
    for (int r = 0; r < a->rows; r++)
        if (a->start[r + 1] - a->start[r] > e.width)
            e.width = a->start[r + 1] - a->start[r];
    e.col = allocate((size_t)e.width * (size_t)e.rows, sizeof(int));
    e.value = allocate((size_t)e.width * (size_t)e.rows, sizeof(double));
    for (int k = 0; k < e.width; k++) {
        for (int r = 0; r < a->rows; r++) {
            size_t slot = (size_t)k * (size_t)e.rows + (size_t)r;
            int source = a->start[r] + k;
            e.col[slot] = source < a->start[r + 1] ? a->col[source] : r;
            e.value[slot] = source < a->start[r + 1] ? a->value[source] : 0.0;
        }
    }
    return e;
}

/* ---- products ---- */

static void coo_multiply(const Coo *m, const double *x, double *y)
{
    memset(y, 0, (size_t)m->rows * sizeof *y);
    for (size_t i = 0; i < m->count; i++)
        y[m->entry[i].row] += m->entry[i].value * x[m->entry[i].col];
}

static void csr_multiply(const Csr *a, const double *x, double *y)
{
    for (int r = 0; r < a->rows; r++) {
        double sum = 0.0;
        for (int k = a->start[r]; k < a->start[r + 1]; k++)
            sum += a->value[k] * x[a->col[k]];
        y[r] = sum;
    }
}

static void ell_multiply(const Ell *e, const double *x, double *y)
{
    memset(y, 0, (size_t)e->rows * sizeof *y);
    for (int k = 0; k < e->width; k++) {
        const int *col = e->col + (size_t)k * (size_t)e->rows;
        const double *value = e->value + (size_t)k * (size_t)e->rows;
        for (int r = 0; r < e->rows; r++)
            y[r] += value[r] * x[col[r]];
    }
}

static double relative_residual(const Csr *a, const double *x, const double *b, double *r)
{
    csr_multiply(a, x, r);
    for (int i = 0; i < a->rows; i++)
        r[i] = b[i] - r[i];
    return norm(a->rows, r) / norm(a->rows, b);
}

static void compare_formats(const Coo *m, const Csr *a)
{
    Ell e = ell_from_csr(a);
    double *x = vector(a->rows), *y1 = vector(a->rows), *y2 = vector(a->rows), *y3 = vector(a->rows);
    uint32_t state = 1;
    for (int i = 0; i < a->rows; i++) {
        state = state * 1664525u + 1013904223u;
        x[i] = (double)(state >> 16) / 65536.0 - 0.5;
    }
    coo_multiply(m, x, y1);
    csr_multiply(a, x, y2);
    ell_multiply(&e, x, y3);
    for (int i = 0; i < a->rows; i++)
        if (fabs(y1[i] - y2[i]) > 1e-10 || fabs(y1[i] - y3[i]) > 1e-10)
            fail("storage formats disagree");
    printf("formats: %d rows, %zu entries, ELL width %d, energy %.6g\n", a->rows, m->count, e.width,
           dot(a->rows, x, y2));
    free(x);
    free(y1);
    free(y2);
    free(y3);
    free(e.col);
    free(e.value);
}

/* ---- solvers ---- */

static void sweep_row(const Csr *a, const double *b, double *x, int r)
{
    double sum = b[r];
    for (int k = a->start[r]; k < a->start[r + 1]; k++)
        if (a->col[k] != r)
            sum -= a->value[k] * x[a->col[k]];
    x[r] = sum / a->diagonal[r];
}

static void gauss_seidel(const Csr *a, const double *b, double *x, int sweeps)
{
    for (int s = 0; s < sweeps; s++) {
        for (int r = 0; r < a->rows; r++)
            sweep_row(a, b, x, r);
        for (int r = a->rows - 1; r >= 0; r--)
            sweep_row(a, b, x, r);
    }
}

/* z = M^-1 r with M = (D/w + L) (D/w)^-1 (D/w + U), up to a scalar factor. */
static void apply_ssor(const Csr *a, double omega, const double *r, double *z)
{
    for (int i = 0; i < a->rows; i++) {
        double sum = r[i];
        for (int k = a->start[i]; k < a->start[i + 1] && a->col[k] < i; k++)
            sum -= a->value[k] * z[a->col[k]];
        z[i] = sum * omega / a->diagonal[i];
    }
    for (int i = a->rows - 1; i >= 0; i--) {
        double sum = 0.0;
        for (int k = a->start[i + 1] - 1; k >= a->start[i] && a->col[k] > i; k--)
            sum += a->value[k] * z[a->col[k]];
        z[i] -= sum * omega / a->diagonal[i];
    }
}

static void precondition(const Csr *a, Preconditioner kind, const double *r, double *z)
{
    switch (kind) {
    case PLAIN:
        memcpy(z, r, (size_t)a->rows * sizeof *z);
        break;
    case JACOBI:
        for (int i = 0; i < a->rows; i++)
            z[i] = r[i] / a->diagonal[i];
        break;
    case SSOR:
        apply_ssor(a, 1.5, r, z);
        break;
    }
}

/* x is the initial guess and the result. */
static void conjugate_gradient(const Csr *a, const double *b, double *x, Preconditioner kind,
                               double tolerance, int max_iterations)
{
    int n = a->rows;
    double *r = vector(n), *z = vector(n), *p = vector(n), *q = vector(n);
    double target = tolerance * norm(n, b);
    relative_residual(a, x, b, r);
    precondition(a, kind, r, z);
    memcpy(p, z, (size_t)n * sizeof *p);
    double rz = dot(n, r, z);
    for (int k = 0; k < max_iterations && norm(n, r) > target; k++) {
        csr_multiply(a, p, q);
        double alpha = rz / dot(n, p, q);
        for (int i = 0; i < n; i++) {
            x[i] += alpha * p[i];
            r[i] -= alpha * q[i];
        }
        precondition(a, kind, r, z);
        double next = dot(n, r, z);
        for (int i = 0; i < n; i++)
            p[i] = z[i] + next / rz * p[i];
        rz = next;
    }
    free(r);
    free(z);
    free(p);
    free(q);
}

/* ---- two-level multigrid: coarse point (i, j) sits on fine (2i+1, 2j+1) ---- */

static Csr build_csr(int side)
{
    Coo m = assemble(side);
    coo_compress(&m);
    Csr a = csr_from_coo(&m);
    free(m.entry);
    return a;
}

/* Adds P x_coarse to x_fine, or P^T x_fine to x_coarse when restricting. */
static void transfer(int fine_side, double *fine, double *coarse, int restricting)
{
    int side = fine_side / 2;
    for (int j = 0; j < side; j++) {
        for (int i = 0; i < side; i++) {
            for (int dy = -1; dy <= 1; dy++) {
                for (int dx = -1; dx <= 1; dx++) {
                    double weight = (dx == 0 ? 1.0 : 0.5) * (dy == 0 ? 1.0 : 0.5);
                    double *f = &fine[(2 * j + 1 + dy) * fine_side + 2 * i + 1 + dx];
                    double *c = &coarse[j * side + i];
                    if (restricting)
                        *c += weight * *f;
                    else
                        *f += weight * *c;
                }
            }
        }
    }
}

static int multigrid(const Csr *a, int side, const double *b, double *x, double tolerance)
{
    int coarse_side = side / 2, coarse_rows = coarse_side * coarse_side, cycles = 0;
    Csr coarse = build_csr(coarse_side);
    double *r = vector(a->rows), *rc = vector(coarse_rows), *xc = vector(coarse_rows);
    while (relative_residual(a, x, b, r) > tolerance && cycles < 100) {
        gauss_seidel(a, b, x, 1);
        relative_residual(a, x, b, r);
        memset(rc, 0, (size_t)coarse_rows * sizeof *rc);
        memset(xc, 0, (size_t)coarse_rows * sizeof *xc);
        transfer(side, r, rc, 1);
        if (norm(coarse_rows, rc) > 0.0)
            conjugate_gradient(&coarse, rc, xc, SSOR, 1e-3, coarse_rows);
        transfer(side, x, xc, 0);
        gauss_seidel(a, b, x, 1);
        cycles++;
    }
    csr_free(&coarse);
    free(r);
    free(rc);
    free(xc);
    return cycles;
}

static int parse_size(int argc, char **argv, int fallback)
{
    if (argc < 2)
        return fallback;
    char *end;
    long value = strtol(argv[1], &end, 10);
    if (end == argv[1] || *end != '\0' || value < 1 || value > 2000) {
        fprintf(stderr, "usage: sparse [side], an integer from 1 to 2000\n");
        exit(2);
    }
    return (int)value;
}

int main(int argc, char **argv)
{
    static const char *const names[] = {"none", "jacobi", "ssor"};
    const double tolerance = 1e-8;
    int side = parse_size(argc, argv, 79) | 1; /* odd and at least 3: the coarse grid needs it */
    if (side < 3)
        side = 3;
    Coo m = assemble(side);
    coo_compress(&m);
    Csr a = csr_from_coo(&m);
    compare_formats(&m, &a);
    free(m.entry);

    int n = a.rows;
    double *b = vector(n), *x = vector(n), *reference = vector(n), *r = vector(n);
    for (int i = 0; i < n; i++)
        b[i] = 1.0 + (i % side) % 3;
    for (Preconditioner kind = PLAIN; kind <= SSOR; kind++) {
        memset(x, 0, (size_t)n * sizeof *x);
        conjugate_gradient(&a, b, x, kind, tolerance, 8);
        double early = fmax(relative_residual(&a, x, b, r), tolerance);
        conjugate_gradient(&a, b, x, kind, tolerance, 10 * n);
        if (relative_residual(&a, x, b, r) > 10.0 * tolerance)
            fail("conjugate gradient residual");
        printf("cg %s: residual after 8 iterations %.4g, solution norm %.6g\n", names[kind], early,
               norm(n, x));
        memcpy(reference, x, (size_t)n * sizeof *x);
    }

    memset(x, 0, (size_t)n * sizeof *x);
    for (int stage = 1; stage <= 3; stage++) {
        gauss_seidel(&a, b, x, 10);
        printf("gauss-seidel: %d sweeps, relative residual %.4g\n", 10 * stage,
               fmax(relative_residual(&a, x, b, r), tolerance));
    }

    memset(x, 0, (size_t)n * sizeof *x);
    int cycles = multigrid(&a, side, b, x, tolerance);
    for (int i = 0; i < n; i++)
        r[i] = x[i] - reference[i];
    if (norm(n, r) > 1e-5 * norm(n, reference))
        fail("multigrid and conjugate gradient solutions differ");
    printf("multigrid: %d cycles, solution norm %.6g\n", cycles, norm(n, x));
    free(b);
    free(x);
    free(reference);
    free(r);
    csr_free(&a);
    return 0;
}
