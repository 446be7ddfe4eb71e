/*
 * A small Lisp: reader, printer, lexical closures, tail calls, ten special
 * forms, a prelude written in Lisp and a mark-sweep collector over a fixed heap
 * with a shadow stack of roots. The guest programs check their own results, and
 * their answers are compared with the expected ones.
 */
#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEAP_CELLS = 20000, ROOTS = 40000, NAME_LENGTH = 15, MAX_PARAMETERS = 8, MAX_DEPTH = 3000, ROOM = 1024 };

typedef enum { FREE, NIL, NUMBER, SYMBOL, PAIR, BUILTIN, LAMBDA } Kind;

typedef enum { NOT_SPECIAL, QUOTE, IF, DEFINE, SET, LAMBDA_FORM, LET, COND, BEGIN, AND, OR } Special;

typedef enum {
    OP_ADD, OP_SUBTRACT, OP_MULTIPLY, OP_QUOTIENT, OP_REMAINDER, OP_LESS, OP_EQUAL, OP_EQ, OP_CONS, OP_HEAD, OP_TAIL,
    OP_LIST, OP_IS_NULL, OP_IS_PAIR, OP_IS_NUMBER
} Operation;

typedef struct Cell Cell;

struct Cell {
    Kind kind;
    bool marked;
    union {
        int64_t number;
        struct {
            Cell *head, *tail;
        } pair; /* on the free list, the tail is the next free cell */
        struct {
            Cell *parameters, *body, *environment;
        } lambda;
        struct {
            char name[NAME_LENGTH + 1];
            Cell *value; /* the global one */
            Cell *next;
            Special special;
        } symbol;
        int builtin; /* an index in the table of built-ins */
    } as;
};

static Cell heap[HEAP_CELLS], nil = {.kind = NIL};
static Cell *free_list, *symbols, *truth;
static Cell *roots[ROOTS], *pending[HEAP_CELLS];
static int root_count, pending_count, depth;
static char printed[ROOM];
static long collections, allocations, evaluations, most_live;

static void fail(const char *what, const char *detail)
{
    fprintf(stderr, "lisp: %s%s%s\n", what, detail[0] != '\0' ? ": " : "", detail);
    exit(1);
}

/* ---- memory ---- */

static void keep(Cell *cell)
{
    if (root_count == ROOTS)
        fail("too many roots", "");
    roots[root_count++] = cell;
}

/* Marks a cell, which may be null, and leaves it for "mark" to look inside. */
static void reach(Cell *cell)
{
    if (cell != NULL && !cell->marked) {
        cell->marked = true;
        pending[pending_count++] = cell;
    }
}

static void mark(Cell *start)
{
    reach(start);
    while (pending_count > 0) {
        Cell *cell = pending[--pending_count];
        if (cell->kind == PAIR) {
            reach(cell->as.pair.head);
            reach(cell->as.pair.tail);
        } else if (cell->kind == LAMBDA) {
            reach(cell->as.lambda.parameters);
            reach(cell->as.lambda.body);
            reach(cell->as.lambda.environment);
        } else if (cell->kind == SYMBOL) {
            reach(cell->as.symbol.value);
        }
    }
}

static void collect(void)
{
    long live = 0;
    for (int i = 0; i < root_count; i++)
        mark(roots[i]);
    for (Cell *symbol = symbols; symbol != NULL; symbol = symbol->as.symbol.next)
        mark(symbol);
    free_list = NULL;
    for (int i = HEAP_CELLS; i-- > 0;) {
        Cell *cell = &heap[i];
        live += cell->marked;
        if (!cell->marked) {
            cell->kind = FREE;
            cell->as.pair.tail = free_list;
            free_list = cell;
        }
        cell->marked = false;
    }
    nil.marked = false;
    most_live = live > most_live ? live : most_live;
    collections++;
}

/* The new cell is a root until the evaluation that made it leaves. */
static Cell *new_cell(Kind kind)
{
    if (free_list == NULL)
        collect();
    if (free_list == NULL)
        fail("out of memory", "");
    Cell *cell = free_list;
    free_list = cell->as.pair.tail;
    cell->kind = kind;
    allocations++;
    keep(cell);
    return cell;
}

static Cell *make_number(int64_t number)
{
    Cell *cell = new_cell(NUMBER);
    cell->as.number = number;
    return cell;
}

/* The head and the tail are reachable from the roots already. */
static Cell *cons(Cell *head, Cell *tail)
{
    Cell *cell = new_cell(PAIR);
    cell->as.pair.head = head;
    cell->as.pair.tail = tail;
    return cell;
}

static Cell *intern(const char *name, size_t length)
{
    if (length > NAME_LENGTH)
        fail("name is too long", name);
    for (Cell *symbol = symbols; symbol != NULL; symbol = symbol->as.symbol.next)
        if (strncmp(symbol->as.symbol.name, name, length) == 0 && symbol->as.symbol.name[length] == '\0')
            return symbol;
    Cell *symbol = new_cell(SYMBOL);
    memset(&symbol->as, 0, sizeof symbol->as);
    memcpy(symbol->as.symbol.name, name, length);
    symbol->as.symbol.next = symbols;
    symbols = symbol;
    return symbol;
}

/* ---- reader and printer ---- */

static const char *skip_blanks(const char *text)
{
    while (isspace((unsigned char)*text))
        text++;
    return text;
}

static Cell *read_form(const char **text);

static Cell *read_list(const char **text)
{
    *text = skip_blanks(*text);
    if (**text == ')') {
        ++*text;
        return &nil;
    }
    Cell *head = read_form(text);
    return cons(head, read_list(text));
}

static Cell *read_form(const char **text)
{
    *text = skip_blanks(*text);
    const char *start = *text;
    if (*start == '\0' || *start == ')')
        fail("expected a form", start);
    if (*start == '(') {
        ++*text;
        return read_list(text);
    }
    if (*start == '\'') {
        ++*text;
        Cell *quoted = cons(read_form(text), &nil);
        return cons(intern("quote", 5), quoted);
    }
    while (**text != '\0' && !isspace((unsigned char)**text) && **text != '(' && **text != ')')
        ++*text;
    char *end;
    int64_t number = strtoll(start, &end, 10);
    return end == *text ? make_number(number) : intern(start, (size_t)(*text - start));
}

static void put(const char *text)
{
    if (strlen(printed) + strlen(text) >= ROOM)
        fail("the result is too long to print", "");
    strcat(printed, text);
}

static void print(const Cell *cell)
{
    char number[24];
    switch (cell->kind) {
    case NUMBER:
        snprintf(number, sizeof number, "%lld", (long long)cell->as.number);
        put(number);
        break;
    case SYMBOL:
        put(cell->as.symbol.name);
        break;
    case PAIR:
    case NIL:
        put("(");
        for (; cell->kind == PAIR; cell = cell->as.pair.tail) {
            print(cell->as.pair.head);
            if (cell->as.pair.tail->kind != NIL)
                put(cell->as.pair.tail->kind == PAIR ? " " : " . ");
        }
        if (cell->kind != NIL)
            print(cell);
        put(")");
        break;
    default:
        put(cell->kind == LAMBDA ? "#lambda" : "#builtin");
        break;
    }
}

/* ---- built-ins ---- */

static Cell *expect(Kind kind, Cell *cell)
{
    if (cell->kind != kind)
        fail(kind == PAIR ? "a pair was expected" : "a number was expected", "");
    return cell;
}

/* Numbers wrap around. */
static Cell *arithmetic(Operation operation, int64_t a, int64_t b)
{
    switch (operation) {
    case OP_ADD:
        return make_number((int64_t)((uint64_t)a + (uint64_t)b));
    case OP_SUBTRACT:
        return make_number((int64_t)((uint64_t)a - (uint64_t)b));
    case OP_MULTIPLY:
        return make_number((int64_t)((uint64_t)a * (uint64_t)b));
    case OP_LESS:
        return a < b ? truth : &nil;
    case OP_EQUAL:
        return a == b ? truth : &nil;
    default:
        if (b <= 0)
            fail("the divisor must be positive", "");
        return make_number(operation == OP_QUOTIENT ? a / b : a % b);
    }
}

static const struct {
    const char *name;
    Operation operation;
    int least, most;
} builtins[] = {
    {"+", OP_ADD, 2, 2},         {"-", OP_SUBTRACT, 2, 2},     {"*", OP_MULTIPLY, 2, 2},
    {"<", OP_LESS, 2, 2},        {"=", OP_EQUAL, 2, 2},        {"quotient", OP_QUOTIENT, 2, 2},
    {"eq?", OP_EQ, 2, 2},        {"cons", OP_CONS, 2, 2},      {"remainder", OP_REMAINDER, 2, 2},
    {"car", OP_HEAD, 1, 1},      {"cdr", OP_TAIL, 1, 1},       {"list", OP_LIST, 0, MAX_PARAMETERS},
    {"null?", OP_IS_NULL, 1, 1}, {"not", OP_IS_NULL, 1, 1},    {"number?", OP_IS_NUMBER, 1, 1},
    {"pair?", OP_IS_PAIR, 1, 1},
};

static Cell *call_builtin(const Cell *function, Cell *const *arguments, int count)
{
    int index = function->as.builtin;
    if (count < builtins[index].least || count > builtins[index].most)
        fail("wrong number of arguments", builtins[index].name);
    Cell *first = count > 0 ? arguments[0] : &nil, *second = count > 1 ? arguments[1] : &nil, *list = &nil;
    switch (builtins[index].operation) {
    case OP_EQ:
        if (first->kind == NUMBER && second->kind == NUMBER)
            return first->as.number == second->as.number ? truth : &nil;
        return first == second ? truth : &nil;
    case OP_CONS:
        return cons(first, second);
    case OP_HEAD:
        return expect(PAIR, first)->as.pair.head;
    case OP_TAIL:
        return expect(PAIR, first)->as.pair.tail;
    case OP_LIST:
        while (count > 0)
            list = cons(arguments[--count], list);
        return list;
    case OP_IS_NULL:
        return first->kind == NIL ? truth : &nil;
    case OP_IS_PAIR:
        return first->kind == PAIR ? truth : &nil;
    case OP_IS_NUMBER:
        return first->kind == NUMBER ? truth : &nil;
    default:
        return arithmetic(builtins[index].operation, expect(NUMBER, first)->as.number,
                          expect(NUMBER, second)->as.number);
    }
}

static const char *const special_names[] = {
    [QUOTE] = "quote", [IF] = "if", [DEFINE] = "define", [SET] = "set!", [LAMBDA_FORM] = "lambda",
    [LET] = "let", [COND] = "cond", [BEGIN] = "begin", [AND] = "and", [OR] = "or",
};

/* ---- evaluator ---- */

/* An environment is a list of bindings, each a pair of a symbol and a value, innermost first. */
static Cell **find_variable(Cell *symbol, Cell *environment)
{
    for (; environment->kind == PAIR; environment = environment->as.pair.tail)
        if (environment->as.pair.head->as.pair.head == symbol)
            return &environment->as.pair.head->as.pair.tail;
    if (symbol->as.symbol.value == NULL)
        fail("undefined", symbol->as.symbol.name);
    return &symbol->as.symbol.value;
}

static Cell *nth(Cell *list, int index)
{
    while (index-- > 0)
        list = expect(PAIR, list)->as.pair.tail;
    return expect(PAIR, list)->as.pair.head;
}

static Cell *make_lambda(Cell *parameters, Cell *body, Cell *environment)
{
    Cell *lambda = new_cell(LAMBDA);
    lambda->as.lambda.parameters = parameters;
    lambda->as.lambda.body = body;
    lambda->as.lambda.environment = environment;
    return lambda;
}

static Cell *eval(Cell *form, Cell *environment);

/* Evaluates all forms of a body but the last, which it returns for a tail call. */
static Cell *eval_leading(Cell *body, Cell *environment)
{
    for (; expect(PAIR, body)->as.pair.tail->kind == PAIR; body = body->as.pair.tail)
        eval(body->as.pair.head, environment);
    return body->as.pair.head;
}

/* (define name form) or (define (name parameter ...) form ...), always global */
static Cell *eval_define(Cell *form, Cell *environment)
{
    Cell *target = nth(form, 1), *body = form->as.pair.tail->as.pair.tail, *value;
    if (target->kind == PAIR) {
        value = make_lambda(target->as.pair.tail, body, environment);
        target = target->as.pair.head;
    } else {
        value = eval(nth(body, 0), environment);
    }
    if (target->kind != SYMBOL)
        fail("define needs a name", "");
    target->as.symbol.value = value;
    return target;
}

static Cell *bind_arguments(const Cell *lambda, Cell *const *arguments, int count)
{
    Cell *environment = lambda->as.lambda.environment, *parameter = lambda->as.lambda.parameters;
    int bound = 0;
    for (; parameter->kind == PAIR && bound < count; parameter = parameter->as.pair.tail)
        environment = cons(cons(parameter->as.pair.head, arguments[bound++]), environment);
    if (parameter->kind != NIL || bound != count)
        fail("wrong number of arguments for a lambda", "");
    return environment;
}

/*
 * Evaluates a special form to a result, or returns null and leaves in *form and
 * *environment what to evaluate in its place.
 */
static Cell *eval_special(Special special, Cell **form, Cell **environment)
{
    Cell *rest = (*form)->as.pair.tail, *value = special == AND ? truth : &nil;
    switch (special) {
    case QUOTE:
        return nth(rest, 0);
    case IF:
        *form = nth(rest, eval(nth(rest, 0), *environment)->kind != NIL ? 1 : 2);
        return NULL;
    case DEFINE:
        return eval_define(*form, *environment);
    case SET:
        value = eval(nth(rest, 1), *environment);
        return *find_variable(nth(rest, 0), *environment) = value;
    case LAMBDA_FORM:
        return make_lambda(nth(rest, 0), rest->as.pair.tail, *environment);
    case LET:
        value = *environment;
        for (Cell *list = nth(rest, 0); list->kind == PAIR; list = list->as.pair.tail)
            value = cons(cons(nth(list->as.pair.head, 0), eval(nth(list->as.pair.head, 1), *environment)), value);
        *environment = value;
        *form = eval_leading(rest->as.pair.tail, *environment);
        return NULL;
    case COND:
        while (rest->kind == PAIR && eval(nth(rest->as.pair.head, 0), *environment)->kind == NIL)
            rest = rest->as.pair.tail;
        if (rest->kind == NIL)
            return &nil;
        rest = rest->as.pair.head->as.pair.tail;
        *form = eval_leading(rest, *environment);
        return NULL;
    case BEGIN:
        *form = eval_leading(rest, *environment);
        return NULL;
    default: /* AND, OR */
        for (; rest->kind == PAIR && (value->kind == NIL) == (special == OR); rest = rest->as.pair.tail)
            value = eval(rest->as.pair.head, *environment);
        return value;
    }
}

static Cell *eval(Cell *form, Cell *environment)
{
    int base = root_count;
    if (++depth > MAX_DEPTH)
        fail("recursion is too deep", "");
    Cell *result = NULL;
    while (result == NULL) {
        root_count = base;
        keep(form);
        keep(environment);
        evaluations++;
        if (form->kind == SYMBOL) {
            result = *find_variable(form, environment);
        } else if (form->kind != PAIR) {
            result = form;
        } else if (form->as.pair.head->kind == SYMBOL && form->as.pair.head->as.symbol.special != NOT_SPECIAL) {
            result = eval_special(form->as.pair.head->as.symbol.special, &form, &environment);
        } else {
            Cell *function = eval(form->as.pair.head, environment), *arguments[MAX_PARAMETERS];
            int count = 0;
            for (Cell *list = form->as.pair.tail; list->kind == PAIR; list = list->as.pair.tail) {
                if (count == MAX_PARAMETERS)
                    fail("too many arguments", "");
                arguments[count++] = eval(list->as.pair.head, environment);
            }
            if (function->kind == BUILTIN) {
                result = call_builtin(function, arguments, count);
            } else if (function->kind == LAMBDA) {
                environment = bind_arguments(function, arguments, count);
                form = eval_leading(function->as.lambda.body, environment);
            } else {
                fail("not a function", "");
            }
        }
    }
    depth--;
    root_count = base;
    keep(result);
    return result;
}

static void set_up(void)
{
    collect(); /* which puts the whole heap on the free list */
    collections = 0;
    truth = intern("t", 1);
    truth->as.symbol.value = truth;
    intern("nil", 3)->as.symbol.value = &nil;
    for (Special special = QUOTE; special <= OR; special++)
        intern(special_names[special], strlen(special_names[special]))->as.symbol.special = special;
    for (size_t i = 0; i < sizeof builtins / sizeof *builtins; i++) {
        Cell *builtin = new_cell(BUILTIN);
        builtin->as.builtin = (int)i;
        intern(builtins[i].name, strlen(builtins[i].name))->as.symbol.value = builtin;
    }
}

/* Evaluates all forms of a text and prints the last one's value. */
static void run(const char *text)
{
    Cell *result = &nil;
    while (*(text = skip_blanks(text)) != '\0') {
        root_count = 0;
        result = eval(read_form(&text), &nil);
    }
    printed[0] = '\0';
    print(result);
}

/* ---- guest programs ---- */

static const char prelude[] =
    "(define (map f l) (if (null? l) nil (cons (f (car l)) (map f (cdr l)))))"
    "(define (filter p l) (cond ((null? l) nil) ((p (car l)) (cons (car l) (filter p (cdr l))))"
    "  (t (filter p (cdr l)))))"
    "(define (fold f x l) (if (null? l) x (fold f (f x (car l)) (cdr l))))"
    "(define (reverse l) (fold (lambda (done item) (cons item done)) nil l))"
    "(define (append a b) (if (null? a) b (cons (car a) (append (cdr a) b))))"
    "(define (length l) (fold (lambda (n item) (+ n 1)) 0 l))"
    "(define (range a b) (if (< a b) (cons a (range (+ a 1) b)) nil))"
    "(define (random-list n seed) (if (= n 0) nil"
    "  (cons (remainder seed 1000) (random-list (- n 1) (remainder (+ (* seed 1103) 12345) 65537)))))";

static const struct {
    const char *name, *definitions, *call, *expected; /* %d in the call is the size */
} guests[] = {
    {"fib",
     "(define (fib n) (if (< n 2) n (+ (fib (- n 1)) (fib (- n 2)))))"
     "(define (fast n a b) (if (= n 0) a (fast (- n 1) b (+ a b))))",
     "(= (fib (quotient %d 5)) (fast (quotient %d 5) 0 1))", "t"},
    {"sort",
     "(define (split l a b) (if (null? l) (list a b) (split (cdr l) b (cons (car l) a))))"
     "(define (merge a b) (cond ((null? a) b) ((null? b) a)"
     "  ((< (car b) (car a)) (cons (car b) (merge a (cdr b)))) (t (cons (car a) (merge (cdr a) b)))))"
     "(define (sort l) (if (or (null? l) (null? (cdr l))) l"
     "  (let ((halves (split l nil nil))) (merge (sort (car halves)) (sort (car (cdr halves)))))))",
     "(begin (define l (random-list %d 42)) (define s (sort l))"
     " (define ordered (car (fold (lambda (a b) (list (and (car a) (not (< b (car (cdr a))))) b)) (list t 0) s)))"
     " (list ordered (= (fold + 0 l) (fold + 0 s)) (= (length s) %d)))", "(t t t)"},
    {"queens",
     "(define (safe? row ahead queens) (or (null? queens)"
     "  (and (not (= row (car queens))) (not (= ahead (- row (car queens)))) (not (= ahead (- (car queens) row)))"
     "       (safe? row (+ ahead 1) (cdr queens)))))"
     "(define (place n left queens) (if (= left 0) 1 (fold (lambda (sum row)"
     "  (if (safe? row 1 queens) (+ sum (place n (- left 1) (cons row queens))) sum)) 0 (range 0 n))))",
     "(map (lambda (n) (place n n nil)) '(4 5 6))", "(2 10 4)"},
    {"primes",
     "(define (sieve l) (if (null? l) nil (cons (car l)"
     "  (sieve (filter (lambda (n) (not (= 0 (remainder n (car l))))) (cdr l))))))"
     "(define (prime? n d) (cond ((< n (* d d)) t) ((= 0 (remainder n d)) nil) (t (prime? n (+ d 1)))))",
     "(- (length (sieve (range 2 (* 4 %d)))) (length (filter (lambda (n) (prime? n 2)) (range 2 (* 4 %d)))))", "0"},
    {"derive",
     "(define (second l) (car (cdr l))) (define (third l) (car (cdr (cdr l))))"
     "(define (derive e) (cond ((number? e) 0) ((eq? e 'x) 1)"
     "  ((eq? (car e) '+) (list '+ (derive (second e)) (derive (third e))))"
     "  (t (list '+ (list '* (derive (second e)) (third e)) (list '* (second e) (derive (third e)))))))"
     "(define (simplify e) (if (not (pair? e)) e"
     "  (let ((op (car e)) (a (simplify (second e))) (b (simplify (third e))))"
     "    (cond ((and (number? a) (number? b)) (if (eq? op '+) (+ a b) (* a b)))"
     "          ((and (eq? op '+) (eq? a 0)) b) ((and (eq? op '+) (eq? b 0)) a)"
     "          ((and (eq? op '*) (or (eq? a 0) (eq? b 0))) 0)"
     "          ((and (eq? op '*) (eq? a 1)) b) ((and (eq? op '*) (eq? b 1)) a)"
     "          (t (list op a b))))))",
     "(simplify (derive '(+ (* 3 (* x x)) (+ (* 5 x) 7))))", "(+ (* 3 (+ x x)) 5)"},
    {"counter",
     "(define (make-counter) (let ((n 0)) (lambda () (set! n (+ n 1)))))"
     "(define (spin tick n) (if (= n 1) (tick) (begin (tick) (spin tick (- n 1)))))",
     "(- (spin (make-counter) (* 50 %d)) (* 50 %d))", "0"},
};

static void run_guest(size_t index, int size)
{
    char call[512];
    long before = evaluations;
    snprintf(call, sizeof call, guests[index].call, size, size);
    run(guests[index].definitions);
    run(call);
    if (strcmp(printed, guests[index].expected) != 0)
        fail("wrong answer", guests[index].name);
    printf("%-8s %s, %ld evaluations\n", guests[index].name, printed, evaluations - before);
}

int main(int argc, char **argv)
{
    long size = 130;
    if (argc > 1) {
        char *end;
        size = strtol(argv[1], &end, 10);
        if (end == argv[1] || *end != '\0' || size < 5 || size > 150) {
            fprintf(stderr, "lisp: size must be a number from 5 to 150, not '%s'\n", argv[1]);
            return 2;
        }
    }
    set_up();
    run(prelude);
    for (size_t i = 0; i < sizeof guests / sizeof *guests; i++)
        run_guest(i, (int)size);
    root_count = 0;
    collect();
    printf("memory: %ld cells allocated, %ld collections, at most %ld live\n", allocations, collections, most_live);
    return 0;
}
