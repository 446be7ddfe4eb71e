/*
 * Speech codecs: 4-bit IMA ADPCM and 8-bit G.711 (mu-law and A-law) applied to
 * synthetic audio that is made of integer oscillators and an envelope.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { DEFAULT_SAMPLES = 1500000, MAX_SAMPLES = 100000000, BLOCK = 512, VOICES = 3 };
enum { MULAW_BIAS = 33, MULAW_LIMIT = 8158 };

typedef struct {
    int32_t x, y;  /* quadrature pair, radius about 10000 */
    int32_t pitch; /* angle per sample in 1/4096 radian */
} Oscillator;

typedef struct {
    int predictor;
    int index;
} AdpcmState;

typedef struct {
    const char *name;
    uint64_t squared_error;
    int worst_error;
    uint32_t code_hash;
} CodecReport;

static const int step_table[89] = {
    7,     8,     9,     10,    11,    12,    13,    14,    16,    17,    19,    21,    23,
    25,    28,    31,    34,    37,    41,    45,    50,    55,    60,    66,    73,    80,
    88,    97,    107,   118,   130,   143,   157,   173,   190,   209,   230,   253,   279,
    307,   337,   371,   408,   449,   494,   544,   598,   658,   724,   796,   876,   963,
    1060,  1166,  1282,  1411,  1552,  1707,  1878,  2066,  2272,  2499,  2749,  3024,  3327,
    3660,  4026,  4428,  4871,  5358,  5894,  6484,  7132,  7845,  8630,  9493,  10442, 11487,
    12635, 13899, 15289, 16818, 18500, 20350, 22385, 24623, 27086, 29794, 32767,
};

static const signed char index_change[8] = {-1, -1, -1, -1, 2, 4, 6, 8};

static int clamp(int value, int low, int high)
{
    if (value < low)
        return low;
    return value > high ? high : value;
}

/* Minsky's circle recurrence: stable because the second update uses the new x. */
static int oscillator_next(Oscillator *osc)
{
    osc->x -= osc->pitch * osc->y / 4096;
    osc->y += osc->pitch * osc->x / 4096;
    return osc->x;
}

static int synthesize(Oscillator *voices, size_t time)
{
    int envelope = 256 - (int)(time % 8192) / 40;
    int sum = 0;
    for (int v = 0; v < VOICES; v++)
        sum += oscillator_next(&voices[v]);
    return clamp(sum * envelope / 256, -32768, 32767);
}

/* Applies one 4-bit code to the state that encoder and decoder share. */
static int adpcm_decode(AdpcmState *state, unsigned code)
{
    int step = step_table[state->index];
    int delta = step >> 3;
    if (code & 4u)
        delta += step;
    if (code & 2u)
        delta += step >> 1;
    if (code & 1u)
        delta += step >> 2;
    if (code & 8u)
        delta = -delta;
    state->predictor = clamp(state->predictor + delta, -32768, 32767);
    state->index = clamp(state->index + index_change[code & 7u], 0, 88);
    return state->predictor;
}

static unsigned adpcm_encode(AdpcmState *state, int sample)
{
    int difference = sample - state->predictor;
    int step = step_table[state->index];
    unsigned code = 0;
    if (difference < 0) {
        code = 8;
        difference = -difference;
    }
    for (unsigned bit = 4; bit != 0; bit >>= 1) {
        if (difference >= step) {
            code |= bit;
            difference -= step;
        }
        step >>= 1;
    }
    adpcm_decode(state, code);
    return code;
}

/* Number of the highest set bit of a positive value. */
static int high_bit(int value)
{
    int bit = 0;
    while (value > 1) {
        value >>= 1;
        bit++;
    }
    return bit;
}

static unsigned mulaw_encode(int sample)
{
    unsigned sign = sample < 0 ? 0x80u : 0u;
    int magnitude = sample < 0 ? -(sample + 1) / 4 : sample / 4;
    magnitude = (magnitude > MULAW_LIMIT ? MULAW_LIMIT : magnitude) + MULAW_BIAS;
    int segment = high_bit(magnitude) - 5;
    unsigned mantissa = (unsigned)(magnitude >> (segment + 1)) & 15u;
    return ~(sign | (unsigned)segment << 4 | mantissa) & 0xFFu;
}

static int mulaw_decode(unsigned code)
{
    unsigned bits = ~code & 0xFFu;
    int segment = (int)(bits >> 4 & 7u);
    int magnitude = ((int)(2u * (bits & 15u)) + MULAW_BIAS) << segment;
    int sample = 4 * (magnitude - MULAW_BIAS);
    return bits & 0x80u ? -sample : sample;
}

static unsigned alaw_encode(int sample)
{
    unsigned sign = sample < 0 ? 0u : 0x80u;
    int magnitude = sample < 0 ? -(sample + 1) / 16 : sample / 16;
    int segment = magnitude < 16 ? 0 : high_bit(magnitude) - 3;
    unsigned mantissa = (unsigned)(segment > 1 ? magnitude >> (segment - 1) : magnitude) & 15u;
    return (sign | (unsigned)segment << 4 | mantissa) ^ 0x55u;
}

static int alaw_decode(unsigned code)
{
    unsigned bits = code ^ 0x55u;
    int segment = (int)(bits >> 4 & 7u);
    int magnitude = (int)(2u * (bits & 15u)) + 1;
    if (segment > 0)
        magnitude = (magnitude + 32) << (segment - 1);
    return bits & 0x80u ? 8 * magnitude : -8 * magnitude;
}

static void report_add(CodecReport *report, unsigned code, int original, int decoded)
{
    int error = abs(original - decoded);
    report->squared_error += (uint64_t)((int64_t)error * error);
    if (error > report->worst_error)
        report->worst_error = error;
    report->code_hash = (report->code_hash ^ code) * 16777619u;
}

static void report_print(const CodecReport *report, size_t samples)
{
    printf("%s: code hash %08x, mean square error %llu, worst error %d\n", report->name,
           (unsigned)report->code_hash, (unsigned long long)(report->squared_error / samples),
           report->worst_error);
}

/* Every code word must survive decoding and encoding again; mu-law's negative
 * zero is the one permitted exception. */
static int codes_round_trip(void)
{
    for (unsigned code = 0; code < 256; code++) {
        if (alaw_encode(alaw_decode(code)) != code)
            return 0;
        if (mulaw_encode(mulaw_decode(code)) != code && code != 0x7Fu)
            return 0;
    }
    return 1;
}

static size_t parse_size(const char *text)
{
    char *end;
    long value = strtol(text, &end, 10);
    if (end == text || *end != '\0' || value < 1 || value > MAX_SAMPLES) {
        fprintf(stderr, "adpcm: sample count must be from 1 to %d, not '%s'\n", MAX_SAMPLES, text);
        exit(2);
    }
    return (size_t)value;
}

int main(int argc, char **argv)
{
    size_t samples = argc > 1 ? parse_size(argv[1]) : DEFAULT_SAMPLES;
    Oscillator voices[VOICES] = {{9000, 0, 127}, {6000, 0, 401}, {2500, 0, 1409}};
    AdpcmState encoder = {0, 0}, decoder = {0, 0};
    CodecReport adpcm = {"ima adpcm", 0, 0, 2166136261u};
    CodecReport mulaw = {"g711 mu-law", 0, 0, 2166136261u};
    CodecReport alaw = {"g711 a-law", 0, 0, 2166136261u};

    if (!codes_round_trip()) {
        fprintf(stderr, "adpcm: a G.711 code word does not round-trip\n");
        return 1;
    }
    for (size_t t = 0; t < samples; t++) {
        int sample = synthesize(voices, t);
        if (t % BLOCK == 0) {
            /* A block header carries the first sample and the step index. */
            encoder.predictor = sample;
            decoder = encoder;
        }
        unsigned code = adpcm_encode(&encoder, sample);
        report_add(&adpcm, code, sample, adpcm_decode(&decoder, code));
        code = mulaw_encode(sample);
        report_add(&mulaw, code, sample, mulaw_decode(code));
        code = alaw_encode(sample);
        report_add(&alaw, code, sample, alaw_decode(code));
    }
    if (encoder.predictor != decoder.predictor || encoder.index != decoder.index) {
        fprintf(stderr, "adpcm: encoder and decoder states differ\n");
        return 1;
    }
    printf("samples: %zu\n", samples);
    report_print(&adpcm, samples);
    report_print(&mulaw, samples);
    report_print(&alaw, samples);
    return 0;
}
