//// recursive
static void visit(GRAPH, int *label, int u, int root) {
    label[u] = root;
    COUNT();
    neighbours (v : u) {
        if (label[v] < 0) { visit(GRAPH_ARGUMENTS, label, v, root); }
    }
}
----
for (I i = 0; i < n; i++) { label[i] = -1; }
for (int i = 0; i < n; i++) {
    if (label[i] < 0) { visit(GRAPH_ARGUMENTS, label, i, i); }
}
ANY(stack[0] = 0, place[0] = 0);

//// stack
int depth = 0;
for (I i = 0; i < n; i++) { label[i] = -1; }
for (int i = 0; i < n; i++) {
    if (label[i] >= 0) { continue; }
    stack[depth++] = i;
    while (depth > 0) {
        int u = stack[--depth];
        if (label[u] < 0) {
            label[u] = i;
            COUNT();
            neighbours (v : u) { if (label[v] < 0) { stack[depth++] = v; } }
        }
    }
}
place[0] = depth;

//// mark when pushed
for (I i = 0; i < n; i++) { label[i] = (int)n; }
for (int i = 0; i < n; i++) {
    if (label[i] > i) {
        int *top = stack;
        ANY(label[i] = i, *top++ = i);
        do {
            int u = *--top;
            neighbours (v : u) {
                if (label[v] == n) { ANY(label[v] = i, *top++ = v); COUNT(); }
            }
        } while (top != stack);
    }
}
place[0] = 1;

//// parents
for (I i = 0; i < n; i++) { ANY(label[i] = -1, place[i] = -1); }
for (int i = 0; i < n; i++) {
    if (label[i] != -1) { continue; }
    int u = i;
    label[i] = i;
    while (u >= 0) {
        int next_node = -1;
        neighbours (v : u) { if (label[v] == -1 && next_node < 0) { next_node = v; } }
        COUNT();
        if (next_node < 0) { u = place[u]; }
        else { ANY(place[next_node] = u, label[next_node] = i); u = next_node; }
    }
}
stack[0] = 0;
