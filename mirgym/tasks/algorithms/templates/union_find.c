//// recursive find
static int find_root(int *parent, int x) {
    COUNT();
    if (parent[x] != x) { parent[x] = find_root(parent, parent[x]); }
    return parent[x];
}
----
for (I i = 0; i < n; i++) { parent[i] = (int)i; }
for (I i = 0; i < m; i++) {
    int x = find_root(parent, F(e, i, u)), y = find_root(parent, F(e, i, v));
    if (x < y) { parent[y] = x; } else { parent[x] = y; }
}
for (I i = 0; i < n; i++) { label[i] = find_root(parent, (int)i); }
size[0] = 0;

//// by size
static int find_root(int *parent, int x) {
    while (parent[x] != x) { parent[x] = parent[parent[x]]; x = parent[x]; COUNT(); }
    return x;
}
----
for (I i = 0; i < n; i++) { ANY(parent[i] = (int)i, size[i] = 1, label[i] = (int)i); }
for (I i = 0; i < m; i++) {
    int x = find_root(parent, F(e, i, u)), y = find_root(parent, F(e, i, v));
    if (x == y) { continue; }
    if (size[x] < size[y]) { int kept = x; x = y; y = kept; }
    ANY(parent[y] = x, size[x] += size[y]);
    if (label[y] < label[x]) { label[x] = label[y]; }
}
for (I i = 0; i < n; i++) { size[i] = label[find_root(parent, (int)i)]; }
for (I i = 0; i < n; i++) { label[i] = size[i]; }

//// negative sizes
for (I i = 0; i < n; i++) { ANY(parent[i] = -1, size[i] = (int)i); }
for (I i = 0; i < m; i++) {
    int x = F(e, i, u), y = F(e, i, v);
    while (parent[x] >= 0) { x = parent[x]; COUNT(); }
    while (parent[y] >= 0) { y = parent[y]; COUNT(); }
    if (x != y) {
        if (parent[y] < parent[x]) { int kept = x; x = y; y = kept; }
        parent[x] += parent[y];
        parent[y] = x;
        if (size[y] < size[x]) { size[x] = size[y]; }
    }
}
for (I i = 0; i < n; i++) {
    int x = (int)i;
    while (parent[x] >= 0) { x = parent[x]; }
    label[i] = size[x];
}

//// quick find
for (I i = 0; i < n; i++) { parent[i] = (int)i; }
for (I i = 0; i < m; i++) {
    int keep = parent[F(e, i, u)], drop = parent[F(e, i, v)];
    if (keep > drop) { int kept = keep; keep = drop; drop = kept; }
    if (keep != drop) {
        for (I j = 0; j < n; j++) { if (parent[j] == drop) { parent[j] = keep; COUNT(); } }
    }
}
for (I i = 0; i < n; i++) { ANY(label[i] = parent[i], size[i] = 0); }
