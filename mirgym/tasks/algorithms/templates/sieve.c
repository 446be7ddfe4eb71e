//// from twice
for (I i = 2; i < n; i++) {
    if (!composite[i]) {
        primes[found++] = (int)i;
        for (int j = 2 * i; j < n; j += i) { composite[j] = 1; COUNT(); }
    }
}

//// from square
for (int i = 2; i * i < n; i++) {
    if (composite[i] == 0) {
        for (int j = i * i; j < n; j += i) { composite[j] = 1; COUNT(); }
    }
}
for (I i = 2; i < n; i++) {
    if (composite[i] == 0) { primes[found++] = (int)i; }
}

//// linear
for (int i = 2; i < n; i++) {
    if (!composite[i]) { primes[found++] = i; }
    for (int k = 0; k < found && i * primes[k] < n; k++) {
        composite[i * primes[k]] = 1;
        COUNT();
        if (i % primes[k] == 0) { break; }
    }
}

//// odd numbers
primes[found++] = 2;
for (int i = 3; i < n; i += 2) {
    if (composite[i / 2]) { continue; }
    primes[found++] = i;
    for (int j = i * i; j < n; j += 2 * i) { composite[j / 2] = 1; COUNT(); }
}
