//// back substitution
for (I p = 0; p < n; p++) {
    for (I i = p + 1; i < n; i++) {
        double factor = M(x, i, p) / M(x, p, p);
        for (I j = p; j < n; j++) { M(x, i, j) -= factor * M(x, p, j); COUNT(); }
        v[i] -= factor * v[p];
    }
}
for (I i = n - 1; i >= 0; i--) {
    for (I j = i + 1; j < n; j++) { v[i] -= M(x, i, j) * v[j]; }
    v[i] /= M(x, i, i);
}

//// jordan
for (I p = 0; p < n; p++) {
    double pivot = M(x, p, p);
    for (I j = 0; j < n; j++) { M(x, p, j) /= pivot; }
    v[p] /= pivot;
    for (I i = 0; i < n; i++) {
        if (i != p) {
            double factor = M(x, i, p);
            for (I j = 0; j < n; j++) { M(x, i, j) -= factor * M(x, p, j); COUNT(); }
            v[i] -= factor * v[p];
        }
    }
}

//// factors
for (I i = 1; i < n; i++) {
    for (I p = 0; p < i; p++) {
        M(x, i, p) /= M(x, p, p);
        for (I j = p + 1; j < n; j++) { M(x, i, j) -= M(x, i, p) * M(x, p, j); COUNT(); }
    }
}
for (I i = 0; i < n; i++) {
    for (I j = 0; j < i; j++) { v[i] -= M(x, i, j) * v[j]; }
}
for (I i = n; i-- > 0;) {
    double rest = v[i];
    for (I j = i + 1; j < n; j++) { rest -= M(x, i, j) * v[j]; }
    v[i] = rest / M(x, i, i);
}

//// pivots
for (I p = 0; p < n; p++) {
    I best = p;
    for (I i = p + 1; i < n; i++) {
        double here = M(x, i, p), there = M(x, best, p);
        if (here * here > there * there) { best = i; }
    }
    if (best != p) {
        for (I j = 0; j < n; j++) {
            double kept = M(x, p, j);
            M(x, p, j) = M(x, best, j);
            M(x, best, j) = kept;
        }
        double kept = v[p];
        v[p] = v[best];
        v[best] = kept;
    }
    for (I i = p + 1; i < n; i++) {
        double factor = -M(x, i, p) / M(x, p, p);
        for (I j = p + 1; j < n; j++) { M(x, i, j) += factor * M(x, p, j); COUNT(); }
        v[i] += factor * v[p];
    }
}
for (I i = n - 1; i >= 0; i--) {
    v[i] /= M(x, i, i);
    for (I j = 0; j < i; j++) { v[j] -= M(x, j, i) * v[i]; }
}
