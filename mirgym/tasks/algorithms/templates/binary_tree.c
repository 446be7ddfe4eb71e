//// recursive
struct node { T value; struct node *left; struct node *right; };
static struct node *new_node(T value) {
    struct node *made = calloc(1, sizeof *made);
    if (!made) { exit(3); }
    made->value = value;
    return made;
}
static int walk(struct node *at, T *out, int used) {
    if (at == NULL) { return used; }
    used = walk(at->left, out, used);
    out[used++] = at->value;
    return walk(at->right, out, used);
}
static struct node *insert(struct node *at, T value) {
    if (at == NULL) { return new_node(value); }
    COUNT();
    if (value < at->value) { at->left = insert(at->left, value); }
    else if (value > at->value) { at->right = insert(at->right, value); }
    return at;
}
----
struct node *root = NULL;
each (T x : a, n) { root = insert(root, x); }
used = walk(root, out, 0);

//// loop
struct node { T value; struct node *left; struct node *right; };
static struct node *new_node(T value) {
    struct node *made = calloc(1, sizeof *made);
    if (!made) { exit(3); }
    made->value = value;
    return made;
}
static int walk(struct node *at, T *out, int used) {
    if (at == NULL) { return used; }
    used = walk(at->left, out, used);
    out[used++] = at->value;
    return walk(at->right, out, used);
}
----
struct node *root = new_node(a[0]);
for (I i = 1; i < n; i++) {
    struct node *at = root;
    int placed = 0;
    while (!placed && at->value != a[i]) {
        COUNT();
        if (a[i] < at->value) {
            if (at->left == NULL) { at->left = new_node(a[i]); placed = 1; }
            at = at->left;
        } else {
            if (at->right == NULL) { at->right = new_node(a[i]); placed = 1; }
            at = at->right;
        }
    }
}
used = walk(root, out, 0);

//// links
struct node { T value; struct node *left; struct node *right; };
static struct node *new_node(T value) {
    struct node *made = calloc(1, sizeof *made);
    if (!made) { exit(3); }
    made->value = value;
    return made;
}
----
struct node *root = NULL, *stack[64];
int depth = 0;
for (I i = 0; i < n; i++) {
    struct node **link = &root;
    while (*link != NULL && (*link)->value != a[i]) {
        link = a[i] < (*link)->value ? &(*link)->left : &(*link)->right;
        COUNT();
    }
    if (*link == NULL) { *link = new_node(a[i]); }
}
struct node *at = root;
while (at != NULL || depth > 0) {
    while (at != NULL) { stack[depth++] = at; at = at->left; }
    at = stack[--depth];
    out[used++] = at->value;
    at = at->right;
}

//// arrays
T key[64];
int left[64], right[64], stack[64];
int nodes = 0, depth = 0;
for (I i = 0; i < n; i++) {
    int at = 0, equal = 0, last = -1;
    while (nodes > 0 && at >= 0 && !equal) {
        ANY(last = at, equal = key[at] == a[i]);
        at = a[i] < key[at] ? left[at] : right[at];
        COUNT();
    }
    if (!equal) {
        if (last >= 0) { if (a[i] < key[last]) { left[last] = nodes; } else { right[last] = nodes; } }
        ANY(key[nodes] = a[i], left[nodes] = -1, right[nodes] = -1);
        nodes++;
    }
}
int at = 0;
while (at >= 0 || depth > 0) {
    if (at >= 0) { stack[depth++] = at; at = left[at]; }
    else { at = stack[--depth]; out[used++] = key[at]; at = right[at]; }
}
