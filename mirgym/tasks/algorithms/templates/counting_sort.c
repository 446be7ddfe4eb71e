//// expand
for (I i = 0; i < n; i++) { count[(int)a[i]]++; }
I at = 0;
for (int v = 0; v <= TOP; v++) {
    for (int c = count[v]; c > 0; c--) { a[at++] = (T)v; COUNT(); }
}

//// expand while
each (T x : a, n) { count[(int)x] += 1; }
T *out = a;
int value = 0;
while (value <= TOP) {
    if (count[value] > 0) { *out++ = (T)value; count[value]--; } else { value++; }
}

//// positions
for (I i = 0; i < n; i++) { count[(int)a[i]]++; }
for (int v = 1; v <= TOP; v++) { count[v] += count[v - 1]; }
for (I i = n - 1; i >= 0; i--) { b[--count[(int)a[i]]] = a[i]; COUNT(); }
for (I i = 0; i < n; i++) { a[i] = b[i]; }
