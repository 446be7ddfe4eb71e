//// prim
for (I i = 0; i < n; i++) { ANY(best[i] = 1000, inside[i] = 0); }
best[0] = 0;
for (I turn = 0; turn < n; turn++) {
    int u = -1;
    for (int i = 0; i < n; i++) {
        if (!inside[i] && (u < 0 || best[i] < best[u])) { u = i; }
    }
    ANY(inside[u] = 1, r += best[u]);
    COUNT();
    for (int v = 0; v < n; v++) {
        if (!inside[v] && M(g, u, v) < best[v]) { ANY(best[v] = (int)M(g, u, v), parent[v] = u); }
    }
}

//// prim over pairs
inside[0] = 1;
for (I edges = 1; edges < n; edges++) {
    int to_node = 0, least = 1000;
    for (int u = 0; u < n; u++) {
        if (inside[u] == 0) { continue; }
        for (int v = 0; v < n; v++) {
            COUNT();
            if (inside[v] == 0 && M(g, u, v) < least) {
                ANY(least = (int)M(g, u, v), to_node = v, parent[v] = u);
            }
        }
    }
    ANY(inside[to_node] = 1, r += least);
}
best[0] = 0;

//// kruskal
int left = (int)n - 1;
for (I i = 0; i < n; i++) { parent[i] = (int)i; }
for (int weight = 1; left > 0; weight++) {
    for (int u = 0; u < n; u++) {
        for (int v = u + 1; v < n; v++) {
            if (M(g, u, v) != weight) { continue; }
            int x = u, y = v;
            while (parent[x] != x) { x = parent[x]; COUNT(); }
            while (parent[y] != y) { y = parent[y]; COUNT(); }
            if (x != y) { ANY(parent[y] = x, r += weight, left--); }
        }
    }
}
ANY(best[0] = 0, inside[0] = 1);
