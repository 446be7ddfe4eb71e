/*
 * Regular expression engine with three matchers over one compiled program: a
 * Thompson NFA simulation, a memoising backtracker with captures and a lazily
 * built DFA. All of them use leftmost-first semantics and must report the same
 * spans on generated log lines.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_PROGRAM = 256, MAX_CLASSES = 32, MAX_GROUPS = 8, MAX_LINE = 160, MAX_STATES = 512 };
enum { NO_STATE = -1, UNKNOWN = -2 };

typedef enum { OP_CHAR, OP_ANY, OP_CLASS, OP_SPLIT, OP_JUMP, OP_SAVE, OP_BEGIN, OP_END, OP_MATCH } Opcode;

typedef struct {
    Opcode op;
    int x, y; /* character, class, save slot or targets; a split prefers x */
} Inst;

typedef struct {
    Inst inst[MAX_PROGRAM];
    int length;
    unsigned char classes[MAX_CLASSES][32];
    int class_count, group_count;
    const char *at; /* parser position */
} Program;

/* An ordered set of program counters; earlier threads have priority. */
typedef struct {
    int pc[MAX_PROGRAM];
    int count;
    unsigned mark[MAX_PROGRAM], stamp;
} ThreadList;

static void fail(const char *what, const char *detail)
{
    fprintf(stderr, "regex: check failed: %s: %s\n", what, detail);
    exit(1);
}

static int emit(Program *p, Opcode op, int x, int y)
{
    if (p->length == MAX_PROGRAM)
        fail("pattern too long", p->at);
    p->inst[p->length] = (Inst){op, x, y};
    return p->length++;
}

/* Opens a gap at pc for one instruction, moving the code after it. */
static void insert_at(Program *p, int pc, Opcode op, int x, int y)
{
    emit(p, OP_JUMP, 0, 0);
    for (int i = p->length - 1; i > pc; i--) {
        Inst moved = p->inst[i - 1];
        if (moved.op == OP_SPLIT || moved.op == OP_JUMP) {
            moved.x += moved.x >= pc;
            moved.y += moved.y >= pc;
        }
        p->inst[i] = moved;
    }
    p->inst[pc] = (Inst){op, x, y};
}

static void class_add(unsigned char *set, int low, int high)
{
    for (int c = low; c <= high; c++)
        set[c / 8] |= (unsigned char)(1u << (c % 8));
}

static bool class_has(const unsigned char *set, int c)
{
    return (set[c / 8] >> (c % 8)) & 1;
}

static void class_escape(unsigned char *set, char letter)
{
    const char single[] = {letter, letter, '\0'};
    const char *ranges = letter == 'w' ? "azAZ09__" : letter == 'd' ? "09" : letter == 's' ? "  \t\t" : single;
    for (; *ranges != '\0'; ranges += 2)
        class_add(set, (unsigned char)ranges[0], (unsigned char)ranges[1]);
}

static unsigned char *new_class(Program *p)
{
    if (p->class_count == MAX_CLASSES)
        fail("too many classes", p->at);
    emit(p, OP_CLASS, p->class_count, 0);
    return p->classes[p->class_count++];
}

static void parse_class(Program *p)
{
    unsigned char *set = new_class(p);
    bool negate = *p->at == '^';
    p->at += negate;
    while (*p->at != ']') {
        if (*p->at == '\0')
            fail("unterminated class", p->at);
        int low = (unsigned char)*p->at++;
        if (low == '\\') {
            class_escape(set, *p->at++);
        } else if (p->at[0] == '-' && p->at[1] != ']') {
            class_add(set, low, (unsigned char)p->at[1]);
            p->at += 2;
        } else {
            class_add(set, low, low);
        }
    }
    p->at++;
    for (int i = 0; negate && i < 32; i++)
        set[i] = (unsigned char)~set[i];
}

static void parse_alternation(Program *p);

static void parse_atom(Program *p)
{
    char c = *p->at++;
    switch (c) {
    case '(': {
        int group = ++p->group_count;
        if (group >= MAX_GROUPS)
            fail("too many groups", p->at);
        emit(p, OP_SAVE, 2 * group, 0);
        parse_alternation(p);
        if (*p->at++ != ')')
            fail("missing parenthesis", p->at - 1);
        emit(p, OP_SAVE, 2 * group + 1, 0);
        break;
    }
    case '[':
        parse_class(p);
        break;
    case '.':
        emit(p, OP_ANY, 0, 0);
        break;
    case '^':
        emit(p, OP_BEGIN, 0, 0);
        break;
    case '$':
        emit(p, OP_END, 0, 0);
        break;
    case '\\':
        class_escape(new_class(p), *p->at++);
        break;
    default:
        emit(p, OP_CHAR, (unsigned char)c, 0);
        break;
    }
}

static void parse_repeat(Program *p)
{
    int start = p->length;
    parse_atom(p);
    while (*p->at != '\0' && strchr("*+?", *p->at) != NULL) {
        char kind = *p->at++;
        bool lazy = *p->at == '?';
        p->at += lazy;
        if (kind == '+') {
            int after = p->length + 1;
            emit(p, OP_SPLIT, lazy ? after : start, lazy ? start : after);
            continue;
        }
        insert_at(p, start, OP_SPLIT, 0, 0);
        if (kind == '*')
            emit(p, OP_JUMP, start, 0);
        p->inst[start].x = lazy ? p->length : start + 1;
        p->inst[start].y = lazy ? start + 1 : p->length;
    }
}

static void parse_alternation(Program *p)
{
    int start = p->length;
    while (*p->at != '\0' && *p->at != ')' && *p->at != '|')
        parse_repeat(p);
    if (*p->at != '|')
        return;
    p->at++;
    insert_at(p, start, OP_SPLIT, start + 1, p->length + 2);
    int jump = emit(p, OP_JUMP, 0, 0);
    parse_alternation(p);
    p->inst[jump].x = p->length;
}

static void compile(Program *p, const char *pattern)
{
    memset(p, 0, sizeof *p);
    p->at = pattern;
    emit(p, OP_SAVE, 0, 0);
    parse_alternation(p);
    if (*p->at != '\0')
        fail("unbalanced pattern", pattern);
    emit(p, OP_SAVE, 1, 0);
    emit(p, OP_MATCH, 0, 0);
}

static bool consumes(const Program *p, int pc, int c)
{
    const Inst *inst = &p->inst[pc];
    return (inst->op == OP_CHAR && inst->x == c) || inst->op == OP_ANY ||
           (inst->op == OP_CLASS && class_has(p->classes[inst->x], c));
}

static void clear_list(ThreadList *list)
{
    list->count = 0;
    list->stamp++;
}

static void add_thread(const Program *p, ThreadList *list, int pc, bool at_begin, bool at_end)
{
    if (list->mark[pc] == list->stamp)
        return;
    list->mark[pc] = list->stamp;
    const Inst *inst = &p->inst[pc];
    switch (inst->op) {
    case OP_JUMP:
        add_thread(p, list, inst->x, at_begin, at_end);
        break;
    case OP_SPLIT:
        add_thread(p, list, inst->x, at_begin, at_end);
        add_thread(p, list, inst->y, at_begin, at_end);
        break;
    case OP_SAVE:
        add_thread(p, list, pc + 1, at_begin, at_end);
        break;
    case OP_BEGIN:
    case OP_END:
        if (inst->op == OP_BEGIN ? at_begin : at_end)
            add_thread(p, list, pc + 1, at_begin, at_end);
        break;
    default:
        list->pc[list->count++] = pc;
        break;
    }
}

/* Thompson's construction: fills next with the successors on c; reports whether a thread has matched,
 * which discards every thread of lower priority. */
static bool step(const Program *p, const ThreadList *now, ThreadList *next, int c, bool at_end)
{
    clear_list(next);
    for (int i = 0; i < now->count; i++) {
        if (p->inst[now->pc[i]].op == OP_MATCH)
            return true;
        if (c >= 0 && consumes(p, now->pc[i], c))
            add_thread(p, next, now->pc[i] + 1, false, at_end);
    }
    return false;
}

static int match_nfa(const Program *p, const char *text, int length, int from)
{
    static ThreadList lists[2];
    int end = -1, now = 0;
    clear_list(&lists[now]);
    add_thread(p, &lists[now], 0, from == 0, from == length);
    for (int i = from; lists[now].count > 0; i++) {
        int c = i < length ? (unsigned char)text[i] : -1;
        if (step(p, &lists[now], &lists[1 - now], c, i + 1 == length))
            end = i;
        now = 1 - now;
    }
    return end;
}

/* ---- backtracking with captures; each (pc, position) is tried only once ---- */

typedef struct {
    const Program *program;
    const char *text;
    int length;
    unsigned visited[MAX_PROGRAM][MAX_LINE + 1], stamp;
    int slots[2 * MAX_GROUPS];
} Backtracker;

static bool backtrack(Backtracker *b, int pc, int at)
{
    for (;;) {
        if (b->visited[pc][at] == b->stamp)
            return false;
        b->visited[pc][at] = b->stamp;
        const Inst *inst = &b->program->inst[pc];
        switch (inst->op) {
        case OP_MATCH:
            return true;
        case OP_JUMP:
            pc = inst->x;
            break;
        case OP_SPLIT:
            if (backtrack(b, inst->x, at))
                return true;
            pc = inst->y;
            break;
        case OP_SAVE: {
            int saved = b->slots[inst->x];
            b->slots[inst->x] = at;
            if (backtrack(b, pc + 1, at))
                return true;
            b->slots[inst->x] = saved;
            return false;
        }
        case OP_BEGIN:
        case OP_END:
            if (at != (inst->op == OP_BEGIN ? 0 : b->length))
                return false;
            pc++;
            break;
        default:
            if (at == b->length || !consumes(b->program, pc, (unsigned char)b->text[at]))
                return false;
            pc++;
            at++;
            break;
        }
    }
}

/* ---- lazy DFA: a state is an ordered thread list ---- */

typedef struct {
    int count;
    bool matched; /* the state that led here contained a match */
    unsigned char pc[MAX_PROGRAM];
    short next[514]; /* by 2 * (character + 1, 0 at the end) + at_end */
} State;

typedef struct {
    const Program *program;
    State states[MAX_STATES];
    int used, built, flushes;
    short initial[4]; /* by at_begin + 2 * at_end */
} Dfa;

static void dfa_flush(Dfa *dfa)
{
    dfa->used = 0;
    for (int i = 0; i < 4; i++)
        dfa->initial[i] = UNKNOWN;
}

static short dfa_intern(Dfa *dfa, const ThreadList *list, bool matched)
{
    unsigned char key[MAX_PROGRAM];
    for (int i = 0; i < list->count; i++)
        key[i] = (unsigned char)list->pc[i];
    for (int i = 0; i < dfa->used; i++) {
        const State *s = &dfa->states[i];
        if (s->count == list->count && s->matched == matched && memcmp(s->pc, key, (size_t)list->count) == 0)
            return (short)i;
    }
    State *s = &dfa->states[dfa->used];
    s->count = list->count;
    s->matched = matched;
    memcpy(s->pc, key, (size_t)list->count);
    for (int i = 0; i < 514; i++)
        s->next[i] = UNKNOWN;
    dfa->built++;
    return (short)dfa->used++;
}

static short dfa_step(Dfa *dfa, const State *state, int c, bool at_end)
{
    static ThreadList now, next;
    now.count = state->count;
    for (int i = 0; i < state->count; i++)
        now.pc[i] = state->pc[i];
    bool matched = step(dfa->program, &now, &next, c, at_end);
    return next.count == 0 && !matched ? NO_STATE : dfa_intern(dfa, &next, matched);
}

static int match_dfa(Dfa *dfa, const char *text, int length, int from)
{
    static ThreadList first;
    int end = -1;
    if (dfa->used + length + 2 > MAX_STATES) { /* keep room for one whole match */
        dfa_flush(dfa);
        dfa->flushes++;
    }
    short *start = &dfa->initial[(from == 0) + 2 * (from == length)];
    if (*start == UNKNOWN) {
        clear_list(&first);
        add_thread(dfa->program, &first, 0, from == 0, from == length);
        *start = dfa_intern(dfa, &first, false);
    }
    short state = *start;
    for (int i = from; i <= length && state >= 0; i++) {
        int c = i < length ? (unsigned char)text[i] : -1;
        bool at_end = i + 1 == length;
        short *next = &dfa->states[state].next[2 * (c + 1) + at_end];
        if (*next == UNKNOWN)
            *next = dfa_step(dfa, &dfa->states[state], c, at_end);
        state = *next;
        if (state >= 0 && dfa->states[state].matched)
            end = i;
    }
    return end;
}

static uint32_t rng_state = 99;

static unsigned rng_below(unsigned limit)
{
    rng_state = rng_state * 1664525u + 1013904223u;
    return (rng_state >> 10) % limit;
}

static int make_line(char *line, long number)
{
    static const char *const levels[] = {"INFO", "WARN", "ERROR", "DEBUG"};
    static const char *const hosts[] = {"alpha.example.org", "db-3.local", "cache9", "mail.example.com"};
    static const char *const users[] = {"root", "anna", "bob_77", "x", "aaaaaaaab"};
    const char *level = levels[rng_below(4)], *host = hosts[rng_below(4)], *user = users[rng_below(5)];
    unsigned ms = rng_below(100000), code = 0x100 + rng_below(0xfe00), path = rng_below(1000);
    return snprintf(line, MAX_LINE + 1, "%05ld %s %s@%s GET /item/%u?id=0x%x took %u.%02us%s", number, level,
                    user, host, path, code, ms / 100, ms % 100, rng_below(3) == 0 ? " (retry)" : "");
}

static void run_pattern(const char *pattern, long lines)
{
    static Program program;
    static Backtracker back;
    static Dfa dfa;
    compile(&program, pattern);
    dfa.program = &program;
    dfa.built = dfa.flushes = 0;
    dfa_flush(&dfa);
    back.program = &program;
    rng_state = 99;

    long matches = 0;
    uint32_t checksum = 0;
    for (long n = 0; n < lines; n++) {
        char line[MAX_LINE + 1];
        int length = make_line(line, n);
        int begin = 0, end = -1;
        while (begin <= length && end < 0) {
            end = match_dfa(&dfa, line, length, begin);
            if (match_nfa(&program, line, length, begin) != end)
                fail("NFA and DFA disagree", line);
            back.text = line;
            back.length = length;
            back.stamp++;
            for (int i = 0; i < 2 * MAX_GROUPS; i++)
                back.slots[i] = -1;
            bool hit = backtrack(&back, 0, begin);
            if (hit != (end >= 0) || (hit && back.slots[1] != end))
                fail("backtracker and DFA disagree", line);
            begin += end < 0;
        }
        if (end < 0)
            continue;
        matches++;
        for (int i = 0; i <= 2 * program.group_count + 1; i++)
            checksum = checksum * 31 + (uint32_t)(back.slots[i] + 1);
    }
    printf("/%s/: %d instructions, %ld matches, %d DFA states, %d flushes, checksum %08x\n", pattern,
           program.length, matches, dfa.built, dfa.flushes, (unsigned)checksum);
}

static long parse_size(int argc, char **argv, long fallback)
{
    if (argc < 2)
        return fallback;
    char *end;
    long value = strtol(argv[1], &end, 10);
    if (end == argv[1] || *end != '\0' || value < 1 || value > 99999) {
        fprintf(stderr, "usage: regex [lines], an integer from 1 to 99999\n");
        exit(2);
    }
    return value;
}

int main(int argc, char **argv)
{
    static const char *const patterns[] = {
        "ERROR|WARN",
        "^(\\d+) (\\w+) ",
        "([a-z_0-9]+)@([a-z\\-0-9.]+)\\.(org|com)",
        "0x[0-9a-f]*00[0-9a-f]*",
        "(\\d+)\\.(\\d\\d)s( \\(retry\\))?$",
        "(a*)*b",
        "(a|aa|ab)+?b?@",
        "/item/([^?]*)\\?.*?(\\d+)\\.",
        "[^a-z]x@.*(1|3|5).*7",
        "(x+x+)+y|(\\d\\d?)*s$",
        ".*[0-4].........[a-f\\d]",
    };
    long lines = parse_size(argc, argv, 1500);
    printf("searching %ld lines\n", lines);
    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++)
        run_pattern(patterns[i], lines);
    return 0;
}
