/*
 * Path-compressed tries: a binary Patricia trie of IPv4 prefixes with longest
 * prefix match and deletion, compared with a linear search over the routes, and
 * a radix tree of strings with deletion, prefix counts and an ordered walk.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NO_ROUTE = -1, MAX_WORD = 32 };

/* A node without a route only exists to join its two children. */
struct route_node {
    uint32_t prefix;
    int length;
    int next_hop;
    struct route_node *child[2];
};

struct route {
    uint32_t prefix;
    int length;
    int next_hop;
};

/* Children are siblings in a list sorted by the first byte of their labels. */
struct word_node {
    char *label;
    bool is_word;
    struct word_node *first_child;
    struct word_node *sibling;
};

struct walk {
    char text[MAX_WORD], previous[MAX_WORD];
    size_t words;
    uint32_t digest;
};

static size_t live_nodes;

static void fail(const char *what)
{
    fprintf(stderr, "radixtrie: %s\n", what);
    exit(1);
}

static void *allocate(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    if (memory == NULL)
        fail("out of memory");
    return memory;
}

/* PCG-XSH-RR */
static uint32_t next_random(uint64_t *state)
{
    uint64_t old = *state;
    *state = old * 6364136223846793005u + 1442695040888963407u;
    uint32_t folded = (uint32_t)((old >> 18 ^ old) >> 27), turn = (uint32_t)(old >> 59);
    return folded >> turn | folded << ((32u - turn) & 31u);
}

static uint32_t prefix_mask(int length)
{
    return length == 0 ? 0 : 0xffffffffu << (32 - length);
}

static unsigned bit_at(uint32_t address, int position)
{
    return address >> (31 - position) & 1u;
}

static bool covers(const struct route_node *node, uint32_t address)
{
    return ((node->prefix ^ address) & prefix_mask(node->length)) == 0;
}

static struct route_node *new_route_node(uint32_t address, int length, int next_hop)
{
    struct route_node *node = allocate(1, sizeof *node);
    node->prefix = address & prefix_mask(length);
    node->length = length;
    node->next_hop = next_hop;
    live_nodes++;
    return node;
}

/* Returns the next hop which was there before, or NO_ROUTE. */
static int route_insert(struct route_node **root, uint32_t prefix, int length, int next_hop)
{
    struct route_node **link = root, *node;
    while ((node = *link) != NULL && node->length < length && covers(node, prefix))
        link = &node->child[bit_at(prefix, node->length)];
    if (node == NULL) {
        *link = new_route_node(prefix, length, next_hop);
        return NO_ROUTE;
    }

    int common = 0, limit = node->length < length ? node->length : length;
    while (common < limit && bit_at(node->prefix, common) == bit_at(prefix, common))
        common++;
    if (common == node->length) { /* The very same prefix. */
        int old = node->next_hop;
        node->next_hop = next_hop;
        return old;
    }

    bool is_parent = common == length;
    struct route_node *above = new_route_node(prefix, common, is_parent ? next_hop : NO_ROUTE);
    above->child[bit_at(node->prefix, common)] = node;
    if (!is_parent)
        above->child[bit_at(prefix, common)] = new_route_node(prefix, length, next_hop);
    *link = above;
    return NO_ROUTE;
}

static int route_lookup(const struct route_node *node, uint32_t address)
{
    int best = NO_ROUTE;
    while (node != NULL && covers(node, address)) {
        if (node->next_hop != NO_ROUTE)
            best = node->next_hop;
        if (node->length == 32)
            break;
        node = node->child[bit_at(address, node->length)];
    }
    return best;
}

/* Removes *link if it has neither a route nor two children. */
static void route_collapse(struct route_node **link)
{
    struct route_node *node = *link;
    if (node->next_hop != NO_ROUTE || (node->child[0] != NULL && node->child[1] != NULL))
        return;
    *link = node->child[node->child[0] == NULL];
    free(node);
    live_nodes--;
}

static bool route_delete(struct route_node **root, uint32_t prefix, int length)
{
    struct route_node **link = root, **parent_link = NULL;
    while (*link != NULL && (*link)->length < length && covers(*link, prefix)) {
        parent_link = link;
        link = &(*link)->child[bit_at(prefix, (*link)->length)];
    }
    struct route_node *node = *link;
    if (node == NULL || node->length != length || !covers(node, prefix) ||
        node->next_hop == NO_ROUTE)
        return false;
    node->next_hop = NO_ROUTE;
    route_collapse(link);
    if (parent_link != NULL)
        route_collapse(parent_link);
    return true;
}

static int linear_lookup(const struct route *routes, size_t count, uint32_t address)
{
    int best = NO_ROUTE, best_length = -1;
    for (size_t i = 0; i < count; i++) {
        const struct route *route = &routes[i];
        if (route->next_hop != NO_ROUTE && route->length > best_length &&
            ((route->prefix ^ address) & prefix_mask(route->length)) == 0) {
            best = route->next_hop;
            best_length = route->length;
        }
    }
    return best;
}

/* Looks up addresses in and around known prefixes; the first few are verified. */
static void run_lookups(const struct route_node *root, const struct route *routes, size_t count,
                        const char *title)
{
    uint64_t state = 11;
    size_t hits = 0;
    uint32_t digest = 0;
    for (size_t i = 0; i < 4 * count; i++) {
        const struct route *near = &routes[next_random(&state) % count];
        uint32_t noise = next_random(&state) >> (near->length > 2 ? near->length - 2 : 0);
        uint32_t address = near->prefix ^ noise;
        int hop = route_lookup(root, address);
        if (i < 200 && hop != linear_lookup(routes, count, address))
            fail("longest prefix match is wrong");
        hits += hop != NO_ROUTE;
        digest = digest * 31u + (uint32_t)hop;
    }
    printf("  %-7s %zu of %zu addresses routed, %zu nodes, digest %08lx\n", title, hits, 4 * count,
           live_nodes, (unsigned long)digest);
}

/* Half of the prefixes are more specific than an earlier one. */
static void run_routes(size_t count)
{
    static const int lengths[] = {8, 12, 16, 16, 19, 20, 22, 23, 24, 24, 24, 24, 28, 32};
    struct route *routes = allocate(count, sizeof *routes);
    struct route_node *root = NULL;
    uint64_t state = 2024;
    size_t duplicates = 0, deleted = 0;
    for (size_t i = 0; i < count; i++) {
        struct route *route = &routes[i];
        uint32_t address = next_random(&state);
        route->length = lengths[next_random(&state) % (sizeof lengths / sizeof lengths[0])];
        if (i % 2 == 1) {
            const struct route *base = &routes[next_random(&state) % i];
            address = base->prefix | (address & ~prefix_mask(base->length));
        }
        route->prefix = address & prefix_mask(route->length);
        route->next_hop = (int)(next_random(&state) % 250);
        if (route_insert(&root, route->prefix, route->length, route->next_hop) == NO_ROUTE)
            continue;
        duplicates++;
        for (size_t j = 0; j < i; j++) /* The later route replaces the earlier one. */
            if (routes[j].prefix == route->prefix && routes[j].length == route->length)
                routes[j].next_hop = NO_ROUTE;
    }
    printf("routes: %zu prefixes, %zu replaced\n", count, duplicates);
    run_lookups(root, routes, count, "full");

    for (size_t i = 0; i < count; i++) {
        if (routes[i].next_hop == NO_ROUTE || next_random(&state) % 3 == 0)
            continue;
        if (!route_delete(&root, routes[i].prefix, routes[i].length) ||
            route_delete(&root, routes[i].prefix, routes[i].length))
            fail("a route is not deleted exactly once");
        routes[i].next_hop = NO_ROUTE;
        deleted++;
    }
    printf("  deleted %zu\n", deleted);
    run_lookups(root, routes, count, "thinned");

    for (size_t i = 0; i < count; i++)
        if (routes[i].next_hop != NO_ROUTE)
            route_delete(&root, routes[i].prefix, routes[i].length);
    if (root != NULL || live_nodes != 0)
        fail("the emptied routing trie still has nodes");
    free(routes);
}

static struct word_node *new_word_node(const char *label, size_t length, bool is_word)
{
    struct word_node *node = allocate(1, sizeof *node);
    node->label = allocate(length + 1, 1);
    memcpy(node->label, label, length);
    node->is_word = is_word;
    live_nodes++;
    return node;
}

static void free_word_node(struct word_node *node)
{
    free(node->label);
    free(node);
    live_nodes--;
}

/* The link to the child whose label starts with this byte, or where it would go. */
static struct word_node **child_link(struct word_node *node, char byte)
{
    struct word_node **link = &node->first_child;
    while (*link != NULL && (*link)->label[0] < byte)
        link = &(*link)->sibling;
    return link;
}

static size_t common_prefix(const char *a, const char *b)
{
    size_t length = 0;
    while (a[length] != '\0' && a[length] == b[length])
        length++;
    return length;
}

static bool word_insert(struct word_node *node, const char *word)
{
    while (*word != '\0') {
        struct word_node **link = child_link(node, *word);
        struct word_node *child = *link;
        if (child == NULL || child->label[0] != *word) {
            *link = new_word_node(word, strlen(word), true);
            (*link)->sibling = child;
            return true;
        }
        size_t shared = common_prefix(child->label, word);
        if (child->label[shared] != '\0') { /* Split the edge where the two part. */
            struct word_node *upper = new_word_node(word, shared, false);
            upper->sibling = child->sibling;
            upper->first_child = child;
            child->sibling = NULL;
            memmove(child->label, child->label + shared, strlen(child->label + shared) + 1);
            *link = child = upper;
        }
        node = child;
        word += shared;
    }
    bool added = !node->is_word;
    node->is_word = true;
    return added;
}

/* The highest node whose path from here starts with the text. */
static const struct word_node *word_locate(struct word_node *node, const char *text)
{
    while (*text != '\0') {
        struct word_node *child = *child_link(node, *text);
        size_t shared = child == NULL ? 0 : common_prefix(child->label, text);
        text += shared;
        if (*text != '\0' && (shared == 0 || child->label[shared] != '\0'))
            return NULL;
        node = child;
    }
    return node;
}

static size_t count_words(const struct word_node *node)
{
    size_t count = node->is_word;
    for (const struct word_node *child = node->first_child; child != NULL; child = child->sibling)
        count += count_words(child);
    return count;
}

/* Drops a leaf which is no word; joins a node which is no word with its only child. */
static void word_collapse(struct word_node **link)
{
    struct word_node *node = *link, *child = node->first_child;
    if (node->is_word || (child != NULL && child->sibling != NULL))
        return;
    if (child == NULL) {
        *link = node->sibling;
    } else {
        size_t upper = strlen(node->label), lower = strlen(child->label);
        char *joined = allocate(upper + lower + 1, 1);
        memcpy(joined, node->label, upper);
        memcpy(joined + upper, child->label, lower);
        free(child->label);
        child->label = joined;
        child->sibling = node->sibling;
        *link = child;
    }
    free_word_node(node);
}

/* Works below node, and leaves it to the caller to collapse node itself. */
static bool word_delete(struct word_node *node, const char *word)
{
    if (*word == '\0') {
        bool found = node->is_word;
        node->is_word = false;
        return found;
    }
    struct word_node **link = child_link(node, *word);
    size_t length = *link == NULL ? 0 : common_prefix((*link)->label, word);
    if (length == 0 || (*link)->label[length] != '\0' || !word_delete(*link, word + length))
        return false;
    word_collapse(link);
    return true;
}

static void walk_words(const struct word_node *node, size_t depth, struct walk *walk)
{
    size_t length = strlen(node->label);
    memcpy(walk->text + depth, node->label, length + 1);
    depth += length;
    if (node->is_word) {
        if (walk->words++ > 0 && strcmp(walk->previous, walk->text) >= 0)
            fail("the walk is out of order");
        memcpy(walk->previous, walk->text, depth + 1);
        for (size_t i = 0; i < depth; i++)
            walk->digest = walk->digest * 33u + (unsigned char)walk->text[i];
    }
    for (const struct word_node *child = node->first_child; child != NULL; child = child->sibling)
        walk_words(child, depth, walk);
}

/* Words of two to four syllables, so that many share a beginning. */
static void make_word(uint64_t *state, char word[MAX_WORD])
{
    static const char *const syllables[] = {"ka",  "to", "mi",  "ra", "sen", "lo", "ver",
                                            "tra", "in", "ter", "na", "tio", "pre"};
    size_t length = 0, parts = 2 + next_random(state) % 3;
    for (size_t i = 0; i < parts; i++) {
        const char *part = syllables[next_random(state) % (sizeof syllables / sizeof *syllables)];
        memcpy(word + length, part, strlen(part) + 1);
        length += strlen(part);
    }
}

static void print_words(const char *title, const struct word_node *root)
{
    struct walk walk = {.words = 0};
    walk_words(root, 0, &walk);
    printf("  %-7s %zu words, %zu nodes, last \"%s\", digest %08lx\n", title, walk.words,
           live_nodes, walk.previous, (unsigned long)walk.digest);
}

static void run_words(size_t count)
{
    static const char *const prefixes[] = {"k", "to", "inter", "verna", "prese", "tion"};
    char (*words)[MAX_WORD] = allocate(count, sizeof *words);
    struct word_node *root = new_word_node("", 0, false);
    uint64_t state = 5;
    size_t distinct = 0, deleted = 0;
    for (size_t i = 0; i < count; i++) {
        make_word(&state, words[i]);
        distinct += word_insert(root, words[i]);
    }
    printf("words: %zu inserted, %zu distinct\n", count, distinct);
    print_words("full", root);
    for (size_t p = 0; p < sizeof prefixes / sizeof prefixes[0]; p++) {
        const struct word_node *node = word_locate(root, prefixes[p]);
        printf("  prefix \"%s\": %zu words\n", prefixes[p], node ? count_words(node) : 0);
    }

    for (size_t i = 0; i < count; i += 2) {
        deleted += word_delete(root, words[i]);
        if (word_delete(root, words[i]))
            fail("a word was deleted twice");
    }
    printf("  deleted %zu\n", deleted);
    print_words("thinned", root);
    for (size_t i = 0; i < count; i++)
        deleted += word_delete(root, words[i]);
    if (deleted != distinct || root->first_child != NULL || live_nodes != 1)
        fail("the emptied string trie still has nodes");
    free_word_node(root);
    free(words);
}

int main(int argc, char **argv)
{
    long count = 16000;
    if (argc > 1) {
        char *end;
        errno = 0;
        count = strtol(argv[1], &end, 10);
        if (errno != 0 || end == argv[1] || *end != '\0' || count < 1 || count > 1000000) {
            fprintf(stderr, "radixtrie: bad count \"%s\", expected 1 to 1000000\n", argv[1]);
            return 2;
        }
    }
    run_routes((size_t)count);
    run_words((size_t)count);
    return 0;
}
