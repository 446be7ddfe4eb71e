/*
 * Exact string matching on generated prose and DNA: naive, Knuth-Morris-Pratt,
 * Boyer-Moore-Horspool, Rabin-Karp, Shift-Or and Z algorithm for one pattern,
 * and an Aho-Corasick automaton for a whole dictionary. All must agree.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_LENGTH = 480000, MAX_LENGTH = 50000000, PATTERNS = 6, ALPHABET = 256 };

typedef struct {
    const unsigned char *data;
    size_t length;
} Text;

/* Summary of a search: how often, and a hash of all match positions in order. */
typedef struct {
    size_t count;
    uint32_t hash;
} Matches;

typedef Matches SearchFunction(Text text, Text pattern);

typedef struct {
    int next[ALPHABET];
    int fail;
    int dictionary_link; /* nearest suffix state that ends a pattern, or 0 */
    int pattern;         /* pattern that ends here, or -1 */
} AcState;

typedef struct {
    AcState *states;
    int count;
} Automaton;

static uint32_t rng_state = 0x1B56C4E9u;

static uint32_t next_random(void)
{
    rng_state = rng_state * 1664525u + 1013904223u;
    return rng_state >> 8;
}

static void *allocate(size_t count, size_t size)
{
    void *p = calloc(count, size);
    if (p == NULL) {
        fprintf(stderr, "strsearch: out of memory\n");
        exit(1);
    }
    return p;
}

static void record(Matches *m, size_t position)
{
    m->count++;
    m->hash = (m->hash ^ (uint32_t)position) * 16777619u;
}

static Matches search_naive(Text text, Text pattern)
{
    Matches found = {0, 0};
    for (size_t i = 0; i + pattern.length <= text.length; i++) {
        size_t j = 0;
        while (j < pattern.length && text.data[i + j] == pattern.data[j])
            j++;
        if (j == pattern.length)
            record(&found, i);
    }
    return found;
}

static Matches search_kmp(Text text, Text pattern)
{
    Matches found = {0, 0};
    size_t *border = allocate(pattern.length + 1, sizeof *border);
    size_t matched = 0;
    for (size_t i = 1; i < pattern.length; i++) {
        while (matched > 0 && pattern.data[i] != pattern.data[matched])
            matched = border[matched];
        if (pattern.data[i] == pattern.data[matched])
            matched++;
        border[i + 1] = matched;
    }
    matched = 0;
    for (size_t i = 0; i < text.length; i++) {
        while (matched > 0 && text.data[i] != pattern.data[matched])
            matched = border[matched];
        if (text.data[i] == pattern.data[matched])
            matched++;
        if (matched == pattern.length) {
            record(&found, i + 1 - pattern.length);
            matched = border[matched];
        }
    }
    free(border);
    return found;
}

static Matches search_horspool(Text text, Text pattern)
{
    Matches found = {0, 0};
    size_t shift[ALPHABET];
    size_t last = pattern.length - 1;
    for (size_t c = 0; c < ALPHABET; c++)
        shift[c] = pattern.length;
    for (size_t i = 0; i < last; i++)
        shift[pattern.data[i]] = last - i;
    for (size_t i = 0; i + pattern.length <= text.length;) {
        unsigned char tail = text.data[i + last];
        if (tail == pattern.data[last] && memcmp(text.data + i, pattern.data, last) == 0)
            record(&found, i);
        i += shift[tail];
    }
    return found;
}

static Matches search_rabin_karp(Text text, Text pattern)
{
    const uint64_t base = 257, modulus = 1000000007;
    Matches found = {0, 0};
    uint64_t target = 0, window = 0, lead = 1;
    if (pattern.length > text.length)
        return found;
    for (size_t i = 0; i < pattern.length; i++) {
        target = (target * base + pattern.data[i]) % modulus;
        window = (window * base + text.data[i]) % modulus;
        if (i > 0)
            lead = lead * base % modulus;
    }
    for (size_t i = 0;; i++) {
        if (window == target && memcmp(text.data + i, pattern.data, pattern.length) == 0)
            record(&found, i);
        if (i + pattern.length == text.length)
            break;
        window += modulus - text.data[i] * lead % modulus;
        window = (window * base + text.data[i + pattern.length]) % modulus;
    }
    return found;
}

/* Bit-parallel: bit j of `state` is clear when the first j + 1 pattern bytes
 * match up to here. Patterns have at most 64 bytes. */
static Matches search_shift_or(Text text, Text pattern)
{
    Matches found = {0, 0};
    uint64_t mismatch[ALPHABET];
    uint64_t state = UINT64_MAX;
    uint64_t accept = (uint64_t)1 << (pattern.length - 1);
    for (size_t c = 0; c < ALPHABET; c++)
        mismatch[c] = UINT64_MAX;
    for (size_t i = 0; i < pattern.length; i++)
        mismatch[pattern.data[i]] &= ~((uint64_t)1 << i);
    for (size_t i = 0; i < text.length; i++) {
        state = state << 1 | mismatch[text.data[i]];
        if ((state & accept) == 0)
            record(&found, i + 1 - pattern.length);
    }
    return found;
}

/* Z values of pattern + separator + text; the separator 0 occurs in neither. */
static Matches search_z(Text text, Text pattern)
{
    Matches found = {0, 0};
    size_t length = pattern.length + 1 + text.length;
    unsigned char *joined = allocate(length, 1);
    size_t *z = allocate(length, sizeof *z);
    size_t left = 0, right = 0; /* rightmost known match of a prefix */
    memcpy(joined, pattern.data, pattern.length);
    memcpy(joined + pattern.length + 1, text.data, text.length);
    for (size_t i = 1; i < length; i++) {
        size_t k = 0;
        if (i < right)
            k = z[i - left] < right - i ? z[i - left] : right - i;
        while (i + k < length && joined[k] == joined[i + k])
            k++;
        if (i + k > right) {
            left = i;
            right = i + k;
        }
        z[i] = k;
        if (k == pattern.length)
            record(&found, i - pattern.length - 1);
    }
    free(joined);
    free(z);
    return found;
}

static Automaton ac_build(const Text *patterns, int count)
{
    Automaton ac = {NULL, 1};
    size_t capacity = 1;
    for (int p = 0; p < count; p++)
        capacity += patterns[p].length;
    ac.states = allocate(capacity, sizeof *ac.states);
    int *queue = allocate(capacity, sizeof *queue);
    ac.states[0].pattern = -1;
    for (int p = 0; p < count; p++) {
        int state = 0;
        for (size_t i = 0; i < patterns[p].length; i++) {
            int *next = &ac.states[state].next[patterns[p].data[i]];
            if (*next == 0) {
                ac.states[ac.count].pattern = -1;
                *next = ac.count++;
            }
            state = *next;
        }
        ac.states[state].pattern = p;
    }

    /* Breadth-first: complete the goto function along the failure links. */
    int head = 0, tail = 1;
    while (head < tail) {
        int current = queue[head++];
        AcState *state = &ac.states[current];
        for (int c = 0; c < ALPHABET; c++) {
            int child = state->next[c];
            int fallback = current == 0 ? 0 : ac.states[state->fail].next[c];
            if (child == 0) {
                state->next[c] = fallback;
                continue;
            }
            AcState *target = &ac.states[fallback];
            ac.states[child].fail = fallback;
            ac.states[child].dictionary_link =
                target->pattern >= 0 ? fallback : target->dictionary_link;
            queue[tail++] = child;
        }
    }
    free(queue);
    return ac;
}

static void ac_search(const Automaton *ac, Text text, const Text *patterns, Matches *found)
{
    int state = 0;
    for (size_t i = 0; i < text.length; i++) {
        state = ac->states[state].next[text.data[i]];
        int hit = ac->states[state].pattern >= 0 ? state : ac->states[state].dictionary_link;
        while (hit != 0) {
            int p = ac->states[hit].pattern;
            record(&found[p], i + 1 - patterns[p].length);
            hit = ac->states[hit].dictionary_link;
        }
    }
}

static void generate_prose(unsigned char *out, size_t length)
{
    static const char *const words[] = {"the",  "then",   "there", "other", "an",    "banana",
                                        "and",  "and",    "ban",   "of",    "stone", "river",
                                        "over", "mother", "a",     "rover", "tone",  "these"};
    size_t used = 0;
    while (used < length) {
        const char *word = words[next_random() % (sizeof words / sizeof words[0])];
        while (*word != '\0' && used < length)
            out[used++] = (unsigned char)*word++;
        if (used < length)
            out[used++] = next_random() % 12 == 0 ? '.' : ' ';
    }
}

/* Random bases with tandem repeats, which are hard on the naive method. */
static void generate_dna(unsigned char *out, size_t length)
{
    for (size_t i = 0; i < length;) {
        size_t period = 1 + next_random() % 6;
        size_t run = next_random() % 40;
        out[i++] = (unsigned char)"ACGT"[next_random() % 4];
        if (i < period)
            continue;
        for (; run > 0 && i < length; run--, i++)
            out[i] = out[i - period];
    }
}

static int run_corpus(const char *name, Text text, const char *const needles[PATTERNS])
{
    static const struct {
        const char *name;
        SearchFunction *search;
    } methods[] = {
        {"naive", search_naive},           {"kmp", search_kmp},
        {"horspool", search_horspool},     {"rabin-karp", search_rabin_karp},
        {"shift-or", search_shift_or},     {"z", search_z},
    };
    Text patterns[PATTERNS];
    Matches together[PATTERNS] = {{0, 0}};
    for (int p = 0; p < PATTERNS; p++) {
        patterns[p].data = (const unsigned char *)needles[p];
        patterns[p].length = strlen(needles[p]);
    }
    Automaton ac = ac_build(patterns, PATTERNS);
    ac_search(&ac, text, patterns, together);
    free(ac.states);
    printf("%s: %zu bytes, %d automaton states\n", name, text.length, ac.count);
    for (int p = 0; p < PATTERNS; p++) {
        for (size_t m = 0; m < sizeof methods / sizeof methods[0]; m++) {
            Matches found = methods[m].search(text, patterns[p]);
            if (found.count != together[p].count || found.hash != together[p].hash) {
                fprintf(stderr, "strsearch: %s and aho-corasick differ on '%s'\n",
                        methods[m].name, needles[p]);
                return 0;
            }
        }
        printf("  %-24s %7zu matches, hash %08x\n", needles[p], together[p].count,
               (unsigned)together[p].hash);
    }
    return 1;
}

static size_t parse_size(const char *text)
{
    char *end;
    long value = strtol(text, &end, 10);
    if (end == text || *end != '\0' || value < 1 || value > MAX_LENGTH) {
        fprintf(stderr, "strsearch: text length must be from 1 to %d, not '%s'\n", MAX_LENGTH,
                text);
        exit(2);
    }
    return (size_t)value;
}

int main(int argc, char **argv)
{
    static const char *const prose_needles[PATTERNS] = {"an",    "banana",           "ana",
                                                        "other", "over the mother ", "tone.these"};
    static const char *const dna_needles[PATTERNS] = {
        "AAAA", "ACAC", "GATTA", "ACACACACACAC", "TTTTTTTTTTTTTTTG", "CGCGCGCGCGCGCGCGCGCGCGCG"};
    size_t length = argc > 1 ? parse_size(argv[1]) : DEFAULT_LENGTH;
    unsigned char *buffer = allocate(length, 1);
    Text text = {buffer, length};
    generate_prose(buffer, length);
    int ok = run_corpus("prose", text, prose_needles);
    generate_dna(buffer, length);
    ok = ok && run_corpus("dna", text, dna_needles);
    free(buffer);
    return ok ? 0 : 1;
}
