//// flag
r = -1;
for (I i = 0; i < n && r < 0; i++) {
    COUNT();
    if (a[i] == key) { r = i; }
}

//// return
for (I i = 0; i < n; i++) {
    COUNT();
    if (a[i] == key) { return i; }
}
return -1;

//// backwards
r = -1;
for (I i = n - 1; i >= 0; i--) {
    if (a[i] == key) { r = i; COUNT(); }
}

//// recursive
static I find_from(T *a, I at, I count, T key) {
    if (at == count) { return -1; }
    COUNT();
    return a[at] == key ? at : find_from(a, at + 1, count, key);
}
----
r = find_from(a, 0, n, key);

//// sentinel
T kept = a[n];
a[n] = key;
T *p = a;
while (*p != key) { p++; COUNT(); }
a[n] = kept;
r = (I)(p - a);
if (r == n) { r = -1; }
