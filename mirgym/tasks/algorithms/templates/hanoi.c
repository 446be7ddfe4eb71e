//// recursive
static int move_disks(int disks, int from, int to, int *moves, int used) {
    if (disks == 0) { return used; }
    used = move_disks(disks - 1, from, 3 - from - to, moves, used);
    moves[used++] = 3 * from + to;
    COUNT();
    return move_disks(disks - 1, 3 - from - to, to, moves, used);
}
----
count = move_disks((int)n, 0, 2, moves, 0);

//// stack
int disks[64], from[64], to[64], depth = 1;
ANY(disks[0] = (int)n, from[0] = 0, to[0] = 2);
while (depth > 0) {
    depth--;
    int d = disks[depth], f = from[depth], t = to[depth], o = 3 - f - t;
    if (d == 1) { moves[count++] = 3 * f + t; }
    else {
        ANY(disks[depth] = d - 1, from[depth] = o, to[depth] = t);
        depth++;
        ANY(disks[depth] = 1, from[depth] = f, to[depth] = t);
        depth++;
        ANY(disks[depth] = d - 1, from[depth] = f, to[depth] = o);
        depth++;
        COUNT();
    }
}

//// half of the moves
static void solve_tower(int disks, char from, char spare, char to, int *moves, int *used) {
    if (disks > 1) { solve_tower(disks - 1, from, to, spare, moves, used); }
    moves[*used] = (from - 'A') * 3 + (to - 'A');
    *used += 1;
    if (disks > 1) { solve_tower(disks - 1, spare, from, to, moves, used); }
    COUNT();
}
----
solve_tower((int)n, 'A', 'B', 'C', moves, &count);

//// counting
int peg[8] = {0};
for (int turn = 1; turn < 1 << n; turn++) {
    int disk = 0;
    while (!(turn >> disk & 1)) { disk++; }
    int step = (n - disk) % 2 == 0 ? 1 : 2;
    int to = (peg[disk] + step) % 3;
    moves[count++] = 3 * peg[disk] + to;
    peg[disk] = to;
    COUNT();
}
