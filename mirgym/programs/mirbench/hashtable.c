/*
 * Hash table shoot-out: separate chaining, linear probing with backward-shift
 * deletion, Robin Hood and cuckoo hashing run the same random operations with
 * FNV-1a, a murmur-style mixer and SipHash-2-4, and must agree on every result.
 * An LRU cache built on a hash index is compared with a naive recency list.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint64_t (*HashFn)(const unsigned char *data, size_t len, uint64_t seed);

static void fail(const char *what)
{
    fprintf(stderr, "hashtable: %s\n", what);
    exit(1);
}

static void *allocate(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    if (memory == NULL)
        fail("out of memory");
    return memory;
}

static uint64_t rotl(uint64_t x, int bits)
{
    return (x << bits) | (x >> (64 - bits));
}

static uint64_t load_le(const unsigned char *p, size_t len)
{
    uint64_t v = 0;
    for (size_t i = 0; i < len; i++)
        v |= (uint64_t)p[i] << (8 * i);
    return v;
}

static uint64_t fnv1a(const unsigned char *data, size_t len, uint64_t seed)
{
    uint64_t h = 0xcbf29ce484222325u ^ seed;
    for (size_t i = 0; i < len; i++) {
        h ^= data[i];
        h *= 0x100000001b3u;
    }
    return h;
}

static uint64_t murmur_mix(const unsigned char *data, size_t len, uint64_t seed)
{
    const uint64_t m = 0xc6a4a7935bd1e995u;
    uint64_t h = seed ^ (len * m);
    while (len > 0) {
        size_t take = len < 8 ? len : 8;
        uint64_t k = load_le(data, take) * m;
        k ^= k >> 47;
        h = (h ^ (k * m)) * m;
        data += take;
        len -= take;
    }
    h ^= h >> 47;
    h *= m;
    return h ^ (h >> 47);
}

static void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotl(v[1], 13) ^ v[0];
    v[0] = rotl(v[0], 32);
    v[2] += v[3];
    v[3] = rotl(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotl(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotl(v[1], 17) ^ v[2];
    v[2] = rotl(v[2], 32);
}

/* The seed is folded into the reference key 00 01 .. 0f. */
static uint64_t siphash(const unsigned char *data, size_t len, uint64_t seed)
{
    const uint64_t k0 = 0x0706050403020100u ^ seed, k1 = 0x0f0e0d0c0b0a0908u;
    uint64_t v[4] = {k0 ^ 0x736f6d6570736575u, k1 ^ 0x646f72616e646f6du,
                     k0 ^ 0x6c7967656e657261u, k1 ^ 0x7465646279746573u};
    size_t whole = len & ~(size_t)7;
    for (size_t i = 0; i <= whole; i += 8) {
        uint64_t word = i < whole ? load_le(data + i, 8)
                                  : load_le(data + i, len - whole) | (uint64_t)len << 56;
        v[3] ^= word;
        sip_round(v);
        sip_round(v);
        v[0] ^= word;
    }
    v[2] ^= 0xff;
    for (int i = 0; i < 4; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* The high half is folded in because the low bits of FNV-1a mix poorly. */
static uint64_t hash_key(HashFn hash, uint64_t key, uint64_t seed)
{
    unsigned char bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(key >> (8 * i));
    uint64_t h = hash(bytes, sizeof bytes, seed);
    return h ^ (h >> 32);
}

typedef struct {
    uint64_t key, value;
    uint32_t distance; /* 0: empty; otherwise 1, or probe distance + 1 */
} Slot;

typedef struct Node {
    struct Node *next;
    Slot item;
} Node;

typedef struct {
    HashFn hash;
    uint64_t seed;
    size_t mask, used;
    Node **buckets; /* chaining */
    Slot *slots;    /* everything else */
} Table;

typedef struct {
    const char *name;
    Slot *(*find)(const Table *t, uint64_t key);
    void (*insert)(Table *t, uint64_t key, uint64_t value); /* key must be absent */
    void (*erase)(Table *t, Slot *slot);
} TableOps;

static size_t home_of(const Table *t, uint64_t key)
{
    return hash_key(t->hash, key, t->seed) & t->mask;
}

static Node **chain_link(const Table *t, uint64_t key)
{
    Node **link = &t->buckets[home_of(t, key)];
    while (*link != NULL && (*link)->item.key != key)
        link = &(*link)->next;
    return link;
}

static Slot *chain_find(const Table *t, uint64_t key)
{
    Node *node = *chain_link(t, key);
    return node == NULL ? NULL : &node->item;
}

static void chain_attach(Table *t, Node *node)
{
    Node **bucket = &t->buckets[home_of(t, node->item.key)];
    node->next = *bucket;
    *bucket = node;
}

static void chain_grow(Table *t)
{
    Node **old = t->buckets;
    size_t old_mask = t->mask;
    t->mask = old_mask * 2 + 1;
    t->buckets = allocate(t->mask + 1, sizeof(Node *));
    for (size_t i = 0; i <= old_mask; i++) {
        while (old[i] != NULL) {
            Node *node = old[i];
            old[i] = node->next;
            chain_attach(t, node);
        }
    }
    free(old);
}

static void chain_insert(Table *t, uint64_t key, uint64_t value)
{
    if (t->used++ > t->mask)
        chain_grow(t);
    Node *node = allocate(1, sizeof(Node));
    node->item = (Slot){key, value, 1};
    chain_attach(t, node);
}

static void chain_erase(Table *t, Slot *slot)
{
    Node **link = chain_link(t, slot->key);
    Node *node = *link;
    *link = node->next;
    free(node);
    t->used--;
}

static void rebuild(Table *t, size_t new_mask, void (*insert)(Table *, uint64_t, uint64_t))
{
    Slot *old = t->slots;
    size_t old_mask = t->mask;
    t->mask = new_mask;
    t->used = 0;
    t->slots = allocate(new_mask + 1, sizeof(Slot));
    for (size_t i = 0; i <= old_mask; i++)
        if (old[i].distance != 0)
            insert(t, old[i].key, old[i].value);
    free(old);
}

static void clear_slot(Table *t, Slot *slot)
{
    slot->distance = 0;
    t->used--;
}

static Slot *linear_find(const Table *t, uint64_t key)
{
    for (size_t i = home_of(t, key); t->slots[i].distance != 0; i = (i + 1) & t->mask)
        if (t->slots[i].key == key)
            return &t->slots[i];
    return NULL;
}

static void linear_insert(Table *t, uint64_t key, uint64_t value)
{
    if ((t->used + 1) * 3 > (t->mask + 1) * 2)
        rebuild(t, t->mask * 2 + 1, linear_insert);
    size_t i = home_of(t, key);
    while (t->slots[i].distance != 0)
        i = (i + 1) & t->mask;
    t->slots[i] = (Slot){key, value, 1};
    t->used++;
}

static void linear_erase(Table *t, Slot *slot)
{
    size_t hole = (size_t)(slot - t->slots);
    for (size_t i = (hole + 1) & t->mask; t->slots[i].distance != 0; i = (i + 1) & t->mask) {
        if (((i - home_of(t, t->slots[i].key)) & t->mask) >= ((i - hole) & t->mask)) {
            t->slots[hole] = t->slots[i];
            hole = i;
        }
    }
    clear_slot(t, &t->slots[hole]);
}

static Slot *robin_find(const Table *t, uint64_t key)
{
    size_t i = home_of(t, key);
    for (uint32_t distance = 1; t->slots[i].distance >= distance; distance++) {
        if (t->slots[i].key == key)
            return &t->slots[i];
        i = (i + 1) & t->mask;
    }
    return NULL;
}

static void robin_insert(Table *t, uint64_t key, uint64_t value)
{
    if ((t->used + 1) * 8 > (t->mask + 1) * 7)
        rebuild(t, t->mask * 2 + 1, robin_insert);
    Slot carry = {key, value, 1};
    size_t i = home_of(t, key);
    while (t->slots[i].distance != 0) {
        if (t->slots[i].distance < carry.distance) {
            Slot richer = t->slots[i];
            t->slots[i] = carry;
            carry = richer;
        }
        carry.distance++;
        i = (i + 1) & t->mask;
    }
    t->slots[i] = carry;
    t->used++;
}

static void robin_erase(Table *t, Slot *slot)
{
    size_t i = (size_t)(slot - t->slots);
    size_t next = (i + 1) & t->mask;
    while (t->slots[next].distance > 1) {
        t->slots[i] = t->slots[next];
        t->slots[i].distance--;
        i = next;
        next = (next + 1) & t->mask;
    }
    clear_slot(t, &t->slots[i]);
}

/* Cuckoo hashing: one 64-bit hash names a slot in either half of the table. */
static Slot *cuckoo_slot(const Table *t, uint64_t key, int which)
{
    size_t half = (t->mask + 1) / 2;
    uint64_t h = hash_key(t->hash, key, t->seed);
    uint64_t part = which == 0 ? h : rotl(h * 0x9e3779b97f4a7c15u, 29);
    return &t->slots[(part & (half - 1)) + (which == 0 ? 0 : half)];
}

static Slot *cuckoo_find(const Table *t, uint64_t key)
{
    for (int which = 0; which < 2; which++) {
        Slot *slot = cuckoo_slot(t, key, which);
        if (slot->distance != 0 && slot->key == key)
            return slot;
    }
    return NULL;
}

static void cuckoo_insert(Table *t, uint64_t key, uint64_t value)
{
    if ((t->used + 1) * 5 > (t->mask + 1) * 2)
        rebuild(t, t->mask * 2 + 1, cuckoo_insert);
    Slot carry = {key, value, 1};
    for (;;) {
        for (int kick = 0; kick < 64; kick++) {
            Slot *slot = cuckoo_slot(t, carry.key, kick & 1);
            Slot evicted = *slot;
            *slot = carry;
            if (evicted.distance == 0) {
                t->used++;
                return;
            }
            carry = evicted;
        }
        t->seed = t->seed * 6364136223846793005u + 1442695040888963407u;
        rebuild(t, t->mask, cuckoo_insert);
    }
}

/* LRU cache: chaining index plus a doubly linked recency ring. */
typedef struct {
    uint64_t key;
    uint32_t newer, older;
} CacheEntry;

typedef struct {
    Table index;
    CacheEntry *entry; /* entry[0] is the sentinel of the ring */
    uint32_t capacity, used;
} Cache;

static void cache_unlink(Cache *c, uint32_t id)
{
    c->entry[c->entry[id].newer].older = c->entry[id].older;
    c->entry[c->entry[id].older].newer = c->entry[id].newer;
}

static void cache_push_front(Cache *c, uint32_t id)
{
    uint32_t front = c->entry[0].older;
    c->entry[id].newer = 0;
    c->entry[id].older = front;
    c->entry[front].newer = id;
    c->entry[0].older = id;
}

static bool cache_touch(Cache *c, uint64_t key)
{
    const Slot *found = chain_find(&c->index, key);
    uint32_t id;
    if (found != NULL) {
        id = (uint32_t)found->value;
        cache_unlink(c, id);
    } else if (c->used < c->capacity) {
        id = ++c->used;
    } else {
        id = c->entry[0].newer;
        cache_unlink(c, id);
        chain_erase(&c->index, chain_find(&c->index, c->entry[id].key));
    }
    if (found == NULL)
        chain_insert(&c->index, key, id);
    c->entry[id].key = key;
    cache_push_front(c, id);
    return found != NULL;
}

static uint64_t splitmix(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static Table table_create(HashFn hash)
{
    return (Table){.hash = hash, .mask = 15,
                   .buckets = allocate(16, sizeof(Node *)), .slots = allocate(16, sizeof(Slot))};
}

static void table_destroy(Table *t, bool chained)
{
    for (size_t i = 0; chained && i <= t->mask; i++) {
        while (t->buckets[i] != NULL) {
            Node *next = t->buckets[i]->next;
            free(t->buckets[i]);
            t->buckets[i] = next;
        }
    }
    free(t->buckets);
    free(t->slots);
}

static uint64_t run_operations(const TableOps *ops, HashFn hash, const char *hash_name, long count)
{
    Table t = table_create(hash);
    uint64_t rng = 2024, sum = 0;
    uint64_t universe = (uint64_t)count / 2 + 8;
    for (long i = 0; i < count; i++) {
        uint64_t r = splitmix(&rng);
        uint64_t key = (r >> 16) % universe * 0x10001u;
        Slot *slot = ops->find(&t, key);
        int action = r & 7;
        if (action < 3 && slot != NULL)
            slot->value = r >> 40;
        else if (action < 3)
            ops->insert(&t, key, r >> 40);
        else if (action == 3 && slot != NULL)
            ops->erase(&t, slot);
        else
            sum = sum * 5 + (slot != NULL ? slot->value : 1);
    }
    sum = sum * 31 + t.used;
    printf("%-10s %-8s live %zu checksum %016llx\n", ops->name, hash_name, t.used, (unsigned long long)sum);
    table_destroy(&t, ops->insert == chain_insert);
    return sum;
}

static void run_cache(uint32_t capacity, long accesses)
{
    Cache c = {.index = table_create(murmur_mix), .capacity = capacity};
    c.entry = allocate((size_t)capacity + 1, sizeof(CacheEntry));
    uint64_t *recent = allocate((size_t)capacity + 1, sizeof *recent); /* newest first */
    uint64_t rng = 77;
    uint32_t held = 0;
    long hits = 0;
    for (long i = 0; i < accesses; i++) {
        uint64_t limit = 1 + splitmix(&rng) % (capacity * 3u); /* skewed to small keys */
        uint64_t key = splitmix(&rng) % limit;
        bool hit = cache_touch(&c, key);
        hits += hit;
        uint32_t at = 0;
        while (at < held && recent[at] != key)
            at++;
        if ((at < held) != hit)
            fail("LRU cache disagrees with the recency list");
        held += at == held && held < capacity;
        memmove(recent + 1, recent, at * sizeof *recent);
        recent[0] = key;
    }
    printf("lru: capacity %u, %ld accesses, %ld hits\n", (unsigned)capacity, accesses, hits);
    table_destroy(&c.index, true);
    free(c.entry);
    free(recent);
}

static long parse_size(int argc, char **argv, long fallback)
{
    if (argc < 2)
        return fallback;
    char *end;
    long value = strtol(argv[1], &end, 10);
    if (end == argv[1] || *end != '\0' || value < 1 || value > 100000000) {
        fprintf(stderr, "usage: hashtable [operations], an integer from 1 to 100000000\n");
        exit(2);
    }
    return value;
}

int main(int argc, char **argv)
{
    static const unsigned char sequence[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14};
    static const HashFn hashes[] = {fnv1a, murmur_mix, siphash};
    static const char *const hash_names[] = {"fnv1a", "murmur", "siphash"};
    static const TableOps tables[] = {
        {"chaining", chain_find, chain_insert, chain_erase},
        {"linear", linear_find, linear_insert, linear_erase},
        {"robin-hood", robin_find, robin_insert, robin_erase},
        {"cuckoo", cuckoo_find, cuckoo_insert, clear_slot},
    };
    long count = parse_size(argc, argv, 80000);
    if (siphash(sequence, sizeof sequence, 0) != 0xa129ca6149be45e5u ||
        fnv1a((const unsigned char *)"foobar", 6, 0) != 0x85944171f73967e8u)
        fail("published hash test vectors");

    uint64_t reference = 0;
    for (size_t t = 0; t < sizeof tables / sizeof tables[0]; t++) {
        for (size_t h = 0; h < sizeof hashes / sizeof hashes[0]; h++) {
            uint64_t sum = run_operations(&tables[t], hashes[h], hash_names[h], count);
            if (t + h > 0 && sum != reference)
                fail("tables disagree");
            reference = sum;
        }
    }
    run_cache(100, count / 2 + 1);
    return 0;
}
