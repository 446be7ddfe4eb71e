//// formula
for (int people = 2; people <= (int)x; people++) { r = (r + (long)y) % people; COUNT(); }

//// recursive
static long survivor(int people, int step) {
    COUNT();
    return people == 1 ? 0 : (survivor(people - 1, step) + step) % people;
}
----
r = survivor((int)x, (int)y);

//// remove
int ring[32], left = (int)x, at = 0;
for (int i = 0; i < left; i++) { ring[i] = i; }
while (left > 1) {
    at = (at + (int)y - 1) % left;
    left--;
    for (int i = at; i < left; i++) { ring[i] = ring[i + 1]; COUNT(); }
}
r = ring[0];

//// linked ring
int next[32], people = (int)x, at = people - 1;
for (int i = 0; i < people; i++) { next[i] = i + 1 == people ? 0 : i + 1; }
while (next[at] != at) {
    for (int step = 1; step < (int)y; step++) { at = next[at]; COUNT(); }
    next[at] = next[next[at]];
}
r = at;

//// marks
int gone[32] = {0}, left = (int)x, at = -1;
while (left > 0) {
    int step = (int)y;
    while (step > 0) {
        at++;
        if (at == (int)x) { at = 0; }
        if (!gone[at]) { step--; COUNT(); }
    }
    ANY(gone[at] = 1, left--);
}
r = at;
