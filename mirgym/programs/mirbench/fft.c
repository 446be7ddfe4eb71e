/*
 * Fourier transforms: an iterative radix-2 and a Stockham radix-4 FFT, a real FFT
 * of half the length, a DCT through an FFT, and a number theoretic transform;
 * convolutions through both kinds of transform must match.
 */
#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MODULUS = 998244353, GENERATOR = 3, PROBES = 8 };

struct complex {
    double re;
    double im;
};

/* The unit roots exp(-2 pi i k / size); shorter transforms step through them. */
struct plan {
    size_t size;
    struct complex *root;
    struct complex *scratch;
};

typedef void (*Transform)(const struct plan *plan, struct complex *x, size_t n);

static const double pi = 3.14159265358979323846;

static void require(int condition, const char *what)
{
    if (!condition) {
        fprintf(stderr, "fft: check failed: %s\n", what);
        exit(1);
    }
}

static void *allocate(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    require(memory != NULL, "enough memory");
    return memory;
}

static uint32_t next_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

static struct complex add(struct complex a, struct complex b)
{
    return (struct complex){a.re + b.re, a.im + b.im};
}

static struct complex subtract(struct complex a, struct complex b)
{
    return (struct complex){a.re - b.re, a.im - b.im};
}

static struct complex multiply(struct complex a, struct complex b)
{
    return (struct complex){a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}

static struct complex times_i(struct complex a)
{
    return (struct complex){-a.im, a.re};
}

static void plan_init(struct plan *plan, size_t size)
{
    plan->size = size;
    plan->root = allocate(size, sizeof *plan->root);
    plan->scratch = allocate(size, sizeof *plan->scratch);
    for (size_t k = 0; k < size; k++) {
        double angle = -2.0 * pi * (double)k / (double)size;
        plan->root[k] = (struct complex){cos(angle), sin(angle)};
    }
}

static void plan_free(struct plan *plan)
{
    free(plan->root);
    free(plan->scratch);
}

static size_t next_reversed(size_t reversed, size_t n)
{
    size_t bit = n >> 1;
    for (; reversed & bit; bit >>= 1)
        reversed ^= bit;
    return reversed | bit;
}

static void fft_radix2(const struct plan *plan, struct complex *x, size_t n)
{
    for (size_t i = 0, j = 0; i < n; i++, j = next_reversed(j, n)) {
        if (i < j) {
            struct complex t = x[i];
            x[i] = x[j];
            x[j] = t;
        }
    }
    for (size_t half = 1; half < n; half *= 2) {
        size_t step = plan->size / (2 * half);
        for (size_t start = 0; start < n; start += 2 * half) {
            for (size_t k = 0; k < half; k++) {
                struct complex *low = &x[start + k], *high = low + half;
                struct complex t = multiply(*high, plan->root[k * step]);
                *high = subtract(*low, t);
                *low = add(*low, t);
            }
        }
    }
}

/* Self-sorting: each pass moves the data to the other buffer. */
static void fft_radix4(const struct plan *plan, struct complex *x, size_t n)
{
    struct complex *from = x, *to = plan->scratch;
    size_t length = n, stride = 1;
    for (; length > 2; length /= 4, stride *= 4) {
        size_t quarter = length / 4, step = plan->size / length, offset = quarter * stride;
        for (size_t p = 0; p < quarter; p++) {
            struct complex w1 = plan->root[p * step], w2 = plan->root[2 * p * step],
                           w3 = plan->root[3 * p * step];
            for (size_t q = 0; q < stride; q++) {
                const struct complex *in = &from[q + stride * p];
                struct complex *out = &to[q + stride * 4 * p];
                struct complex even = add(in[0], in[2 * offset]);
                struct complex odd = add(in[offset], in[3 * offset]);
                struct complex even_diff = subtract(in[0], in[2 * offset]);
                struct complex odd_diff = times_i(subtract(in[offset], in[3 * offset]));
                out[0] = add(even, odd);
                out[stride] = multiply(w1, subtract(even_diff, odd_diff));
                out[2 * stride] = multiply(w2, subtract(even, odd));
                out[3 * stride] = multiply(w3, add(even_diff, odd_diff));
            }
        }
        struct complex *t = from;
        from = to;
        to = t;
    }
    if (from != x)
        memcpy(x, from, n * sizeof *x);
    for (size_t q = 0; length == 2 && q < stride; q++) {
        struct complex t = x[q];
        x[q] = add(t, x[q + stride]);
        x[q + stride] = subtract(t, x[q + stride]);
    }
}

static void inverse(Transform transform, const struct plan *plan, struct complex *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i].im = -x[i].im;
    transform(plan, x, n);
    for (size_t i = 0; i < n; i++)
        x[i] = (struct complex){x[i].re / (double)n, -x[i].im / (double)n};
}

static struct complex naive_bin(const struct plan *plan, const struct complex *x, size_t n,
                               size_t k)
{
    struct complex sum = {0.0, 0.0};
    for (size_t i = 0; i < n; i++)
        sum = add(sum, multiply(x[i], plan->root[i * k % n * (plan->size / n)]));
    return sum;
}

static double distance(struct complex a, struct complex b)
{
    return hypot(a.re - b.re, a.im - b.im);
}

/* Bins 0 to n / 2 of n real samples, from one complex transform of half the length. */
static void real_fft(const struct plan *plan, const double *samples, struct complex *bins, size_t n)
{
    size_t half = n / 2, step = plan->size / n;
    for (size_t i = 0; i < half; i++)
        bins[i] = (struct complex){samples[2 * i], samples[2 * i + 1]};
    fft_radix4(plan, bins, half);
    bins[half] = bins[0];
    for (size_t k = 0; k <= half / 2; k++) {
        struct complex a = bins[k], b = {bins[half - k].re, -bins[half - k].im};
        struct complex even = add(a, b), odd = times_i(subtract(b, a));
        struct complex turned = multiply(odd, plan->root[k * step]);
        struct complex low = add(even, turned), high = subtract(even, turned);
        bins[k] = (struct complex){low.re / 2.0, low.im / 2.0};
        bins[half - k] = (struct complex){high.re / 2.0, -high.im / 2.0};
    }
}

/* DCT-II after Makhoul: even samples forwards, odd ones backwards, then one FFT. */
static void dct(const struct plan *plan, const double *samples, double *out, size_t n)
{
    struct complex *x = allocate(n, sizeof *x);
    for (size_t i = 0; i < n / 2; i++) {
        x[i].re = samples[2 * i];
        x[n - 1 - i].re = samples[2 * i + 1];
    }
    fft_radix4(plan, x, n);
    for (size_t k = 0; k < n; k++) {
        double angle = pi * (double)k / (2.0 * (double)n);
        out[k] = x[k].re * cos(angle) + x[k].im * sin(angle);
    }
    free(x);
}

static double naive_dct_bin(const double *samples, size_t n, size_t k)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++)
        sum += samples[i] * cos(pi * (double)((2 * i + 1) * k % (4 * n)) / (2.0 * (double)n));
    return sum;
}

static uint32_t mod_multiply(uint32_t a, uint32_t b)
{
    return (uint32_t)((uint64_t)a * b % MODULUS);
}

static uint32_t mod_power(uint32_t base, uint32_t exponent)
{
    uint32_t result = 1;
    for (; exponent != 0; exponent >>= 1) {
        if (exponent & 1u)
            result = mod_multiply(result, base);
        base = mod_multiply(base, base);
    }
    return result;
}

static void swap_words(uint32_t *a, uint32_t *b)
{
    uint32_t t = *a;
    *a = *b;
    *b = t;
}

static void ntt(uint32_t *x, size_t n)
{
    for (size_t i = 0, j = 0; i < n; i++, j = next_reversed(j, n))
        if (i < j)
            swap_words(&x[i], &x[j]);
    for (size_t half = 1; half < n; half *= 2) {
        uint32_t root = mod_power(GENERATOR, (uint32_t)((MODULUS - 1) / (2 * half)));
        for (size_t start = 0; start < n; start += 2 * half) {
            uint32_t w = 1;
            for (size_t k = start; k < start + half; k++) {
                uint32_t a = x[k], b = mod_multiply(x[k + half], w);
                x[k] = (a + b) % MODULUS;
                x[k + half] = (a + MODULUS - b) % MODULUS;
                w = mod_multiply(w, root);
            }
        }
    }
}

/* Transforming twice reverses all but the first element, and multiplies by n. */
static void ntt_inverse(uint32_t *x, size_t n)
{
    uint32_t scale = mod_power((uint32_t)n, MODULUS - 2);
    ntt(x, n);
    for (size_t i = 1; i < n / 2; i++)
        swap_words(&x[i], &x[n - i]);
    for (size_t i = 0; i < n; i++)
        x[i] = mod_multiply(x[i], scale);
}

static void run_complex(const struct plan *plan, const double *signal, size_t n)
{
    static const struct {
        const char *name;
        Transform transform;
    } methods[] = {{"radix-2", fft_radix2}, {"radix-4", fft_radix4}};
    struct complex *input = allocate(n, sizeof *input);
    struct complex *work = allocate(n, sizeof *work);
    double energy = 0.0;
    for (size_t i = 0; i < n; i++) {
        input[i] = (struct complex){signal[i], signal[n - 1 - i] / 2.0};
        energy += input[i].re * input[i].re + input[i].im * input[i].im;
    }
    for (size_t m = 0; m < sizeof methods / sizeof methods[0]; m++) {
        memcpy(work, input, n * sizeof *work);
        methods[m].transform(plan, work, n);
        for (size_t probe = 0; probe < PROBES; probe++) {
            size_t k = (probe * probe * 37 + probe) % n;
            require(distance(work[k], naive_bin(plan, input, n, k)) < 1e-6, methods[m].name);
        }
        double spectral = 0.0;
        for (size_t k = 0; k < n; k++)
            spectral += work[k].re * work[k].re + work[k].im * work[k].im;
        inverse(methods[m].transform, plan, work, n);
        for (size_t i = 0; i < n; i++)
            require(distance(work[i], input[i]) < 1e-9, "inverse transform");
        printf("%-12s energy %.3f, spectral energy %.3f\n", methods[m].name, energy,
               spectral / (double)n);
    }
    free(work);
    free(input);
}

static void run_real(const struct plan *plan, const double *signal, size_t n)
{
    struct complex *bins = allocate(n / 2 + 1, sizeof *bins);
    double *cosines = allocate(n, sizeof *cosines);
    real_fft(plan, signal, bins, n);
    printf("%-12s", "real peaks");
    for (size_t k = 1; k < n / 2; k++) {
        double amplitude = hypot(bins[k].re, bins[k].im) * 2.0 / (double)n;
        if (amplitude > 0.4)
            printf(" %zu (%.3f)", k, amplitude);
    }
    dct(plan, signal, cosines, n);
    for (size_t k = 0; k < n; k += n / PROBES)
        require(fabs(cosines[k] - naive_dct_bin(signal, n, k)) < 1e-6, "DCT");
    double energy = cosines[0] * cosines[0] / 2.0;
    for (size_t k = 1; k < n; k++)
        energy += cosines[k] * cosines[k];
    printf("\n%-12s DC %.3f, energy %.3f\n", "dct", cosines[0], energy * 2.0 / (double)n);
    free(cosines);
    free(bins);
}

/* Multiplies two polynomials of n small coefficients, in both number systems. */
static void run_convolution(const struct plan *plan, size_t n)
{
    size_t size = 2 * n;
    uint32_t *a = allocate(size, sizeof *a), *b = allocate(size, sizeof *b);
    struct complex *packed = allocate(size, sizeof *packed);
    uint32_t state = 77, digest = 0;
    uint64_t sum_a = 0, sum_b = 0, sum = 0;
    for (size_t i = 0; i < n; i++) {
        a[i] = next_random(&state) % 100;
        b[i] = next_random(&state) % 10;
        sum_a += a[i];
        sum_b += b[i];
        packed[i] = (struct complex){(double)a[i], (double)b[i]};
    }

    ntt(a, size);
    ntt(b, size);
    for (size_t i = 0; i < size; i++)
        a[i] = mod_multiply(a[i], b[i]);
    ntt_inverse(a, size);

    /* (a + ib)^2 has 2ab as its imaginary part. */
    fft_radix2(plan, packed, size);
    for (size_t k = 0; k < size; k++)
        packed[k] = multiply(packed[k], packed[k]);
    inverse(fft_radix2, plan, packed, size);
    for (size_t i = 0; i < size; i++) {
        require(lround(packed[i].im / 2.0) == (long)a[i], "FFT and NTT convolution");
        sum += a[i];
        digest = digest * 31u + a[i];
    }
    require(sum == sum_a * sum_b, "sum of the product");
    printf("%-12s sum %llu, digest %08lx\n", "convolution", (unsigned long long)sum,
           (unsigned long)digest);
    free(packed);
    free(b);
    free(a);
}

int main(int argc, char **argv)
{
    size_t n = 16;
    long wanted = 65536;
    if (argc > 1) {
        char *end;
        errno = 0;
        wanted = strtol(argv[1], &end, 10);
        if (errno != 0 || end == argv[1] || *end != '\0' || wanted < 1 || wanted > 262144) {
            fprintf(stderr, "fft: number of samples must be 1 to 262144, not \"%s\"\n", argv[1]);
            return 2;
        }
    }
    while ((long)n < wanted)
        n *= 2;

    struct plan plan;
    plan_init(&plan, 2 * n);
    double *signal = allocate(n, sizeof *signal);
    uint32_t state = 2463534242u;
    for (size_t i = 0; i < n; i++) {
        double noise = (double)(next_random(&state) % 1000) / (1000.0 * pi);
        double angle = 2.0 * pi * (double)i / (double)n;
        signal[i] = 1.5 * cos(3.0 * angle) + 0.75 * sin((double)(n / 4 + 1) * angle) + noise;
    }
    printf("%zu samples\n", n);
    run_complex(&plan, signal, n);
    run_real(&plan, signal, n);
    run_convolution(&plan, n);
    free(signal);
    plan_free(&plan);
    return 0;
}
