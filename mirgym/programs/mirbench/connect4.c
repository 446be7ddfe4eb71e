/*
 * Game-tree and backtracking search: connect four on bitboards with negamax,
 * alpha-beta, iterative deepening, move ordering and a transposition table,
 * compared with plain minimax; the n queens problem, and a knight's tour by
 * Warnsdorff's rule.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH = 7, HEIGHT = 6, STRIDE = HEIGHT + 1, TABLE_BITS = 14, WIN = 10000, BOARD = 8 };

typedef struct {
    uint64_t mine, all; /* the stones of the side to move, and those of both */
    int stones;
} Position;

typedef enum { UNUSED, EXACT, LOWER, UPPER } Bound;

typedef struct {
    uint64_t key;
    int16_t score;
    uint8_t depth, bound, move;
} Entry;

static Entry table[1 << TABLE_BITS];
static int history[2][WIDTH * STRIDE];
static unsigned long nodes, table_hits, cutoffs;

static void check(bool ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "connect4: %s\n", what);
        exit(1);
    }
}

static uint64_t column_mask(int column)
{
    return ((1ull << HEIGHT) - 1) << column * STRIDE;
}

static uint64_t bottom_cell(int column)
{
    return 1ull << column * STRIDE;
}

static bool can_play(const Position *position, int column)
{
    return (position->all & 1ull << (column * STRIDE + HEIGHT - 1)) == 0;
}

static uint64_t landing_cell(const Position *position, int column)
{
    return (position->all + bottom_cell(column)) & column_mask(column);
}

static Position after(const Position *position, int column)
{
    return (Position){position->all ^ position->mine, position->all | landing_cell(position, column),
                      position->stones + 1};
}

static bool has_four(uint64_t stones)
{
    static const int directions[] = {1, STRIDE - 1, STRIDE, STRIDE + 1};
    for (int i = 0; i < 4; i++) {
        uint64_t pairs = stones & stones >> directions[i];
        if ((pairs & pairs >> 2 * directions[i]) != 0)
            return true;
    }
    return false;
}

static bool wins_at(const Position *position, int column)
{
    return has_four(position->mine | landing_cell(position, column));
}

static int count_bits(uint64_t word)
{
    int count = 0;
    for (; word != 0; word &= word - 1)
        count++;
    return count;
}

static int bit_index(uint64_t word)
{
    int index = 0;
    for (; word > 1; word >>= 1)
        index++;
    return index;
}

/* The empty cells that would complete a line of four, playable yet or not. */
static uint64_t threats(uint64_t stones, uint64_t all)
{
    uint64_t board = 0, found = stones << 1 & stones << 2 & stones << 3; /* upwards */
    for (int column = 0; column < WIDTH; column++)
        board |= column_mask(column);
    for (int step = STRIDE - 1; step <= STRIDE + 1; step++) {
        uint64_t pair = stones << step & stones << 2 * step;
        found |= pair & stones << 3 * step;
        found |= pair & stones >> step;
        pair = stones >> step & stones >> 2 * step;
        found |= pair & stones << step;
        found |= pair & stones >> 3 * step;
    }
    return found & board & ~all;
}

static int evaluate(const Position *position)
{
    uint64_t theirs = position->all ^ position->mine;
    uint64_t centre = column_mask(WIDTH / 2), inner = column_mask(WIDTH / 2 - 1) | column_mask(WIDTH / 2 + 1);
    int score = 8 * (count_bits(threats(position->mine, position->all)) - count_bits(threats(theirs, position->all)));
    score += 3 * (count_bits(position->mine & centre) - count_bits(theirs & centre));
    return score + count_bits(position->mine & inner) - count_bits(theirs & inner);
}

static uint64_t position_key(const Position *position)
{
    uint64_t bottom = 0;
    for (int column = 0; column < WIDTH; column++)
        bottom |= bottom_cell(column);
    return position->mine + position->all + bottom;
}

static Entry *table_slot(uint64_t key)
{
    return &table[key * 0x9e3779b97f4a7c15u >> (64 - TABLE_BITS)];
}

static int move_value(const Position *position, int column)
{
    int cell = bit_index(landing_cell(position, column));
    return 4 * (WIDTH - abs(2 * column - WIDTH + 1)) + history[position->stones % 2][cell];
}

/* Puts the playable columns in the order to search them, "best" first. */
static int order_moves(const Position *position, int best, int moves[WIDTH])
{
    int values[WIDTH], count = 0;
    for (int column = 0; column < WIDTH; column++) {
        if (!can_play(position, column))
            continue;
        int value = column == best ? INT32_MAX : move_value(position, column), at = count++;
        for (; at > 0 && values[at - 1] < value; at--) {
            values[at] = values[at - 1];
            moves[at] = moves[at - 1];
        }
        values[at] = value;
        moves[at] = column;
    }
    return count;
}

static int minimax(const Position *position, int depth)
{
    if (position->stones == WIDTH * HEIGHT)
        return 0;
    for (int column = 0; column < WIDTH; column++)
        if (can_play(position, column) && wins_at(position, column))
            return WIN - position->stones;
    if (depth == 0)
        return evaluate(position);
    int best = -WIN;
    for (int column = 0; column < WIDTH; column++) {
        if (can_play(position, column)) {
            Position next = after(position, column);
            int score = -minimax(&next, depth - 1);
            best = score > best ? score : best;
        }
    }
    return best;
}

static int negamax(const Position *position, int depth, int alpha, int beta)
{
    nodes++;
    if (position->stones == WIDTH * HEIGHT)
        return 0;
    for (int column = 0; column < WIDTH; column++)
        if (can_play(position, column) && wins_at(position, column))
            return WIN - position->stones;
    if (depth == 0)
        return evaluate(position);

    uint64_t key = position_key(position);
    Entry *entry = table_slot(key);
    int hint = -1;
    if (entry->bound != UNUSED && entry->key == key) {
        hint = entry->move;
        if (entry->depth == depth && (entry->bound == EXACT || (entry->bound == LOWER && entry->score >= beta) ||
                                      (entry->bound == UPPER && entry->score <= alpha))) {
            table_hits++;
            return entry->score;
        }
    }
    int moves[WIDTH], count = order_moves(position, hint, moves), best = -WIN, best_move = moves[0], floor = alpha;
    for (int i = 0; i < count && best < beta; i++) {
        Position next = after(position, moves[i]);
        int score = -negamax(&next, depth - 1, -beta, -floor);
        if (score > best) {
            best = score;
            best_move = moves[i];
        }
        floor = best > floor ? best : floor;
    }
    if (best >= beta) {
        cutoffs++;
        history[position->stones % 2][bit_index(landing_cell(position, best_move))] += depth * depth;
    }
    Bound bound = best >= beta ? LOWER : best <= alpha ? UPPER : EXACT;
    *entry = (Entry){key, (int16_t)best, (uint8_t)depth, (uint8_t)bound, (uint8_t)best_move};
    return best;
}

static void reset_search(void)
{
    memset(table, 0, sizeof table);
    memset(history, 0, sizeof history);
    nodes = table_hits = cutoffs = 0;
}

/* Iterative deepening; returns the column to play and stores its score. */
static int choose_move(const Position *position, int depth, int *score)
{
    for (int column = 0; column < WIDTH; column++) {
        if (can_play(position, column) && wins_at(position, column)) {
            *score = WIN - position->stones;
            return column;
        }
    }
    int left = WIDTH * HEIGHT - position->stones, best = -1;
    for (int limit = 1; limit <= depth && limit <= left; limit++) {
        int moves[WIDTH], count = order_moves(position, best, moves), alpha = -WIN - 1;
        for (int i = 0; i < count; i++) {
            Position next = after(position, moves[i]);
            int value = -negamax(&next, limit - 1, -WIN - 1, -alpha);
            if (value > alpha) {
                alpha = value;
                best = moves[i];
            }
        }
        *score = alpha;
        if (abs(alpha) > WIN / 2)
            break;
    }
    return best;
}

static Position parse_position(const char *columns)
{
    Position position = {0, 0, 0};
    for (; *columns != '\0'; columns++) {
        int column = *columns - '1';
        check(column >= 0 && column < WIDTH && can_play(&position, column), "bad position");
        position = after(&position, column);
    }
    return position;
}

static void print_board(const Position *position)
{
    uint64_t first = position->stones % 2 == 0 ? position->mine : position->all ^ position->mine;
    for (int row = HEIGHT - 1; row >= 0; row--) {
        printf("    ");
        for (int column = 0; column < WIDTH; column++) {
            uint64_t cell = 1ull << (column * STRIDE + row);
            printf(" %c", (position->all & cell) == 0 ? '.' : (first & cell) != 0 ? 'X' : 'O');
        }
        printf("\n");
    }
}

static void section_compare(int depth)
{
    static const char *const positions[] = {"", "44", "4444", "1234567", "44335", "7654321123", "455", "4455667711"};
    int sum = 0, count = (int)(sizeof positions / sizeof *positions);
    for (int i = 0; i < count; i++) {
        Position position = parse_position(positions[i]);
        reset_search();
        int score = negamax(&position, depth, -WIN - 1, WIN + 1);
        check(score == minimax(&position, depth), "alpha-beta and minimax differ");
        sum = sum * 3 + score;
    }
    printf("compare: %d positions at depth %d, scores %d\n", count, depth, sum);
}

static void section_game(int depth)
{
    Position position = {0, 0, 0};
    char record[WIDTH * HEIGHT + 1] = "";
    int score = 0;
    bool over = false;
    reset_search();
    while (!over && position.stones < WIDTH * HEIGHT) {
        /* the second player looks a little less far ahead */
        int column = choose_move(&position, position.stones % 2 == 0 ? depth : depth - 2, &score);
        check(column >= 0 && can_play(&position, column), "illegal move");
        record[position.stones] = (char)('1' + column);
        over = wins_at(&position, column);
        position = after(&position, column);
        check(has_four(position.all ^ position.mine) == over, "win detection is inconsistent");
    }
    printf("game: %s, %s\n", record, !over ? "a draw" : position.stones % 2 != 0 ? "X wins" : "O wins");
    print_board(&position);
    printf("search: %lu nodes, %lu table hits, %lu cutoffs\n", nodes, table_hits, cutoffs);
}

static long count_queens(unsigned full, unsigned columns, unsigned left, unsigned right)
{
    if (columns == full)
        return 1;
    long count = 0;
    for (unsigned free_cells = full & ~(columns | left | right); free_cells != 0;) {
        unsigned cell = free_cells & (0 - free_cells);
        free_cells ^= cell;
        count += count_queens(full, columns | cell, (left | cell) << 1, (right | cell) >> 1);
    }
    return count;
}

static void section_queens(int limit)
{
    static const long known[] = {1, 1, 0, 0, 2, 10, 4, 40, 92, 352, 724, 2680, 14200, 73712};
    printf("queens:");
    for (int n = 4; n <= limit; n++) {
        long count = count_queens((1u << n) - 1, 0, 0, 0);
        check(count == known[n], "wrong number of queens' solutions");
        printf(" %d:%ld", n, count);
    }
    printf("\n");
}

static bool on_free_cell(const int step[BOARD][BOARD], int x, int y)
{
    return x >= 0 && x < BOARD && y >= 0 && y < BOARD && step[y][x] == 0;
}

static const int knight_dx[] = {1, 2, 2, 1, -1, -2, -2, -1};
static const int knight_dy[] = {-2, -1, 1, 2, 2, 1, -1, -2};

static int count_exits(const int step[BOARD][BOARD], int x, int y)
{
    int exits = 0;
    for (int i = 0; i < 8; i++)
        exits += on_free_cell(step, x + knight_dx[i], y + knight_dy[i]);
    return exits;
}

/* Warnsdorff's rule, with backtracking as far as the budget lasts. */
static bool continue_tour(int step[BOARD][BOARD], int x, int y, int number, long *budget)
{
    if (--*budget < 0)
        return false;
    step[y][x] = number;
    if (number == BOARD * BOARD)
        return true;
    for (int exits = 0; exits < 8; exits++) {
        for (int i = 0; i < 8; i++) {
            int to_x = x + knight_dx[i], to_y = y + knight_dy[i];
            if (on_free_cell(step, to_x, to_y) && count_exits(step, to_x, to_y) == exits &&
                continue_tour(step, to_x, to_y, number + 1, budget))
                return true;
        }
    }
    step[y][x] = 0;
    return false;
}

static void check_tour(const int step[BOARD][BOARD])
{
    int at_x[BOARD * BOARD + 1] = {0}, at_y[BOARD * BOARD + 1] = {0};
    for (int y = 0; y < BOARD; y++) {
        for (int x = 0; x < BOARD; x++) {
            at_x[step[y][x]] = x;
            at_y[step[y][x]] = y;
        }
    }
    for (int i = 2; i <= BOARD * BOARD; i++) {
        int dx = abs(at_x[i] - at_x[i - 1]), dy = abs(at_y[i] - at_y[i - 1]);
        check(dx * dy == 2, "the knight made an illegal move");
    }
}

static void section_tours(void)
{
    int found = 0, at_once = 0;
    uint32_t hash = 2166136261u;
    for (int start = 0; start < BOARD * BOARD; start++) {
        int step[BOARD][BOARD] = {{0}};
        long budget = 20000;
        if (!continue_tour(step, start % BOARD, start / BOARD, 1, &budget))
            continue;
        check_tour(step);
        found++;
        at_once += budget == 20000 - BOARD * BOARD;
        for (int i = 0; i < BOARD * BOARD; i++)
            hash = (hash ^ (uint32_t)step[i / BOARD][i % BOARD]) * 16777619u;
    }
    printf("tours: %d found, %d without backtracking, checksum %08x\n", found, at_once, (unsigned)hash);
}

int main(int argc, char **argv)
{
    long depth = 9;
    if (argc > 1) {
        char *end;
        depth = strtol(argv[1], &end, 10);
        if (end == argv[1] || *end != '\0' || depth < 3 || depth > 20) {
            fprintf(stderr, "connect4: depth must be a number from 3 to 20, not '%s'\n", argv[1]);
            return 2;
        }
    }
    section_compare(depth > 5 ? 5 : (int)depth - 1);
    section_game((int)depth);
    section_queens(depth > 9 ? 13 : (int)depth + 4);
    section_tours();
    return 0;
}
