/*
 * JSON toolkit: a strict parser building an arena-allocated tree, compact and
 * pretty printers, path queries with wildcards, and a document generator. Every
 * document must survive a round trip and malformed inputs must be rejected.
 */
#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ARENA_BLOCK = 1 << 16, MAX_DEPTH = 200 };

typedef enum { JSON_NULL, JSON_FALSE, JSON_TRUE, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT } Kind;

typedef struct Value {
    Kind kind;
    size_t length; /* bytes of text, or number of children */
    double number;
    const char *text;
    const char *name; /* member name when the parent is an object */
    struct Value *first, *next;
} Value;

typedef struct Block {
    struct Block *next;
    size_t used, size;
    max_align_t data[];
} Block;

typedef Block *Arena;

typedef struct {
    char *data;
    size_t length, capacity;
} Buffer;

typedef struct {
    const char *at, *end;
    const char *error;
    Arena *arena;
    int depth;
} Parser;

static const char *const literals[] = {"null", "false", "true"}; /* in the order of Kind */

static void fail(const char *what)
{
    fprintf(stderr, "json: check failed: %s\n", what);
    exit(1);
}

static void *arena_alloc(Arena *arena, size_t size)
{
    size = (size + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
    if (*arena == NULL || (*arena)->size - (*arena)->used < size) {
        size_t capacity = size > ARENA_BLOCK ? size : ARENA_BLOCK;
        Block *block = malloc(sizeof *block + capacity);
        if (block == NULL)
            fail("out of memory");
        block->next = *arena;
        block->used = 0;
        block->size = capacity;
        *arena = block;
    }
    void *memory = (char *)(*arena)->data + (*arena)->used;
    (*arena)->used += size;
    return memory;
}

static void arena_release(Arena *arena)
{
    while (*arena != NULL) {
        Block *next = (*arena)->next;
        free(*arena);
        *arena = next;
    }
}

static void append(Buffer *out, const char *text, size_t length)
{
    if (out->length + length + 1 > out->capacity) {
        out->capacity = (out->length + length + 1) * 2;
        out->data = realloc(out->data, out->capacity);
        if (out->data == NULL)
            fail("out of memory");
    }
    memcpy(out->data + out->length, text, length);
    out->length += length;
    out->data[out->length] = '\0';
}

static void append_text(Buffer *out, const char *text)
{
    append(out, text, strlen(text));
}

static Value *parse_value(Parser *p);

static void *reject(Parser *p, const char *why)
{
    if (p->error == NULL)
        p->error = why;
    return NULL;
}

static int peek(Parser *p)
{
    while (p->at < p->end && strchr(" \t\r\n", *p->at) != NULL && *p->at != '\0')
        p->at++;
    return p->at < p->end ? (unsigned char)*p->at : -1;
}

static bool accept(Parser *p, char c)
{
    if (peek(p) != (unsigned char)c)
        return false;
    p->at++;
    return true;
}

static size_t skip_digits(Parser *p)
{
    const char *from = p->at;
    while (p->at < p->end && isdigit((unsigned char)*p->at))
        p->at++;
    return (size_t)(p->at - from);
}

static Value *new_value(Parser *p, Kind kind)
{
    Value *value = arena_alloc(p->arena, sizeof *value);
    *value = (Value){.kind = kind};
    return value;
}

static Value *parse_number(Parser *p)
{
    const char *from = p->at;
    if (*p->at == '-')
        p->at++;
    bool zero = p->at < p->end && *p->at == '0';
    size_t digits = skip_digits(p);
    if (digits == 0 || (zero && digits > 1))
        return reject(p, "bad integer part");
    if (p->at < p->end && *p->at == '.') {
        p->at++;
        if (skip_digits(p) == 0)
            return reject(p, "missing fraction digits");
    }
    if (p->at < p->end && (*p->at == 'e' || *p->at == 'E')) {
        p->at++;
        if (p->at < p->end && (*p->at == '+' || *p->at == '-'))
            p->at++;
        if (skip_digits(p) == 0)
            return reject(p, "missing exponent digits");
    }
    Value *value = new_value(p, JSON_NUMBER);
    value->number = strtod(from, NULL);
    return value;
}

static long parse_hex4(Parser *p)
{
    char digits[5] = {0};
    for (int i = 0; i < 4; i++) {
        if (p->at == p->end || !isxdigit((unsigned char)*p->at))
            return -1;
        digits[i] = *p->at++;
    }
    return strtol(digits, NULL, 16);
}

static char *put_utf8(char *out, long code)
{
    int tail = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    static const unsigned char lead[] = {0, 0xc0, 0xe0, 0xf0};
    *out++ = (char)(lead[tail] | (unsigned char)(code >> (6 * tail)));
    while (tail-- > 0)
        *out++ = (char)(0x80 | ((code >> (6 * tail)) & 0x3f));
    return out;
}

static char *parse_escape(Parser *p, char *out)
{
    static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    char c = *p->at++;
    const char *hit = strchr(names, c);
    if (hit != NULL && c != '\0') {
        *out++ = values[hit - names];
        return out;
    }
    long code = c == 'u' ? parse_hex4(p) : -1;
    if (code >= 0xd800 && code < 0xdc00) {
        if (p->end - p->at < 6 || *p->at++ != '\\' || *p->at++ != 'u')
            return reject(p, "lone surrogate");
        long low = parse_hex4(p);
        if (low < 0xdc00 || low > 0xdfff)
            return reject(p, "lone surrogate");
        code = 0x10000 + (code - 0xd800) * 0x400 + (low - 0xdc00);
    } else if (code >= 0xdc00 && code < 0xe000) {
        code = -1;
    }
    return code < 0 ? reject(p, "bad escape") : put_utf8(out, code);
}

/* Decoded text is never longer than its source, which bounds the copy. */
static Value *parse_string(Parser *p)
{
    const char *close = ++p->at;
    while (close < p->end && *close != '"')
        close += *close == '\\' ? 2 : 1;
    if (close >= p->end)
        return reject(p, "unterminated string");
    char *text = arena_alloc(p->arena, (size_t)(close - p->at) + 1), *out = text;
    while (p->at < close && out != NULL) {
        if ((unsigned char)*p->at < 0x20)
            return reject(p, "control character in string");
        if (*p->at == '\\') {
            p->at++;
            out = parse_escape(p, out);
        } else {
            *out++ = *p->at++;
        }
    }
    if (out == NULL)
        return NULL;
    *out = '\0';
    p->at = close + 1;
    Value *value = new_value(p, JSON_STRING);
    value->text = text;
    value->length = (size_t)(out - text);
    return value;
}

static Value *parse_container(Parser *p, bool object)
{
    char close = object ? '}' : ']';
    Value *value = new_value(p, object ? JSON_OBJECT : JSON_ARRAY);
    Value **link = &value->first;
    p->at++;
    if (++p->depth > MAX_DEPTH)
        return reject(p, "nested too deeply");
    if (!accept(p, close)) {
        do {
            const Value *name = NULL;
            if (object && (peek(p) != '"' || (name = parse_string(p)) == NULL || !accept(p, ':')))
                return reject(p, "bad member name");
            Value *child = parse_value(p);
            if (child == NULL)
                return NULL;
            child->name = name == NULL ? NULL : name->text;
            *link = child;
            link = &child->next;
            value->length++;
        } while (accept(p, ','));
        if (!accept(p, close))
            return reject(p, "expected , or end of container");
    }
    p->depth--;
    return value;
}

static Value *parse_value(Parser *p)
{
    int c = peek(p);
    if (c == '{' || c == '[')
        return parse_container(p, c == '{');
    if (c == '-' || isdigit(c))
        return parse_number(p);
    if (c == '"')
        return parse_string(p);
    for (Kind kind = JSON_NULL; kind <= JSON_TRUE; kind++) {
        size_t length = strlen(literals[kind]);
        if ((size_t)(p->end - p->at) >= length && memcmp(p->at, literals[kind], length) == 0) {
            p->at += length;
            return new_value(p, kind);
        }
    }
    return reject(p, "unexpected character");
}

static Value *parse_document(Arena *arena, const char *text, size_t length, const char **error)
{
    Parser p = {.at = text, .end = text + length, .arena = arena};
    Value *root = parse_value(&p);
    if (root != NULL && peek(&p) != -1)
        root = reject(&p, "trailing characters");
    *error = p.error;
    return root;
}

static void print_string(Buffer *out, const char *text, size_t length)
{
    append_text(out, "\"");
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        char escape[8];
        if (c == '"' || c == '\\')
            snprintf(escape, sizeof escape, "\\%c", c);
        else if (c < 0x20)
            snprintf(escape, sizeof escape, "\\u%04x", (unsigned)c);
        else
            snprintf(escape, sizeof escape, "%c", c);
        append_text(out, escape);
    }
    append_text(out, "\"");
}

/* A negative indent selects the compact form. */
static void print_newline(Buffer *out, int indent)
{
    for (int i = indent; i >= 0; i--)
        append_text(out, i == indent ? "\n" : "  ");
}

static void print_value(Buffer *out, const Value *value, int indent)
{
    char number[40];
    int inner = indent < 0 ? -1 : indent + 1;
    switch (value->kind) {
    case JSON_NUMBER:
        snprintf(number, sizeof number, "%.15g", value->number);
        if (strtod(number, NULL) != value->number)
            snprintf(number, sizeof number, "%.17g", value->number);
        append_text(out, number);
        break;
    case JSON_STRING:
        print_string(out, value->text, value->length);
        break;
    case JSON_ARRAY:
    case JSON_OBJECT:
        append_text(out, value->kind == JSON_OBJECT ? "{" : "[");
        for (const Value *child = value->first; child != NULL; child = child->next) {
            print_newline(out, inner);
            if (child->name != NULL) {
                print_string(out, child->name, strlen(child->name));
                append_text(out, inner >= 0 ? ": " : ":");
            }
            print_value(out, child, inner);
            if (child->next != NULL)
                append_text(out, ",");
        }
        if (value->first != NULL)
            print_newline(out, indent);
        append_text(out, value->kind == JSON_OBJECT ? "}" : "]");
        break;
    default:
        append_text(out, literals[value->kind]);
        break;
    }
}

/* ---- queries: steps are .name, .*, [index] or [*] ---- */

typedef struct {
    size_t matches;
    double sum;
} QueryResult;

static void query(const Value *value, const char *path, QueryResult *result)
{
    if (*path == '\0') {
        result->matches++;
        if (value->kind == JSON_NUMBER)
            result->sum += value->number;
        else
            result->sum += (double)value->length; /* text bytes or children */
        return;
    }
    bool by_index = *path == '[';
    if (value->kind != (by_index ? JSON_ARRAY : JSON_OBJECT))
        return;
    const char *step = path + 1;
    size_t length = strcspn(step, by_index ? "]" : ".[");
    const char *rest = step + length + by_index;
    bool any = length == 1 && *step == '*';
    unsigned long wanted = by_index && !any ? strtoul(step, NULL, 10) : 0, position = 0;
    for (const Value *child = value->first; child != NULL; child = child->next, position++)
        if (any || (by_index ? position == wanted
                             : strncmp(child->name, step, length) == 0 && child->name[length] == '\0'))
            query(child, rest, result);
}

static uint32_t rng_state = 12345;

static uint32_t rng_below(uint32_t limit)
{
    rng_state ^= rng_state << 13;
    rng_state ^= rng_state >> 17;
    rng_state ^= rng_state << 5;
    return rng_state % limit;
}

static void generate_orders(Buffer *out, long count)
{
    static const char *const names[] = {"Ada", "Zo\xc3\xab", "Bj\\u00f6rn", "O\\\"Neil", "\\ud83d\\ude00"};
    char line[256];
    append_text(out, "{\"version\": 3, \"orders\": [");
    for (long i = 0; i < count; i++) {
        const char *name = names[rng_below(5)], *vip = rng_below(4) == 0 ? "true" : "false";
        unsigned cents = rng_below(90000);
        snprintf(line, sizeof line,
                 "%s\n {\"id\":%ld,\"customer\":{\"name\":\"%s\",\"vip\":%s},\"total\":%u.%02u,\"items\":[",
                 i == 0 ? "" : ",", i, name, vip, cents / 100, cents % 100);
        append_text(out, line);
        uint32_t items = rng_below(5);
        for (uint32_t k = 0; k < items; k++) {
            unsigned sku = rng_below(500), qty = 1 + rng_below(9), weight = rng_below(200);
            snprintf(line, sizeof line, "%s{\"sku\":\"p\\t%u\",\"qty\": %u, \"weight\":%u.5e-%u}",
                     k == 0 ? "" : ", ", sku, qty, weight / 4, weight % 4);
            append_text(out, line);
        }
        append_text(out, rng_below(3) == 0 ? "],\"note\":null}" : "]}");
    }
    append_text(out, "]}");
}

static void check_rejections(void)
{
    static const char *const bad[] = {
        "", "{", "[1,]", "{\"a\":1,}", "{a:1}", "[01]", "[1.]", "[-]", "[1e]", "\"abc", "\"\\x\"",
        "\"\\u12g4\"", "\"\\ud800\"", "\"\\udc00 \"", "\"\\ud800\\u0041\"", "[1] 2", "nul", "tru e",
        "[\"a\nb\"]", "{\"a\" 1}", "[1 2]", "+1", ".5", "]", "\"\\", "[+1]", "{\"a\":}", "NaN",
    };
    size_t count = sizeof bad / sizeof bad[0];
    Arena arena = NULL;
    const char *error;
    for (size_t i = 0; i < count; i++)
        if (parse_document(&arena, bad[i], strlen(bad[i]), &error) != NULL || error == NULL)
            fail(bad[i]);
    char deep[MAX_DEPTH + 1];
    memset(deep, '[', sizeof deep);
    if (parse_document(&arena, deep, sizeof deep, &error) != NULL)
        fail("depth limit");
    printf("rejected: %zu malformed inputs, last reason \"%s\"\n", count + 1, error);
    arena_release(&arena);
}

static uint32_t checksum(const Buffer *buffer)
{
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < buffer->length; i++)
        h = (h ^ (unsigned char)buffer->data[i]) * 16777619u;
    return h;
}

static long parse_size(int argc, char **argv, long fallback)
{
    if (argc < 2)
        return fallback;
    char *end;
    long value = strtol(argv[1], &end, 10);
    if (end == argv[1] || *end != '\0' || value < 1 || value > 1000000) {
        fprintf(stderr, "usage: json [orders], an integer from 1 to 1000000\n");
        exit(2);
    }
    return value;
}

int main(int argc, char **argv)
{
    static const char *const paths[] = {
        ".version", ".orders[*].total", ".orders[*].customer.name", ".orders[3].*", ".orders[*].items[*].qty",
        ".orders[*].items[0].sku", ".orders[*].note", ".missing[0]",
    };
    Buffer source = {0}, compact = {0}, pretty = {0}, round_trip = {0};
    Arena arena = NULL;
    const char *error;
    generate_orders(&source, parse_size(argc, argv, 6000));
    Value *root = parse_document(&arena, source.data, source.length, &error);
    if (root == NULL)
        fail(error);
    print_value(&compact, root, -1);
    print_value(&pretty, root, 0);
    printf("source: %zu bytes\n", source.length);
    printf("compact: %zu bytes, checksum %08x\n", compact.length, (unsigned)checksum(&compact));
    printf("pretty: %zu bytes, checksum %08x\n", pretty.length, (unsigned)checksum(&pretty));

    Value *again = parse_document(&arena, pretty.data, pretty.length, &error);
    if (again == NULL)
        fail(error);
    print_value(&round_trip, again, -1);
    if (strcmp(round_trip.data, compact.data) != 0)
        fail("round trip");
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        QueryResult result = {0};
        query(root, paths[i], &result);
        printf("query %s: %zu matches, sum %.2f\n", paths[i], result.matches, result.sum);
    }
    check_rejections();
    free(source.data);
    free(compact.data);
    free(pretty.data);
    free(round_trip.data);
    arena_release(&arena);
    return 0;
}
