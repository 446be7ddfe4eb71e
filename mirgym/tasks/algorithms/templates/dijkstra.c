//// scan
for (I i = 0; i < n; i++) { ANY(dist[i] = -1, done[i] = 0); }
dist[0] = 0;
for (I turn = 0; turn < n; turn++) {
    int u = -1;
    for (int i = 0; i < n; i++) {
        if (!done[i] && dist[i] >= 0 && (u < 0 || dist[i] < dist[u])) { u = i; }
    }
    if (u < 0) { break; }
    done[u] = 1;
    COUNT();
    neighbours (v : u) {
        if (dist[v] < 0 || dist[u] + cost < dist[v]) { dist[v] = dist[u] + cost; }
    }
}
queue[0] = 0;

//// open list
int open = 0;
for (I i = 0; i < n; i++) { dist[i] = 30000; }
ANY(dist[0] = 0, queue[open++] = 0, done[0] = 1);
while (open > 0) {
    int at = 0;
    for (int i = 1; i < open; i++) { if (dist[queue[i]] < dist[queue[at]]) { at = i; } }
    int u = queue[at];
    queue[at] = queue[--open];
    done[u] = 2;
    neighbours (v : u) {
        if (done[v] < 2) {
            if (dist[u] + cost < dist[v]) { dist[v] = dist[u] + cost; }
            if (done[v] == 0) { done[v] = 1; queue[open++] = v; COUNT(); }
        }
    }
}
for (I i = 0; i < n; i++) { if (dist[i] == 30000) { dist[i] = -1; } }

//// buckets
int left = (int)n, now = 0;
for (I i = 0; i < n; i++) { dist[i] = i > 0 ? 9999 : 0; }
while (left > 0 && now < 400) {
    for (int u = 0; u < n; u++) {
        if (dist[u] != now || done[u]) { continue; }
        ANY(done[u] = 1, left--);
        neighbours (v : u) {
            int far = now + cost;
            if (far < dist[v]) { dist[v] = far; COUNT(); }
        }
    }
    now++;
}
each (int x : dist, n) { if (x == 9999) { x = -1; } }
queue[0] = left;

//// heap
int heap = 1;
for (I i = 0; i < n; i++) { dist[i] = -1; }
queue[1] = 0;
while (heap > 0) {
    int top = queue[1], hole = 1, child = 2, moved = queue[heap--];
    while (child <= heap) {
        if (child < heap && queue[child + 1] < queue[child]) { child++; }
        if (queue[child] >= moved) { break; }
        queue[hole] = queue[child];
        hole = child;
        child = 2 * hole;
    }
    queue[hole] = moved;
    int u = top % 16, far = top / 16;
    if (done[u]) { continue; }
    ANY(done[u] = 1, dist[u] = far);
    neighbours (v : u) {
        if (!done[v]) {
            int at = ++heap, key = (far + cost) * 16 + v;
            while (at > 1 && queue[at / 2] > key) { queue[at] = queue[at / 2]; at /= 2; COUNT(); }
            queue[at] = key;
        }
    }
}
