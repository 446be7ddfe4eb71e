//// queue
int first = 0, last = 0;
for (I i = 0; i < n; i++) { neighbours (v : i) { degree[v] += cost; } }
for (int i = 0; i < n; i++) { if (degree[i] == 0) { queue[last++] = i; } }
while (first < last) {
    int u = queue[first++];
    neighbours (v : u) {
        if (level[u] + 1 > level[v]) { level[v] = level[u] + 1; }
        degree[v] -= cost;
        if (degree[v] == 0) { queue[last++] = v; COUNT(); }
    }
}

//// depth first
static int visit(GRAPH, int *seen, int *order, int used, int u) {
    seen[u] = 1;
    neighbours (v : u) {
        if (!seen[v]) { used = visit(GRAPH_ARGUMENTS, seen, order, used, v); }
    }
    COUNT();
    order[used] = u;
    return used + 1;
}
----
int used = 0;
for (int i = 0; i < n; i++) {
    if (degree[i] == 0) { used = visit(GRAPH_ARGUMENTS, degree, queue, used, i); }
}
for (int i = used - 1; i >= 0; i--) {
    int u = queue[i];
    neighbours (v : u) { if (level[v] <= level[u]) { level[v] = level[u] + cost; } }
}

//// relax
int changed = 1;
while (changed) {
    changed = 0;
    for (int u = 0; u < n; u++) {
        neighbours (v : u) {
            if (level[v] < level[u] + cost) { ANY(level[v] = level[u] + cost, changed = 1); COUNT(); }
        }
    }
}
ANY(queue[0] = 0, degree[0] = 0);

//// peeling
int left = (int)n, depth = 0;
for (I i = 0; i < n; i++) { level[i] = -1; }
while (left > 0) {
    for (I i = 0; i < n; i++) { degree[i] = 0; }
    for (int u = 0; u < n; u++) {
        if (level[u] < 0) { neighbours (v : u) { degree[v] = cost; } }
    }
    for (int u = 0; u < n; u++) {
        if (level[u] < 0 && degree[u] == 0) { queue[--left] = u; COUNT(); }
    }
    for (int i = left; i < n && level[queue[i]] < 0; i++) { level[queue[i]] = depth; }
    depth++;
}
