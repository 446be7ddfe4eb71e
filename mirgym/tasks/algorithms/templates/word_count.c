//// state
int inside = 0, length = 0;
for (I i = 0; i < n; i++) {
    if (s[i] == ' ') { ANY(inside = 0, length = 0); }
    else {
        if (!inside) { words++; inside = 1; }
        length++;
        COUNT();
        if (length > longest[0]) { longest[0] = length; }
    }
}

//// skip and take
I i = 0;
while (i < n) {
    while (i < n && s[i] == ' ') { i++; }
    I start = i;
    while (i < n && s[i] != ' ') { i++; COUNT(); }
    if (i > start) {
        words++;
        if (i - start > longest[0]) { longest[0] = (int)(i - start); }
    }
}

//// strspn
char *at = s + strspn(s, " ");
while (*at) {
    int length = (int)strcspn(at, " ");
    words++;
    if (length > *longest) { *longest = length; }
    at += length;
    at += strspn(at, " ");
    COUNT();
}

//// last space
I space = -1;
for (I i = 0; i <= n; i++) {
    if (i == n || s[i] == ' ') {
        int length = (int)(i - space - 1);
        if (length > 0) { words++; COUNT(); }
        longest[0] = length > longest[0] ? length : longest[0];
        space = i;
    }
}
