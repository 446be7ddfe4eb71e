//// table
for (I i = 1; i <= n; i++) {
    for (I j = 1; j <= m; j++) {
        COUNT();
        if (s[i - 1] == p[j - 1]) { M(t, i, j) = M(t, i - 1, j - 1) + 1; }
        else {
            if (M(t, i - 1, j) > M(t, i, j - 1)) { M(t, i, j) = M(t, i - 1, j); }
            else { M(t, i, j) = M(t, i, j - 1); }
        }
    }
}
r = (int)M(t, n, m);

//// recursive
static int common(MAT(T, t), const char *s, const char *p, int i, int j) {
    if (s[i] == 0 || p[j] == 0) { return 0; }
    if (M(t, i, j) != 0) { return (int)M(t, i, j) - 1; }
    int best;
    if (s[i] == p[j]) { best = 1 + common(t, s, p, i + 1, j + 1); }
    else {
        int left = common(t, s, p, i + 1, j), right = common(t, s, p, i, j + 1);
        best = left > right ? left : right;
    }
    COUNT();
    M(t, i, j) = (T)(best + 1);
    return best;
}
----
r = common(t, s, p, 0, 0);

//// from the end
for (I i = n - 1; i >= 0; i--) {
    for (I j = m - 1; j >= 0; j--) {
        T up = M(t, i + 1, j), left = M(t, i, j + 1), here = up;
        if (s[i] == p[j]) { here = (T)(M(t, i + 1, j + 1) + 1); }
        else { if (left > here) { here = left; } }
        M(t, i, j) = here;
        COUNT();
    }
}
r = (int)M(t, 0, 0);

//// two rows
for (I i = 1; i <= n; i++) {
    I now = i % 2, before = 1 - now;
    for (I j = 1; j <= m; j++) {
        T best = M(t, before, j);
        if (M(t, now, j - 1) > best) { best = M(t, now, j - 1); }
        if (s[i - 1] == p[j - 1]) { best = M(t, before, j - 1) + 1; }
        M(t, now, j) = best;
        COUNT();
    }
}
r = (int)M(t, n % 2, m);
