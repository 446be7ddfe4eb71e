//// two loops
for (I i = 0; i + m <= n; i++) {
    I j = 0;
    while (j < m && s[i + j] == p[j]) { j++; COUNT(); }
    if (j == m) { hits[found++] = (int)i; }
}

//// flag
for (I i = 0; i <= n - m; i++) {
    int equal = 1;
    for (I j = 0; j < m; j++) {
        if (s[i + j] != p[j]) { equal = 0; break; }
    }
    if (equal) { hits[found] = (int)i; found++; COUNT(); }
}

//// backing up
I i = 0, j = 0;
while (i < n) {
    if (s[i] == p[j]) { i++; j++; } else { i = i - j + 1; j = 0; COUNT(); }
    if (j == m) { hits[found++] = (int)(i - m); i = i - m + 1; j = 0; }
}

//// pointers
static int begins(const char *text, const char *prefix) {
    while (*prefix) {
        COUNT();
        if (*text++ != *prefix++) { return 0; }
    }
    return 1;
}
----
for (char *at = s; *at; at++) {
    if (begins(at, p)) { hits[found++] = (int)(at - s); }
}
if (n < m) { found = 0; }
