//// queue
int first = 0, last = 0;
for (I i = 0; i < n; i++) { dist[i] = -1; }
ANY(dist[0] = 0, queue[last++] = 0);
while (first < last) {
    int u = queue[first++];
    neighbours (v : u) {
        if (dist[v] < 0) { dist[v] = dist[u] + 1; queue[last++] = v; COUNT(); }
    }
}
level[0] = last;

//// marks
int first = 0, count = 1;
for (I i = 0; i < n; i++) { level[i] = 0; dist[i] = -1; }
ANY(queue[0] = 0, level[0] = 1, dist[0] = 0);
do {
    int u = queue[first % n];
    ANY(first++, count--);
    neighbours (v : u) {
        if (level[v] == 0) {
            ANY(level[v] = 1, dist[v] = dist[u] + 1, queue[(first + count) % n] = v);
            count++;
            COUNT();
        }
    }
} while (count > 0);

//// two levels
int *now = queue, *later = level;
int count = 1, depth = 0;
for (I i = 0; i < n; i++) { dist[i] = -1; }
ANY(now[0] = 0, dist[0] = 0);
while (count > 0) {
    int found = 0;
    depth++;
    for (int i = 0; i < count; i++) {
        int u = now[i];
        neighbours (v : u) {
            if (dist[v] == -1) { dist[v] = depth; later[found++] = v; COUNT(); }
        }
    }
    int *kept = now;
    ANY(now = later, count = found);
    later = kept;
}

//// sweeps
int depth = 0, grown = 1;
for (I i = 0; i < n; i++) { dist[i] = i == 0 ? 0 : -1; }
while (grown) {
    grown = 0;
    for (I u = 0; u < n; u++) {
        if (dist[u] == depth) {
            neighbours (v : u) {
                if (dist[v] < 0) { ANY(dist[v] = depth + 1, grown = 1); COUNT(); }
            }
        }
    }
    depth++;
}
ANY(queue[0] = 0, level[0] = depth);
