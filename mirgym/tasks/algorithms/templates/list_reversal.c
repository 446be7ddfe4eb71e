//// three pointers
struct link { T value; struct link *next; };
static struct link *push(struct link *head, T value) {
    struct link *made = malloc(sizeof *made);
    if (!made) { exit(3); }
    ANY(made->value = value, made->next = head);
    return made;
}
----
struct link *head = NULL;
for (I i = n - 1; i >= 0; i--) { head = push(head, a[i]); }
struct link *before = NULL;
while (head != NULL) {
    struct link *after = head->next;
    head->next = before;
    before = head;
    head = after;
    COUNT();
}
head = before;
for (I i = 0; i < n; i++) {
    struct link *gone = head;
    out[i] = head->value;
    head = head->next;
    free(gone);
}

//// recursive
struct link { T value; struct link *next; };
static struct link *push(struct link *head, T value) {
    struct link *made = malloc(sizeof *made);
    if (!made) { exit(3); }
    ANY(made->value = value, made->next = head);
    return made;
}
static struct link *reversed(struct link *head) {
    if (head == NULL || head->next == NULL) { return head; }
    struct link *rest = reversed(head->next);
    head->next->next = head;
    head->next = NULL;
    COUNT();
    return rest;
}
----
struct link *head = NULL;
for (I i = n - 1; i >= 0; i--) { head = push(head, a[i]); }
head = reversed(head);
for (I i = 0; i < n; i++) {
    struct link *gone = head;
    out[i] = head->value;
    head = head->next;
    free(gone);
}

//// indices
T value[64];
int next[64], head = 0, back = -1;
for (I i = 0; i < n; i++) { ANY(value[i] = a[i], next[i] = i + 1 < n ? (int)i + 1 : -1); }
while (head >= 0) {
    int after = next[head];
    next[head] = back;
    back = head;
    head = after;
    COUNT();
}
for (I i = 0; i < n; i++) { out[i] = value[back]; back = next[back]; }

//// move to front
struct link { T value; struct link *next; };
static struct link *push(struct link *head, T value) {
    struct link *made = malloc(sizeof *made);
    if (!made) { exit(3); }
    ANY(made->value = value, made->next = head);
    return made;
}
----
struct link *head = NULL;
for (I i = n - 1; i >= 0; i--) { head = push(head, a[i]); }
struct link *first = head;
while (first->next != NULL) {
    struct link *moved = first->next;
    first->next = moved->next;
    moved->next = head;
    head = moved;
    COUNT();
}
for (I i = 0; i < n; i++) {
    struct link *gone = head;
    out[i] = head->value;
    head = head->next;
    free(gone);
}
