/*
 * A small stack virtual machine: a two-pass assembler for a textual assembly
 * language, a peephole optimiser that folds constants, threads jumps and forms
 * superinstructions, and a switch-dispatched interpreter. Guest programs are
 * run before and after optimisation and compared with native code.
 */
#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_CODE = 512, MAX_LABELS = 64, STACK_SIZE = 4096, MAX_FRAMES = 256, LOCALS = 8 };

typedef enum {
    OP_PUSH, OP_POP, OP_DUP, OP_ADD, OP_SUB, OP_MUL, OP_DIV, OP_MOD, OP_XOR, OP_LT, OP_EQ,
    OP_GET, OP_SET, OP_LOAD, OP_STORE, OP_JMP, OP_JZ, OP_JNZ, OP_CALL, OP_RET, OP_HALT,
    OP_INC, OP_ADDI, OP_GETADD, OP_JGE, OP_NOP, OP_COUNT
} Opcode;

typedef enum { NO_OPERAND, NUMBER, TARGET } OperandKind;

typedef struct {
    uint8_t op, aux; /* aux: a local slot of a superinstruction, or call arity */
    int32_t arg;
} Inst;

typedef struct {
    Inst code[MAX_CODE];
    int length;
} Program;

typedef struct {
    char name[24];
    int address;
} Label;

typedef struct {
    int64_t result;
    uint64_t executed;
} Outcome;

typedef struct {
    int return_to;
    int64_t local[LOCALS];
} Frame;

static const struct {
    const char *name;
    OperandKind operand;
} op_info[OP_COUNT] = {
    [OP_PUSH] = {"push", NUMBER}, [OP_POP] = {"pop", NO_OPERAND}, [OP_DUP] = {"dup", NO_OPERAND},
    [OP_ADD] = {"add", NO_OPERAND}, [OP_SUB] = {"sub", NO_OPERAND}, [OP_MUL] = {"mul", NO_OPERAND},
    [OP_DIV] = {"div", NO_OPERAND}, [OP_MOD] = {"mod", NO_OPERAND}, [OP_XOR] = {"xor", NO_OPERAND},
    [OP_LT] = {"lt", NO_OPERAND}, [OP_EQ] = {"eq", NO_OPERAND}, [OP_GET] = {"get", NUMBER},
    [OP_SET] = {"set", NUMBER}, [OP_LOAD] = {"load", NO_OPERAND}, [OP_STORE] = {"store", NO_OPERAND},
    [OP_JMP] = {"jmp", TARGET}, [OP_JZ] = {"jz", TARGET}, [OP_JNZ] = {"jnz", TARGET},
    [OP_CALL] = {"call", TARGET}, [OP_RET] = {"ret", NO_OPERAND}, [OP_HALT] = {"halt", NO_OPERAND},
    [OP_INC] = {"inc", NUMBER}, [OP_ADDI] = {"addi", NUMBER}, [OP_GETADD] = {"getadd", NUMBER},
    [OP_JGE] = {"jge", TARGET}, [OP_NOP] = {"nop", NO_OPERAND},
};

/* Local 0 of the main frame holds the problem size. "call f/n" pops n arguments
 * into the first locals of the new frame. */
static const char sieve_source[] =
    "  push 2\n set 1\n"
    "outer: get 1\n get 1\n mul\n get 0\n lt\n jz count\n"
    "  get 1\n load\n jnz next\n"
    "  get 1\n get 1\n mul\n set 2\n"
    "mark: get 2\n get 0\n lt\n jz next\n"
    "  push 1\n get 2\n store\n get 2\n get 1\n add\n set 2\n jmp mark\n"
    "next: get 1\n push 1\n add\n set 1\n jmp outer\n"
    "count: push 2\n set 1\n push 0\n set 3\n"
    "loop: get 1\n get 0\n lt\n jz done\n"
    "  get 1\n load\n push 0\n eq\n get 3\n add\n set 3\n"
    "  get 1\n push 1\n add\n set 1\n jmp loop\n"
    "done: get 3\n halt\n";

static const char fibonacci_source[] =
    "  get 0\n call fib/1\n halt\n"
    "fib: get 0\n push 2\n lt\n jz recurse\n get 0\n ret\n"
    "recurse: get 0\n push 1\n sub\n call fib/1\n"
    "  get 0\n push 4\n push 2\n push 2\n mul\n sub\n add\n push 2\n sub\n call fib/1\n"
    "  add\n ret\n";

/* a[i][j] = i * 3 + j, b[i][j] = i ^ j; c = a * b is summed with weights. */
static const char matrix_source[] =
    "  push 0\n set 1\n push 0\n set 4\n"
    "row: get 1\n get 0\n lt\n jz done\n push 0\n set 2\n"
    "col: get 2\n get 0\n lt\n jz rownext\n push 0\n set 3\n push 0\n set 5\n"
    "dot: get 3\n get 0\n lt\n jz colnext\n"
    "  get 1\n push 3\n mul\n get 3\n add\n get 3\n get 2\n xor\n mul\n get 5\n add\n set 5\n"
    "  get 3\n push 1\n add\n set 3\n jmp dot\n"
    "colnext: get 5\n get 1\n get 0\n mul\n get 2\n add\n store\n"
    "  get 4\n push 7\n mul\n get 5\n add\n push 1000000\n push 7\n add\n mod\n set 4\n"
    "  get 2\n push 1\n add\n set 2\n jmp col\n"
    "rownext: get 1\n push 1\n add\n set 1\n jmp row\n"
    "done: get 4\n halt\n";

/* Memory holds the text; an xor-multiply hash over it, several rounds. */
static const char hash_source[] =
    "  push 5381\n set 2\n push 0\n set 3\n"
    "round: get 3\n push 16\n push 2\n div\n lt\n jz done\n push 0\n set 1\n"
    "byte: get 1\n get 0\n lt\n jz finish\n"
    "  get 2\n get 1\n load\n xor\n push 33\n mul\n push 0\n add\n push 2147483647\n mod\n set 2\n"
    "  get 1\n push 1\n add\n set 1\n jmp next\n"
    "next: jmp byte\n"
    "finish: get 3\n push 1\n add\n set 3\n jmp round\n"
    "done: get 2\n halt\n";

static void fail(const char *what, const char *detail)
{
    fprintf(stderr, "bytecode: %s: %s\n", what, detail);
    exit(1);
}

/* ---- assembler ---- */

static const char *next_word(const char *text, char word[24])
{
    size_t length = 0;
    while (isspace((unsigned char)*text))
        text++;
    while (*text != '\0' && !isspace((unsigned char)*text)) {
        if (length == 23)
            fail("word too long", text);
        word[length++] = *text++;
    }
    word[length] = '\0';
    return text;
}

static int find_opcode(const char *word)
{
    for (int op = 0; op < OP_COUNT; op++)
        if (strcmp(op_info[op].name, word) == 0)
            return op;
    fail("unknown instruction", word);
    return OP_HALT;
}

static int find_label(const Label *labels, int count, const char *name)
{
    for (int i = 0; i < count; i++)
        if (strcmp(labels[i].name, name) == 0)
            return labels[i].address;
    fail("unknown label", name);
    return 0;
}

/* The first pass only collects labels; the second resolves operands. */
static void assemble(Program *program, const char *source)
{
    Label labels[MAX_LABELS];
    int label_count = 0;
    for (int pass = 0; pass < 2; pass++) {
        char word[24];
        const char *text = next_word(source, word);
        program->length = 0;
        for (; word[0] != '\0'; text = next_word(text, word)) {
            size_t size = strlen(word);
            if (word[size - 1] == ':') {
                word[size - 1] = '\0';
                if (label_count == MAX_LABELS)
                    fail("too many labels", word);
                if (pass == 0) {
                    memcpy(labels[label_count].name, word, size);
                    labels[label_count++].address = program->length;
                }
                continue;
            }
            if (program->length == MAX_CODE)
                fail("program too long", word);
            Inst *inst = &program->code[program->length++];
            *inst = (Inst){.op = (uint8_t)find_opcode(word)};
            if (op_info[inst->op].operand == NO_OPERAND)
                continue;
            text = next_word(text, word);
            char *slash = strchr(word, '/');
            if (slash != NULL) {
                *slash = '\0';
                inst->aux = (uint8_t)atoi(slash + 1);
            }
            if (op_info[inst->op].operand == NUMBER)
                inst->arg = (int32_t)strtol(word, NULL, 10);
            else if (pass == 1)
                inst->arg = find_label(labels, label_count, word);
        }
    }
}

/* ---- interpreter ---- */

static Outcome run(const Program *program, int64_t size, int64_t *memory, int64_t memory_size)
{
    static int64_t stack[STACK_SIZE];
    static Frame frames[MAX_FRAMES];
    Frame *frame = frames;
    int64_t *top = stack; /* one past the last pushed value */
    const Inst *code = program->code;
    int pc = 0;
    Outcome out = {0, 0};
    memset(frame, 0, sizeof *frame);
    frame->local[0] = size;
    for (;;) {
        const Inst inst = code[pc++];
        out.executed++;
        switch ((Opcode)inst.op) {
        case OP_PUSH: *top++ = inst.arg; break;
        case OP_POP: top--; break;
        case OP_DUP: top[0] = top[-1]; top++; break;
        case OP_ADD: top--; top[-1] += top[0]; break;
        case OP_SUB: top--; top[-1] -= top[0]; break;
        case OP_MUL: top--; top[-1] *= top[0]; break;
        case OP_XOR: top--; top[-1] ^= top[0]; break;
        case OP_LT: top--; top[-1] = top[-1] < top[0]; break;
        case OP_EQ: top--; top[-1] = top[-1] == top[0]; break;
        case OP_DIV:
        case OP_MOD:
            top--;
            if (top[0] == 0)
                fail("trap", "division by zero");
            top[-1] = inst.op == OP_DIV ? top[-1] / top[0] : top[-1] % top[0];
            break;
        case OP_GET: *top++ = frame->local[inst.arg]; break;
        case OP_SET: frame->local[inst.arg] = *--top; break;
        case OP_LOAD:
            if (top[-1] < 0 || top[-1] >= memory_size)
                fail("trap", "load out of range");
            top[-1] = memory[top[-1]];
            break;
        case OP_STORE:
            top -= 2;
            if (top[1] < 0 || top[1] >= memory_size)
                fail("trap", "store out of range");
            memory[top[1]] = top[0];
            break;
        case OP_JMP: pc = inst.arg; break;
        case OP_JZ: if (*--top == 0) pc = inst.arg; break;
        case OP_JNZ: if (*--top != 0) pc = inst.arg; break;
        case OP_CALL:
            if (frame + 1 == frames + MAX_FRAMES || top > stack + STACK_SIZE - 64)
                fail("trap", "stack overflow");
            frame++;
            frame->return_to = pc;
            for (int i = inst.aux - 1; i >= 0; i--)
                frame->local[i] = *--top;
            pc = inst.arg;
            break;
        case OP_RET:
            pc = frame->return_to;
            frame--;
            break;
        case OP_INC: frame->local[inst.aux] += inst.arg; break;
        case OP_ADDI: top[-1] += inst.arg; break;
        case OP_GETADD: top[-1] += frame->local[inst.arg]; break;
        case OP_JGE:
            top -= 2;
            if (top[0] >= top[1])
                pc = inst.arg;
            break;
        case OP_HALT:
            out.result = top[-1];
            return out;
        case OP_NOP:
        case OP_COUNT:
            break;
        }
    }
}

/* ---- peephole optimiser ---- */

static bool fold(Opcode op, int64_t a, int64_t b, int64_t *value)
{
    switch (op) {
    case OP_ADD: *value = a + b; return true;
    case OP_SUB: *value = a - b; return true;
    case OP_MUL: *value = a * b; return true;
    case OP_DIV: *value = b == 0 ? 0 : a / b; return b != 0;
    case OP_LT: *value = a < b; return true;
    default: return false;
    }
}

/* Rewrites the window of instructions at w, none of which but the first is a
 * jump target, and returns whether anything changed. */
static bool rewrite(Inst *w, int available)
{
    const Inst nop = {.op = OP_NOP};
    int64_t value;
    bool constant = w[0].op == OP_PUSH;
    if (available >= 3 && w[0].op == OP_GET && w[1].op == OP_ADDI && w[2].op == OP_SET && w[0].arg == w[2].arg) {
        w[0] = (Inst){OP_INC, (uint8_t)w[0].arg, w[1].arg};
        w[1] = w[2] = nop;
        return true;
    }
    if (available >= 3 && constant && w[1].op == OP_PUSH && fold((Opcode)w[2].op, w[0].arg, w[1].arg, &value) &&
        value >= INT32_MIN && value <= INT32_MAX) {
        w[0].arg = (int32_t)value;
        w[1] = w[2] = nop;
        return true;
    }
    if (available < 2)
        return false;
    if (constant && (w[1].op == OP_ADD || w[1].op == OP_SUB)) {
        w[0] = (Inst){OP_ADDI, 0, w[1].op == OP_ADD ? w[0].arg : -w[0].arg};
    } else if (w[0].op == OP_ADDI && w[1].op == OP_ADDI) {
        w[0].arg += w[1].arg;
    } else if (w[0].op == OP_GET && w[1].op == OP_ADD) {
        w[0].op = OP_GETADD;
    } else if (w[0].op == OP_LT && w[1].op == OP_JZ) {
        w[0] = (Inst){OP_JGE, 0, w[1].arg};
    } else {
        return false;
    }
    w[1] = nop;
    return true;
}

static void mark_targets(const Program *p, bool *target)
{
    memset(target, 0, MAX_CODE * sizeof *target);
    for (int i = 0; i < p->length; i++)
        if (op_info[p->code[i].op].operand == TARGET)
            target[p->code[i].arg] = true;
}

static bool thread_jumps(Program *p)
{
    bool changed = false;
    for (int i = 0; i < p->length; i++) {
        Inst *inst = &p->code[i];
        if (op_info[inst->op].operand != TARGET)
            continue;
        const Inst *next = &p->code[inst->arg];
        if (next->op == OP_JMP && next->arg != inst->arg) {
            inst->arg = next->arg;
            changed = true;
        }
        if (inst->op == OP_JMP && inst->arg == i + 1) {
            inst->op = OP_NOP;
            changed = true;
        }
    }
    return changed;
}

static void remove_nops(Program *p)
{
    int moved[MAX_CODE + 1], kept = 0;
    for (int i = 0; i < p->length; i++) {
        moved[i] = kept;
        kept += p->code[i].op != OP_NOP;
    }
    for (int i = 0, out = 0; i < p->length; i++) {
        Inst inst = p->code[i];
        if (op_info[inst.op].operand == TARGET)
            inst.arg = moved[inst.arg];
        if (inst.op != OP_NOP)
            p->code[out++] = inst;
    }
    p->length = kept;
}

static void optimise(Program *p)
{
    bool target[MAX_CODE], changed = true;
    while (changed) {
        changed = thread_jumps(p);
        mark_targets(p, target);
        for (int i = 0; i < p->length; i++) {
            int available = 1;
            while (available < 3 && i + available < p->length && !target[i + available])
                available++;
            if (p->code[i].op != OP_NOP && rewrite(&p->code[i], available))
                changed = true;
        }
        remove_nops(p);
    }
}

/* ---- native versions of the guest programs ---- */

static int64_t native_sieve(int64_t n, int64_t *composite)
{
    int64_t count = 0;
    for (int64_t i = 2; i < n; i++) {
        count += composite[i] == 0;
        for (int64_t k = i * i; composite[i] == 0 && k < n; k += i)
            composite[k] = 1;
    }
    return count;
}

static int64_t native_fibonacci(int64_t n, int64_t *memory)
{
    memory[0] = 0;
    memory[1] = 1;
    for (int64_t i = 2; i <= n; i++)
        memory[i] = memory[i - 1] + memory[i - 2];
    return memory[n];
}

static int64_t native_matrix(int64_t n, int64_t *memory)
{
    int64_t weighted = 0;
    for (int64_t i = 0; i < n * n; i++) {
        memory[i] = 0;
        for (int64_t k = 0; k < n; k++)
            memory[i] += (i / n * 3 + k) * (k ^ (i % n));
        weighted = (weighted * 7 + memory[i]) % 1000007;
    }
    return weighted;
}

static int64_t native_hash(int64_t n, int64_t *memory)
{
    int64_t h = 5381;
    for (int64_t i = 0; i < 8 * n; i++)
        h = (h ^ memory[i % n]) * 33 % 2147483647;
    return h;
}

static void run_guest(const char *name, const char *source, int64_t size, int64_t cells,
                      int64_t (*native)(int64_t, int64_t *))
{
    static Program plain, optimised;
    bool text = native == native_hash;
    int64_t *memory = malloc((size_t)cells * sizeof *memory);
    if (memory == NULL)
        fail("out of memory", name);
    Outcome outcome[2] = {{0, 0}, {0, 0}};
    int64_t expected = 0;
    assemble(&plain, source);
    optimised = plain;
    optimise(&optimised);
    for (int pass = 0; pass < 3; pass++) {
        for (int64_t i = 0; i < cells; i++)
            memory[i] = text ? 'a' + i * i % 26 : 0;
        if (pass == 2)
            expected = native(size, memory);
        else
            outcome[pass] = run(pass == 0 ? &plain : &optimised, size, memory, cells);
    }
    free(memory);
    if (outcome[0].result != expected || outcome[1].result != expected)
        fail("wrong guest result", name);
    printf("%s(%ld) = %lld: code %d -> %d, executed %llu -> %llu\n", name, (long)size, (long long)expected,
           plain.length, optimised.length, (unsigned long long)outcome[0].executed,
           (unsigned long long)outcome[1].executed);
}

static long parse_size(int argc, char **argv, long fallback)
{
    if (argc < 2)
        return fallback;
    char *end;
    long value = strtol(argv[1], &end, 10);
    if (end == argv[1] || *end != '\0' || value < 1 || value > 100000) {
        fprintf(stderr, "usage: bytecode [work], an integer from 1 to 100000\n");
        exit(2);
    }
    return value;
}

int main(int argc, char **argv)
{
    long work = parse_size(argc, argv, 3000);
    int depth = 1, side = 1;
    for (long w = work; w > 0 && depth < 40; w = w * 5 / 8) /* fib grows by 8/5 per step */
        depth++;
    while ((long)side * side * side < work * 60)
        side++;
    run_guest("sieve", sieve_source, work * 60, work * 60 + 2, native_sieve);
    run_guest("fibonacci", fibonacci_source, depth + 8, depth + 10, native_fibonacci);
    run_guest("matrix", matrix_source, side, (int64_t)side * side, native_matrix);
    run_guest("hash", hash_source, work * 8, work * 8, native_hash);
    return 0;
}
