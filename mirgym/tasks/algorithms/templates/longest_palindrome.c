//// centres
for (I c = 0; c < n; c++) {
    for (int even = 0; even < 2; even++) {
        I low = c, high = c + even;
        while (low >= 0 && high < n && s[low] == s[high]) { ANY(low--, high++); COUNT(); }
        if (high - low - 1 > r) { r = (int)(high - low - 1); }
    }
}

//// all pairs
for (I i = 0; i < n; i++) {
    for (I j = i; j < n; j++) {
        I low = i, high = j;
        while (low < high && s[low] == s[high]) { ANY(low++, high--); COUNT(); }
        if (low >= high && r < j - i + 1) { r = (int)(j - i + 1); }
    }
}

//// recursive
static int is_palindrome(const char *low, const char *high) {
    COUNT();
    if (low >= high) { return 1; }
    return *low == *high && is_palindrome(low + 1, high - 1);
}
----
I length = n;
while (r == 0) {
    for (I i = 0; i + length <= n; i++) {
        if (is_palindrome(s + i, s + i + length - 1)) { r = (int)length; }
    }
    length--;
}

//// table
r = 1;
for (I i = n - 1; i >= 0; i--) {
    M(t, i, i) = 1;
    for (I j = i + 1; j < n; j++) {
        M(t, i, j) = s[i] == s[j] && (j - i < 2 || M(t, i + 1, j - 1));
        COUNT();
        if (M(t, i, j) && j - i + 1 > r) { r = (int)(j - i + 1); }
    }
}
