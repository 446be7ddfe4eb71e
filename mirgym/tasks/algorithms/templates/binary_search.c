//// closed
I low = 0, high = n - 1;
r = -1;
while (low <= high) {
    I middle = PICK((low + high) / 2, low + (high - low) / 2, (low + high) >> 1);
    COUNT();
    if (a[middle] == key) { r = middle; break; }
    if (a[middle] < key) { low = middle + 1; } else { high = middle - 1; }
}

//// lower bound
I low = 0, high = n;
while (low < high) {
    I middle = low + (high - low) / 2;
    COUNT();
    if (a[middle] < key) { low = middle + 1; } else { high = middle; }
}
r = low < n && a[low] == key ? low : -1;

//// recursive
static I find_between(T *a, I low, I high, T key) {
    if (low > high) { return -1; }
    I middle = PICK((low + high) / 2, low + (high - low) / 2);
    if (key < a[middle]) { return find_between(a, low, middle - 1, key); }
    if (key > a[middle]) { return find_between(a, middle + 1, high, key); }
    COUNT();
    return middle;
}
----
r = find_between(a, 0, n - 1, key);

//// pointers
T *base = a;
I left = n;
while (left > 1) {
    I half = left / 2;
    if (base[half] <= key) { base += half; }
    left -= half;
    COUNT();
}
r = *base == key ? (I)(base - a) : -1;

//// steps
I step = 1, at = -1;
while (step <= n) { step *= 2; }
for (step /= 2; step > 0; step /= 2) {
    COUNT();
    if (at + step < n && a[at + step] <= key) { at += step; }
}
r = at >= 0 && a[at] == key ? at : -1;
