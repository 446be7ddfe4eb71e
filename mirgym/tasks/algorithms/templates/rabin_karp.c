//// modulus
long wanted = 0, rolling = 0, top = 1;
for (I i = 0; i < m; i++) {
    wanted = (wanted * 256 + p[i]) % 1009;
    rolling = (rolling * 256 + s[i]) % 1009;
    if (i > 0) { top = top * 256 % 1009; }
}
for (I i = 0; i + m <= n; i++) {
    if (rolling == wanted) {
        I j = 0;
        while (j < m && s[i + j] == p[j]) { j++; COUNT(); }
        if (j == m) { hits[found++] = (int)i; }
    }
    if (i + m < n) {
        rolling = ((rolling - s[i] * top) * 256 + s[i + m]) % 1009;
        if (rolling < 0) { rolling += 1009; }
    }
}

//// overflow
unsigned wanted = 0, rolling = 0, power = 1;
for (I j = 0; j < m; j++) { wanted = wanted * 31u + (unsigned)p[j]; power *= 31u; }
for (I i = 0; i < n; i++) {
    rolling = rolling * 31u + (unsigned)s[i];
    if (i >= m) { rolling -= power * (unsigned)s[i - m]; }
    if (i >= m - 1 && rolling == wanted) {
        COUNT();
        if (memcmp(s + (i - m + 1), p, (unsigned long)m) == 0) {
            hits[found++] = (int)(i - m + 1);
        }
    }
}

//// prefix hashes
unsigned prefix[72], powers[72], wanted = 0;
ANY(prefix[0] = 7, powers[0] = 1);
for (I i = 0; i < n; i++) {
    ANY(prefix[i + 1] = prefix[i] * 131u + (unsigned)s[i], powers[i + 1] = powers[i] * 131u);
}
for (I j = 0; j < m; j++) { wanted = wanted * 131u + (unsigned)p[j]; }
for (I i = m; i <= n; i++) {
    if (prefix[i] - prefix[i - m] * powers[m] == wanted) {
        I j = 0;
        while (j < m && s[i - m + j] == p[j]) { j++; }
        if (j == m) { hits[found++] = (int)(i - m); COUNT(); }
    }
}
