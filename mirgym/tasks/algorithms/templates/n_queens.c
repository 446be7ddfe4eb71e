//// columns
static int place_queen(int *column, int row, int size) {
    int solutions = 0;
    if (row == size) { return 1; }
    for (int c = 0; c < size; c++) {
        int safe = 1;
        for (int i = 0; i < row && safe; i++) {
            if (column[i] == c || column[i] - c == row - i || c - column[i] == row - i) { safe = 0; }
        }
        COUNT();
        if (safe) { column[row] = c; solutions += place_queen(column, row + 1, size); }
    }
    return solutions;
}
----
int column[8] = {0};
r = place_queen(column, 0, (int)x);

//// marks
static int taken[8], rising[16], falling[16];
static long queens(int row, int size) {
    long total = 0;
    if (row >= size) { COUNT(); return 1; }
    for (int c = 0; c < size; c++) {
        if (!taken[c] && !rising[row + c] && !falling[row - c + 8]) {
            ANY(taken[c] = 1, rising[row + c] = 1, falling[row - c + 8] = 1);
            total += queens(row + 1, size);
            ANY(taken[c] = 0, rising[row + c] = 0, falling[row - c + 8] = 0);
        }
    }
    return total;
}
----
r = queens(0, (int)x);

//// backtracking
int column[8], row = 0, size = (int)x;
column[0] = -1;
while (row >= 0) {
    int safe = 0;
    while (!safe && column[row] < size - 1) {
        column[row]++;
        safe = 1;
        for (int i = 0; i < row; i++) {
            if (column[i] == column[row] || abs(column[i] - column[row]) == row - i) { safe = 0; }
        }
        COUNT();
    }
    if (!safe) { row--; }
    else {
        if (row == size - 1) { r++; }
        else { row++; column[row] = -1; }
    }
}

//// bits
static long place_bits(unsigned all, unsigned down, unsigned left, unsigned right) {
    long total = 0;
    unsigned free_bits = all & ~(down | left | right);
    if (down == all) { return 1; }
    while (free_bits != 0) {
        unsigned bit = free_bits & (0u - free_bits);
        free_bits ^= bit;
        COUNT();
        total += place_bits(all, down | bit, (left | bit) << 1, (right | bit) >> 1);
    }
    return total;
}
----
r = place_bits((1u << (unsigned)x) - 1u, 0, 0, 0);
