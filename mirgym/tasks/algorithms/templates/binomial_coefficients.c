//// triangle
long t[18][18];
for (int i = 0; i <= (int)x; i++) {
    for (int j = 0; j <= i; j++) {
        if (j == 0 || j == i) { t[i][j] = 1; } else { t[i][j] = t[i - 1][j - 1] + t[i - 1][j]; }
        COUNT();
    }
}
r = (int)y > (int)x ? 0 : t[(int)x][(int)y];

//// one row
long row[18] = {1};
for (int i = 1; i <= (int)x; i++) {
    for (int j = i; j > 0; j--) { row[j] += row[j - 1]; COUNT(); }
}
r = row[(int)y];

//// recursive
static long choose(int from, int count) {
    COUNT();
    if (count > from) { return 0; }
    if (count == 0 || count == from) { return 1; }
    return choose(from - 1, count - 1) + choose(from - 1, count);
}
----
r = choose((int)x, (int)y);

//// product
int count = (int)y;
r = count <= (int)x;
if (count > (int)x - count && r == 1) { count = (int)x - count; }
for (int k = 1; k <= count && r > 0; k++) { r = r * ((int)x - count + k) / k; COUNT(); }
