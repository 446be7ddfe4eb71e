//// one row
ways[0] = 1;
for (I i = 0; i < n; i++) {
    for (I v = coins[i]; v <= amount; v++) { ways[v] += ways[v - coins[i]]; COUNT(); }
}
r = ways[amount];

//// recursive
static long ways_from(int *coins, int left, int amount_left) {
    COUNT();
    if (amount_left == 0) { return 1; }
    if (amount_left < 0 || left == 0) { return 0; }
    return ways_from(coins, left - 1, amount_left)
        + ways_from(coins, left, amount_left - coins[left - 1]);
}
----
r = ways_from(coins, (int)n, (int)amount);
ways[0] = r;

//// rows
long next[64];
ways[0] = 1;
for (I i = 0; i < n; i++) {
    for (I v = 0; v <= amount; v++) {
        next[v] = 0;
        for (int used = 0; used <= v; used += coins[i]) { next[v] += ways[v - used]; COUNT(); }
    }
    for (I v = 0; v <= amount; v++) { ways[v] = next[v]; }
}
r = ways[amount];

//// largest first
for (I v = 0; v <= amount; v++) { ways[v] = v == 0; }
I i = n;
while (i-- > 0) {
    int coin = coins[i];
    for (I v = 0; v + coin <= amount; v++) {
        if (ways[v] != 0) { ways[v + coin] += ways[v]; COUNT(); }
    }
}
r = ways[amount];
