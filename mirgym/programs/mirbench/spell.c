/*
 * Spell checker on a generated vocabulary: a Bloom filter and a trie answer
 * membership, a BK-tree under the true Damerau-Levenshtein metric proposes
 * corrections for generated typos, and Soundex and Metaphone-like keys group
 * words that sound alike. The index answers are verified by linear scans.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_WORD = 20, LETTERS = 26, BLOOM_HASHES = 6, KEY_SIZE = 8 };

typedef struct {
    char (*word)[MAX_WORD + 1];
    int count;
} Dictionary;

typedef struct {
    uint64_t *bits;
    uint64_t size;
} Bloom;

typedef struct {
    int child[LETTERS]; /* 0: none, as the root is nobody's child */
    int word;           /* -1: no word ends here */
} TrieNode;

typedef struct {
    TrieNode *nodes;
    int used, capacity;
} Trie;

/* Children of a BK node form a list; each holds its distance to the parent. */
typedef struct {
    int first_child, sibling, distance;
} BkNode;

typedef struct {
    const Dictionary *dictionary;
    BkNode *nodes;
    long comparisons;
} BkTree;

typedef struct {
    int word, distance;
    long hits;
    uint32_t checksum; /* independent of the order of the hits */
} Suggestion;

static uint64_t rng_state = 42;

static unsigned rng_below(unsigned limit)
{
    rng_state = rng_state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(rng_state >> 33) % limit;
}

static void fail(const char *what, const char *word)
{
    fprintf(stderr, "spell: check failed: %s: %s\n", what, word);
    exit(1);
}

static void *allocate(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    if (memory == NULL)
        fail("out of memory", "");
    return memory;
}

/* ---- Bloom filter with double hashing ---- */

static uint64_t hash_word(const char *word)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (; *word != '\0'; word++)
        h = (h ^ (unsigned char)*word) * 0x100000001b3u;
    return h ^ (h >> 29);
}

static Bloom bloom_create(int words)
{
    Bloom b = {NULL, (uint64_t)words * 8 + 64};
    b.bits = allocate((size_t)(b.size / 64 + 1), sizeof(uint64_t));
    return b;
}

static void bloom_add(Bloom *b, const char *word)
{
    uint64_t h = hash_word(word), step = (h >> 32) | 1;
    for (int i = 0; i < BLOOM_HASHES; i++, h += step)
        b->bits[h % b->size / 64] |= (uint64_t)1 << (h % b->size % 64);
}

static bool bloom_maybe(const Bloom *b, const char *word)
{
    uint64_t h = hash_word(word), step = (h >> 32) | 1;
    for (int i = 0; i < BLOOM_HASHES; i++, h += step)
        if ((b->bits[h % b->size / 64] >> (h % b->size % 64) & 1) == 0)
            return false;
    return true;
}

/* ---- trie ---- */

static int trie_new_node(Trie *t)
{
    if (t->used == t->capacity) {
        t->capacity = t->capacity * 2 + 256;
        t->nodes = realloc(t->nodes, (size_t)t->capacity * sizeof *t->nodes);
        if (t->nodes == NULL)
            fail("out of memory", "");
    }
    t->nodes[t->used] = (TrieNode){.word = -1};
    return t->used++;
}

/* Returns the id already stored for the word, or stores and returns the new one. */
static int trie_insert(Trie *t, const char *word, int id)
{
    int at = 0;
    for (; *word != '\0'; word++) {
        int letter = *word - 'a';
        if (t->nodes[at].child[letter] == 0) {
            int fresh = trie_new_node(t);
            t->nodes[at].child[letter] = fresh;
        }
        at = t->nodes[at].child[letter];
    }
    if (t->nodes[at].word < 0)
        t->nodes[at].word = id;
    return t->nodes[at].word;
}

static int trie_find(const Trie *t, const char *word)
{
    int at = 0;
    for (; *word != '\0'; word++) {
        at = t->nodes[at].child[*word - 'a'];
        if (at == 0)
            return -1;
    }
    return t->nodes[at].word;
}

/* Words within plain Levenshtein distance, one dynamic programming row per node. */
static long trie_fuzzy(const Trie *t, int node, const char *word, int length, const int *above, int limit)
{
    long hits = t->nodes[node].word >= 0 && above[length] <= limit;
    for (int letter = 0; letter < LETTERS; letter++) {
        int child = t->nodes[node].child[letter];
        if (child == 0)
            continue;
        int row[MAX_WORD + 2], best = row[0] = above[0] + 1;
        for (int i = 1; i <= length; i++) {
            int cost = above[i - 1] + (word[i - 1] - 'a' != letter);
            if (above[i] + 1 < cost)
                cost = above[i] + 1;
            if (row[i - 1] + 1 < cost)
                cost = row[i - 1] + 1;
            row[i] = cost;
            if (cost < best)
                best = cost;
        }
        if (best <= limit)
            hits += trie_fuzzy(t, child, word, length, row, limit);
    }
    return hits;
}

/* ---- distance: unrestricted transpositions, hence a metric ---- */

static int minimum(int a, int b)
{
    return a < b ? a : b;
}

static int damerau(const char *a, const char *b)
{
    int d[MAX_WORD + 3][MAX_WORD + 3];
    int last_row[LETTERS] = {0};
    int n = (int)strlen(a), m = (int)strlen(b), far = n + m;
    d[0][0] = far;
    for (int i = 0; i <= n; i++) {
        d[i + 1][0] = far;
        d[i + 1][1] = i;
    }
    for (int j = 0; j <= m; j++) {
        d[0][j + 1] = far;
        d[1][j + 1] = j;
    }
    for (int i = 1; i <= n; i++) {
        int last_column = 0;
        for (int j = 1; j <= m; j++) {
            int row = last_row[b[j - 1] - 'a'], column = last_column;
            bool match = a[i - 1] == b[j - 1];
            if (match)
                last_column = j;
            int best = minimum(d[i][j] + !match, minimum(d[i + 1][j], d[i][j + 1]) + 1);
            d[i + 1][j + 1] = minimum(best, d[row][column] + (i - row - 1) + 1 + (j - column - 1));
        }
        last_row[a[i - 1] - 'a'] = i;
    }
    return d[n + 1][m + 1];
}

/* ---- BK-tree over the dictionary; node ids are word ids ---- */

static void bk_insert(BkTree *t, int id)
{
    const char *word = t->dictionary->word[id];
    t->nodes[id] = (BkNode){-1, -1, 0};
    for (int at = 0; at != id;) {
        int distance = damerau(word, t->dictionary->word[at]);
        int child = t->nodes[at].first_child;
        while (child >= 0 && t->nodes[child].distance != distance)
            child = t->nodes[child].sibling;
        if (child < 0) {
            t->nodes[id].distance = distance;
            t->nodes[id].sibling = t->nodes[at].first_child;
            t->nodes[at].first_child = id;
            child = id;
        }
        at = child;
    }
}

static void consider(Suggestion *s, int word, int distance)
{
    s->hits++;
    s->checksum += (uint32_t)(word + 1) * 2654435761u ^ (uint32_t)distance;
    if (distance < s->distance || (distance == s->distance && word < s->word)) {
        s->distance = distance;
        s->word = word;
    }
}

static void bk_search(BkTree *t, int at, const char *word, int radius, Suggestion *s)
{
    int distance = damerau(word, t->dictionary->word[at]);
    t->comparisons++;
    if (distance <= radius)
        consider(s, at, distance);
    for (int child = t->nodes[at].first_child; child >= 0; child = t->nodes[child].sibling)
        if (abs(t->nodes[child].distance - distance) <= radius)
            bk_search(t, child, word, radius, s);
}

/* ---- phonetic keys ---- */

static void soundex(const char *word, char key[KEY_SIZE])
{
    static const char codes[] = "01230120022455012623010202";
    int used = 1;
    char previous = codes[word[0] - 'a'];
    key[0] = (char)(word[0] - 'a' + 'A');
    for (const char *p = word + 1; *p != '\0' && used < 4; p++) {
        char code = codes[*p - 'a'];
        if (code != '0' && code != previous)
            key[used++] = code;
        if (*p != 'h' && *p != 'w')
            previous = code;
    }
    while (used < 4)
        key[used++] = '0';
    key[used] = '\0';
}

/* A reduced Metaphone: context rules for c, g, h, p, s and t; inner vowels go. */
static void metaphone(const char *word, char key[KEY_SIZE])
{
    int used = 0;
    for (const char *p = word; *p != '\0' && used < KEY_SIZE - 1; p++) {
        char next = p[1], code = (char)(*p - 'a' + 'A');
        bool soft = next == 'e' || next == 'i' || next == 'y';
        bool doubled = p > word && p[-1] == *p && *p != 'c';
        if (doubled || (p > word && strchr("aeiouwy", *p) != NULL))
            continue;
        if (next == 'h' && strchr("cspt", *p) != NULL) {
            code = *p == 'p' ? 'F' : *p == 't' ? '0' : 'X';
            p++;
        } else if (*p == 'h' && p > word) {
            continue;
        } else if (*p == 'c') {
            code = soft ? 'S' : 'K';
        } else if (*p == 'g') {
            code = soft ? 'J' : 'K';
        } else if (strchr("qvzd", *p) != NULL) {
            code = "KFST"[strchr("qvzd", *p) - "qvzd"];
        }
        key[used++] = code;
    }
    key[used] = '\0';
}

static int compare_keys(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void report_keys(const char *name, const Dictionary *d, void (*encode)(const char *, char *))
{
    char (*keys)[KEY_SIZE] = allocate((size_t)d->count, sizeof *keys);
    for (int i = 0; i < d->count; i++)
        encode(d->word[i], keys[i]);
    qsort(keys, (size_t)d->count, sizeof *keys, compare_keys);
    int groups = 0, largest = 0, at = 0;
    for (int i = 0, run = 0; i < d->count; i++) {
        run = i > 0 && strcmp(keys[i], keys[i - 1]) == 0 ? run + 1 : 1;
        groups += run == 1;
        if (run > largest) {
            largest = run;
            at = i;
        }
    }
    printf("%s: %d groups, largest %d (%s)\n", name, groups, largest, keys[at]);
    free(keys);
}

/* ---- generated words and typos ---- */

static void make_word(char *out)
{
    static const char *const onset[] = {"b", "br", "c", "ch", "d", "f", "g", "gr", "h", "l", "m", "n",
                                        "p", "ph", "qu", "r", "s", "st", "t", "th", "v", "w", "z", ""};
    static const char *const nucleus[] = {"a", "e", "i", "o", "u", "ai", "ea", "ou"};
    static const char *const coda[] = {"", "", "n", "r", "l", "s", "ck", "nt", "x", "mp"};
    unsigned syllables = rng_below(8) == 0 ? 3 : 2;
    out[0] = '\0';
    while (syllables-- > 0) {
        strcat(out, onset[rng_below(24)]);
        strcat(out, nucleus[rng_below(8)]);
        strcat(out, coda[rng_below(10)]);
    }
}

static void make_typo(const char *word, char *out)
{
    size_t length = strlen(word), at = rng_below((unsigned)length - 1);
    char letter = (char)('a' + rng_below(LETTERS));
    strcpy(out, word);
    switch (rng_below(4)) {
    case 0: /* transposition */
        out[at] = word[at + 1];
        out[at + 1] = word[at];
        break;
    case 1: /* substitution */
        out[at] = letter;
        break;
    case 2: /* deletion */
        memmove(out + at, out + at + 1, length - at);
        break;
    default: /* insertion */
        if (length < MAX_WORD) {
            memmove(out + at + 1, out + at, length - at + 1);
            out[at] = letter;
        }
        break;
    }
}

static void check_known_answers(void)
{
    char key[KEY_SIZE];
    if (damerau("ca", "abc") != 2 || damerau("kitten", "sitting") != 3 || damerau("abcd", "abdc") != 1)
        fail("known distances", "damerau");
    soundex("tymczak", key);
    if (strcmp(key, "T522") != 0)
        fail("soundex of tymczak", key);
    metaphone("phishing", key);
    if (strcmp(key, "FXNK") != 0)
        fail("metaphone of phishing", key);
}

static void correct_typos(const Dictionary *d, const Trie *trie, const Bloom *bloom, int count)
{
    BkTree tree = {.dictionary = d};
    tree.nodes = allocate((size_t)d->count, sizeof *tree.nodes);
    for (int i = 0; i < d->count; i++)
        bk_insert(&tree, i);

    int real_words = 0, false_alarms = 0, found = 0, best_guess = 0;
    long hits = 0, fuzzy = 0;
    uint32_t checksum = 0;
    for (int i = 0; i < count; i++) {
        char typo[MAX_WORD + 2];
        int origin = (int)rng_below((unsigned)d->count), start[MAX_WORD + 2];
        make_typo(d->word[origin], typo);
        bool known = trie_find(trie, typo) >= 0;
        bool maybe = bloom_maybe(bloom, typo);
        if (known && !maybe)
            fail("Bloom filter lost a word", typo);
        real_words += known;
        false_alarms += maybe && !known;

        int radius = 1 + i % 2, length = (int)strlen(typo);
        Suggestion s = {.word = -1, .distance = MAX_WORD};
        bk_search(&tree, 0, typo, radius, &s);
        found += s.word >= 0;
        best_guess += s.word == origin;
        hits += s.hits;
        checksum = checksum * 31 + s.checksum;
        for (int k = 0; k <= length; k++)
            start[k] = k;
        fuzzy += trie_fuzzy(trie, 0, typo, length, start, radius);
        if (i % 16 == 0) {
            Suggestion expected = {.word = -1, .distance = MAX_WORD};
            for (int w = 0; w < d->count; w++) {
                int distance = damerau(d->word[w], typo);
                if (distance <= radius)
                    consider(&expected, w, distance);
            }
            if (expected.checksum != s.checksum || expected.word != s.word)
                fail("BK-tree disagrees with a linear scan", typo);
        }
    }
    if (found != count || fuzzy > hits)
        fail("typos without their origin", "bk-tree");
    printf("typos: %d, real words %d, Bloom false positives %d\n", count, real_words, false_alarms);
    printf("bk-tree: %ld hits, %ld comparisons, best guess right %d, checksum %08x\n", hits, tree.comparisons,
           best_guess, (unsigned)checksum);
    printf("trie fuzzy: %ld hits without transpositions\n", fuzzy);
    free(tree.nodes);
}

static int parse_size(int argc, char **argv, int fallback)
{
    if (argc < 2)
        return fallback;
    char *end;
    long value = strtol(argv[1], &end, 10);
    if (end == argv[1] || *end != '\0' || value < 1 || value > 200000) {
        fprintf(stderr, "usage: spell [words], an integer from 1 to 200000\n");
        exit(2);
    }
    return (int)value;
}

int main(int argc, char **argv)
{
    Dictionary d = {.count = 0};
    Trie trie = {.nodes = NULL};
    int wanted = parse_size(argc, argv, 3500);
    d.word = allocate((size_t)wanted, sizeof *d.word);
    Bloom bloom = bloom_create(wanted);
    check_known_answers();
    trie_new_node(&trie);
    while (d.count < wanted) {
        make_word(d.word[d.count]);
        if (trie_insert(&trie, d.word[d.count], d.count) == d.count) {
            bloom_add(&bloom, d.word[d.count]);
            d.count++;
        }
    }
    printf("dictionary: %d words, %d trie nodes, last word %s\n", d.count, trie.used, d.word[d.count - 1]);
    report_keys("soundex", &d, soundex);
    report_keys("metaphone", &d, metaphone);
    correct_typos(&d, &trie, &bloom, wanted / 20 + 5);
    free(trie.nodes);
    free(bloom.bits);
    free(d.word);
    return 0;
}
