//// plain
for (I i = 0; i < n - 1; i++) {
    for (I j = 0; j < n - 1 - i; j++) {
        COUNT();
        if (LT(a[j + 1], a[j])) { SWAP(a[j], a[j + 1]); }
    }
}

//// early exit
I end = n;
int swaps = 1;
while (swaps) {
    swaps = 0;
    for (I j = 1; j < end; j++) {
        COUNT();
        if (LT(a[j], a[j - 1])) {
            SWAP(a[j], a[j - 1]);
            PICK(swaps = 1 | 0, swaps++, swaps += 1);
        }
    }
    end--;
}

//// last swap
I bound = n - 1;
do {
    I last = 0;
    for (I j = 0; j < bound; j++) {
        if (LT(a[j + 1], a[j])) {
            SWAP(a[j + 1], a[j]);
            last = j;
            COUNT();
        }
    }
    bound = last;
} while (bound > 0);

//// cocktail
I low = 0, high = n - 1;
while (low < high) {
    for (I j = low; j < high; j++) {
        if (LT(a[j + 1], a[j])) { SWAP(a[j], a[j + 1]); COUNT(); }
    }
    high--;
    for (I j = high; j > low; j--) {
        if (LT(a[j], a[j - 1])) { SWAP(a[j], a[j - 1]); COUNT(); }
    }
    low++;
}
