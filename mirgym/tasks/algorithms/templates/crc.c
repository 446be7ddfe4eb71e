//// bits
r = 0xffffffffu;
for (I i = 0; i < n; i++) {
    r ^= (unsigned char)s[i];
    for (int k = 0; k < 8; k++) {
        COUNT();
        if (r & 1u) { r = r >> 1 ^ 0xedb88320u; } else { r >>= 1; }
    }
}
r = ~r;

//// mask
r = 0xffffffffu;
each (char x : s, n) {
    r ^= (unsigned char)x;
    int left = 8;
    do { r = (r >> 1) ^ (0xedb88320u & (0u - (r & 1u))); COUNT(); } while (--left);
}
r ^= 0xffffffffu;

//// nibbles
unsigned nibble[16];
for (unsigned v = 0; v < 16; v++) {
    unsigned e = v;
    for (int k = 0; k < 4; k++) { e = e & 1u ? e >> 1 ^ 0xedb88320u : e >> 1; }
    nibble[v] = e;
}
r = 0xffffffffu;
for (I i = 0; i < n; i++) {
    r ^= (unsigned char)s[i];
    r = r >> 4 ^ nibble[r & 15u];
    r = r >> 4 ^ nibble[r & 15u];
    COUNT();
}
r = ~r;

//// table
static unsigned crc_table[256];
static void fill_table(void) {
    for (unsigned v = 0; v < 256; v++) {
        unsigned e = v;
        for (int k = 0; k < 8; k++) {
            if (e & 1u) { e = e >> 1 ^ 0xedb88320u; } else { e = e >> 1; }
        }
        crc_table[v] = e;
    }
}
----
fill_table();
r = 0xffffffffu;
for (I i = 0; i < n; i++) {
    r = crc_table[(r ^ (unsigned char)s[i]) & 255u] ^ r >> 8;
    COUNT();
}
r = ~r;
