//// lomuto
static void quick(T *a, I low, I high) {
    if (low >= high) { return; }
    PICK(, {SWAP(a[low + (high - low) / 2], a[high]);});
    T pivot = a[high];
    I at = low;
    for (I j = low; j < high; j++) {
        COUNT();
        if (LT(a[j], pivot)) { SWAP(a[at], a[j]); at++; }
    }
    SWAP(a[at], a[high]);
    ANY(quick(a, low, at - 1), quick(a, at + 1, high));
}
----
quick(a, 0, n - 1);

//// stack
I stack[128];
int depth = 0;
ANY(stack[0] = 0, stack[1] = n - 1, depth = 2);
while (depth > 0) {
    I high = stack[--depth];
    I low = stack[--depth];
    if (low < high) {
        I at = low;
        for (I j = low; j < high; j++) {
            if (LT(a[j], a[high])) { SWAP(a[at], a[j]); at++; COUNT(); }
        }
        SWAP(a[at], a[high]);
        stack[depth++] = low;
        stack[depth++] = at - 1;
        stack[depth++] = at + 1;
        stack[depth++] = high;
    }
}

//// three ways
static void quick(T *a, I count) {
    while (count > 1) {
        I less = 0, i = 0, more = count;
        T pivot = a[PICK(count / 2, 0, count - 1)];
        while (i < more) {
            COUNT();
            if (LT(a[i], pivot)) { SWAP(a[less], a[i]); ANY(less++, i++); }
            else if (LT(pivot, a[i])) { more--; SWAP(a[i], a[more]); }
            else { i++; }
        }
        quick(a, less);
        a += more;
        count -= more;
    }
}
----
quick(a, n);

//// hoare
static void quick(T *a, I low, I high) {
    T pivot = a[PICK(low + (high - low) / 2, low, (low + high) / 2)];
    I i = low, j = high;
    while (i <= j) {
        while (LT(a[i], pivot)) { i++; COUNT(); }
        while (LT(pivot, a[j])) { j--; COUNT(); }
        if (i <= j) {
            SWAP(a[i], a[j]);
            ANY(i++, j--);
        }
    }
    if (low < j) { quick(a, low, j); }
    if (i < high) { quick(a, i, high); }
}
----
quick(a, 0, n - 1);
