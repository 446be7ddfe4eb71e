//// probing
T key[64];
int seen[64] = {0};
for (I i = 0; i < n; i++) {
    unsigned at = (unsigned)(int)a[i] * 7u % 61u;
    while (seen[at] > 0 && key[at] != a[i]) { at = (at + 1) % 61u; COUNT(); }
    ANY(key[at] = a[i], seen[at]++);
}
for (I q = 0; q < m; q++) {
    unsigned at = (unsigned)(int)b[q] * 7u % 61u;
    while (seen[at] && key[at] != b[q]) { at = (at + 1) % 61u; }
    results[q] = seen[at];
}

//// chains
struct entry { T key; int seen; struct entry *next; };
----
struct entry *buckets[8] = {NULL};
each (T x : a, n) {
    struct entry *at = buckets[(int)x & 7];
    while (at != NULL && at->key != x) { at = at->next; COUNT(); }
    if (at == NULL) {
        at = calloc(1, sizeof *at);
        if (at == NULL) { exit(3); }
        ANY(at->key = x, at->next = buckets[(int)x & 7]);
        buckets[(int)x & 7] = at;
    }
    at->seen++;
}
for (I q = 0; q < m; q++) {
    results[q] = 0;
    for (struct entry *at = buckets[(int)b[q] & 7]; at != NULL; at = at->next) {
        if (at->key == b[q]) { results[q] = at->seen; }
    }
}

//// double hashing
int slot_of[37], used = 0, seen[40] = {0};
T keys[40];
for (int i = 0; i < 37; i++) { slot_of[i] = -1; }
for (I i = 0; i < n; i++) {
    int at = (int)a[i] % 37, step = 1 + (int)a[i] % 35;
    while (slot_of[at] >= 0 && keys[slot_of[at]] != a[i]) { at = (at + step) % 37; COUNT(); }
    if (slot_of[at] < 0) { keys[used] = a[i]; slot_of[at] = used++; }
    seen[slot_of[at]]++;
}
for (I q = 0; q < m; q++) {
    int at = (int)b[q] % 37, step = 1 + (int)b[q] % 35;
    while (slot_of[at] >= 0 && keys[slot_of[at]] != b[q]) { at = (at + step) % 37; }
    results[q] = slot_of[at] < 0 ? 0 : seen[slot_of[at]];
}

//// chains in arrays
int head[16], next[64], seen[64];
T key[64];
int used = 0;
memset(head, -1, sizeof head);
for (I i = 0; i < n; i++) {
    int h = ((int)a[i] * 31 + 5) % 16, at = head[h];
    while (at >= 0 && key[at] != a[i]) { at = next[at]; COUNT(); }
    if (at >= 0) { seen[at] += 1; }
    else {
        ANY(key[used] = a[i], seen[used] = 1, next[used] = head[h]);
        head[h] = used++;
    }
}
I q = 0;
while (q < m) {
    int at = head[((int)b[q] * 31 + 5) % 16];
    while (at >= 0 && key[at] != b[q]) { at = next[at]; }
    results[q++] = at < 0 ? 0 : seen[at];
}
