//// table
int shift[256];
for (int c = 0; c < 256; c++) { shift[c] = (int)m; }
for (I j = 0; j < m - 1; j++) { shift[(unsigned char)p[j]] = (int)(m - 1 - j); }
I i = 0;
while (i + m <= n) {
    I j = m - 1;
    while (j >= 0 && s[i + j] == p[j]) { j--; COUNT(); }
    if (j < 0) { hits[found++] = (int)i; }
    i += shift[(unsigned char)s[i + m - 1]];
}

//// last positions
int last[128];
memset(last, -1, sizeof last);
for (I j = 0; j < m; j++) { last[(int)p[j]] = (int)j; }
for (I i = 0; i <= n - m;) {
    I j = m;
    while (j > 0 && s[i + j - 1] == p[j - 1]) { j--; }
    COUNT();
    if (j == 0) { hits[found++] = (int)i; i++; }
    else {
        I step = j - 1 - last[(int)s[i + j - 1]];
        i += step > 1 ? step : 1;
    }
}

//// sunday
signed char shift[128];
memset(shift, (int)m + 1, sizeof shift);
for (I j = 0; j < m; j++) { shift[(int)p[j]] = (signed char)(m - j); }
for (char *at = s; at + m <= s + n; at += shift[(int)at[m]]) {
    I j = 0;
    while (j < m && at[j] == p[j]) { j++; COUNT(); }
    if (j == m) { hits[found++] = (int)(at - s); }
}
