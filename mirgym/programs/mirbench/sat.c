/*
 * A conflict-driven SAT solver (two watched literals, first-UIP learning,
 * variable activities, phase saving, Luby restarts) on random 3-SAT and pigeonholes,
 * and a dancing-links exact-cover solver for sudoku. Models are checked, small
 * formulas compared with brute force, and sudoku grids with the SAT solver's.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RESTART_UNIT = 64, SIDE = 9, CELLS = SIDE * SIDE, COLUMNS = 4 * CELLS };
enum { MAX_LINKS = 1 + COLUMNS + 4 * CELLS * SIDE };

/* A literal is 2 v for the variable v and 2 v + 1 for its negation. */
typedef int Literal;

typedef enum { UNSET = -1, FALSE_VALUE, TRUE_VALUE } Value;

typedef struct {
    int *data;
    int count, room;
} IntList;

typedef struct {
    int variables;
    IntList pool;      /* clauses, each a length and its literals */
    IntList *watchers; /* of each literal: offsets of clauses in the pool */
    int originals;     /* the part of the pool that is not learned */
    int8_t *value, *phase, *seen;
    int *level, *reason;
    IntList trail, level_starts, learned;
    int propagated;
    double *activity, increment;
    long conflicts, decisions, propagations;
    bool contradiction;
} Solver;

typedef struct {
    int left, right, up, down, column, row;
} Link;

typedef struct {
    Link link[MAX_LINKS];
    int size[COLUMNS + 1];
    int used, chosen[CELLS], depth;
    long visits;
    int solutions;
    char grid[CELLS + 1];
} Cover;

static uint32_t rng_state = 2463534242u;

static void check(bool ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "sat: %s\n", what);
        exit(1);
    }
}

static uint32_t random_below(uint32_t limit)
{
    rng_state ^= rng_state << 13;
    rng_state ^= rng_state >> 17;
    rng_state ^= rng_state << 5;
    return (uint32_t)((uint64_t)rng_state * limit >> 32);
}

static void *zeroed(int count, size_t size)
{
    void *memory = calloc((size_t)count + 1, size);
    check(memory != NULL, "out of memory");
    return memory;
}

static void push(IntList *list, int item)
{
    if (list->count == list->room) {
        list->room = list->room == 0 ? 8 : 2 * list->room;
        list->data = realloc(list->data, (size_t)list->room * sizeof *list->data);
        check(list->data != NULL, "out of memory");
    }
    list->data[list->count++] = item;
}

/* ---- the solver ---- */

static Solver *new_solver(int variables)
{
    Solver *s = zeroed(1, sizeof *s);
    s->variables = variables;
    s->watchers = zeroed(2 * variables, sizeof *s->watchers);
    s->value = zeroed(variables, 1);
    s->phase = zeroed(variables, 1);
    s->seen = zeroed(variables, 1);
    s->level = zeroed(variables, sizeof *s->level);
    s->reason = zeroed(variables, sizeof *s->reason);
    s->activity = zeroed(variables, sizeof *s->activity);
    s->increment = 1.0;
    for (int i = 0; i < variables; i++)
        s->value[i] = UNSET;
    return s;
}

static void free_solver(Solver *s)
{
    for (int i = 0; i < 2 * s->variables; i++)
        free(s->watchers[i].data);
    void *parts[] = {s->pool.data, s->trail.data, s->level_starts.data, s->learned.data, s->watchers, s->value,
                     s->phase,     s->seen,       s->level,             s->reason,       s->activity, s};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        free(parts[i]);
}

static Value literal_value(const Solver *s, Literal literal)
{
    int value = s->value[literal / 2];
    return value == UNSET ? UNSET : (Value)(value ^ (literal & 1));
}

static void assign(Solver *s, Literal literal, int reason)
{
    int variable = literal / 2;
    s->value[variable] = literal % 2 == 0 ? TRUE_VALUE : FALSE_VALUE;
    s->level[variable] = s->level_starts.count;
    s->reason[variable] = reason;
    push(&s->trail, literal);
}

/* Adds a clause to the pool and watches its first two literals. */
static int store_clause(Solver *s, const Literal *literals, int count)
{
    int at = s->pool.count;
    push(&s->pool, count);
    for (int i = 0; i < count; i++)
        push(&s->pool, literals[i]);
    if (count > 1) {
        push(&s->watchers[literals[0]], at);
        push(&s->watchers[literals[1]], at);
    }
    return at;
}

static void add_clause(Solver *s, const Literal *literals, int count)
{
    int at = store_clause(s, literals, count);
    s->originals = s->pool.count;
    if (count == 0 || (count == 1 && literal_value(s, literals[0]) == FALSE_VALUE))
        s->contradiction = true;
    else if (count == 1 && literal_value(s, literals[0]) == UNSET)
        assign(s, literals[0], at);
}

/* Returns the offset of a clause that is false, or -1. */
static int propagate(Solver *s)
{
    while (s->propagated < s->trail.count) {
        Literal falsified = s->trail.data[s->propagated++] ^ 1;
        IntList *list = &s->watchers[falsified];
        int kept = 0, conflict = -1;
        s->propagations++;
        for (int i = 0; i < list->count; i++) {
            int at = list->data[i], length = s->pool.data[at];
            Literal *clause = &s->pool.data[at + 1];
            if (clause[0] == falsified) {
                clause[0] = clause[1];
                clause[1] = falsified;
            }
            bool moved = false;
            if (conflict < 0 && literal_value(s, clause[0]) != TRUE_VALUE) {
                for (int k = 2; k < length && !moved; k++) {
                    if (literal_value(s, clause[k]) != FALSE_VALUE) {
                        clause[1] = clause[k];
                        clause[k] = falsified;
                        push(&s->watchers[clause[1]], at);
                        moved = true;
                    }
                }
                if (!moved && literal_value(s, clause[0]) == FALSE_VALUE)
                    conflict = at;
                else if (!moved)
                    assign(s, clause[0], at);
            }
            if (!moved)
                list->data[kept++] = at;
        }
        list->count = kept;
        if (conflict >= 0)
            return conflict;
    }
    return -1;
}

static void backtrack(Solver *s, int level)
{
    if (s->level_starts.count <= level)
        return;
    int start = s->level_starts.data[level];
    while (s->trail.count > start) {
        int variable = s->trail.data[--s->trail.count] / 2;
        s->phase[variable] = s->value[variable];
        s->value[variable] = UNSET;
    }
    s->propagated = start;
    s->level_starts.count = level;
}

static void bump(Solver *s, int variable)
{
    s->activity[variable] += s->increment;
    if (s->activity[variable] > 0x1p100) { /* powers of two, so that scaling is exact */
        for (int i = 0; i < s->variables; i++)
            s->activity[i] *= 0x1p-100;
        s->increment *= 0x1p-100;
    }
}

/* The unassigned variable of the highest activity, or -1. */
static int most_active(const Solver *s)
{
    int best = -1;
    for (int i = 0; i < s->variables; i++)
        if (s->value[i] == UNSET && (best < 0 || s->activity[i] > s->activity[best]))
            best = i;
    return best;
}

/* Resolves back to the first unique implication point; returns the level to return to. */
static int analyse(Solver *s, int conflict)
{
    int open = 0, at = s->trail.count, back_to = 0, second = 1;
    Literal resolved = -1;
    s->learned.count = 0;
    push(&s->learned, 0);
    for (int clause = conflict;;) {
        for (int i = 1; i <= s->pool.data[clause]; i++) {
            Literal literal = s->pool.data[clause + i];
            int variable = literal / 2;
            if (literal == resolved || s->seen[variable] || s->level[variable] == 0)
                continue;
            s->seen[variable] = 1;
            bump(s, variable);
            if (s->level[variable] == s->level_starts.count)
                open++;
            else
                push(&s->learned, literal);
        }
        do
            at--;
        while (!s->seen[s->trail.data[at] / 2]);
        resolved = s->trail.data[at];
        s->seen[resolved / 2] = 0;
        if (--open == 0) {
            s->learned.data[0] = resolved ^ 1;
            break;
        }
        clause = s->reason[resolved / 2];
    }
    for (int i = 1; i < s->learned.count; i++) {
        int variable = s->learned.data[i] / 2;
        s->seen[variable] = 0;
        if (s->level[variable] > back_to) {
            back_to = s->level[variable];
            second = i;
        }
    }
    if (s->learned.count > 1) {
        Literal swap = s->learned.data[1];
        s->learned.data[1] = s->learned.data[second];
        s->learned.data[second] = swap;
    }
    return back_to;
}

/* 1 1 2 1 1 2 4 1 1 2 1 1 2 4 8 ... */
static long luby(long index)
{
    for (;;) {
        long block = 1;
        while (2 * block - 1 < index)
            block *= 2;
        if (2 * block - 1 == index)
            return block;
        index -= block - 1;
    }
}

static bool solve(Solver *s)
{
    long restarts = 1, until_restart = RESTART_UNIT;
    while (!s->contradiction) {
        int conflict = propagate(s);
        if (conflict >= 0) {
            s->conflicts++;
            until_restart--;
            if (s->level_starts.count == 0)
                return false;
            backtrack(s, analyse(s, conflict));
            assign(s, s->learned.data[0], store_clause(s, s->learned.data, s->learned.count));
            s->increment *= 1.0625;
            continue;
        }
        if (until_restart <= 0) {
            until_restart = RESTART_UNIT * luby(++restarts);
            backtrack(s, 0);
            continue;
        }
        int variable = most_active(s);
        if (variable < 0)
            return true;
        s->decisions++;
        push(&s->level_starts, s->trail.count);
        assign(s, 2 * variable + (s->phase[variable] == TRUE_VALUE ? 0 : 1), -1);
    }
    return false;
}

static bool solve_checked(Solver *s)
{
    if (!solve(s))
        return false;
    for (int at = 0; at < s->originals; at += s->pool.data[at] + 1) {
        bool satisfied = false;
        for (int i = 1; i <= s->pool.data[at]; i++)
            satisfied = satisfied || literal_value(s, s->pool.data[at + i]) == TRUE_VALUE;
        check(satisfied, "the model leaves a clause unsatisfied");
    }
    return true;
}

/* ---- formulas ---- */

static Solver *random_formula(int variables, int clauses)
{
    Solver *s = new_solver(variables);
    for (int i = 0; i < clauses; i++) {
        Literal clause[3];
        for (int j = 0; j < 3; j++) {
            int variable;
            do
                variable = (int)random_below((uint32_t)variables);
            while ((j > 0 && variable == clause[0] / 2) || (j > 1 && variable == clause[1] / 2));
            clause[j] = 2 * variable + (int)random_below(2);
        }
        add_clause(s, clause, 3);
    }
    return s;
}

static bool brute_force(const Solver *s)
{
    for (uint32_t model = 0; model < 1u << s->variables; model++) {
        bool good = true;
        for (int at = 0; at < s->originals && good; at += s->pool.data[at] + 1) {
            good = false;
            for (int i = 1; i <= s->pool.data[at] && !good; i++)
                good = (model >> (s->pool.data[at + i] / 2) & 1) != (uint32_t)(s->pool.data[at + i] % 2);
        }
        if (good)
            return true;
    }
    return false;
}

static void section_random(int variables)
{
    int satisfiable = 0, small_satisfiable = 0, rounds = 10;
    long conflicts = 0, decisions = 0, propagations = 0;
    for (int i = 0; i < rounds; i++) {
        Solver *small = random_formula(10, 36 + 2 * i);
        bool expected = brute_force(small);
        check(solve_checked(small) == expected, "the solver and brute force differ");
        small_satisfiable += expected;
        free_solver(small);

        Solver *s = random_formula(variables, variables * 426 / 100);
        satisfiable += solve_checked(s);
        conflicts += s->conflicts;
        decisions += s->decisions;
        propagations += s->propagations;
        free_solver(s);
    }
    printf("random: %d of %d small and %d of %d large formulas satisfiable\n", small_satisfiable, rounds, satisfiable,
           rounds);
    printf("random: %ld conflicts, %ld decisions, %ld propagations\n", conflicts, decisions, propagations);
}

static void add_exactly_one(Solver *s, const Literal *literals, int count)
{
    add_clause(s, literals, count);
    for (int i = 0; i < count; i++)
        for (int j = 0; j < i; j++)
            add_clause(s, (Literal[]){literals[i] ^ 1, literals[j] ^ 1}, 2);
}

static void section_pigeons(int holes)
{
    Solver *s = new_solver(holes * (holes + 1));
    for (int pigeon = 0; pigeon <= holes; pigeon++) {
        Literal places[16];
        for (int hole = 0; hole < holes; hole++)
            places[hole] = 2 * (pigeon * holes + hole);
        add_clause(s, places, holes);
        for (int other = 0; other < pigeon; other++)
            for (int hole = 0; hole < holes; hole++)
                add_clause(s, (Literal[]){places[hole] ^ 1, 2 * (other * holes + hole) + 1}, 2);
    }
    check(!solve_checked(s), "pigeons cannot fit");
    printf("pigeons: %d do not fit into %d holes, %ld conflicts\n", holes + 1, holes, s->conflicts);
    free_solver(s);
}

/* ---- sudoku as exact cover, by dancing links ---- */

/* The four constraints that a digit in a cell meets. */
static void constraints_of(int cell, int digit, int columns[4])
{
    int row = cell / SIDE, column = cell % SIDE, box = row / 3 * 3 + column / 3;
    columns[0] = cell;
    columns[1] = CELLS + row * SIDE + digit;
    columns[2] = 2 * CELLS + column * SIDE + digit;
    columns[3] = 3 * CELLS + box * SIDE + digit;
}

static void cover_column(Cover *cover, int column)
{
    Link *link = cover->link;
    link[link[column].left].right = link[column].right;
    link[link[column].right].left = link[column].left;
    for (int i = link[column].down; i != column; i = link[i].down) {
        for (int j = link[i].right; j != i; j = link[j].right) {
            link[link[j].up].down = link[j].down;
            link[link[j].down].up = link[j].up;
            cover->size[link[j].column]--;
        }
    }
}

static void uncover_column(Cover *cover, int column)
{
    Link *link = cover->link;
    for (int i = link[column].up; i != column; i = link[i].up) {
        for (int j = link[i].left; j != i; j = link[j].left) {
            cover->size[link[j].column]++;
            link[link[j].up].down = j;
            link[link[j].down].up = j;
        }
    }
    link[link[column].left].right = column;
    link[link[column].right].left = column;
}

static void build_cover(Cover *cover, const char *puzzle)
{
    memset(cover, 0, sizeof *cover);
    for (int i = 0; i <= COLUMNS; i++)
        cover->link[i] = (Link){i == 0 ? COLUMNS : i - 1, i == COLUMNS ? 0 : i + 1, i, i, i, -1};
    cover->used = COLUMNS + 1;
    for (int row = 0; row < CELLS * SIDE; row++) {
        if (puzzle[row / SIDE] != '.' && puzzle[row / SIDE] - '1' != row % SIDE)
            continue;
        int columns[4], first = cover->used;
        constraints_of(row / SIDE, row % SIDE, columns);
        for (int i = 0; i < 4; i++) {
            int here = cover->used++, column = columns[i] + 1, last = cover->link[column].up;
            cover->link[here] = (Link){i == 0 ? first + 3 : here - 1, i == 3 ? first : here + 1, last, column, column,
                                       row};
            cover->link[last].down = here;
            cover->link[column].up = here;
            cover->size[column]++;
        }
    }
}

/* Stops at the second solution. */
static void search_cover(Cover *cover)
{
    Link *link = cover->link;
    cover->visits++;
    if (link[0].right == 0) {
        cover->solutions++;
        for (int i = 0; i < cover->depth; i++)
            cover->grid[cover->chosen[i] / SIDE] = (char)('1' + cover->chosen[i] % SIDE);
        return;
    }
    int best = link[0].right;
    for (int i = best; i != 0; i = link[i].right)
        if (cover->size[i] < cover->size[best])
            best = i;
    cover_column(cover, best);
    for (int i = link[best].down; i != best && cover->solutions < 2; i = link[i].down) {
        cover->chosen[cover->depth++] = link[i].row;
        for (int j = link[i].right; j != i; j = link[j].right)
            cover_column(cover, link[j].column);
        search_cover(cover);
        for (int j = link[i].left; j != i; j = link[j].left)
            uncover_column(cover, link[j].column);
        cover->depth--;
    }
    uncover_column(cover, best);
}

static bool is_solution(const char *grid, const char *puzzle)
{
    bool met[COLUMNS] = {false};
    for (int cell = 0; cell < CELLS; cell++) {
        int columns[4];
        if (puzzle[cell] != '.' && puzzle[cell] != grid[cell])
            return false;
        constraints_of(cell, grid[cell] - '1', columns);
        for (int i = 0; i < 4; i++) {
            if (met[columns[i]])
                return false;
            met[columns[i]] = true;
        }
    }
    return true;
}

static void sudoku_by_sat(const char *puzzle, char *grid)
{
    static Literal choices[COLUMNS][SIDE];
    int counts[COLUMNS] = {0};
    Solver *s = new_solver(CELLS * SIDE);
    for (int variable = 0; variable < CELLS * SIDE; variable++) {
        int columns[4];
        constraints_of(variable / SIDE, variable % SIDE, columns);
        for (int i = 0; i < 4; i++)
            choices[columns[i]][counts[columns[i]]++] = 2 * variable;
    }
    for (int i = 0; i < COLUMNS; i++)
        add_exactly_one(s, choices[i], SIDE);
    for (int cell = 0; cell < CELLS; cell++)
        if (puzzle[cell] != '.')
            add_clause(s, (Literal[]){2 * (cell * SIDE + puzzle[cell] - '1')}, 1);
    check(solve_checked(s), "SAT finds no sudoku grid");
    for (int variable = 0; variable < CELLS * SIDE; variable++)
        if (s->value[variable] == TRUE_VALUE)
            grid[variable / SIDE] = (char)('1' + variable % SIDE);
    free_solver(s);
}

/* Empties a random grid cell by cell for as long as the solution stays unique. */
static void section_sudoku(int puzzles, int attempts)
{
    static Cover cover;
    long visits = 0;
    int clues = 0;
    for (int i = 0; i < puzzles; i++) {
        char puzzle[CELLS + 1] = {0}, solution[CELLS + 1] = {0}, by_sat[CELLS + 1] = {0};
        memset(puzzle, '.', CELLS);
        for (int box = 0; box < 3; box++) { /* three shuffled boxes on the diagonal */
            char digits[] = "123456789";
            for (int k = SIDE - 1; k >= 0; k--) {
                int pick = (int)random_below((uint32_t)k + 1);
                puzzle[(box * 3 + k / 3) * SIDE + box * 3 + k % 3] = digits[pick];
                digits[pick] = digits[k];
            }
        }
        build_cover(&cover, puzzle);
        search_cover(&cover);
        memcpy(puzzle, cover.grid, CELLS);
        memcpy(solution, cover.grid, CELLS);
        check(is_solution(solution, puzzle), "the first sudoku grid is wrong");
        for (int k = 0; k < attempts; k++) {
            int cell = (k * 37 + 11 * i) % CELLS;
            puzzle[cell] = '.';
            build_cover(&cover, puzzle);
            search_cover(&cover);
            visits += cover.visits;
            if (cover.solutions > 1)
                puzzle[cell] = solution[cell];
        }
        for (int k = 0; k < CELLS; k++)
            clues += puzzle[k] != '.';
        sudoku_by_sat(puzzle, by_sat);
        check(memcmp(by_sat, solution, CELLS) == 0, "SAT and exact cover find different grids");
        printf("sudoku: %s\n", puzzle);
    }
    printf("sudoku: %d clues left in %d puzzles, %ld nodes\n", clues, puzzles, visits);
}

int main(int argc, char **argv)
{
    long variables = 100;
    if (argc > 1) {
        char *end;
        variables = strtol(argv[1], &end, 10);
        if (end == argv[1] || *end != '\0' || variables < 10 || variables > 1000) {
            fprintf(stderr, "sat: variables must be a number from 10 to 1000, not '%s'\n", argv[1]);
            return 2;
        }
    }
    section_random((int)variables);
    section_pigeons(variables < 60 ? 4 : 6);
    section_sudoku(1 + (int)variables / 25, variables < 60 ? 40 : CELLS);
    return 0;
}
