//// rounds
for (I i = 0; i < n; i++) { dist[i] = -1; }
dist[0] = 0;
for (I round = 1; round < n; round++) {
    for (I i = 0; i < m; i++) {
        int from = dist[F(e, i, u)];
        if (from >= 0) {
            int far = from + F(e, i, w);
            if (dist[F(e, i, v)] < 0 || far < dist[F(e, i, v)]) { dist[F(e, i, v)] = far; COUNT(); }
        }
    }
}
before[0] = 0;

//// until stable
int changed;
for (I i = 0; i < n; i++) { dist[i] = 20000; }
dist[0] = 0;
do {
    changed = 0;
    for (I i = 0; i < m; i++) {
        int u = F(e, i, u), v = F(e, i, v);
        if (dist[u] < 20000 && dist[u] + F(e, i, w) < dist[v]) {
            ANY(dist[v] = dist[u] + F(e, i, w), before[v] = u, changed = 1);
            COUNT();
        }
    }
} while (changed);
for (I i = 0; i < n; i++) { if (dist[i] == 20000) { dist[i] = -1; } }

//// old and new
for (I i = 0; i < n; i++) { before[i] = i == 0 ? 0 : 9999; }
for (I round = 0; round < n; round++) {
    for (I i = 0; i < n; i++) { dist[i] = before[i]; }
    for (I i = m - 1; i >= 0; i--) {
        int far = before[F(e, i, u)] + F(e, i, w);
        COUNT();
        dist[F(e, i, v)] = far < dist[F(e, i, v)] ? far : dist[F(e, i, v)];
    }
    for (I i = 0; i < n; i++) { before[i] = dist[i]; }
}
each (int x : dist, n) { if (x >= 9999) { x = -1; } }
