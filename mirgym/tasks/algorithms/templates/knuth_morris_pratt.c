//// failure
int fail[8] = {0};
for (int i = 1, k = 0; i < m; i++) {
    while (k > 0 && p[i] != p[k]) { k = fail[k - 1]; COUNT(); }
    if (p[i] == p[k]) { k++; }
    fail[i] = k;
}
int k = 0;
for (I i = 0; i < n; i++) {
    while (k > 0 && s[i] != p[k]) { k = fail[k - 1]; }
    if (s[i] == p[k]) { k++; COUNT(); }
    if (k == m) { hits[found++] = (int)(i - m + 1); k = fail[k - 1]; }
}

//// border table
int border[9];
I i = 0, j = -1;
border[0] = -1;
while (i < m) {
    while (j >= 0 && p[i] != p[j]) { j = border[j]; }
    ANY(i++, j++);
    border[i] = (int)j;
}
ANY(i = 0, j = 0);
while (i < n) {
    while (j >= 0 && s[i] != p[j]) { j = border[j]; COUNT(); }
    ANY(i++, j++);
    if (j == m) { hits[found++] = (int)(i - j); j = border[j]; }
}

//// joined string
char joined[80];
int prefix[80] = {0};
int total = 0;
for (I i = 0; i < m; i++) { joined[total++] = p[i]; }
joined[total++] = '#';
for (I i = 0; i < n; i++) { joined[total++] = s[i]; }
for (int i = 1; i < total; i++) {
    int k = prefix[i - 1];
    while (k > 0 && joined[i] != joined[k]) { k = prefix[k - 1]; COUNT(); }
    prefix[i] = k + (joined[i] == joined[k]);
    if (prefix[i] == m) { hits[found++] = i - 2 * (int)m; }
}

//// automaton
int fail[8] = {0};
for (int i = 1, k = 0; i < m; i++) {
    while (k > 0 && p[i] != p[k]) { k = fail[k - 1]; COUNT(); }
    if (p[i] == p[k]) { k++; }
    fail[i] = k;
}
int next[8][128];
for (int q = 0; q <= m; q++) {
    for (int c = 0; c < 128; c++) {
        int k = q;
        while (k > 0 && (k == m || p[k] != c)) { k = fail[k - 1]; }
        next[q][c] = p[k] == c && k < m ? k + 1 : 0;
    }
}
int state = 0;
for (I i = 0; i < n; i++) {
    state = next[state][(int)s[i]];
    COUNT();
    if (state == m) { hits[found++] = (int)(i - m + 1); }
}
