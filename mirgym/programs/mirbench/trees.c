/*
 * Six ordered maps under one interface: a red-black tree with parent links, an
 * AVL tree, a treap, a splay tree, a B-tree and a skip list. The same mix of inserts,
 * deletes, look-ups and range sums runs on all of them; invariants are verified
 * and results compared with each other and with a sorted array.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BTREE_DEGREE = 6, BTREE_MAX = 2 * BTREE_DEGREE - 1, SKIP_LEVELS = 16 };

typedef struct {
    uint32_t state;
} Random;

typedef void Visitor(void *context, uint32_t key, uint32_t value);

typedef struct Binary {
    uint32_t key, value;
    uint32_t rank; /* the height of an AVL node, or the priority of a treap node */
    bool red;
    struct Binary *left, *right, *parent;
} Binary;

typedef struct BNode {
    int count;
    bool leaf;
    uint32_t keys[BTREE_MAX], values[BTREE_MAX];
    struct BNode *child[BTREE_MAX + 1];
} BNode;

typedef struct SkipNode {
    uint32_t key, value;
    int levels;
    struct SkipNode *next[SKIP_LEVELS];
} SkipNode;

typedef union {
    Binary *binary;
    BNode *btree;
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

static Random level_source = {0x1234567};

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

static uint32_t next_random(Random *random)
{
    random->state ^= random->state << 13;
    random->state ^= random->state >> 17;
    random->state ^= random->state << 5;
    return random->state;
}

/* ---- what the binary trees share ---- */

static Binary *new_binary(uint32_t key, uint32_t value, uint32_t rank)
{
    Binary *node = new_node(sizeof *node);
    node->key = key;
    node->value = value;
    node->rank = rank;
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

/* ---- red-black tree with parent links ---- */

static bool is_red(const Binary *node)
{
    return node != NULL && node->red;
}

static void replace_child(Map *map, const Binary *old, Binary *fresh)
{
    if (old->parent == NULL)
        map->binary = fresh;
    else if (old->parent->left == old)
        old->parent->left = fresh;
    else
        old->parent->right = fresh;
    if (fresh != NULL)
        fresh->parent = old->parent;
}

static void rotate(Map *map, Binary *node, bool to_left)
{
    Binary *riser = to_left ? node->right : node->left;
    Binary *moved = to_left ? riser->left : riser->right;
    replace_child(map, node, riser);
    if (to_left) {
        node->right = moved;
        riser->left = node;
    } else {
        node->left = moved;
        riser->right = node;
    }
    node->parent = riser;
    if (moved != NULL)
        moved->parent = node;
}

static bool red_black_insert(Map *map, uint32_t key, uint32_t value)
{
    Binary **link = &map->binary, *parent = NULL;
    while (*link != NULL) {
        parent = *link;
        if (parent->key == key) {
            parent->value = value;
            return false;
        }
        link = key < parent->key ? &parent->left : &parent->right;
    }
    Binary *node = new_binary(key, value, 0);
    *link = node;
    node->parent = parent;
    node->red = true;
    while (is_red(node->parent)) {
        parent = node->parent;
        Binary *grand = parent->parent;
        bool on_left = grand->left == parent;
        Binary *uncle = on_left ? grand->right : grand->left;
        if (is_red(uncle)) {
            parent->red = uncle->red = false;
            grand->red = true;
            node = grand;
            continue;
        }
        if (node == (on_left ? parent->right : parent->left)) {
            rotate(map, parent, on_left);
            Binary *swap = node;
            node = parent;
            parent = swap;
        }
        parent->red = false;
        grand->red = true;
        rotate(map, grand, !on_left);
    }
    map->binary->red = false;
    return true;
}

/* A black node is missing above "node", which may be null, under parent. */
static void red_black_repair(Map *map, Binary *node, Binary *parent)
{
    while (parent != NULL && !is_red(node)) {
        bool on_left = parent->left == node;
        Binary *sibling = on_left ? parent->right : parent->left;
        if (sibling->red) {
            sibling->red = false;
            parent->red = true;
            rotate(map, parent, on_left);
            sibling = on_left ? parent->right : parent->left;
        }
        Binary *inner = on_left ? sibling->left : sibling->right;
        Binary *outer = on_left ? sibling->right : sibling->left;
        if (!is_red(inner) && !is_red(outer)) {
            sibling->red = true;
            node = parent;
            parent = node->parent;
            continue;
        }
        if (!is_red(outer)) {
            inner->red = false;
            sibling->red = true;
            rotate(map, sibling, !on_left);
            outer = sibling;
            sibling = inner;
        }
        sibling->red = parent->red;
        parent->red = outer->red = false;
        rotate(map, parent, on_left);
        return;
    }
    if (node != NULL)
        node->red = false;
}

static bool red_black_erase(Map *map, uint32_t key)
{
    Binary *node = map->binary;
    while (node != NULL && node->key != key)
        node = key < node->key ? node->left : node->right;
    if (node == NULL)
        return false;
    if (node->left != NULL && node->right != NULL) { /* its successor has no left child */
        Binary *successor = node->right;
        while (successor->left != NULL)
            successor = successor->left;
        node->key = successor->key;
        node->value = successor->value;
        node = successor;
    }
    Binary *child = node->left != NULL ? node->left : node->right;
    replace_child(map, node, child);
    if (!node->red)
        red_black_repair(map, child, node->parent);
    free(node);
    return true;
}

/* Returns the height and stores the number of black nodes on every path. */
static int verify_red_black(const Binary *node, int *blacks)
{
    if (node == NULL) {
        *blacks = 0;
        return 0;
    }
    int left_blacks, right_blacks;
    int left = verify_red_black(node->left, &left_blacks), right = verify_red_black(node->right, &right_blacks);
    check(left_blacks == right_blacks, "red-black: paths have different numbers of black nodes");
    check(!node->red || (!is_red(node->left) && !is_red(node->right)), "red-black: a red node has a red child");
    check((node->left == NULL || node->left->parent == node) && (node->right == NULL || node->right->parent == node),
          "red-black: wrong parent link");
    *blacks = left_blacks + !node->red;
    return 1 + (left > right ? left : right);
}

static int red_black_verify(const Map *map)
{
    int blacks;
    check(!is_red(map->binary), "red-black: the root is red");
    return verify_red_black(map->binary, &blacks);
}

/* ---- AVL tree, recursive ---- */

static int height(const Binary *node)
{
    return node == NULL ? 0 : (int)node->rank;
}

static void update_height(Binary *node)
{
    int left = height(node->left), right = height(node->right);
    node->rank = 1 + (uint32_t)(left > right ? left : right);
}

/* The rotations of the AVL tree and the treap return the new root of the subtree. */
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
        return new_binary(key, value, 1);
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

static int verify_avl(const Binary *node)
{
    if (node == NULL)
        return 0;
    int left = verify_avl(node->left), right = verify_avl(node->right);
    check(abs(left - right) <= 1, "AVL: out of balance");
    check(height(node) == 1 + (left > right ? left : right), "AVL: wrong height");
    return height(node);
}

static int avl_verify(const Map *map)
{
    return verify_avl(map->binary);
}

/* ---- treap: a heap by priorities that are a hash of the key ---- */

static uint32_t treap_priority(uint32_t key)
{
    key = (key ^ key >> 16) * 0x7feb352du;
    key = (key ^ key >> 15) * 0x846ca68bu;
    return key ^ key >> 16;
}

static Binary *treap_insert_below(Binary *node, uint32_t key, uint32_t value, bool *added)
{
    if (node == NULL) {
        *added = true;
        return new_binary(key, value, treap_priority(key));
    }
    if (key == node->key) {
        node->value = value;
    } else if (key < node->key) {
        node->left = treap_insert_below(node->left, key, value, added);
        if (node->left->rank > node->rank)
            return lift_left(node);
    } else {
        node->right = treap_insert_below(node->right, key, value, added);
        if (node->right->rank > node->rank)
            return lift_right(node);
    }
    return node;
}

static bool treap_insert(Map *map, uint32_t key, uint32_t value)
{
    bool added = false;
    map->binary = treap_insert_below(map->binary, key, value, &added);
    return added;
}

static Binary *treap_joined(Binary *left, Binary *right)
{
    if (left == NULL || right == NULL)
        return left == NULL ? right : left;
    if (left->rank > right->rank) {
        left->right = treap_joined(left->right, right);
        return left;
    }
    right->left = treap_joined(left, right->left);
    return right;
}

static bool treap_erase(Map *map, uint32_t key)
{
    Binary **link = &map->binary;
    while (*link != NULL && (*link)->key != key)
        link = key < (*link)->key ? &(*link)->left : &(*link)->right;
    Binary *node = *link;
    if (node == NULL)
        return false;
    *link = treap_joined(node->left, node->right);
    free(node);
    return true;
}

static int verify_treap(const Binary *node, uint32_t limit)
{
    if (node == NULL)
        return 0;
    check(node->rank <= limit, "treap: heap order is broken");
    int left = verify_treap(node->left, node->rank), right = verify_treap(node->right, node->rank);
    return 1 + (left > right ? left : right);
}

static int treap_verify(const Map *map)
{
    return verify_treap(map->binary, UINT32_MAX);
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
    Binary *node = new_binary(key, value, 0);
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

static int verify_search_order(const Binary *node, const uint32_t *above, const uint32_t *below)
{
    if (node == NULL)
        return 0;
    check((above == NULL || *above < node->key) && (below == NULL || node->key < *below),
          "splay tree: keys are out of order");
    int left = verify_search_order(node->left, above, &node->key);
    int right = verify_search_order(node->right, &node->key, below);
    return 1 + (left > right ? left : right);
}

static int splay_verify(const Map *map)
{
    return verify_search_order(map->binary, NULL, NULL);
}

/* ---- B-tree ---- */

static void btree_create(Map *map)
{
    map->btree = new_node(sizeof(BNode));
    map->btree->leaf = true;
}

/* The index of the first key that is not below "key". */
static int btree_slot(const BNode *node, uint32_t key)
{
    int low = 0, high = node->count;
    while (low < high) {
        int middle = (low + high) / 2;
        if (node->keys[middle] < key)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static const uint32_t *btree_find(Map *map, uint32_t key)
{
    const BNode *node = map->btree;
    for (;;) {
        int slot = btree_slot(node, key);
        if (slot < node->count && node->keys[slot] == key)
            return &node->values[slot];
        if (node->leaf)
            return NULL;
        node = node->child[slot];
    }
}

static bool btree_ceiling(const Map *map, uint32_t key, uint32_t *least)
{
    bool found = false;
    const BNode *node = map->btree;
    for (;;) {
        int slot = btree_slot(node, key);
        if (slot < node->count) {
            *least = node->keys[slot];
            found = true;
        }
        if (node->leaf)
            return found;
        node = node->child[slot];
    }
}

static void open_gap(BNode *node, int slot)
{
    for (int i = node->count; i > slot; i--) {
        node->keys[i] = node->keys[i - 1];
        node->values[i] = node->values[i - 1];
    }
    node->count++;
}

static void close_gap(BNode *node, int slot)
{
    node->count--;
    for (int i = slot; i < node->count; i++) {
        node->keys[i] = node->keys[i + 1];
        node->values[i] = node->values[i + 1];
    }
}

static void put_entry(BNode *node, int slot, uint32_t key, uint32_t value)
{
    node->keys[slot] = key;
    node->values[slot] = value;
}

static void copy_entry(BNode *to, int to_slot, const BNode *from, int from_slot)
{
    put_entry(to, to_slot, from->keys[from_slot], from->values[from_slot]);
}

/* Splits the full child at "slot" around its middle entry, which moves up. */
static void btree_split(BNode *parent, int slot)
{
    BNode *left = parent->child[slot], *right = new_node(sizeof *right);
    right->leaf = left->leaf;
    right->count = BTREE_DEGREE - 1;
    for (int i = 0; i < BTREE_DEGREE - 1; i++)
        copy_entry(right, i, left, i + BTREE_DEGREE);
    if (!left->leaf)
        for (int i = 0; i < BTREE_DEGREE; i++)
            right->child[i] = left->child[i + BTREE_DEGREE];
    left->count = BTREE_DEGREE - 1;
    for (int i = parent->count + 1; i > slot + 1; i--)
        parent->child[i] = parent->child[i - 1];
    parent->child[slot + 1] = right;
    open_gap(parent, slot);
    copy_entry(parent, slot, left, BTREE_DEGREE - 1);
}

static bool btree_insert(Map *map, uint32_t key, uint32_t value)
{
    if (map->btree->count == BTREE_MAX) {
        BNode *root = new_node(sizeof *root);
        root->child[0] = map->btree;
        map->btree = root;
        btree_split(root, 0);
    }
    BNode *node = map->btree;
    for (;;) {
        int slot = btree_slot(node, key);
        if (slot < node->count && node->keys[slot] == key) {
            node->values[slot] = value;
            return false;
        }
        if (node->leaf) {
            open_gap(node, slot);
            put_entry(node, slot, key, value);
            return true;
        }
        if (node->child[slot]->count == BTREE_MAX)
            btree_split(node, slot); /* and look again at the entry that came up */
        else
            node = node->child[slot];
    }
}

/* Joins the children left and right of the entry at "slot" with that entry between them. */
static void btree_merge(BNode *parent, int slot)
{
    BNode *left = parent->child[slot], *right = parent->child[slot + 1];
    copy_entry(left, left->count, parent, slot);
    for (int i = 0; i < right->count; i++)
        copy_entry(left, left->count + 1 + i, right, i);
    if (!left->leaf)
        for (int i = 0; i <= right->count; i++)
            left->child[left->count + 1 + i] = right->child[i];
    left->count += right->count + 1;
    for (int i = slot + 1; i < parent->count; i++)
        parent->child[i] = parent->child[i + 1];
    close_gap(parent, slot);
    free(right);
}

/* Gives the child at "slot" an entry to spare; returns the child's index afterwards. */
static int btree_enrich(BNode *parent, int slot)
{
    BNode *child = parent->child[slot];
    if (child->count >= BTREE_DEGREE)
        return slot;
    if (slot > 0 && parent->child[slot - 1]->count >= BTREE_DEGREE) {
        BNode *left = parent->child[slot - 1];
        open_gap(child, 0);
        copy_entry(child, 0, parent, slot - 1);
        copy_entry(parent, slot - 1, left, left->count - 1);
        for (int i = child->count; i > 0; i--)
            child->child[i] = child->child[i - 1];
        child->child[0] = left->child[left->count];
        left->count--;
        return slot;
    }
    if (slot < parent->count && parent->child[slot + 1]->count >= BTREE_DEGREE) {
        BNode *right = parent->child[slot + 1];
        copy_entry(child, child->count++, parent, slot);
        copy_entry(parent, slot, right, 0);
        child->child[child->count] = right->child[0];
        for (int i = 0; i < right->count; i++)
            right->child[i] = right->child[i + 1];
        close_gap(right, 0);
        return slot;
    }
    if (slot == parent->count)
        slot--;
    btree_merge(parent, slot);
    return slot;
}

/* Every node it descends into, other than the root, has an entry to spare. */
static bool btree_erase_below(BNode *node, uint32_t key)
{
    int slot = btree_slot(node, key);
    bool here = slot < node->count && node->keys[slot] == key;
    if (node->leaf) {
        if (here)
            close_gap(node, slot);
        return here;
    }
    if (!here)
        return btree_erase_below(node->child[btree_enrich(node, slot)], key);

    BNode *left = node->child[slot], *right = node->child[slot + 1], *heir;
    if (left->count >= BTREE_DEGREE) {
        for (heir = left; !heir->leaf;)
            heir = heir->child[heir->count];
        copy_entry(node, slot, heir, heir->count - 1);
        return btree_erase_below(left, node->keys[slot]);
    }
    if (right->count >= BTREE_DEGREE) {
        for (heir = right; !heir->leaf;)
            heir = heir->child[0];
        copy_entry(node, slot, heir, 0);
        return btree_erase_below(right, node->keys[slot]);
    }
    btree_merge(node, slot);
    return btree_erase_below(left, key);
}

static bool btree_erase(Map *map, uint32_t key)
{
    bool erased = btree_erase_below(map->btree, key);
    BNode *root = map->btree;
    if (root->count == 0 && !root->leaf) {
        map->btree = root->child[0];
        free(root);
    }
    return erased;
}

static void btree_visit_below(const BNode *node, uint32_t low, uint32_t high, Visitor *visitor, void *context)
{
    for (int slot = btree_slot(node, low);; slot++) {
        if (!node->leaf)
            btree_visit_below(node->child[slot], low, high, visitor, context);
        if (slot == node->count || node->keys[slot] > high)
            return;
        visitor(context, node->keys[slot], node->values[slot]);
    }
}

static void btree_visit(const Map *map, uint32_t low, uint32_t high, Visitor *visitor, void *context)
{
    btree_visit_below(map->btree, low, high, visitor, context);
}

static int verify_btree(const BNode *node, bool is_root)
{
    check(is_root || node->count >= BTREE_DEGREE - 1, "B-tree: a node is too empty");
    for (int i = 1; i < node->count; i++)
        check(node->keys[i - 1] < node->keys[i], "B-tree: keys are out of order");
    if (node->leaf)
        return 1;
    int depth = verify_btree(node->child[0], false);
    for (int i = 1; i <= node->count; i++)
        check(verify_btree(node->child[i], false) == depth, "B-tree: leaves are at different depths");
    return depth + 1;
}

static int btree_verify(const Map *map)
{
    return verify_btree(map->btree, true);
}

static void btree_free_below(BNode *node)
{
    if (!node->leaf)
        for (int i = 0; i <= node->count; i++)
            btree_free_below(node->child[i]);
    free(node);
}

static void btree_destroy(Map *map)
{
    btree_free_below(map->btree);
}

/* ---- skip list ---- */

static void skip_create(Map *map)
{
    map->skip = new_node(sizeof(SkipNode));
    map->skip->levels = SKIP_LEVELS;
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
    {"red-black", binary_create, red_black_insert, red_black_erase, binary_find, binary_ceiling, binary_visit,
     red_black_verify, binary_destroy},
    {"avl", binary_create, avl_insert, avl_erase, binary_find, binary_ceiling, binary_visit, avl_verify,
     binary_destroy},
    {"treap", binary_create, treap_insert, treap_erase, binary_find, binary_ceiling, binary_visit, treap_verify,
     binary_destroy},
    {"splay", binary_create, splay_insert, splay_erase, splay_find, binary_ceiling, binary_visit, splay_verify,
     binary_destroy},
    {"b-tree", btree_create, btree_insert, btree_erase, btree_find, btree_ceiling, btree_visit, btree_verify,
     btree_destroy},
    {"skip list", skip_create, skip_insert, skip_erase, skip_find, skip_ceiling, skip_visit, skip_verify,
     skip_destroy},
};

typedef struct {
    uint32_t inserted, erased, found, size;
    uint32_t ranges, contents;
} Outcome;

typedef struct {
    uint32_t count, last, hash;
} Walk;

typedef struct {
    uint32_t key, value;
} Entry;

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
    Random random = {2463534242u};
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
    Walk rest = {0};
    type->visit(&map, 0, UINT32_MAX, walk_step, &rest);
    check(rest.count == outcome.inserted - outcome.erased, "wrong number of entries");

    for (uint32_t i = 0; i < operations / 4; i++)
        outcome.inserted += type->insert(&map, keys + i, ~i);
    *height_end = type->verify(&map);
    Walk all = {0};
    type->visit(&map, 0, UINT32_MAX, walk_step, &all);
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

static int compare_entries(const void *a, const void *b)
{
    const Entry *x = a, *y = b;
    return (x->key > y->key) - (x->key < y->key);
}

/* Compares every map, filled with distinct scattered keys, with the standard library's sort and search. */
static uint32_t compare_with_array(const MapType *type, uint32_t count)
{
    Entry *entries = new_node(count * sizeof *entries);
    Map map;
    type->create(&map);
    for (uint32_t i = 0; i < count; i++) {
        entries[i] = (Entry){treap_priority(i * 7 + 1) ^ i << 20, i};
        type->insert(&map, entries[i].key, i);
    }
    qsort(entries, count, sizeof *entries, compare_entries);
    Walk expected = {0}, walk = {0};
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t *value = type->find(&map, entries[i].key);
        check(value != NULL && *value == entries[i].value, "look-up differs from the sorted array");
        walk_step(&expected, entries[i].key, entries[i].value);
    }
    for (uint32_t i = 0; i + 1 < count; i++) {
        uint32_t least = 0, last = i + i % 50 < count ? i + i % 50 : count - 1;
        check(type->ceiling(&map, entries[i].key + 1, &least) && least == entries[i + 1].key,
              "ceiling differs from the sorted array");
        if (i % 16 == 0) {
            Walk range = {0};
            type->visit(&map, entries[i].key, entries[last].key, walk_step, &range);
            check(range.count == last - i + 1 && range.last == entries[last].key,
                  "range differs from the sorted array");
        }
    }
    type->visit(&map, 0, UINT32_MAX, walk_step, &walk);
    check(memcmp(&walk, &expected, sizeof walk) == 0, "order differs from the sorted array");
    for (uint32_t i = 0; i < count; i += 3)
        check(type->erase(&map, entries[i].key), "a key could not be erased");
    type->verify(&map);
    for (uint32_t i = 0; i < count; i++)
        check((type->find(&map, entries[i].key) == NULL) == (i % 3 == 0), "the wrong key was erased");
    type->destroy(&map);
    free(entries);
    return walk.hash;
}

int main(int argc, char **argv)
{
    long operations = 30000;
    if (argc > 1) {
        char *end;
        operations = strtol(argv[1], &end, 10);
        if (end == argv[1] || *end != '\0' || operations < 1 || operations > 200000) {
            fprintf(stderr, "trees: operations must be a number from 1 to 200000, not '%s'\n", argv[1]);
            return 2;
        }
    }
    Outcome first = {0};
    uint32_t sorted = 0;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        int height_after, height_end;
        Outcome outcome = run_map(&types[i], (uint32_t)operations, &height_after, &height_end);
        uint32_t hash = compare_with_array(&types[i], (uint32_t)operations / 8 + 1);
        if (i == 0) {
            first = outcome;
            sorted = hash;
        }
        check(memcmp(&outcome, &first, sizeof first) == 0 && hash == sorted, "two maps differ");
        printf("%-9s height %2d after the mix, %2d after the run\n", types[i].name, height_after, height_end);
    }
    printf("operations: %u inserted, %u erased, %u found, %u at most\n", (unsigned)first.inserted,
           (unsigned)first.erased, (unsigned)first.found, (unsigned)first.size);
    printf("checksums: contents %08x, ranges %08x, sorted %08x\n", (unsigned)first.contents, (unsigned)first.ranges,
           (unsigned)sorted);
    return 0;
}
