/*
 * Three ordered maps under one interface: an AVL tree, a splay tree and a skip
 * list. The same mix of inserts, deletes, look-ups and range sums runs on all of
 * them; invariants are verified and results compared with each other and with a
 * sorted array.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SKIP_LEVELS = 16 };

typedef void Visitor(void *context, uint32_t key, uint32_t value);

typedef struct Binary {
    uint32_t key, value;
    int height; /* of an AVL node */
    struct Binary *left, *right;
} Binary;

typedef struct SkipNode {
    uint32_t key, value;
    int levels;
    struct SkipNode *next[SKIP_LEVELS];
} SkipNode;

typedef union {
    Binary *binary;
    SkipNode *skip;
} Map;

typedef struct {
    const char *name;
    void (*create)(Map *map);
    bool (*insert)(Map *map, uint32_t key, uint32_t value); /* false where the key was present */
    bool (*erase)(Map *map, uint32_t key);
    const uint32_t *(*find)(Map *map, uint32_t key);
    bool (*ceiling)(const Map *map, uint32_t key, uint32_t *least); /* the least key from "key" on */
    void (*visit)(const Map *map, uint32_t low, uint32_t high, Visitor *visitor, void *context);
    int (*verify)(const Map *map); /* the height */
    void (*destroy)(Map *map);
} MapType;

static uint32_t level_source = 0x1234567;

static void check(bool ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "trees: %s\n", what);
        exit(1);
    }
}

static void *new_node(size_t size)
{
    void *node = calloc(1, size);
    check(node != NULL, "out of memory");
    return node;
}

static uint32_t next_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/* ---- what the binary trees share ---- */

static Binary *new_binary(uint32_t key, uint32_t value)
{
    Binary *node = new_node(sizeof *node);
    node->key = key;
    node->value = value;
    node->height = 1;
    return node;
}

static void binary_create(Map *map)
{
    map->binary = NULL;
}

static const uint32_t *binary_find(Map *map, uint32_t key)
{
    const Binary *node = map->binary;
    while (node != NULL && node->key != key)
        node = key < node->key ? node->left : node->right;
    return node == NULL ? NULL : &node->value;
}

static bool binary_ceiling(const Map *map, uint32_t key, uint32_t *least)
{
    const Binary *best = NULL;
    for (const Binary *node = map->binary; node != NULL; node = key <= node->key ? node->left : node->right)
        if (key <= node->key)
            best = node;
    if (best != NULL)
        *least = best->key;
    return best != NULL;
}

static void visit_below(const Binary *node, uint32_t low, uint32_t high, Visitor *visitor, void *context)
{
    if (node == NULL)
        return;
    if (low < node->key)
        visit_below(node->left, low, high, visitor, context);
    if (low <= node->key && node->key <= high)
        visitor(context, node->key, node->value);
    if (node->key < high)
        visit_below(node->right, low, high, visitor, context);
}

static void binary_visit(const Map *map, uint32_t low, uint32_t high, Visitor *visitor, void *context)
{
    visit_below(map->binary, low, high, visitor, context);
}

static int verified_height(const Binary *node, bool balanced)
{
    if (node == NULL)
        return 0;
    int left = verified_height(node->left, balanced), right = verified_height(node->right, balanced);
    int height = 1 + (left > right ? left : right);
    check(!balanced || (abs(left - right) <= 1 && node->height == height), "AVL tree: out of balance");
    return height;
}

static void free_below(Binary *node)
{
    if (node != NULL) {
        free_below(node->left);
        free_below(node->right);
        free(node);
    }
}

static void binary_destroy(Map *map)
{
    free_below(map->binary);
}

/* ---- AVL tree, recursive ---- */

static int height(const Binary *node)
{
    return node == NULL ? 0 : node->height;
}

static void update_height(Binary *node)
{
    int left = height(node->left), right = height(node->right);
    node->height = 1 + (left > right ? left : right);
}

/* The rotations return the new root of the subtree. */
static Binary *lift_left(Binary *node)
{
    Binary *riser = node->left;
    node->left = riser->right;
    riser->right = node;
    return riser;
}

static Binary *lift_right(Binary *node)
{
    Binary *riser = node->right;
    node->right = riser->left;
    riser->left = node;
    return riser;
}

static Binary *avl_rotated(Binary *node, bool lift_from_left)
{
    Binary *riser = lift_from_left ? lift_left(node) : lift_right(node);
    update_height(node);
    update_height(riser);
    return riser;
}

static Binary *avl_balanced(Binary *node)
{
    int lean = height(node->left) - height(node->right);
    if (lean > 1) {
        if (height(node->left->left) < height(node->left->right))
            node->left = avl_rotated(node->left, false);
        return avl_rotated(node, true);
    }
    if (lean < -1) {
        if (height(node->right->right) < height(node->right->left))
            node->right = avl_rotated(node->right, true);
        return avl_rotated(node, false);
    }
    update_height(node);
    return node;
}

static Binary *avl_insert_below(Binary *node, uint32_t key, uint32_t value, bool *added)
{
    if (node == NULL) {
        *added = true;
        return new_binary(key, value);
    }
    if (key == node->key) {
        node->value = value;
        return node;
    }
    if (key < node->key)
        node->left = avl_insert_below(node->left, key, value, added);
    else
        node->right = avl_insert_below(node->right, key, value, added);
    return avl_balanced(node);
}

static bool avl_insert(Map *map, uint32_t key, uint32_t value)
{
    bool added = false;
    map->binary = avl_insert_below(map->binary, key, value, &added);
    return added;
}

static Binary *avl_take_least(Binary *node, Binary **least)
{
    if (node->left == NULL) {
        *least = node;
        return node->right;
    }
    node->left = avl_take_least(node->left, least);
    return avl_balanced(node);
}

static Binary *avl_erase_below(Binary *node, uint32_t key, bool *erased)
{
    if (node == NULL)
        return NULL;
    if (key < node->key) {
        node->left = avl_erase_below(node->left, key, erased);
    } else if (key > node->key) {
        node->right = avl_erase_below(node->right, key, erased);
    } else {
        Binary *left = node->left, *right = node->right, *heir;
        free(node);
        *erased = true;
        if (right == NULL)
            return left;
        right = avl_take_least(right, &heir);
        heir->left = left;
        heir->right = right;
        node = heir;
    }
    return avl_balanced(node);
}

static bool avl_erase(Map *map, uint32_t key)
{
    bool erased = false;
    map->binary = avl_erase_below(map->binary, key, &erased);
    return erased;
}

static int avl_verify(const Map *map)
{
    return verified_height(map->binary, true);
}

/* ---- splay tree, top-down ---- */

/* Moves the node with the key, or one next to its place, to the root. */
static Binary *splayed(Binary *root, uint32_t key)
{
    Binary spare = {0}, *less = &spare, *more = &spare; /* the trees to the left and right of the path */
    if (root == NULL)
        return NULL;
    while (root->key != key) {
        if (key < root->key) {
            if (root->left != NULL && key < root->left->key)
                root = lift_left(root);
            if (root->left == NULL)
                break;
            more->left = root;
            more = root;
            root = root->left;
        } else {
            if (root->right != NULL && key > root->right->key)
                root = lift_right(root);
            if (root->right == NULL)
                break;
            less->right = root;
            less = root;
            root = root->right;
        }
    }
    less->right = root->left;
    more->left = root->right;
    root->left = spare.right;
    root->right = spare.left;
    return root;
}

static const uint32_t *splay_find(Map *map, uint32_t key)
{
    map->binary = splayed(map->binary, key);
    return map->binary != NULL && map->binary->key == key ? &map->binary->value : NULL;
}

static bool splay_insert(Map *map, uint32_t key, uint32_t value)
{
    Binary *root = splayed(map->binary, key);
    map->binary = root;
    if (root != NULL && root->key == key) {
        root->value = value;
        return false;
    }
    Binary *node = new_binary(key, value);
    if (root != NULL && key < root->key) {
        node->left = root->left;
        node->right = root;
        root->left = NULL;
    } else if (root != NULL) {
        node->right = root->right;
        node->left = root;
        root->right = NULL;
    }
    map->binary = node;
    return true;
}

static bool splay_erase(Map *map, uint32_t key)
{
    if (splay_find(map, key) == NULL)
        return false;
    Binary *root = map->binary;
    if (root->left == NULL) {
        map->binary = root->right;
    } else {
        map->binary = splayed(root->left, key); /* the greatest key of the left side */
        map->binary->right = root->right;
    }
    free(root);
    return true;
}

static int splay_verify(const Map *map)
{
    return verified_height(map->binary, false);
}

/* ---- skip list ---- */

static void skip_create(Map *map)
{
    map->skip = new_node(sizeof(SkipNode));
}

/* The last node before the key on the lowest level; fills "before" for all levels if given. */
static SkipNode *skip_seek(SkipNode *head, uint32_t key, SkipNode **before)
{
    SkipNode *node = head;
    for (int level = SKIP_LEVELS; level-- > 0;) {
        while (node->next[level] != NULL && node->next[level]->key < key)
            node = node->next[level];
        if (before != NULL)
            before[level] = node;
    }
    return node;
}

static const uint32_t *skip_find(Map *map, uint32_t key)
{
    const SkipNode *node = skip_seek(map->skip, key, NULL)->next[0];
    return node != NULL && node->key == key ? &node->value : NULL;
}

static bool skip_ceiling(const Map *map, uint32_t key, uint32_t *least)
{
    const SkipNode *node = skip_seek(map->skip, key, NULL)->next[0];
    if (node != NULL)
        *least = node->key;
    return node != NULL;
}

static bool skip_insert(Map *map, uint32_t key, uint32_t value)
{
    SkipNode *before[SKIP_LEVELS], *node = skip_seek(map->skip, key, before)->next[0];
    if (node != NULL && node->key == key) {
        node->value = value;
        return false;
    }
    node = new_node(sizeof *node);
    node->key = key;
    node->value = value;
    node->levels = 1;
    for (uint32_t coin = next_random(&level_source); coin % 4 == 0 && node->levels < SKIP_LEVELS; coin /= 4)
        node->levels++;
    for (int level = 0; level < node->levels; level++) {
        node->next[level] = before[level]->next[level];
        before[level]->next[level] = node;
    }
    return true;
}

static bool skip_erase(Map *map, uint32_t key)
{
    SkipNode *before[SKIP_LEVELS], *node = skip_seek(map->skip, key, before)->next[0];
    if (node == NULL || node->key != key)
        return false;
    for (int level = 0; level < node->levels; level++)
        before[level]->next[level] = node->next[level];
    free(node);
    return true;
}

static void skip_visit(const Map *map, uint32_t low, uint32_t high, Visitor *visitor, void *context)
{
    const SkipNode *node = skip_seek(map->skip, low, NULL)->next[0];
    for (; node != NULL && node->key <= high; node = node->next[0])
        visitor(context, node->key, node->value);
}

static int skip_verify(const Map *map)
{
    int used = 0;
    for (int level = 0; level < SKIP_LEVELS && map->skip->next[level] != NULL; level++) {
        used = level + 1;
        for (const SkipNode *node = map->skip->next[level]; node != NULL; node = node->next[level]) {
            check(node->levels > level, "skip list: a node is on too high a level");
            check(node->next[level] == NULL || node->next[level]->key > node->key, "skip list: out of order");
        }
    }
    return used;
}

static void skip_destroy(Map *map)
{
    for (SkipNode *node = map->skip, *next; node != NULL; node = next) {
        next = node->next[0];
        free(node);
    }
}

/* ---- the workload ---- */

static const MapType types[] = {
    {"avl", binary_create, avl_insert, avl_erase, binary_find, binary_ceiling, binary_visit, avl_verify,
     binary_destroy},
    {"splay", binary_create, splay_insert, splay_erase, splay_find, binary_ceiling, binary_visit, splay_verify,
     binary_destroy},
    {"skip list", skip_create, skip_insert, skip_erase, skip_find, skip_ceiling, skip_visit, skip_verify,
     skip_destroy},
};

typedef struct {
    uint32_t inserted, erased, found, size;
    uint32_t ranges, contents, sorted;
} Outcome;

typedef struct {
    uint32_t count, last, hash;
} Walk;

static uint32_t mixed(uint32_t hash, uint32_t word)
{
    return ((hash ^ word) * 0x9e3779b1u) ^ hash >> 15;
}

static void walk_step(void *context, uint32_t key, uint32_t value)
{
    Walk *walk = context;
    check(walk->count == 0 || walk->last < key, "visited out of order");
    walk->count++;
    walk->last = key;
    walk->hash = mixed(mixed(walk->hash, key), value);
}

/* Random inserts, deletes, look-ups and range visits, then an ascending run of keys. */
static Outcome run_map(const MapType *type, uint32_t operations, int *height_after, int *height_end)
{
    uint32_t random = 2463534242u;
    Outcome outcome = {0};
    Map map;
    uint32_t keys = operations / 2 + 16;
    type->create(&map);
    for (uint32_t i = 0; i < operations; i++) {
        uint32_t choice = next_random(&random) >> 8, key = next_random(&random) % keys;
        /* mostly inserts in the first half and mostly deletes in the second */
        uint32_t inserts = i < operations / 2 ? 50 : 25;
        if (choice % 100 < inserts) {
            outcome.inserted += type->insert(&map, key, i);
        } else if (choice % 100 < 75) {
            outcome.erased += type->erase(&map, key);
        } else if (choice % 100 < 80) {
            uint32_t least = UINT32_MAX;
            bool any = type->ceiling(&map, key, &least);
            check(any == (least != UINT32_MAX) && least >= key, "wrong ceiling");
            outcome.contents = mixed(outcome.contents, least);
        } else if (choice % 100 < 97) {
            const uint32_t *value = type->find(&map, key);
            outcome.found += value != NULL;
            outcome.contents = mixed(outcome.contents, value == NULL ? 1 : *value);
        } else {
            Walk walk = {0};
            type->visit(&map, key, key + 40, walk_step, &walk);
            outcome.ranges = mixed(outcome.ranges, walk.hash + walk.count);
        }
        if (i % (operations / 4 + 1) == 0)
            type->verify(&map);
    }
    *height_after = type->verify(&map);
    for (uint32_t i = 0; i < operations / 4; i++)
        outcome.inserted += type->insert(&map, keys + i, ~i);
    *height_end = type->verify(&map);
    Walk all = {0};
    type->visit(&map, 0, UINT32_MAX, walk_step, &all);
    check(all.count == outcome.inserted - outcome.erased, "wrong number of entries");
    outcome.size = all.count;
    outcome.contents = mixed(outcome.contents, all.hash);
    uint32_t end = keys + operations / 4;
    for (uint32_t key = 0; key < end; key += 2) /* upwards over the even keys, downwards over the others */
        outcome.erased += type->erase(&map, key);
    type->verify(&map);
    for (uint32_t key = end | 1; key > 1; key -= 2)
        outcome.erased += type->erase(&map, key);
    uint32_t least;
    check(outcome.inserted - outcome.erased == type->ceiling(&map, 0, &least), "wrong number of entries at the end");
    type->destroy(&map);
    return outcome;
}

static int compare_keys(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* Compares a map of distinct scattered keys with the standard library's sort. */
static uint32_t compare_with_array(const MapType *type, uint32_t count)
{
    uint32_t *keys = new_node(count * sizeof *keys);
    Map map;
    type->create(&map);
    for (uint32_t i = 0; i < count; i++) {
        keys[i] = (i + 1) * 0x9e3779b1u; /* odd, so no key comes twice */
        type->insert(&map, keys[i], ~keys[i]);
    }
    qsort(keys, count, sizeof *keys, compare_keys);
    Walk expected = {0}, walk = {0};
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t *value = type->find(&map, keys[i]);
        check(value != NULL && *value == ~keys[i], "look-up differs from the sorted array");
        walk_step(&expected, keys[i], *value);
    }
    for (uint32_t i = 0; i + 1 < count; i++) {
        uint32_t least = 0;
        check(type->ceiling(&map, keys[i] + 1, &least) && least == keys[i + 1],
              "ceiling differs from the sorted array");
    }
    type->visit(&map, 0, UINT32_MAX, walk_step, &walk);
    check(memcmp(&walk, &expected, sizeof walk) == 0, "order differs from the sorted array");
    for (uint32_t i = 0; i < count; i += 3)
        check(type->erase(&map, keys[i]), "a key could not be erased");
    type->verify(&map);
    for (uint32_t i = 0; i < count; i++)
        check((type->find(&map, keys[i]) == NULL) == (i % 3 == 0), "the wrong key was erased");
    type->destroy(&map);
    free(keys);
    return walk.hash;
}

int main(int argc, char **argv)
{
    long operations = 30000;
    if (argc > 1) {
        char *end;
        operations = strtol(argv[1], &end, 10);
        if (end == argv[1] || *end != '\0' || operations < 1 || operations > 100000) {
            fprintf(stderr, "trees: operations must be a number from 1 to 100000, not '%s'\n", argv[1]);
            return 2;
        }
    }
    Outcome first = {0};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        int height_after, height_end;
        Outcome outcome = run_map(&types[i], (uint32_t)operations, &height_after, &height_end);
        outcome.sorted = compare_with_array(&types[i], (uint32_t)operations / 8 + 1);
        if (i == 0)
            first = outcome;
        check(memcmp(&outcome, &first, sizeof first) == 0, "two maps differ");
        printf("%-9s height %2d after the mix, %2d after the run\n", types[i].name, height_after, height_end);
    }
    printf("operations: %u inserted, %u erased, %u found, %u at most\n", (unsigned)first.inserted,
           (unsigned)first.erased, (unsigned)first.found, (unsigned)first.size);
    printf("checksums: contents %08x, ranges %08x, sorted %08x\n", (unsigned)first.contents,
           (unsigned)first.ranges, (unsigned)first.sorted);
    return 0;
}
