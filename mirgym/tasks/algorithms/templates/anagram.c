//// counts
int counts[26] = {0};
ANY({each (char x : s, n) { counts[x - 'a']++; }}, {each (char x : p, m) { counts[x - 'a']--; }});
for (int c = 0; c < 26; c++) {
    if (counts[c] > 0) { r += counts[c]; } else { r -= counts[c]; }
    COUNT();
}

//// two counts
int first[128] = {0}, second[128] = {0};
for (I i = 0; i < n; i++) { first[(int)s[i]]++; }
for (I i = 0; i < m; i++) { second[(int)p[i]]++; }
for (int c = 'a'; c <= 'z'; c++) { r += abs(first[c] - second[c]); COUNT(); }

//// strike out
int kept = 0;
for (I j = 0; j < m; j++) {
    for (I i = 0; i < n; i++) {
        COUNT();
        if (s[i] == p[j]) { s[i] = '-'; kept++; break; }
    }
}
r = (int)(n + m) - 2 * kept;

//// sorted
static void sort_letters(char *x, int count) {
    for (int i = 1; i < count; i++) {
        for (int j = i; j > 0 && x[j - 1] > x[j]; j--) {
            char kept = x[j];
            x[j] = x[j - 1];
            x[j - 1] = kept;
            COUNT();
        }
    }
}
----
char left[64], right[64];
ANY(memcpy(left, s, (unsigned long)n), memcpy(right, p, (unsigned long)m));
sort_letters(left, (int)n);
sort_letters(right, (int)m);
I i = 0, j = 0;
while (i < n && j < m) {
    if (left[i] == right[j]) { i++; j++; }
    else {
        r++;
        if (left[i] < right[j]) { i++; } else { j++; }
    }
}
r += (int)(n - i + m - j);
