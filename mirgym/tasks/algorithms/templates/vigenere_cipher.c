//// modulo
for (I i = 0; i < n; i++) {
    out[i] = (char)((s[i] - 'a' + p[i % m] - 'a') % 26 + 'a');
    COUNT();
}

//// subtract
I k = 0;
for (I i = 0; i < n; i++) {
    int code = s[i] + (p[k] - 'a');
    if (code > 'z') { code -= 26; COUNT(); }
    out[i] = (char)code;
    k++;
    if (k == m) { k = 0; }
}

//// pointers
char *from = s, *key = p, *to = out;
while (*from) {
    int shift = *key++ - 'a';
    *to = *from++;
    while (shift-- > 0) { *to = *to == 'z' ? 'a' : (char)(*to + 1); COUNT(); }
    to++;
    if (*key == 0) { key = p; }
}
if (to - out != n) { out[0] = (char)m; }

//// table
static char square[26][26];
----
for (int i = 0; i < 26; i++) {
    for (int j = 0; j < 26; j++) { square[i][j] = (char)('a' + (i + j) % 26); }
}
for (I i = 0; i < n; i++) { out[i] = square[s[i] - 'a'][p[i % m] - 'a']; COUNT(); }
