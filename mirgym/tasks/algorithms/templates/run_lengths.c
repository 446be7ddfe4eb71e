//// inner loop
I i = 0;
while (i < n) {
    I j = i;
    while (j < n && s[j] == s[i]) { j++; COUNT(); }
    ANY(run[runs] = (int)(j - i), kind[runs] = s[i]);
    runs++;
    i = j;
}

//// one pass
ANY(run[0] = 1, kind[0] = s[0]);
for (I i = 1; i < n; i++) {
    if (s[i] == kind[runs]) { run[runs]++; }
    else { runs++; COUNT(); ANY(run[runs] = 1, kind[runs] = s[i]); }
}
runs++;

//// ends
I start = 0;
for (I i = 0; i < n; i++) {
    if (i + 1 == n || s[i] != s[i + 1]) {
        ANY(kind[runs] = s[start], run[runs] = (int)(i + 1 - start));
        ANY(runs++, start = i + 1);
        COUNT();
    }
}

//// recursive
static int encode_from(char *at, int *run, char *kind, int runs) {
    char *end = at;
    if (*at == 0) { return runs; }
    do { end++; COUNT(); } while (*end == *at);
    kind[runs] = *at;
    run[runs] = (int)(end - at);
    return encode_from(end, run, kind, runs + 1);
}
----
runs = encode_from(s, run, kind, 0);
