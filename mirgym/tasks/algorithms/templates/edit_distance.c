//// table
for (I i = 0; i <= n; i++) { M(t, i, 0) = (T)i; }
for (I j = 0; j <= m; j++) { M(t, 0, j) = (T)j; }
for (I i = 1; i <= n; i++) {
    for (I j = 1; j <= m; j++) {
        T best = M(t, i - 1, j - 1) + (s[i - 1] != p[j - 1]);
        if (M(t, i - 1, j) + 1 < best) { best = M(t, i - 1, j) + 1; }
        if (M(t, i, j - 1) + 1 < best) { best = M(t, i, j - 1) + 1; }
        M(t, i, j) = best;
        COUNT();
    }
}
r = (int)M(t, n, m);

//// recursive
static int least(int x, int y) { return x < y ? x : y; }
static int distance(MAT(T, t), const char *s, const char *p, int i, int j) {
    if (i == 0) { return j; }
    if (j == 0) { return i; }
    if (M(t, i, j) > 0) { return (int)M(t, i, j) - 1; }
    int best = distance(t, s, p, i - 1, j - 1);
    COUNT();
    if (s[i - 1] != p[j - 1]) {
        best = 1 + least(best, least(distance(t, s, p, i - 1, j), distance(t, s, p, i, j - 1)));
    }
    M(t, i, j) = (T)(best + 1);
    return best;
}
----
r = distance(t, s, p, (int)n, (int)m);

//// equal letters
for (I i = 0; i <= n; i++) {
    for (I j = 0; j <= m; j++) {
        if (i == 0 || j == 0) { M(t, i, j) = (T)(i + j); }
        else if (s[i - 1] == p[j - 1]) { M(t, i, j) = M(t, i - 1, j - 1); }
        else {
            T up = M(t, i - 1, j), left = M(t, i, j - 1), both = M(t, i - 1, j - 1);
            T best = up < left ? up : left;
            M(t, i, j) = (T)(1 + (both < best ? both : best));
            COUNT();
        }
    }
}
r = (int)M(t, n, m);

//// one row
T row[16];
for (I j = 0; j <= m; j++) { row[j] = (T)j; }
for (I i = 1; i <= n; i++) {
    T corner = row[0];
    row[0] = (T)i;
    for (I j = 1; j <= m; j++) {
        T up = row[j];
        T best = corner;
        if (s[i - 1] != p[j - 1]) {
            if (up < best) { best = up; }
            if (row[j - 1] < best) { best = row[j - 1]; }
            best++;
        }
        ANY(row[j] = best, corner = up);
        COUNT();
    }
}
r = (int)row[m];
M(t, 0, 0) = 0;
