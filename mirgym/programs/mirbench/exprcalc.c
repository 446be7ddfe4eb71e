/*
 * Symbolic calculator: tokenizer and Pratt parser to an AST, printing, symbolic
 * differentiation, constant folding and algebraic simplification, compilation
 * to a stack machine and evaluation over a table of (x, y) points. Derivatives
 * are compared with central differences and printed forms are parsed back.
 */
#include <ctype.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_NODES = 16384, MAX_CODE = 4096, MAX_STACK = 128, MAX_TEXT = 8192 };

typedef enum { NUM, VAR, NEG, ADD, SUB, MUL, DIV, POW, SIN, COS, EXP, LN, SQRT } Op;

typedef struct Node {
    Op op;
    double value; /* NUM */
    char name;    /* VAR: 'x' or 'y' */
    const struct Node *left, *right;
} Node;

typedef enum { T_END, T_NUMBER, T_NAME, T_SYMBOL } TokenKind;

typedef struct {
    const char *at;
    TokenKind kind;
    double number;
    char name[8];
    char symbol;
} Lexer;

typedef struct {
    uint8_t op;
    char name;
    double value;
} Inst;

typedef struct {
    Inst code[MAX_CODE];
    int length;
} Code;

static const char *const function_names[] = {"sin", "cos", "exp", "ln", "sqrt"};

static Node pool[MAX_NODES]; /* emptied after each expression */
static int pool_used;

static void fail(const char *what, const char *detail)
{
    fprintf(stderr, "exprcalc: %s: %s\n", what, detail);
    exit(1);
}

/* ---- nodes ---- */

static Node *new_node(Op op)
{
    if (pool_used == MAX_NODES)
        fail("expression too large", "");
    Node *node = &pool[pool_used++];
    *node = (Node){.op = op};
    return node;
}

static const Node *number(double value)
{
    Node *node = new_node(NUM);
    node->value = value;
    return node;
}

static const Node *binary(Op op, const Node *left, const Node *right)
{
    Node *node = new_node(op);
    node->left = left;
    node->right = right;
    return node;
}

static const Node *unary(Op op, const Node *operand)
{
    return binary(op, operand, NULL);
}

/* ---- lexer and Pratt parser ---- */

static void advance(Lexer *lex)
{
    while (isspace((unsigned char)*lex->at))
        lex->at++;
    unsigned char c = (unsigned char)*lex->at;
    if (c == '\0') {
        lex->kind = T_END;
        lex->symbol = '\0';
    } else if (isdigit(c)) {
        char *end;
        lex->kind = T_NUMBER;
        lex->number = strtod(lex->at, &end);
        lex->at = end;
    } else if (isalpha(c)) {
        size_t length = 0;
        lex->kind = T_NAME;
        while (isalpha((unsigned char)*lex->at) && length < sizeof lex->name - 1)
            lex->name[length++] = *lex->at++;
        lex->name[length] = '\0';
    } else {
        lex->kind = T_SYMBOL;
        lex->symbol = (char)c;
        lex->at++;
    }
}

static const Node *parse_expression(Lexer *lex, int minimum);

static void expect(Lexer *lex, char symbol)
{
    if (lex->kind != T_SYMBOL || lex->symbol != symbol)
        fail("syntax error near", lex->at);
    advance(lex);
}

static const Node *parse_prefix(Lexer *lex)
{
    Lexer token = *lex;
    advance(lex);
    if (token.kind == T_NUMBER)
        return number(token.number);
    if (token.kind == T_NAME && (strcmp(token.name, "x") == 0 || strcmp(token.name, "y") == 0)) {
        Node *node = new_node(VAR);
        node->name = token.name[0];
        return node;
    }
    if (token.kind == T_NAME) {
        int f = 0;
        while (f < 5 && strcmp(function_names[f], token.name) != 0)
            f++;
        if (f == 5)
            fail("unknown name", token.name);
        expect(lex, '(');
        const Node *argument = parse_expression(lex, 0);
        expect(lex, ')');
        return unary((Op)(SIN + f), argument);
    }
    if (token.kind == T_SYMBOL && token.symbol == '-')
        return unary(NEG, parse_expression(lex, 30));
    if (token.kind != T_SYMBOL || token.symbol != '(')
        fail("operand expected near", token.at);
    const Node *inner = parse_expression(lex, 0);
    expect(lex, ')');
    return inner;
}

static const Node *parse_expression(Lexer *lex, int minimum)
{
    static const char symbols[] = "+-*/^";
    static const int power[] = {10, 10, 20, 20, 40};
    const Node *left = parse_prefix(lex);
    for (;;) {
        const char *hit = lex->kind == T_SYMBOL ? strchr(symbols, lex->symbol) : NULL;
        if (hit == NULL || power[hit - symbols] < minimum)
            return left;
        ptrdiff_t which = hit - symbols;
        advance(lex);
        /* ^ associates to the right, everything else to the left */
        const Node *right = parse_expression(lex, power[which] + (*hit != '^'));
        left = binary((Op)(ADD + which), left, right);
    }
}

static const Node *parse(const char *text)
{
    Lexer lex = {.at = text};
    advance(&lex);
    const Node *root = parse_expression(&lex, 0);
    if (lex.kind != T_END)
        fail("trailing input", lex.at);
    return root;
}

/* ---- printing, with parentheses around every nested binary operator ---- */

static size_t print(const Node *n, char *out, size_t used)
{
    size_t room = MAX_TEXT - used;
    if (room < 64)
        fail("expression too long to print", "");
    switch (n->op) {
    case NUM:
        return used + (size_t)snprintf(out + used, room, n->value < 0.0 ? "(%.17g)" : "%.17g", n->value);
    case VAR:
        return used + (size_t)snprintf(out + used, room, "%c", n->name);
    case ADD:
    case SUB:
    case MUL:
    case DIV:
    case POW:
        out[used++] = '(';
        used = print(n->left, out, used);
        out[used++] = "+-*/^"[n->op - ADD];
        used = print(n->right, out, used);
        break;
    default:
        used += (size_t)snprintf(out + used, room, "%s(", n->op == NEG ? "(-" : function_names[n->op - SIN]);
        used = print(n->left, out, used);
        if (n->op == NEG)
            out[used++] = ')';
        break;
    }
    out[used++] = ')';
    out[used] = '\0';
    return used;
}

/* ---- evaluation ---- */

static double apply(Op op, double a, double b)
{
    switch (op) {
    case NEG: return -a;
    case ADD: return a + b;
    case SUB: return a - b;
    case MUL: return a * b;
    case DIV: return a / b;
    case POW: return pow(a, b);
    case SIN: return sin(a);
    case COS: return cos(a);
    case EXP: return exp(a);
    case LN: return log(a);
    default: return sqrt(a);
    }
}

static double evaluate(const Node *n, double x, double y)
{
    if (n->op == NUM)
        return n->value;
    if (n->op == VAR)
        return n->name == 'x' ? x : y;
    double left = evaluate(n->left, x, y);
    return apply(n->op, left, n->right == NULL ? 0.0 : evaluate(n->right, x, y));
}

static size_t count_nodes(const Node *n)
{
    return n == NULL ? 0 : 1 + count_nodes(n->left) + count_nodes(n->right);
}

/* ---- calculus ---- */

static const Node *derive(const Node *n, char by)
{
    const Node *a = n->left, *b = n->right;
    switch (n->op) {
    case NUM:
    case VAR:
        return number(n->name == by ? 1.0 : 0.0);
    case NEG:
        return unary(NEG, derive(a, by));
    case ADD:
    case SUB:
        return binary(n->op, derive(a, by), derive(b, by));
    case MUL:
        return binary(ADD, binary(MUL, derive(a, by), b), binary(MUL, a, derive(b, by)));
    case DIV:
        return binary(DIV, binary(SUB, binary(MUL, derive(a, by), b), binary(MUL, a, derive(b, by))),
                      binary(POW, b, number(2.0)));
    case POW:
        if (b->op == NUM)
            return binary(MUL, binary(MUL, b, binary(POW, a, number(b->value - 1.0))), derive(a, by));
        return binary(MUL, n, derive(binary(MUL, b, unary(LN, a)), by));
    case SIN:
        return binary(MUL, unary(COS, a), derive(a, by));
    case COS:
        return unary(NEG, binary(MUL, unary(SIN, a), derive(a, by)));
    case EXP:
        return binary(MUL, n, derive(a, by));
    case LN:
        return binary(DIV, derive(a, by), a);
    default:
        return binary(DIV, derive(a, by), binary(MUL, number(2.0), n));
    }
}

static bool is_number(const Node *n, double value)
{
    return n->op == NUM && !(n->value < value) && !(n->value > value);
}

static bool same(const Node *a, const Node *b)
{
    if (a == b)
        return true;
    if (a == NULL || b == NULL || a->op != b->op || a->name != b->name)
        return false;
    return a->op == NUM ? is_number(a, b->value) : same(a->left, b->left) && same(a->right, b->right);
}

static const Node *simplify(const Node *n)
{
    if (n->op == NUM || n->op == VAR)
        return n;
    const Node *a = simplify(n->left);
    const Node *b = n->right == NULL ? NULL : simplify(n->right);
    if (a->op == NUM && (b == NULL || b->op == NUM)) {
        double value = apply(n->op, a->value, b == NULL ? 0.0 : b->value);
        if (isfinite(value))
            return number(value);
    }
    switch (n->op) {
    case NEG:
        if (a->op == NEG)
            return a->left;
        break;
    case ADD:
        if (is_number(a, 0.0))
            return b;
        if (is_number(b, 0.0))
            return a;
        if (b->op == NEG)
            return simplify(binary(SUB, a, b->left));
        if (same(a, b))
            return simplify(binary(MUL, number(2.0), a));
        break;
    case SUB:
        if (is_number(b, 0.0))
            return a;
        if (is_number(a, 0.0))
            return simplify(unary(NEG, b));
        if (same(a, b))
            return number(0.0);
        break;
    case MUL:
        if (is_number(a, 0.0) || is_number(b, 0.0))
            return number(0.0);
        if (is_number(a, 1.0))
            return b;
        if (is_number(b, 1.0))
            return a;
        if (b->op == NUM)
            return simplify(binary(MUL, b, a));
        if (a->op == NUM && b->op == MUL && b->left->op == NUM)
            return simplify(binary(MUL, number(a->value * b->left->value), b->right));
        break;
    case DIV:
        if (is_number(a, 0.0))
            return number(0.0);
        if (is_number(b, 1.0))
            return a;
        break;
    case POW:
        if (is_number(b, 1.0))
            return a;
        if (is_number(b, 0.0))
            return number(1.0);
        break;
    default:
        break;
    }
    return binary(n->op, a, b);
}

/* ---- stack machine ---- */

static void compile(Code *code, const Node *n)
{
    if (n->left != NULL)
        compile(code, n->left);
    if (n->right != NULL)
        compile(code, n->right);
    if (code->length == MAX_CODE)
        fail("expression too large to compile", "");
    code->code[code->length++] = (Inst){(uint8_t)n->op, n->name, n->value};
}

static int stack_depth(const Code *code)
{
    int depth = 0, deepest = 0;
    for (int i = 0; i < code->length; i++) {
        Op op = (Op)code->code[i].op;
        depth += op <= VAR ? 1 : op >= ADD && op <= POW ? -1 : 0;
        deepest = depth > deepest ? depth : deepest;
    }
    return deepest;
}

static double execute(const Code *code, double x, double y)
{
    double stack[MAX_STACK];
    int top = -1;
    for (const Inst *i = code->code, *end = i + code->length; i < end; i++) {
        switch ((Op)i->op) {
        case NUM: stack[++top] = i->value; break;
        case VAR: stack[++top] = i->name == 'x' ? x : y; break;
        case ADD: top--; stack[top] += stack[top + 1]; break;
        case SUB: top--; stack[top] -= stack[top + 1]; break;
        case MUL: top--; stack[top] *= stack[top + 1]; break;
        case DIV: top--; stack[top] /= stack[top + 1]; break;
        case POW: top--; stack[top] = pow(stack[top], stack[top + 1]); break;
        default: stack[top] = apply((Op)i->op, stack[top], 0.0); break;
        }
    }
    return stack[0];
}

static bool close_to(double a, double b, double tolerance)
{
    return fabs(a - b) <= tolerance * (1.0 + fabs(a) + fabs(b));
}

/* Sums the compiled expression over a grid of the unit square and spot-checks
 * it against the tree. */
static double tabulate(const Code *code, const Node *tree, int side)
{
    double sum = 0.0;
    for (int j = 0; j < side; j++) {
        for (int i = 0; i < side; i++) {
            double x = 0.5 + (double)i / side, y = 0.25 + (double)j / side;
            double value = execute(code, x, y);
            if ((i + j) % 7 == 0 && !close_to(value, evaluate(tree, x, y), 1e-12))
                fail("compiled code", "differs from the tree");
            sum += value;
        }
    }
    return sum / ((double)side * side);
}

static void study(const char *source, int side)
{
    static Code code;
    static char text[MAX_TEXT];
    const Node *tree = parse(source);
    printf("%s\n", source);
    for (int order = 0; order < 3; order++) {
        const Node *simple = simplify(tree);
        print(simple, text, 0);
        if (!same(simplify(parse(text)), simplify(simple)))
            fail("printed form does not parse back", text);
        code.length = 0;
        compile(&code, simple);
        int depth = stack_depth(&code);
        if (depth > MAX_STACK)
            fail("expression too deep", source);
        printf("  d%d: %zu nodes, %zu simplified, stack %d, mean %.6g\n", order, count_nodes(tree),
               count_nodes(simple), depth, tabulate(&code, simple, side));
        char by = order == 0 ? 'x' : 'y';
        const Node *slope = derive(simple, by);
        for (int k = 0; k < 5; k++) {
            double x = 0.6 + 0.15 * k, y = 0.9 - 0.1 * k, h = 1e-5;
            double dx = by == 'x' ? h : 0.0, dy = h - dx;
            double difference = (evaluate(simple, x + dx, y + dy) - evaluate(simple, x - dx, y - dy)) / (2.0 * h);
            if (!close_to(evaluate(slope, x, y), difference, 1e-5))
                fail("derivative does not match differences", text);
        }
        tree = slope;
    }
    pool_used = 0;
}

static int parse_size(int argc, char **argv, int fallback)
{
    if (argc < 2)
        return fallback;
    char *end;
    long value = strtol(argv[1], &end, 10);
    if (end == argv[1] || *end != '\0' || value < 1 || value > 10000) {
        fprintf(stderr, "usage: exprcalc [side], an integer from 1 to 10000\n");
        exit(2);
    }
    return (int)value;
}

int main(int argc, char **argv)
{
    static const char *const sources[] = {
        "x^3 - 2*x^2*y + 4*x - 7/(1 + y)",
        "sin(x*y) * exp(-x^2/2)",
        "sqrt(1 + x^2 + y^2) + 2*3*x - x*(4 - 4)",
        "ln(x + 1)^2 / (y + 0.5) - -y",
        "(x + 0.5)^(y + 1) + 2^-x",
        "cos(sin(cos(x + y)) - 1) * (x - y)^3",
        "1/(1 + 1/(1 + 1/(1 + x*y)))",
        "((((x + 1)*y + 2)*x + 3)*y + 4)*x + 2^3^0.5",
    };
    int side = parse_size(argc, argv, 150);
    for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++)
        study(sources[i], side);
    return 0;
}
