/*
 * A DEFLATE-like compressor: LZ77 with hash chains and lazy matching, followed
 * by canonical length-limited Huffman codes, one pair of code tables per input.
 * Generated text and binary records are compressed, expanded and compared.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_LENGTH = 500000, MAX_LENGTH = 100000000 };
enum { MIN_MATCH = 4, MAX_MATCH = 258, WINDOW = 1 << 15, HASH_BITS = 13, MAX_CHAIN = 24 };
enum { MAX_CODE_LENGTH = 13, LENGTH_BUCKETS = 16, END_SYMBOL = 256 };
enum { LITERAL_SYMBOLS = END_SYMBOL + 1 + LENGTH_BUCKETS, DISTANCE_SYMBOLS = 32 };

/* A literal byte when distance is 0, otherwise a copy of `value` bytes. */
typedef struct {
    uint16_t value;
    uint16_t distance;
} Token;

typedef struct {
    uint8_t *bytes;
    size_t length;
    size_t capacity;
} Buffer;

typedef struct {
    Buffer *out;
    uint32_t pending;
    int count;
} BitWriter;

typedef struct {
    const Buffer *in;
    size_t position;
    uint32_t pending;
    int count;
} BitReader;

typedef struct {
    int symbols;
    uint8_t length[LITERAL_SYMBOLS];
    uint16_t code[LITERAL_SYMBOLS];
    /* For decoding: symbols in code order and how many have each length. */
    uint16_t sorted[LITERAL_SYMBOLS];
    uint16_t length_count[MAX_CODE_LENGTH + 1];
} Huffman;

static uint32_t rng_state = 0xC0FFEE11u;

static uint32_t next_random(void)
{
    rng_state = rng_state * 1664525u + 1013904223u;
    return rng_state >> 8;
}

/* realloc that does not fail */
static void *resize(void *block, size_t size)
{
    void *p = realloc(block, size);
    if (p == NULL) {
        fprintf(stderr, "lzhuff: out of memory\n");
        exit(1);
    }
    return p;
}

static void append_byte(Buffer *buffer, uint8_t byte)
{
    if (buffer->length == buffer->capacity) {
        buffer->capacity = buffer->capacity * 2 + 256;
        buffer->bytes = resize(buffer->bytes, buffer->capacity);
    }
    buffer->bytes[buffer->length++] = byte;
}

static void put_bits(BitWriter *writer, uint32_t value, int count)
{
    writer->pending |= value << writer->count;
    writer->count += count;
    while (writer->count >= 8) {
        append_byte(writer->out, (uint8_t)(writer->pending & 0xFFu));
        writer->pending >>= 8;
        writer->count -= 8;
    }
}

/* Past the end of the input the stream reads as zeros. */
static uint32_t get_bits(BitReader *reader, int count)
{
    while (reader->count < count) {
        if (reader->position < reader->in->length)
            reader->pending |= (uint32_t)reader->in->bytes[reader->position] << reader->count;
        reader->position++;
        reader->count += 8;
    }
    uint32_t value = reader->pending & ((1u << count) - 1u);
    reader->pending >>= count;
    reader->count -= count;
    return value;
}

static uint32_t hash_at(const uint8_t *p)
{
    uint32_t word = p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
    return word * 2654435761u >> (32 - HASH_BITS);
}

typedef struct {
    const Buffer *input;
    int32_t head[1 << HASH_BITS]; /* latest position with a hash, or -1 */
    int32_t previous[WINDOW];     /* earlier position with the same hash */
} Matcher;

static void matcher_insert(Matcher *m, size_t position)
{
    if (position + MIN_MATCH > m->input->length)
        return;
    uint32_t hash = hash_at(m->input->bytes + position);
    m->previous[position % WINDOW] = m->head[hash];
    m->head[hash] = (int32_t)position;
}

/* Longest earlier match for `position`, which must not be inserted yet. */
static Token matcher_find(const Matcher *m, size_t position)
{
    Token best = {MIN_MATCH - 1, 0};
    if (position + MIN_MATCH > m->input->length)
        return best;
    size_t rest = m->input->length - position;
    size_t limit = rest < MAX_MATCH ? rest : MAX_MATCH;
    const uint8_t *here = m->input->bytes + position;
    int32_t candidate = m->head[hash_at(here)];
    for (int chain = 0; chain < MAX_CHAIN && candidate >= 0; chain++) {
        size_t distance = position - (size_t)candidate;
        if (distance >= WINDOW)
            break;
        const uint8_t *there = m->input->bytes + candidate;
        size_t length = 0;
        while (length < limit && here[length] == there[length])
            length++;
        if (length > best.value) {
            best.value = (uint16_t)length;
            best.distance = (uint16_t)distance;
        }
        candidate = length < limit ? m->previous[(size_t)candidate % WINDOW] : -1;
    }
    return best;
}

/* Turns `input` into tokens; returns their number. A match is deferred by one
 * byte if a longer one begins there. */
static size_t find_tokens(const Buffer *input, Token *tokens)
{
    Matcher *matcher = resize(NULL, sizeof *matcher);
    size_t count = 0, position = 0;
    matcher->input = input;
    for (size_t h = 0; h < (size_t)1 << HASH_BITS; h++)
        matcher->head[h] = -1;
    Token match = matcher_find(matcher, 0);
    while (position < input->length) {
        matcher_insert(matcher, position);
        Token next = matcher_find(matcher, position + 1);
        if (match.distance == 0 || next.value > match.value) {
            tokens[count].value = input->bytes[position++];
            tokens[count++].distance = 0;
            match = next;
            continue;
        }
        tokens[count++] = match;
        for (size_t end = position + match.value; ++position < end;)
            matcher_insert(matcher, position);
        match = matcher_find(matcher, position);
    }
    free(matcher);
    return count;
}

/* Restores the heap property below `root`; the smallest weight is on top. */
static void sift_down(int *heap, int size, int root, const uint32_t *weight)
{
    int item = heap[root];
    for (int child; (child = 2 * root + 1) < size; root = child) {
        if (child + 1 < size && weight[heap[child + 1]] < weight[heap[child]])
            child++;
        if (weight[item] <= weight[heap[child]])
            break;
        heap[root] = heap[child];
    }
    heap[root] = item;
}

/* Assigns canonical codes, bit-reversed since the stream is filled from the
 * low end, and the decoding tables. */
static void assign_codes(Huffman *h)
{
    uint16_t used = 0;
    uint32_t code = 0;
    memset(h->length_count, 0, sizeof h->length_count);
    for (int length = 1; length <= MAX_CODE_LENGTH; length++) {
        code <<= 1;
        for (int s = 0; s < h->symbols; s++) {
            if (h->length[s] != length)
                continue;
            uint32_t reversed = 0;
            for (int bit = 0; bit < length; bit++)
                reversed |= (code >> bit & 1u) << (length - 1 - bit);
            h->code[s] = (uint16_t)reversed;
            h->sorted[used++] = (uint16_t)s;
            h->length_count[length]++;
            code++;
        }
    }
}

/* Code lengths by Huffman's algorithm. When the tree is too deep the weights
 * are flattened and the tree is built again. */
static void build_huffman(Huffman *h, const uint32_t *frequency, int symbols)
{
    uint32_t weight[2 * LITERAL_SYMBOLS];
    int parent[2 * LITERAL_SYMBOLS], depth[2 * LITERAL_SYMBOLS], heap[LITERAL_SYMBOLS];
    int deepest, flatten = 0;
    h->symbols = symbols;
    do {
        int size = 0, nodes = symbols;
        for (int s = 0; s < symbols; s++) {
            h->length[s] = 0;
            if (frequency[s] > 0) {
                weight[s] = frequency[s] >> flatten > 1 ? frequency[s] >> flatten : 1;
                heap[size++] = s;
            }
        }
        for (int i = size / 2; i-- > 0;)
            sift_down(heap, size, i, weight);
        while (size > 1) {
            int lightest = heap[0];
            heap[0] = heap[--size];
            sift_down(heap, size, 0, weight);
            parent[lightest] = parent[heap[0]] = nodes;
            weight[nodes] = weight[lightest] + weight[heap[0]];
            heap[0] = nodes++;
            sift_down(heap, size, 0, weight);
        }
        deepest = 0;
        depth[nodes - 1] = 0;
        for (int node = nodes - 2; node >= symbols; node--)
            depth[node] = depth[parent[node]] + 1;
        for (int s = 0; s < symbols; s++)
            if (frequency[s] > 0) {
                /* A lone symbol still needs one bit. */
                int length = nodes == symbols ? 1 : depth[parent[s]] + 1;
                h->length[s] = (uint8_t)length;
                deepest = length > deepest ? length : deepest;
            }
        flatten++;
    } while (deepest > MAX_CODE_LENGTH);
    assign_codes(h);
}

static void put_symbol(BitWriter *writer, const Huffman *h, int symbol)
{
    put_bits(writer, h->code[symbol], h->length[symbol]);
}

/* Canonical decoding by code length; -1 if no code matches. */
static int get_symbol(BitReader *reader, const Huffman *h)
{
    int code = 0, first = 0, index = 0;
    for (int length = 1; length <= MAX_CODE_LENGTH; length++) {
        int count = h->length_count[length];
        code |= (int)get_bits(reader, 1);
        if (code - first < count)
            return h->sorted[index + code - first];
        index += count;
        first = (first + count) << 1;
        code <<= 1;
    }
    return -1;
}

static void put_lengths(BitWriter *writer, const Huffman *h)
{
    for (int s = 0; s < h->symbols; s++)
        put_bits(writer, h->length[s], 4);
}

static void get_lengths(BitReader *reader, Huffman *h, int symbols)
{
    h->symbols = symbols;
    for (int s = 0; s < symbols; s++)
        h->length[s] = (uint8_t)get_bits(reader, 4);
    assign_codes(h);
}

/* A value of 1 or more belongs to the bucket of its highest bit and the bit
 * below; the remaining low bits are sent verbatim. */
static int bucket_of(uint32_t value, int *extra_bits)
{
    int top = 0;
    while (value >> (top + 1) != 0)
        top++;
    *extra_bits = top > 0 ? top - 1 : 0;
    return top == 0 ? 0 : 2 * top + (int)(value >> (top - 1) & 1u) - 1;
}

static uint32_t get_bucket_value(BitReader *reader, int bucket)
{
    if (bucket == 0)
        return 1;
    int top = (bucket + 1) / 2;
    return (2u | (bucket % 2 == 0)) << (top - 1) | get_bits(reader, top - 1);
}

static void compress(const Buffer *input, Buffer *output)
{
    Token *tokens = resize(NULL, input->length * sizeof *tokens);
    uint32_t literal_count[LITERAL_SYMBOLS] = {[END_SYMBOL] = 1};
    uint32_t distance_count[DISTANCE_SYMBOLS] = {1}; /* the table is never empty */
    Huffman literals, distances;
    BitWriter writer = {output, 0, 0};
    int extra;
    size_t count = find_tokens(input, tokens);
    for (size_t i = 0; i < count; i++) {
        if (tokens[i].distance == 0) {
            literal_count[tokens[i].value]++;
        } else {
            uint32_t excess = tokens[i].value - MIN_MATCH + 1u;
            literal_count[END_SYMBOL + 1 + bucket_of(excess, &extra)]++;
            distance_count[bucket_of(tokens[i].distance, &extra)]++;
        }
    }
    build_huffman(&literals, literal_count, LITERAL_SYMBOLS);
    build_huffman(&distances, distance_count, DISTANCE_SYMBOLS);
    put_lengths(&writer, &literals);
    put_lengths(&writer, &distances);
    for (size_t i = 0; i < count; i++) {
        if (tokens[i].distance == 0) {
            put_symbol(&writer, &literals, tokens[i].value);
            continue;
        }
        uint32_t excess = tokens[i].value - MIN_MATCH + 1u;
        put_symbol(&writer, &literals, END_SYMBOL + 1 + bucket_of(excess, &extra));
        put_bits(&writer, excess & ((1u << extra) - 1u), extra);
        put_symbol(&writer, &distances, bucket_of(tokens[i].distance, &extra));
        put_bits(&writer, tokens[i].distance & ((1u << extra) - 1u), extra);
    }
    put_symbol(&writer, &literals, END_SYMBOL);
    put_bits(&writer, 0, 7); /* flush the last byte */
    free(tokens);
}

/* Returns 0 if the stream is damaged. */
static int decompress(const Buffer *input, Buffer *output)
{
    Huffman literals, distances;
    BitReader reader = {input, 0, 0, 0};
    get_lengths(&reader, &literals, LITERAL_SYMBOLS);
    get_lengths(&reader, &distances, DISTANCE_SYMBOLS);
    while (reader.position <= input->length) {
        int symbol = get_symbol(&reader, &literals);
        if (symbol < 0 || symbol == END_SYMBOL)
            return symbol == END_SYMBOL;
        if (symbol < END_SYMBOL) {
            append_byte(output, (uint8_t)symbol);
            continue;
        }
        uint32_t length = get_bucket_value(&reader, symbol - END_SYMBOL - 1) + MIN_MATCH - 1;
        int bucket = get_symbol(&reader, &distances);
        uint32_t distance = bucket < 0 ? UINT32_MAX : get_bucket_value(&reader, bucket);
        if (distance > output->length)
            return 0;
        for (; length > 0; length--)
            append_byte(output, output->bytes[output->length - distance]);
    }
    return 0;
}

static void generate_text(Buffer *out, size_t length)
{
    static const char *const syllables[] = {"an", "be", "con", "der", "ex", "for", "ing",
                                            "ment", "or", "pre", "sta", "ti", "un", "ver"};
    while (out->length < length) {
        for (uint32_t parts = 1 + next_random() % 3; parts > 0; parts--) {
            const char *s = syllables[next_random() % 14 * (next_random() % 14) / 13];
            while (*s != '\0')
                append_byte(out, (uint8_t)*s++);
        }
        append_byte(out, next_random() % 11 == 0 ? '\n' : ' ');
    }
}

/* Fixed-size records: a counter, a slowly changing field, padding and noise. */
static void generate_records(Buffer *out, size_t length)
{
    uint32_t fields[4] = {0, 500, 0, 0};
    for (; out->length < length; fields[0]++) {
        fields[1] += next_random() % 9 - 4;
        fields[3] = next_random() % 8;
        for (int i = 0; i < 16; i++)
            append_byte(out, (uint8_t)(fields[i / 4] >> i % 4 * 8 & 0xFFu));
    }
}

static uint32_t checksum(const Buffer *buffer)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < buffer->length; i++)
        hash = (hash ^ buffer->bytes[i]) * 16777619u;
    return hash;
}

static int run_round_trip(const char *name, void (*generate)(Buffer *, size_t), size_t length)
{
    Buffer input = {NULL, 0, 0}, packed = {NULL, 0, 0}, output = {NULL, 0, 0};
    generate(&input, length);
    compress(&input, &packed);
    int ok = decompress(&packed, &output) && output.length == input.length &&
             memcmp(input.bytes, output.bytes, input.length) == 0;
    printf("%-8s %8zu -> %8zu bytes, hash %08x -> %08x\n", name, input.length, packed.length,
           (unsigned)checksum(&input), (unsigned)checksum(&packed));
    free(input.bytes);
    free(packed.bytes);
    free(output.bytes);
    if (!ok)
        fprintf(stderr, "lzhuff: %s does not survive the round trip\n", name);
    return ok;
}

static size_t parse_size(const char *text)
{
    char *end;
    long value = strtol(text, &end, 10);
    if (end == text || *end != '\0' || value < 1 || value > MAX_LENGTH) {
        fprintf(stderr, "lzhuff: length must be from 1 to %d, not '%s'\n", MAX_LENGTH, text);
        exit(2);
    }
    return (size_t)value;
}

int main(int argc, char **argv)
{
    size_t length = argc > 1 ? parse_size(argv[1]) : DEFAULT_LENGTH;
    if (!run_round_trip("text", generate_text, length))
        return 1;
    return run_round_trip("records", generate_records, length) ? 0 : 1;
}
