//// shift
unsigned v = (unsigned)x;
while (v != 0) { r += v & 1u; v >>= 1; COUNT(); }

//// clear lowest
unsigned v = (unsigned)x;
while (v) { v &= v - 1; r++; COUNT(); }

//// table
static const unsigned char ones[16] = {0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4};
----
for (unsigned v = (unsigned)x; v > 0; v >>= 4) { r += ones[v & 15u]; COUNT(); }

//// recursive
static int ones(unsigned v) { COUNT(); return v == 0 ? 0 : (int)(v & 1u) + ones(v >> 1); }
----
r = ones((unsigned)x);

//// masks
r = 0;
for (int bit = 0; bit < 32; bit++) {
    if ((unsigned)x & 1u << bit) { r++; COUNT(); }
}

//// parallel
unsigned v = (unsigned)x;
v = v - (v >> 1 & 0x55555555u);
v = (v & 0x33333333u) + (v >> 2 & 0x33333333u);
v = (v + (v >> 4)) & 0x0f0f0f0fu;
r = v * 0x01010101u >> 24;
