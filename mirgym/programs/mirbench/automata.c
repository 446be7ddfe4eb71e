/*
 * Cellular automata: Conway's Life cell by cell and 64 cells at a time, all
 * elementary rules, Langton's ant, a Wireworld circuit and falling sand. The two
 * versions of Life must agree, known patterns must behave and sand is conserved.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORD_BITS = 64, LIFE_WORDS = 2, LIFE_WIDTH = LIFE_WORDS * WORD_BITS, LIFE_HEIGHT = 96 };
enum { RULE_WIDTH = 512, ANT_SIZE = 256, WIRE_HEIGHT = 9, WIRE_WIDTH = 40, SAND_WIDTH = 96, SAND_HEIGHT = 64 };

typedef enum { EMPTY, WIRE, HEAD, TAIL } WireCell;
typedef enum { AIR, SAND, WATER, STONE, GRAIN_KINDS } Grain;

typedef struct {
    uint8_t cell[LIFE_HEIGHT][LIFE_WIDTH];
} PlainLife;

typedef struct {
    uint64_t row[LIFE_HEIGHT][LIFE_WORDS];
} PackedLife;

static uint64_t rng_state = 88172645463325252u;

static void check(bool ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "automata: %s\n", what);
        exit(1);
    }
}

static uint32_t next_random(void)
{
    rng_state ^= rng_state << 13;
    rng_state ^= rng_state >> 7;
    rng_state ^= rng_state << 17;
    return (uint32_t)(rng_state >> 32);
}

static uint32_t hash_bytes(uint32_t hash, const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        hash = (hash ^ bytes[i]) * 16777619u;
    return hash;
}

static int count_bits(uint64_t word)
{
    int count = 0;
    for (; word != 0; word &= word - 1)
        count++;
    return count;
}

/* ---- Life on a torus ---- */

static void plain_step(PlainLife *to, const PlainLife *from)
{
    for (int y = 0; y < LIFE_HEIGHT; y++) {
        const uint8_t *above = from->cell[(y + LIFE_HEIGHT - 1) % LIFE_HEIGHT];
        const uint8_t *here = from->cell[y];
        const uint8_t *below = from->cell[(y + 1) % LIFE_HEIGHT];
        for (int x = 0; x < LIFE_WIDTH; x++) {
            int left = (x + LIFE_WIDTH - 1) % LIFE_WIDTH, right = (x + 1) % LIFE_WIDTH;
            int neighbours = above[left] + above[x] + above[right] + here[left] + here[right] + below[left] +
                             below[x] + below[right];
            to->cell[y][x] = neighbours == 3 || (neighbours == 2 && here[x]);
        }
    }
}

static uint64_t from_left(const uint64_t row[LIFE_WORDS], int word)
{
    return row[word] << 1 | row[(word + LIFE_WORDS - 1) % LIFE_WORDS] >> (WORD_BITS - 1);
}

static uint64_t from_right(const uint64_t row[LIFE_WORDS], int word)
{
    return row[word] >> 1 | row[(word + 1) % LIFE_WORDS] << (WORD_BITS - 1);
}

/* Adds one-bit numbers, one per lane: three of them give a sum and a carry. */
static uint64_t full_add(uint64_t a, uint64_t b, uint64_t c, uint64_t *carry)
{
    uint64_t half = a ^ b;
    *carry = (a & b) | (half & c);
    return half ^ c;
}

static void packed_step(PackedLife *to, const PackedLife *from)
{
    for (int y = 0; y < LIFE_HEIGHT; y++) {
        const uint64_t *above = from->row[(y + LIFE_HEIGHT - 1) % LIFE_HEIGHT];
        const uint64_t *here = from->row[y];
        const uint64_t *below = from->row[(y + 1) % LIFE_HEIGHT];
        for (int w = 0; w < LIFE_WORDS; w++) {
            uint64_t twos_a, twos_b, twos_c, fours_a, fours_b;
            uint64_t ones_a = full_add(from_left(above, w), above[w], from_right(above, w), &twos_a);
            uint64_t ones_b = full_add(from_left(below, w), below[w], from_right(below, w), &twos_b);
            uint64_t side = from_left(here, w), ones_c = side ^ from_right(here, w);
            twos_c = side & from_right(here, w);
            uint64_t carry, ones = full_add(ones_a, ones_b, ones_c, &carry);
            uint64_t twos = full_add(twos_a, twos_b, twos_c, &fours_a);
            fours_b = twos & carry;
            twos ^= carry;
            to->row[y][w] = twos & ~(fours_a | fours_b) & (ones | here[w]);
        }
    }
}

static void pack(PackedLife *packed, const PlainLife *plain)
{
    memset(packed, 0, sizeof *packed);
    for (int y = 0; y < LIFE_HEIGHT; y++)
        for (int x = 0; x < LIFE_WIDTH; x++)
            packed->row[y][x / WORD_BITS] |= (uint64_t)plain->cell[y][x] << x % WORD_BITS;
}

static void draw_pattern(PlainLife *life, int left, int top, const char *pattern)
{
    int x = left, y = top;
    for (; *pattern != '\0'; pattern++) {
        if (*pattern == '/') {
            y++;
            x = left;
        } else {
            life->cell[y][x++] = *pattern == 'O';
        }
    }
}

static void section_life(int generations)
{
    static PlainLife plain[2];
    static PackedLife packed[2], expected;
    int now = 0, alive = 0;
    for (int y = 0; y < LIFE_HEIGHT; y++)
        for (int x = 0; x < LIFE_WIDTH; x++)
            plain[0].cell[y][x] = next_random() % 100 < 35;
    pack(&packed[0], &plain[0]);
    for (int i = 0; i < generations; i++, now ^= 1) {
        plain_step(&plain[now ^ 1], &plain[now]);
        packed_step(&packed[now ^ 1], &packed[now]);
    }
    pack(&expected, &plain[now]);
    check(memcmp(&expected, &packed[now], sizeof expected) == 0, "the two versions of Life differ");
    uint32_t hash = hash_bytes(2166136261u, &plain[now].cell[0][0], sizeof plain[now].cell);
    for (int i = 0; i < 8 * generations; i++, now ^= 1)
        packed_step(&packed[now ^ 1], &packed[now]);
    for (int y = 0; y < LIFE_HEIGHT; y++)
        for (int w = 0; w < LIFE_WORDS; w++)
            alive += count_bits(packed[now].row[y][w]);
    printf("life: soup after %d generations %08x, %d alive after %d\n", generations, (unsigned)hash, alive,
           9 * generations);

    memset(&plain[0], 0, sizeof plain[0]);
    draw_pattern(&plain[0], 10, 10, ".O/..O/OOO");       /* a glider */
    draw_pattern(&plain[0], 60, 40, "OO..O/O.O.O/..OO"); /* an irregular seed */
    draw_pattern(&plain[0], 100, 80, ".OO/OO/.O");       /* the R-pentomino */
    pack(&packed[0], &plain[0]);
    now = 0;
    for (int i = 0; i < 4 * generations; i++, now ^= 1)
        packed_step(&packed[now ^ 1], &packed[now]);
    alive = 0;
    hash = 0;
    for (int y = 0; y < LIFE_HEIGHT; y++) {
        for (int w = 0; w < LIFE_WORDS; w++) {
            alive += count_bits(packed[now].row[y][w]);
            hash = hash * 31 + (uint32_t)(packed[now].row[y][w] % 4294967291u);
        }
    }
    printf("life: patterns after %d generations: %d alive, %08x\n", 4 * generations, alive, (unsigned)hash);
}

static void check_glider(void)
{
    static PlainLife world[2], moved;
    draw_pattern(&world[0], 20, 20, ".O/..O/OOO");
    draw_pattern(&moved, 25, 25, ".O/..O/OOO");
    for (int i = 0; i < 20; i++)
        plain_step(&world[(i + 1) % 2], &world[i % 2]);
    check(memcmp(&world[0], &moved, sizeof moved) == 0, "a glider went astray");
}

/* ---- elementary rules ---- */

static void rule_step(uint8_t *to, const uint8_t *from, unsigned rule)
{
    for (int x = 0; x < RULE_WIDTH; x++) {
        unsigned left = from[(x + RULE_WIDTH - 1) % RULE_WIDTH], right = from[(x + 1) % RULE_WIDTH];
        to[x] = rule >> (left << 2 | (unsigned)from[x] << 1 | right) & 1;
    }
}

static void section_rules(int generations)
{
    uint8_t row[2][RULE_WIDTH];
    uint32_t total = 2166136261u;
    int lively = 0;
    for (unsigned rule = 0; rule < 256; rule++) {
        memset(row, 0, sizeof row);
        row[0][RULE_WIDTH / 2] = 1;
        int steps = generations / 16 + 4, ones = 0;
        for (int i = 0; i < steps; i++)
            rule_step(row[(i + 1) % 2], row[i % 2], rule);
        for (int x = 0; x < RULE_WIDTH; x++)
            ones += row[steps % 2][x];
        lively += ones > 2 && ones < RULE_WIDTH - 2;
        total = hash_bytes(total, row[steps % 2], RULE_WIDTH);
    }
    printf("rules: %d of 256 lively, checksum %08x\n", lively, (unsigned)total);

    memset(row, 0, sizeof row); /* rule 90 draws Pascal's triangle modulo 2 */
    row[0][RULE_WIDTH / 2] = 1;
    for (int i = 0; i < 200; i++) {
        int ones = 0;
        for (int x = 0; x < RULE_WIDTH; x++)
            ones += row[i % 2][x];
        check(ones == 1 << count_bits((uint64_t)i), "rule 90 is not Sierpinski's triangle");
        rule_step(row[(i + 1) % 2], row[i % 2], 90);
    }
    for (int y = 0; y < 8; y++) {
        printf("rule 110: ");
        if (y == 0) {
            memset(row, 0, sizeof row);
            row[0][RULE_WIDTH / 2] = 1;
        }
        for (int x = RULE_WIDTH / 2 - 24; x < RULE_WIDTH / 2 + 4; x++)
            putchar(row[y * 3 % 2][x] ? '#' : '.');
        putchar('\n');
        for (int i = 3 * y; i < 3 * y + 3; i++)
            rule_step(row[(i + 1) % 2], row[i % 2], 110);
    }
}

/* ---- Langton's ant ---- */

static void section_ant(long steps)
{
    static uint8_t black[ANT_SIZE][ANT_SIZE];
    static const int dx[] = {0, 1, 0, -1}, dy[] = {-1, 0, 1, 0};
    int x = ANT_SIZE / 2, y = ANT_SIZE / 2, heading = 0;
    long painted = 0;
    for (long i = 0; i < steps; i++) {
        heading = (heading + (black[y][x] ? 3 : 1)) % 4;
        painted += black[y][x] ? -1 : 1;
        black[y][x] ^= 1;
        x = (x + dx[heading] + ANT_SIZE) % ANT_SIZE;
        y = (y + dy[heading] + ANT_SIZE) % ANT_SIZE;
    }
    long counted = 0;
    for (int row = 0; row < ANT_SIZE; row++)
        for (int column = 0; column < ANT_SIZE; column++)
            counted += black[row][column];
    check(counted == painted, "the ant lost count of its cells");
    printf("ant: %ld black cells after %ld steps, at %d,%d, checksum %08x\n", painted, steps, x, y,
           (unsigned)hash_bytes(2166136261u, &black[0][0], sizeof black));
}

/* ---- Wireworld ---- */

/* Two loops of different lengths meet at a junction, whose output runs off to the right. */
static const char *const circuit[WIRE_HEIGHT] = {
    "........................................", /* a margin around the circuit */
    "..@#######..............................", /* '@' is a head and '~' the tail behind it */
    ".~........#.............................",
    "..########.##############...............",
    ".........................#..............",
    "..@#####.................##############.",
    ".~......#......##########...............",
    "..######.######.........................",
    "........................................",
};

static WireCell wire_next(uint8_t cell[WIRE_HEIGHT][WIRE_WIDTH], int x, int y)
{
    if (cell[y][x] == HEAD)
        return TAIL;
    if (cell[y][x] != WIRE)
        return cell[y][x] == TAIL ? WIRE : EMPTY;
    int heads = 0;
    for (int j = y - 1; j <= y + 1; j++)
        for (int i = x - 1; i <= x + 1; i++)
            heads += cell[j][i] == HEAD;
    return heads == 1 || heads == 2 ? HEAD : WIRE;
}

static void section_wireworld(int generations)
{
    uint8_t cell[2][WIRE_HEIGHT][WIRE_WIDTH] = {{{EMPTY}}};
    int wires = 0, pulses = 0;
    uint32_t hash = 2166136261u;
    for (int y = 0; y < WIRE_HEIGHT; y++) {
        for (int x = 0; x < WIRE_WIDTH; x++) {
            char symbol = circuit[y][x];
            cell[0][y][x] = symbol == '#' ? WIRE : symbol == '@' ? HEAD : symbol == '~' ? TAIL : EMPTY;
            wires += cell[0][y][x] != EMPTY;
        }
    }
    for (int i = 0; i < generations; i++) {
        int left = 0;
        for (int y = 1; y < WIRE_HEIGHT - 1; y++) {
            for (int x = 1; x < WIRE_WIDTH - 1; x++) {
                cell[(i + 1) % 2][y][x] = (uint8_t)wire_next(cell[i % 2], x, y);
                left += cell[(i + 1) % 2][y][x] != EMPTY;
            }
        }
        check(left == wires, "the circuit changed");
        pulses += cell[(i + 1) % 2][5][WIRE_WIDTH - 2] == HEAD;
        hash = hash_bytes(hash, &cell[(i + 1) % 2][0][0], sizeof cell[0]);
    }
    printf("wireworld: %d cells, %d pulses in %d generations, checksum %08x\n", wires, pulses, generations,
           (unsigned)hash);
}

/* ---- falling sand ---- */

static bool may_enter(uint8_t mover, uint8_t target)
{
    return target == AIR || (mover == SAND && target == WATER);
}

/* Tries the offsets in turn; the side that comes first is drawn by lot. */
static void move_grain(uint8_t cell[SAND_HEIGHT][SAND_WIDTH], int x, int y)
{
    static const int rows[] = {1, 1, 1, 0, 0};
    static const int sides[] = {0, 1, -1, 1, -1};
    uint8_t grain = cell[y][x];
    int flip = next_random() % 2 == 0 ? 1 : -1, tries = grain == WATER ? 5 : 3;
    for (int i = 0; i < tries; i++) {
        int to_x = x + flip * sides[i], to_y = y + rows[i];
        if (to_x < 0 || to_x >= SAND_WIDTH || to_y >= SAND_HEIGHT || !may_enter(grain, cell[to_y][to_x]))
            continue;
        cell[y][x] = cell[to_y][to_x];
        cell[to_y][to_x] = grain;
        return;
    }
}

static void section_sand(int generations)
{
    static uint8_t cell[SAND_HEIGHT][SAND_WIDTH];
    int poured[GRAIN_KINDS] = {0}, found[GRAIN_KINDS] = {0};
    for (int x = 10; x < SAND_WIDTH - 10; x++) {
        cell[SAND_HEIGHT / 2 + (x % 40) / 8][x] = x % 13 < 9 ? STONE : AIR;
        poured[STONE] += x % 13 < 9;
    }
    for (int i = 0; i < generations; i++) {
        int spout = 20 + (i * 7) % (SAND_WIDTH - 40);
        uint8_t grain = i % 3 == 0 ? WATER : SAND;
        if (i < generations * 2 / 3 && cell[0][spout] == AIR) {
            cell[0][spout] = grain;
            poured[grain]++;
        }
        for (int y = SAND_HEIGHT - 2; y >= 0; y--) {
            bool rightwards = (i + y) % 2 == 0;
            for (int step = 0; step < SAND_WIDTH; step++) {
                int x = rightwards ? step : SAND_WIDTH - 1 - step;
                if (cell[y][x] == SAND || cell[y][x] == WATER)
                    move_grain(cell, x, y);
            }
        }
    }
    long depth = 0;
    for (int y = 0; y < SAND_HEIGHT; y++) {
        for (int x = 0; x < SAND_WIDTH; x++) {
            found[cell[y][x]]++;
            depth += cell[y][x] == SAND ? y : 0;
        }
    }
    check(found[SAND] == poured[SAND] && found[WATER] == poured[WATER] && found[STONE] == poured[STONE],
          "matter was not conserved");
    printf("sand: %d sand at mean depth %ld, %d water, checksum %08x\n", found[SAND],
           depth / (found[SAND] > 0 ? found[SAND] : 1), found[WATER],
           (unsigned)hash_bytes(2166136261u, &cell[0][0], sizeof cell));
}

int main(int argc, char **argv)
{
    long generations = 400;
    if (argc > 1) {
        char *end;
        generations = strtol(argv[1], &end, 10);
        if (end == argv[1] || *end != '\0' || generations < 1 || generations > 100000) {
            fprintf(stderr, "automata: generations must be a number from 1 to 100000, not '%s'\n", argv[1]);
            return 2;
        }
    }
    check_glider();
    section_life((int)generations);
    section_rules((int)generations);
    section_ant(generations * 1000);
    section_wireworld((int)generations);
    section_sand((int)generations * 2);
    return 0;
}
