/*
 * Dense matrix kernels: naive, transposed and cache-blocked products, LU with
 * partial pivoting (solve, inverse, determinant), Cholesky, Householder QR,
 * power iteration, and an integer Strassen product checked modulo 2^32.
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_SIZE = 192, MAX_SIZE = 2048, BLOCK = 16, STRASSEN_CUTOFF = 16, ARENA_SLOTS = 64 };

typedef struct {
    size_t n;
    double *at; /* row-major, n * n */
} Matrix;

static uint32_t rng_state = 0x2545F491u;
static void *arena[ARENA_SLOTS]; /* everything allocated, freed together */
static size_t arena_used;

static uint32_t next_random(void)
{
    rng_state = rng_state * 1664525u + 1013904223u;
    return rng_state ^ rng_state >> 15;
}

static void *allocate(size_t count, size_t size)
{
    void *p = arena_used < ARENA_SLOTS ? calloc(count, size) : NULL;
    if (p == NULL) {
        fprintf(stderr, "matrix: out of memory\n");
        exit(1);
    }
    arena[arena_used++] = p;
    return p;
}

static void release_all(void)
{
    while (arena_used > 0)
        free(arena[--arena_used]);
}

static void expect(int condition, const char *what)
{
    if (!condition) {
        fprintf(stderr, "matrix: check failed: %s\n", what);
        exit(1);
    }
}

static Matrix matrix_new(size_t n)
{
    Matrix m = {n, allocate(n * n, sizeof(double))};
    return m;
}

static Matrix matrix_copy(const Matrix *src)
{
    Matrix m = matrix_new(src->n);
    memcpy(m.at, src->at, src->n * src->n * sizeof(double));
    return m;
}

static double *row(const Matrix *m, size_t i)
{
    return m->at + i * m->n;
}

/* Entries are multiples of 1/64 in [-1, 1): sums of their products are exact. */
static Matrix matrix_random(size_t n)
{
    Matrix m = matrix_new(n);
    for (size_t i = 0; i < n * n; i++)
        m.at[i] = ((double)(next_random() >> 25) - 64.0) / 64.0;
    return m;
}

static Matrix matrix_identity(size_t n)
{
    Matrix m = matrix_new(n);
    for (size_t i = 0; i < n; i++)
        row(&m, i)[i] = 1.0;
    return m;
}

static Matrix matrix_transposed(const Matrix *src)
{
    Matrix t = matrix_new(src->n);
    for (size_t i = 0; i < src->n; i++)
        for (size_t j = 0; j < src->n; j++)
            row(&t, j)[i] = row(src, i)[j];
    return t;
}

static double max_difference(const Matrix *a, const Matrix *b)
{
    double worst = 0.0;
    for (size_t i = 0; i < a->n * a->n; i++)
        worst = fmax(worst, fabs(a->at[i] - b->at[i]));
    return worst;
}

static double dot(const double *x, const double *y, size_t count)
{
    double sum = 0.0;
    for (size_t i = 0; i < count; i++)
        sum += x[i] * y[i];
    return sum;
}

/* y += factor * x */
static void add_scaled(double *y, const double *x, double factor, size_t count)
{
    for (size_t i = 0; i < count; i++)
        y[i] += factor * x[i];
}

/* log10 |det| of a triangular matrix, which stays in range for large orders. */
static double log_determinant(const Matrix *triangular)
{
    double sum = 0.0;
    for (size_t i = 0; i < triangular->n; i++)
        sum += log10(fabs(row(triangular, i)[i]));
    return sum;
}

static Matrix multiply_naive(const Matrix *a, const Matrix *b)
{
    size_t n = a->n;
    Matrix c = matrix_new(n);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            for (size_t k = 0; k < n; k++)
                c.at[i * n + j] += a->at[i * n + k] * b->at[k * n + j];
    return c;
}

static Matrix multiply_transposed(const Matrix *a, const Matrix *b)
{
    Matrix c = matrix_new(a->n);
    Matrix bt = matrix_transposed(b);
    for (size_t i = 0; i < a->n; i++)
        for (size_t j = 0; j < a->n; j++)
            row(&c, i)[j] = dot(row(a, i), row(&bt, j), a->n);
    return c;
}

static Matrix multiply_blocked(const Matrix *a, const Matrix *b)
{
    size_t n = a->n;
    Matrix c = matrix_new(n);
    for (size_t kk = 0; kk < n; kk += BLOCK) {
        size_t k_end = kk + BLOCK < n ? kk + BLOCK : n;
        for (size_t jj = 0; jj < n; jj += BLOCK) {
            size_t width = jj + BLOCK < n ? BLOCK : n - jj;
            for (size_t i = 0; i < n; i++)
                for (size_t k = kk; k < k_end; k++)
                    add_scaled(row(&c, i) + jj, row(b, k) + jj, row(a, i)[k], width);
        }
    }
    return c;
}

static void swap_rows(Matrix *m, size_t i, size_t j)
{
    for (size_t k = 0; k < m->n; k++) {
        double tmp = row(m, i)[k];
        row(m, i)[k] = row(m, j)[k];
        row(m, j)[k] = tmp;
    }
}

/* Factors `a` in place into L\U, exchanging rows of `rhs` along with its own;
 * returns the determinant's sign, 0 if `a` is singular to working precision. */
static int lu_factor(Matrix *a, Matrix *rhs)
{
    size_t n = a->n;
    int sign = 1;
    for (size_t k = 0; k < n; k++) {
        size_t pivot = k;
        for (size_t i = k + 1; i < n; i++)
            if (fabs(row(a, i)[k]) > fabs(row(a, pivot)[k]))
                pivot = i;
        if (fabs(row(a, pivot)[k]) < 1e-12)
            return 0;
        if (pivot != k) {
            swap_rows(a, k, pivot);
            swap_rows(rhs, k, pivot);
            sign = -sign;
        }
        if (row(a, k)[k] < 0.0)
            sign = -sign;
        for (size_t i = k + 1; i < n; i++) {
            double factor = row(a, i)[k] / row(a, k)[k];
            row(a, i)[k] = factor;
            add_scaled(row(a, i) + k + 1, row(a, k) + k + 1, -factor, n - k - 1);
        }
    }
    return sign;
}

/* Overwrites the columns of `x` with the solutions for the right-hand sides
 * that they hold. */
static void lu_solve(const Matrix *lu, Matrix *x)
{
    size_t n = lu->n;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++)
            add_scaled(row(x, i), row(x, j), -row(lu, i)[j], n);
    for (size_t i = n; i-- > 0;) {
        for (size_t j = i + 1; j < n; j++)
            add_scaled(row(x, i), row(x, j), -row(lu, i)[j], n);
        for (size_t j = 0; j < n; j++)
            row(x, i)[j] /= row(lu, i)[i];
    }
}

/* Lower Cholesky factor of a symmetric positive definite matrix. */
static int cholesky(const Matrix *a, Matrix *lower)
{
    for (size_t j = 0; j < a->n; j++) {
        double *pivot_row = row(lower, j);
        double pivot = row(a, j)[j] - dot(pivot_row, pivot_row, j);
        if (pivot <= 0.0)
            return 0;
        pivot_row[j] = sqrt(pivot);
        for (size_t i = j + 1; i < a->n; i++)
            row(lower, i)[j] = (row(a, i)[j] - dot(row(lower, i), pivot_row, j)) / pivot_row[j];
    }
    return 1;
}

/* Multiplies `m` from the left by the reflection I - 2 v v^T / (v^T v), where
 * v is zero before row `first`; `work` holds one row. */
static void reflect(Matrix *m, const double *v, size_t first, double *work)
{
    size_t n = m->n;
    double norm2 = dot(v + first, v + first, n - first);
    if (norm2 <= 0.0)
        return;
    memset(work, 0, n * sizeof *work);
    for (size_t i = first; i < n; i++)
        add_scaled(work, row(m, i), v[i], n);
    for (size_t i = first; i < n; i++)
        add_scaled(row(m, i), work, -2.0 * v[i] / norm2, n);
}

/* Reduces `r` to upper triangular form; `qt`, the identity on entry, becomes
 * Q^T. */
static void qr_householder(Matrix *r, Matrix *qt)
{
    size_t n = r->n;
    double *v = allocate(n, sizeof *v);
    double *work = allocate(n, sizeof *work);
    for (size_t k = 0; k + 1 < n; k++) {
        for (size_t i = k; i < n; i++)
            v[i] = row(r, i)[k];
        double norm = sqrt(dot(v + k, v + k, n - k));
        v[k] += v[k] >= 0.0 ? norm : -norm;
        reflect(r, v, k, work);
        reflect(qt, v, k, work);
    }
}

/* Magnitude of the dominant eigenvalue of `a`. */
static double power_iteration(const Matrix *a, int steps)
{
    size_t n = a->n;
    double *x = allocate(n, sizeof *x);
    double *y = allocate(n, sizeof *y);
    double largest = 1.0;
    for (size_t i = 0; i < n; i++)
        x[i] = 1.0;
    for (int step = 0; step < steps; step++) {
        largest = 0.0;
        for (size_t i = 0; i < n; i++) {
            y[i] = dot(row(a, i), x, n);
            largest = fmax(largest, fabs(y[i]));
        }
        for (size_t i = 0; i < n; i++)
            x[i] = y[i] / largest;
    }
    return largest;
}

/* dst += factor * src on order x order blocks with independent row strides. */
static void add_block(size_t order, uint32_t *dst, size_t dst_stride, const uint32_t *src,
                      size_t src_stride, int factor)
{
    for (size_t i = 0; i < order; i++)
        for (size_t j = 0; j < order; j++)
            dst[i * dst_stride + j] += (uint32_t)factor * src[i * src_stride + j];
}

/* sum = the combination of the quadrants of `src` that `factors` selects. */
static void combine_quadrants(size_t half, uint32_t *sum, const uint32_t *src, size_t stride,
                              const signed char factors[4])
{
    memset(sum, 0, half * half * sizeof *sum);
    for (size_t q = 0; q < 4; q++)
        if (factors[q] != 0)
            add_block(half, sum, half, src + q / 2 * half * stride + q % 2 * half, stride,
                      factors[q]);
}

/* c += a * b for integer matrices. */
static void integer_product(size_t n, uint32_t *c, size_t cs, const uint32_t *a, size_t as,
                            const uint32_t *b, size_t bs)
{
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < n; k++) {
            uint32_t aik = a[i * as + k];
            for (size_t j = 0; j < n; j++)
                c[i * cs + j] += aik * b[k * bs + j];
        }
}

/* c += a * b by Strassen's seven products; n is a power of two and `scratch`
 * has n * n values. Table rows: quadrant factors of left, right and result. */
static void strassen(size_t n, uint32_t *c, size_t cs, const uint32_t *a, size_t as,
                     const uint32_t *b, size_t bs, uint32_t *scratch)
{
    static const signed char products[7][3][4] = {
        {{1, 0, 0, 1}, {1, 0, 0, 1}, {1, 0, 0, 1}},  {{0, 0, 1, 1}, {1, 0, 0, 0}, {0, 0, 1, -1}},
        {{1, 0, 0, 0}, {0, 1, 0, -1}, {0, 1, 0, 1}}, {{0, 0, 0, 1}, {-1, 0, 1, 0}, {1, 0, 1, 0}},
        {{1, 1, 0, 0}, {0, 0, 0, 1}, {-1, 1, 0, 0}}, {{-1, 0, 1, 0}, {1, 1, 0, 0}, {0, 0, 0, 1}},
        {{0, 1, 0, -1}, {0, 0, 1, 1}, {1, 0, 0, 0}},
    };
    if (n <= STRASSEN_CUTOFF) {
        integer_product(n, c, cs, a, as, b, bs);
        return;
    }
    size_t half = n / 2, area = half * half;
    uint32_t *left = scratch, *right = left + area, *product = right + area;
    for (size_t p = 0; p < 7; p++) {
        combine_quadrants(half, left, a, as, products[p][0]);
        combine_quadrants(half, right, b, bs, products[p][1]);
        memset(product, 0, area * sizeof *product);
        strassen(half, product, half, left, half, right, half, product + area);
        for (size_t q = 0; q < 4; q++)
            if (products[p][2][q] != 0)
                add_block(half, c + q / 2 * half * cs + q % 2 * half, cs, product, half,
                          products[p][2][q]);
    }
}

static void run_products(const Matrix *a, const Matrix *b)
{
    Matrix naive = multiply_naive(a, b);
    Matrix transposed = multiply_transposed(a, b);
    Matrix blocked = multiply_blocked(a, b);
    expect(max_difference(&naive, &transposed) <= 0.0, "transposed product");
    expect(max_difference(&naive, &blocked) <= 0.0, "blocked product");
    printf("product: squared norm %.2f\n", dot(naive.at, naive.at, a->n * a->n));
}

static void run_lu(const Matrix *a)
{
    Matrix lu = matrix_copy(a);
    Matrix identity = matrix_identity(a->n);
    Matrix inverse = matrix_copy(&identity);
    int sign = lu_factor(&lu, &inverse);
    expect(sign != 0, "matrix is regular");
    lu_solve(&lu, &inverse);
    Matrix product = multiply_blocked(a, &inverse);
    expect(max_difference(&product, &identity) < 1e-8, "A * inverse(A) = I");
    printf("lu: determinant sign %d, log10 %.4f\n", sign, log_determinant(&lu));
}

static void run_symmetric(const Matrix *a)
{
    size_t n = a->n;
    Matrix at = matrix_transposed(a);
    Matrix gram = multiply_blocked(&at, a);
    Matrix lower = matrix_new(n);
    for (size_t i = 0; i < n; i++)
        row(&gram, i)[i] += 1.0;
    expect(cholesky(&gram, &lower), "Gram matrix is positive definite");
    Matrix upper = matrix_transposed(&lower);
    Matrix product = multiply_naive(&lower, &upper);
    expect(max_difference(&product, &gram) < 1e-8, "L * L^T");
    printf("cholesky: determinant log10 %.4f\n", 2.0 * log_determinant(&lower));
    for (size_t i = 0; i < n * n; i++)
        gram.at[i] += 4.0; /* makes one eigenvalue dominant */
    printf("power iteration: largest eigenvalue %.4f\n", power_iteration(&gram, 120));
}

static void run_qr(const Matrix *a)
{
    Matrix r = matrix_copy(a);
    Matrix qt = matrix_identity(a->n);
    qr_householder(&r, &qt);
    Matrix product = multiply_transposed(&qt, a);
    expect(max_difference(&product, &r) < 1e-9, "Q^T * A = R");
    printf("qr: determinant log10 %.4f\n", log_determinant(&r));
}

static void run_strassen(size_t n)
{
    size_t order = 1;
    while (order < n)
        order *= 2;
    size_t count = order * order;
    uint32_t *a = allocate(count, sizeof *a), *b = allocate(count, sizeof *b);
    uint32_t *fast = allocate(count, sizeof *fast), *plain = allocate(count, sizeof *plain);
    uint32_t *scratch = allocate(count, sizeof *scratch);
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < count; i++) {
        a[i] = next_random();
        b[i] = next_random();
    }
    strassen(order, fast, order, a, order, b, order, scratch);
    integer_product(order, plain, order, a, order, b, order);
    expect(memcmp(fast, plain, count * sizeof *fast) == 0, "Strassen product");
    for (size_t i = 0; i < count; i++)
        hash = (hash ^ fast[i]) * 16777619u;
    printf("strassen: order %zu, checksum %08x\n", order, (unsigned)hash);
}

static size_t parse_size(const char *text)
{
    char *end;
    long value = strtol(text, &end, 10);
    if (end == text || *end != '\0' || value < 1 || value > MAX_SIZE) {
        fprintf(stderr, "matrix: size must be an integer from 1 to %d, not '%s'\n", MAX_SIZE, text);
        exit(2);
    }
    return (size_t)value;
}

int main(int argc, char **argv)
{
    size_t n = argc > 1 ? parse_size(argv[1]) : DEFAULT_SIZE;
    Matrix a = matrix_random(n);
    Matrix b = matrix_random(n);
    /* A heavier diagonal bounds the condition number. */
    for (size_t i = 0; i < n; i++)
        row(&a, i)[i] += ceil(2.0 * sqrt((double)n));
    printf("matrix order %zu\n", n);
    run_products(&a, &b);
    run_lu(&a);
    run_symmetric(&b);
    run_qr(&a);
    run_strassen(n);
    release_all();
    return 0;
}
