/*
 * Error correction: Hamming(15,11), Reed-Solomon over GF(256) with Berlekamp-
 * Massey, Chien search and Forney's formula, and a convolutional code with a
 * Viterbi decoder, alone and concatenated through an interleaver, over channels
 * whose noise comes from a linear feedback shift register.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HAMMING_DATA = 11, HAMMING_BITS = 15 };
enum { FIELD = 256, FIELD_POLYNOMIAL = 0x11d, RS_LENGTH = 255, RS_PARITY = 32, RS_DATA = RS_LENGTH - RS_PARITY };
enum { CONSTRAINT = 7, STATES = 1 << (CONSTRAINT - 1), GENERATOR_A = 0171, GENERATOR_B = 0133 };
enum { INTERLEAVE_DEPTH = 4, MAX_BITS = (RS_LENGTH * INTERLEAVE_DEPTH * 8) + CONSTRAINT };

typedef struct {
    uint32_t state;
} Lfsr;

typedef struct {
    uint8_t coefficient[RS_PARITY * 2 + 2]; /* of x^0 first */
    int degree;
} Polynomial;

static uint8_t field_exp[2 * FIELD], field_log[FIELD];
static Polynomial generator;

static void check(bool ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "ecc: %s\n", what);
        exit(1);
    }
}

/* Galois form, x^32 + x^22 + x^2 + x + 1. */
static unsigned lfsr_bit(Lfsr *lfsr)
{
    unsigned out = lfsr->state & 1;
    lfsr->state = lfsr->state >> 1 ^ (out != 0 ? 0x80200003u : 0);
    return out;
}

static uint32_t lfsr_bits(Lfsr *lfsr, int count)
{
    uint32_t value = 0;
    for (int i = 0; i < count; i++)
        value = value << 1 | lfsr_bit(lfsr);
    return value;
}

static uint32_t lfsr_below(Lfsr *lfsr, uint32_t limit)
{
    return lfsr_bits(lfsr, 24) % limit;
}

static uint32_t hash_bytes(uint32_t hash, const uint8_t *bytes, int count)
{
    for (int i = 0; i < count; i++)
        hash = (hash ^ bytes[i]) * 16777619u;
    return hash;
}

static void fill_random(Lfsr *lfsr, uint8_t *bytes, int count)
{
    for (int i = 0; i < count; i++)
        bytes[i] = (uint8_t)lfsr_bits(lfsr, 8);
}

/* ---- Hamming(15,11): check bits at positions 1, 2, 4 and 8 ---- */

static unsigned hamming_syndrome(unsigned word)
{
    unsigned syndrome = 0;
    for (unsigned position = 1; position <= HAMMING_BITS; position++)
        if (word >> position & 1)
            syndrome ^= position;
    return syndrome;
}

static unsigned hamming_encode(unsigned data)
{
    unsigned word = 0;
    for (unsigned position = 3, bit = 0; position <= HAMMING_BITS; position++)
        if ((position & (position - 1)) != 0)
            word |= (data >> bit++ & 1) << position;
    unsigned syndrome = hamming_syndrome(word);
    for (unsigned position = 1; position <= HAMMING_BITS; position *= 2)
        if (syndrome & position)
            word |= 1u << position;
    return word;
}

static unsigned hamming_decode(unsigned word, bool *corrected)
{
    unsigned syndrome = hamming_syndrome(word), data = 0;
    *corrected = syndrome != 0;
    if (syndrome != 0)
        word ^= 1u << syndrome;
    for (unsigned position = 3, bit = 0; position <= HAMMING_BITS; position++)
        if ((position & (position - 1)) != 0)
            data |= (word >> position & 1) << bit++;
    return data;
}

static void section_hamming(int words)
{
    Lfsr noise = {0xACE1u};
    int corrected = 0, wrong = 0;
    uint32_t hash = 2166136261u;
    for (int i = 0; i < words; i++) {
        unsigned data = lfsr_bits(&noise, HAMMING_DATA), word = hamming_encode(data);
        int flips = (int)lfsr_below(&noise, 3);
        unsigned first = 1 + lfsr_below(&noise, HAMMING_BITS), second = 1 + first % HAMMING_BITS;
        if (flips > 0)
            word ^= 1u << first;
        if (flips > 1)
            word ^= 1u << second;
        bool repaired;
        unsigned decoded = hamming_decode(word, &repaired);
        check(flips > 1 || decoded == data, "Hamming: a single error was not corrected");
        check(repaired == (flips > 0), "Hamming: wrong syndrome");
        corrected += flips == 1;
        wrong += decoded != data;
        hash = (hash ^ word ^ decoded << 16) * 16777619u;
    }
    printf("hamming: %d words, %d corrected, %d beyond repair, checksum %08x\n", words, corrected, wrong,
           (unsigned)hash);
}

/* ---- Reed-Solomon(255,223) ---- */

static void build_field(void)
{
    unsigned value = 1;
    for (int i = 0; i < FIELD - 1; i++) {
        field_exp[i] = field_exp[i + FIELD - 1] = (uint8_t)value;
        field_log[value] = (uint8_t)i;
        value <<= 1;
        if (value >= FIELD)
            value ^= FIELD_POLYNOMIAL;
    }
}

static uint8_t multiply(uint8_t a, uint8_t b)
{
    return a == 0 || b == 0 ? 0 : field_exp[field_log[a] + field_log[b]];
}

static uint8_t divide(uint8_t a, uint8_t b)
{
    return a == 0 ? 0 : field_exp[field_log[a] + FIELD - 1 - field_log[b]];
}

static uint8_t evaluate(const Polynomial *p, uint8_t x)
{
    uint8_t value = 0;
    for (int i = p->degree; i >= 0; i--)
        value = (uint8_t)(multiply(value, x) ^ p->coefficient[i]);
    return value;
}

static void build_generator(void)
{
    generator.coefficient[0] = 1;
    for (int root = 0; root < RS_PARITY; root++) { /* times x + a^root */
        generator.degree++;
        for (int i = generator.degree; i >= 0; i--) {
            uint8_t shifted = i > 0 ? generator.coefficient[i - 1] : 0;
            generator.coefficient[i] = (uint8_t)(shifted ^ multiply(generator.coefficient[i], field_exp[root]));
        }
    }
}

/* Code words hold the highest power first: the data, then the parity bytes. */
static void rs_encode(const uint8_t data[RS_DATA], uint8_t word[RS_LENGTH])
{
    uint8_t *parity = word + RS_DATA;
    memcpy(word, data, RS_DATA);
    memset(parity, 0, RS_PARITY);
    for (int i = 0; i < RS_DATA; i++) {
        uint8_t factor = data[i] ^ parity[0];
        for (int j = 0; j < RS_PARITY; j++) {
            uint8_t next = j + 1 < RS_PARITY ? parity[j + 1] : 0;
            parity[j] = (uint8_t)(next ^ multiply(factor, generator.coefficient[RS_PARITY - 1 - j]));
        }
    }
}

static bool rs_syndromes(const uint8_t word[RS_LENGTH], Polynomial *syndromes)
{
    bool clean = true;
    memset(syndromes, 0, sizeof *syndromes);
    syndromes->degree = RS_PARITY - 1;
    for (int root = 0; root < RS_PARITY; root++) {
        uint8_t sum = 0;
        for (int i = 0; i < RS_LENGTH; i++)
            sum = (uint8_t)(multiply(sum, field_exp[root]) ^ word[i]);
        syndromes->coefficient[root] = sum;
        clean = clean && sum == 0;
    }
    return clean;
}

/* The shortest recurrence that generates the syndromes: the error locator. */
static Polynomial berlekamp_massey(const Polynomial *syndromes)
{
    Polynomial locator = {{1}, 0}, previous = {{1}, 0};
    uint8_t previous_discrepancy = 1;
    for (int step = 0, gap = 1; step < RS_PARITY; step++, gap++) {
        uint8_t discrepancy = syndromes->coefficient[step];
        for (int i = 1; i <= locator.degree; i++)
            discrepancy ^= multiply(locator.coefficient[i], syndromes->coefficient[step - i]);
        if (discrepancy == 0)
            continue;
        Polynomial before = locator;
        uint8_t factor = divide(discrepancy, previous_discrepancy);
        for (int i = 0; i + gap <= RS_PARITY; i++)
            locator.coefficient[i + gap] ^= multiply(factor, previous.coefficient[i]);
        if (2 * locator.degree <= step) {
            locator.degree = step + 1 - locator.degree;
            previous = before;
            previous_discrepancy = discrepancy;
            gap = 0;
        }
    }
    return locator;
}

/* The product of syndromes and locator without the powers from RS_PARITY on. */
static Polynomial error_evaluator(const Polynomial *syndromes, const Polynomial *locator)
{
    Polynomial product = {{0}, RS_PARITY - 1};
    for (int i = 0; i < RS_PARITY; i++)
        for (int j = 0; j <= locator->degree && i + j < RS_PARITY; j++)
            product.coefficient[i + j] ^= multiply(syndromes->coefficient[i], locator->coefficient[j]);
    return product;
}

static Polynomial derivative(const Polynomial *p)
{
    Polynomial result = {{0}, p->degree > 0 ? p->degree - 1 : 0};
    for (int i = 1; i <= p->degree; i += 2) /* even terms vanish in characteristic two */
        result.coefficient[i - 1] = p->coefficient[i];
    return result;
}

/* Repairs the word in place; returns the number of errors, or -1 where there are too many. */
static int rs_decode(uint8_t word[RS_LENGTH])
{
    Polynomial syndromes;
    if (rs_syndromes(word, &syndromes))
        return 0;
    Polynomial locator = berlekamp_massey(&syndromes);
    if (locator.degree > RS_PARITY / 2)
        return -1;
    Polynomial evaluator = error_evaluator(&syndromes, &locator), slope = derivative(&locator);
    int found = 0;
    for (int power = 0; power < RS_LENGTH; power++) { /* Chien: is position a^power in error? */
        uint8_t inverse = field_exp[FIELD - 1 - power];
        if (evaluate(&locator, inverse) != 0)
            continue;
        uint8_t steepness = evaluate(&slope, inverse);
        if (steepness == 0)
            return -1;
        uint8_t magnitude = divide(evaluate(&evaluator, inverse), steepness); /* Forney */
        word[RS_LENGTH - 1 - power] ^= multiply(magnitude, field_exp[power]);
        found++;
    }
    return found == locator.degree && rs_syndromes(word, &syndromes) ? found : -1;
}

static void section_reed_solomon(int blocks)
{
    Lfsr noise = {0xBEEF1234u};
    int repaired = 0, refused = 0;
    uint32_t hash = 2166136261u;
    for (int block = 0; block < blocks; block++) {
        uint8_t data[RS_DATA], word[RS_LENGTH];
        fill_random(&noise, data, RS_DATA);
        rs_encode(data, word);
        hash = hash_bytes(hash, word + RS_DATA, RS_PARITY);
        int errors = 0, wanted = block % 20 == 19 ? RS_PARITY : (int)lfsr_below(&noise, RS_PARITY / 2 + 1);
        bool hit[RS_LENGTH] = {false};
        while (errors < wanted) {
            uint32_t position = lfsr_below(&noise, RS_LENGTH);
            if (!hit[position]) {
                hit[position] = true;
                word[position] ^= (uint8_t)(1 + lfsr_below(&noise, FIELD - 1));
                errors++;
            }
        }
        int found = rs_decode(word);
        if (wanted <= RS_PARITY / 2) {
            check(found == wanted, "Reed-Solomon: wrong number of errors");
            check(memcmp(word, data, RS_DATA) == 0, "Reed-Solomon: a block was not repaired");
            repaired += found;
        } else {
            refused += found < 0;
        }
    }
    printf("reed-solomon: %d blocks, %d bytes repaired, %d blocks refused, checksum %08x\n", blocks, repaired,
           refused, (unsigned)hash);
}

/* ---- convolutional code of rate 1/2 ---- */

static unsigned parity_of(unsigned word)
{
    unsigned parity = 0;
    for (; word != 0; word &= word - 1)
        parity ^= 1;
    return parity;
}

static unsigned convolve(unsigned window)
{
    return parity_of(window & GENERATOR_A) << 1 | parity_of(window & GENERATOR_B);
}

/* Encodes the bits and a tail of zeros; each symbol holds two channel bits. */
static int conv_encode(const uint8_t *bits, int count, uint8_t *symbols)
{
    unsigned window = 0;
    for (int i = 0; i < count + CONSTRAINT - 1; i++) {
        window = window >> 1 | (unsigned)(i < count ? bits[i] : 0) << (CONSTRAINT - 1);
        symbols[i] = (uint8_t)convolve(window);
    }
    return count + CONSTRAINT - 1;
}

/* Returns the number of channel bits in which the best path differs from the symbols. */
static int viterbi_decode(const uint8_t *symbols, int symbol_count, uint8_t *bits)
{
    static uint8_t dropped[MAX_BITS + CONSTRAINT][STATES]; /* the bit that left the window on the best way here */
    static const int distance[] = {0, 1, 1, 2};
    int cost[STATES], next[STATES];
    uint8_t output[2 * STATES];
    for (unsigned window = 0; window < 2 * STATES; window++)
        output[window] = (uint8_t)convolve(window);
    for (int state = 0; state < STATES; state++)
        cost[state] = state == 0 ? 0 : 1000000;
    for (int i = 0; i < symbol_count; i++) {
        for (unsigned state = 0; state < STATES; state++) {
            /* a window is the state before and the new bit on top; the state is the window less its last bit */
            unsigned window = state << 1, even = window % STATES, odd = even | 1;
            int by_even = cost[even] + distance[output[window] ^ symbols[i]];
            int by_odd = cost[odd] + distance[output[window | 1] ^ symbols[i]];
            next[state] = by_odd < by_even ? by_odd : by_even;
            dropped[i][state] = by_odd < by_even;
        }
        memcpy(cost, next, sizeof cost);
    }
    unsigned state = 0; /* the tail leads back here */
    for (int i = symbol_count; i-- > 0;) {
        if (i < symbol_count - (CONSTRAINT - 1))
            bits[i] = (uint8_t)(state >> (CONSTRAINT - 2));
        state = (state << 1 | dropped[i][state]) % STATES;
    }
    check(state == 0, "Viterbi: the path does not start at zero");
    return cost[0];
}

/* Flips about one channel bit in "rate"; returns how many. */
static int add_noise(Lfsr *noise, uint8_t *symbols, int count, uint32_t rate)
{
    int flips = 0;
    for (int i = 0; i < count; i++) {
        for (unsigned bit = 1; bit <= 2; bit++) {
            if (lfsr_below(noise, rate) == 0) {
                symbols[i] ^= (uint8_t)bit;
                flips++;
            }
        }
    }
    return flips;
}

static void section_viterbi(int bit_count)
{
    static uint8_t bits[MAX_BITS], decoded[MAX_BITS], symbols[MAX_BITS + CONSTRAINT];
    static const uint32_t rates[] = {1u << 24, 60, 25, 14};
    Lfsr noise = {0xC0FFEEu};
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
        for (int j = 0; j < bit_count; j++)
            bits[j] = (uint8_t)lfsr_bit(&noise);
        int count = conv_encode(bits, bit_count, symbols), wrong = 0;
        int flips = add_noise(&noise, symbols, count, rates[i]);
        int distance = viterbi_decode(symbols, count, decoded);
        for (int j = 0; j < bit_count; j++)
            wrong += bits[j] != decoded[j];
        check(distance <= flips, "Viterbi: a closer path was missed");
        check(flips > 2 || wrong == 0, "Viterbi: few errors were not corrected");
        printf("viterbi: %d bits, %d channel errors, path distance %d, %d bits wrong\n", bit_count, flips, distance,
               wrong);
    }
}

/* ---- concatenated: Reed-Solomon outside, convolutional inside ---- */

static void interleave(uint8_t words[INTERLEAVE_DEPTH][RS_LENGTH], uint8_t *stream, bool back)
{
    for (int i = 0; i < RS_LENGTH; i++) {
        for (int j = 0; j < INTERLEAVE_DEPTH; j++) {
            if (back)
                words[j][i] = stream[i * INTERLEAVE_DEPTH + j];
            else
                stream[i * INTERLEAVE_DEPTH + j] = words[j][i];
        }
    }
}

static void section_concatenated(int frames)
{
    static uint8_t stream[RS_LENGTH * INTERLEAVE_DEPTH], bits[MAX_BITS], symbols[MAX_BITS + CONSTRAINT];
    Lfsr noise = {0x5EED5EEDu};
    const int bit_count = (int)sizeof stream * 8;
    for (int frame = 0; frame < frames; frame++) {
        uint8_t data[INTERLEAVE_DEPTH][RS_DATA], words[INTERLEAVE_DEPTH][RS_LENGTH];
        for (int i = 0; i < INTERLEAVE_DEPTH; i++) {
            fill_random(&noise, data[i], RS_DATA);
            rs_encode(data[i], words[i]);
        }
        interleave(words, stream, false);
        for (int i = 0; i < bit_count; i++)
            bits[i] = stream[i / 8] >> i % 8 & 1;
        int count = conv_encode(bits, bit_count, symbols);
        int flips = add_noise(&noise, symbols, count, 40), burst = (int)lfsr_below(&noise, (uint32_t)count - 200);
        for (int i = burst; i < burst + 150; i++) /* a fade on the channel */
            symbols[i] = (uint8_t)lfsr_bits(&noise, 2);
        viterbi_decode(symbols, count, bits);
        memset(stream, 0, sizeof stream);
        for (int i = 0; i < bit_count; i++)
            stream[i / 8] |= (uint8_t)(bits[i] << i % 8);
        interleave(words, stream, true);
        int repaired = 0;
        for (int i = 0; i < INTERLEAVE_DEPTH; i++) {
            int found = rs_decode(words[i]);
            check(found >= 0 && memcmp(words[i], data[i], RS_DATA) == 0, "concatenated: a frame was lost");
            repaired += found;
        }
        printf("concatenated: frame %d, %d channel errors and a burst, %d bytes repaired\n", frame, flips, repaired);
    }
}

int main(int argc, char **argv)
{
    long size = 320;
    if (argc > 1) {
        char *end;
        size = strtol(argv[1], &end, 10);
        if (end == argv[1] || *end != '\0' || size < 1 || size > 10000) {
            fprintf(stderr, "ecc: size must be a number from 1 to 10000, not '%s'\n", argv[1]);
            return 2;
        }
    }
    build_field();
    build_generator();
    check(evaluate(&generator, field_exp[3]) == 0, "the generator lacks a root");
    section_hamming((int)size * 50);
    section_reed_solomon((int)size);
    section_viterbi(size < 40 ? (int)size * 50 : 2000);
    section_concatenated((int)size / 40);
    return 0;
}
