/*
 * SHA-224, SHA-256, SHA-384 and SHA-512 with an incremental interface, HMAC on
 * top of any of them and PBKDF2 on top of HMAC.  Published test vectors are
 * checked, and hashing in odd-sized pieces must equal hashing at once.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_BLOCK = 128, MAX_DIGEST = 64, MAX_HEX = 2 * MAX_DIGEST + 1 };

struct sha2_variant {
    const char *name;
    size_t block_size;
    size_t digest_size;
    void (*compress)(uint64_t state[8], const uint8_t *block);
    unsigned iv_first; /* First prime whose square root gives the initial state. */
    unsigned iv_shift; /* Which 32 bits of the fraction the 32-bit variants take. */
};

struct sha2 {
    const struct sha2_variant *variant;
    uint64_t state[8];
    uint64_t length;
    size_t fill;
    uint8_t block[MAX_BLOCK];
};

struct hmac {
    struct sha2 inner;
    struct sha2 outer;
};

/* Fractions of the cube roots of the first 80 primes; SHA-256 uses the upper halves. */
static const uint64_t round_constants[80] = {
    0x428a2f98d728ae22, 0x7137449123ef65cd, 0xb5c0fbcfec4d3b2f, 0xe9b5dba58189dbbc,
    0x3956c25bf348b538, 0x59f111f1b605d019, 0x923f82a4af194f9b, 0xab1c5ed5da6d8118,
    0xd807aa98a3030242, 0x12835b0145706fbe, 0x243185be4ee4b28c, 0x550c7dc3d5ffb4e2,
    0x72be5d74f27b896f, 0x80deb1fe3b1696b1, 0x9bdc06a725c71235, 0xc19bf174cf692694,
    0xe49b69c19ef14ad2, 0xefbe4786384f25e3, 0x0fc19dc68b8cd5b5, 0x240ca1cc77ac9c65,
    0x2de92c6f592b0275, 0x4a7484aa6ea6e483, 0x5cb0a9dcbd41fbd4, 0x76f988da831153b5,
    0x983e5152ee66dfab, 0xa831c66d2db43210, 0xb00327c898fb213f, 0xbf597fc7beef0ee4,
    0xc6e00bf33da88fc2, 0xd5a79147930aa725, 0x06ca6351e003826f, 0x142929670a0e6e70,
    0x27b70a8546d22ffc, 0x2e1b21385c26c926, 0x4d2c6dfc5ac42aed, 0x53380d139d95b3df,
    0x650a73548baf63de, 0x766a0abb3c77b2a8, 0x81c2c92e47edaee6, 0x92722c851482353b,
    0xa2bfe8a14cf10364, 0xa81a664bbc423001, 0xc24b8b70d0f89791, 0xc76c51a30654be30,
    0xd192e819d6ef5218, 0xd69906245565a910, 0xf40e35855771202a, 0x106aa07032bbd1b8,
    0x19a4c116b8d2d0c8, 0x1e376c085141ab53, 0x2748774cdf8eeb99, 0x34b0bcb5e19b48a8,
    0x391c0cb3c5c95a63, 0x4ed8aa4ae3418acb, 0x5b9cca4f7763e373, 0x682e6ff3d6b2b8a3,
    0x748f82ee5defb2fc, 0x78a5636f43172f60, 0x84c87814a1f0ab72, 0x8cc702081a6439ec,
    0x90befffa23631e28, 0xa4506cebde82bde9, 0xbef9a3f7b2c67915, 0xc67178f2e372532b,
    0xca273eceea26619c, 0xd186b8c721c0c207, 0xeada7dd6cde0eb1e, 0xf57d4f7fee6ed178,
    0x06f067aa72176fba, 0x0a637dc5a2c898a6, 0x113f9804bef90dae, 0x1b710b35131c471b,
    0x28db77f523047d84, 0x32caab7b40c72493, 0x3c9ebe0a15c9bebc, 0x431d67c49c100d4c,
    0x4cc5d4becb3e42b6, 0x597f299cfc657e2a, 0x5fcb6fab3ad6faec, 0x6c44198c4a475817,
};

/* Fractions of the square roots of the first 16 primes. */
static const uint64_t root_fractions[16] = {
    0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
    0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179,
    0xcbbb9d5dc1059ed8, 0x629a292a367cd507, 0x9159015a3070dd17, 0x152fecd8f70e5939,
    0x67332667ffc00b31, 0x8eb44a8768581511, 0xdb0c2e0d64f98fa7, 0x47b5481dbefa4fa4,
};

static void require(int condition, const char *what, const char *variant)
{
    if (!condition) {
        fprintf(stderr, "sha2: %s of %s is wrong\n", what, variant);
        exit(1);
    }
}

static uint64_t load_be(const uint8_t *p, size_t bytes)
{
    uint64_t value = 0;
    for (size_t i = 0; i < bytes; i++)
        value = value << 8 | p[i];
    return value;
}

static void store_be(uint8_t *p, uint64_t value, size_t bytes)
{
    while (bytes-- > 0) {
        p[bytes] = (uint8_t)value;
        value >>= 8;
    }
}

static uint32_t rotr32(uint32_t x, int n)
{
    return x >> n | x << (32 - n);
}

static uint64_t rotr64(uint64_t x, int n)
{
    return x >> n | x << (64 - n);
}

static void compress_32(uint64_t state[8], const uint8_t *block)
{
    uint32_t w[64];
    for (int t = 0; t < 16; t++)
        w[t] = (uint32_t)load_be(block + 4 * t, 4);
    for (int t = 16; t < 64; t++) {
        uint32_t s0 = rotr32(w[t - 15], 7) ^ rotr32(w[t - 15], 18) ^ w[t - 15] >> 3;
        uint32_t s1 = rotr32(w[t - 2], 17) ^ rotr32(w[t - 2], 19) ^ w[t - 2] >> 10;
        w[t] = w[t - 16] + s0 + w[t - 7] + s1;
    }

    uint32_t v[8];
    for (int i = 0; i < 8; i++)
        v[i] = (uint32_t)state[i];
    for (int t = 0; t < 64; t++) {
        uint32_t s1 = rotr32(v[4], 6) ^ rotr32(v[4], 11) ^ rotr32(v[4], 25);
        uint32_t choice = (v[4] & v[5]) ^ (~v[4] & v[6]);
        uint32_t t1 = v[7] + s1 + choice + (uint32_t)(round_constants[t] >> 32) + w[t];
        uint32_t s0 = rotr32(v[0], 2) ^ rotr32(v[0], 13) ^ rotr32(v[0], 22);
        uint32_t majority = (v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]);
        memmove(v + 1, v, 7 * sizeof *v);
        v[4] += t1;
        v[0] = t1 + s0 + majority;
    }
    for (int i = 0; i < 8; i++)
        state[i] = (uint32_t)state[i] + v[i];
}

/* One round; the caller renames the variables instead of moving their values. */
static void round_64(uint64_t a, uint64_t b, uint64_t c, uint64_t *d, uint64_t e, uint64_t f,
                     uint64_t g, uint64_t *h, uint64_t input)
{
    uint64_t s1 = rotr64(e, 14) ^ rotr64(e, 18) ^ rotr64(e, 41);
    uint64_t s0 = rotr64(a, 28) ^ rotr64(a, 34) ^ rotr64(a, 39);
    uint64_t t1 = *h + s1 + (g ^ (e & (f ^ g))) + input;
    *d += t1;
    *h = t1 + s0 + ((a & b) | (c & (a | b)));
}

static void compress_64(uint64_t state[8], const uint8_t *block)
{
    uint64_t w[80];
    for (int t = 0; t < 16; t++)
        w[t] = load_be(block + 8 * t, 8);
    for (int t = 16; t < 80; t++) {
        uint64_t s0 = rotr64(w[t - 15], 1) ^ rotr64(w[t - 15], 8) ^ w[t - 15] >> 7;
        uint64_t s1 = rotr64(w[t - 2], 19) ^ rotr64(w[t - 2], 61) ^ w[t - 2] >> 6;
        w[t] = w[t - 16] + s0 + w[t - 7] + s1;
    }

    uint64_t a = state[0], b = state[1], c = state[2], d = state[3];
    uint64_t e = state[4], f = state[5], g = state[6], h = state[7];
    const uint64_t *k = round_constants;
    for (int t = 0; t < 80; t += 8) {
        round_64(a, b, c, &d, e, f, g, &h, w[t] + k[t]);
        round_64(h, a, b, &c, d, e, f, &g, w[t + 1] + k[t + 1]);
        round_64(g, h, a, &b, c, d, e, &f, w[t + 2] + k[t + 2]);
        round_64(f, g, h, &a, b, c, d, &e, w[t + 3] + k[t + 3]);
        round_64(e, f, g, &h, a, b, c, &d, w[t + 4] + k[t + 4]);
        round_64(d, e, f, &g, h, a, b, &c, w[t + 5] + k[t + 5]);
        round_64(c, d, e, &f, g, h, a, &b, w[t + 6] + k[t + 6]);
        round_64(b, c, d, &e, f, g, h, &a, w[t + 7] + k[t + 7]);
    }
    const uint64_t added[8] = {a, b, c, d, e, f, g, h};
    for (int i = 0; i < 8; i++)
        state[i] += added[i];
}

static void sha2_init(struct sha2 *ctx, const struct sha2_variant *variant)
{
    ctx->variant = variant;
    ctx->length = 0;
    ctx->fill = 0;
    for (unsigned i = 0; i < 8; i++) {
        uint64_t fraction = root_fractions[variant->iv_first + i];
        ctx->state[i] =
            variant->block_size == 64 ? (uint32_t)(fraction >> variant->iv_shift) : fraction;
    }
}

static void sha2_update(struct sha2 *ctx, const void *input, size_t size)
{
    const uint8_t *data = input;
    size_t block_size = ctx->variant->block_size;
    ctx->length += size;
    if (ctx->fill > 0) {
        size_t take = block_size - ctx->fill;
        if (take > size)
            take = size;
        memcpy(ctx->block + ctx->fill, data, take);
        ctx->fill += take;
        data += take;
        size -= take;
        if (ctx->fill < block_size)
            return;
        ctx->variant->compress(ctx->state, ctx->block);
    }
    for (; size >= block_size; data += block_size, size -= block_size)
        ctx->variant->compress(ctx->state, data);
    memcpy(ctx->block, data, size);
    ctx->fill = size;
}

static void sha2_final(struct sha2 *ctx, uint8_t *digest)
{
    const struct sha2_variant *variant = ctx->variant;
    size_t length_size = variant->block_size / 8;
    ctx->block[ctx->fill++] = 0x80;
    if (ctx->fill > variant->block_size - length_size) {
        memset(ctx->block + ctx->fill, 0, variant->block_size - ctx->fill);
        variant->compress(ctx->state, ctx->block);
        ctx->fill = 0;
    }
    memset(ctx->block + ctx->fill, 0, variant->block_size - ctx->fill);
    store_be(ctx->block + variant->block_size - 8, ctx->length * 8, 8);
    variant->compress(ctx->state, ctx->block);

    size_t word = variant->block_size / 16;
    for (size_t i = 0; i < variant->digest_size / word; i++)
        store_be(digest + i * word, ctx->state[i], word);
}

static void sha2_hash(const struct sha2_variant *variant, const void *data, size_t size,
                      uint8_t *digest)
{
    struct sha2 ctx;
    sha2_init(&ctx, variant);
    sha2_update(&ctx, data, size);
    sha2_final(&ctx, digest);
}

static void hmac_init(struct hmac *mac, const struct sha2_variant *variant, const void *key,
                      size_t key_size)
{
    uint8_t pad[MAX_BLOCK] = {0};
    if (key_size > variant->block_size)
        sha2_hash(variant, key, key_size, pad);
    else
        memcpy(pad, key, key_size);

    for (size_t i = 0; i < variant->block_size; i++)
        pad[i] ^= 0x36;
    sha2_init(&mac->inner, variant);
    sha2_update(&mac->inner, pad, variant->block_size);
    for (size_t i = 0; i < variant->block_size; i++)
        pad[i] ^= 0x36 ^ 0x5c;
    sha2_init(&mac->outer, variant);
    sha2_update(&mac->outer, pad, variant->block_size);
}

/* The keyed context stays untouched, so it can authenticate many messages. */
static void hmac_message(const struct hmac *keyed, const void *data, size_t size, uint8_t *tag)
{
    struct hmac mac = *keyed;
    sha2_update(&mac.inner, data, size);
    sha2_final(&mac.inner, tag);
    sha2_update(&mac.outer, tag, mac.outer.variant->digest_size);
    sha2_final(&mac.outer, tag);
}

/* Derives one block, that is, as many bytes as the digest has. */
static void pbkdf2(const struct sha2_variant *variant, const char *password, const char *salt,
                   unsigned iterations, uint8_t *out)
{
    struct hmac keyed;
    uint8_t message[64], u[MAX_DIGEST];
    size_t salt_size = strlen(salt);
    require(salt_size + 4 <= sizeof message, "salt size", variant->name);
    memcpy(message, salt, salt_size);
    store_be(message + salt_size, 1, 4);

    hmac_init(&keyed, variant, password, strlen(password));
    hmac_message(&keyed, message, salt_size + 4, u);
    memcpy(out, u, variant->digest_size);
    for (unsigned i = 1; i < iterations; i++) {
        hmac_message(&keyed, u, variant->digest_size, u);
        for (size_t j = 0; j < variant->digest_size; j++)
            out[j] ^= u[j];
    }
}

static const char *to_hex(const uint8_t *data, size_t size, char hex[MAX_HEX])
{
    for (size_t i = 0; i < size; i++)
        snprintf(hex + 2 * i, 3, "%02x", (unsigned)data[i]);
    return hex;
}

/* Expected values are given by their first sixteen bytes. */
static void check_known_answers(const struct sha2_variant *variant, const char *const answers[3])
{
    uint8_t digest[MAX_DIGEST];
    char hex[MAX_HEX];
    struct hmac keyed;

    sha2_hash(variant, "abc", 3, digest);
    require(strcmp(to_hex(digest, 16, hex), answers[0]) == 0, "digest", variant->name);
    hmac_init(&keyed, variant, "Jefe", 4);
    hmac_message(&keyed, "what do ya want for nothing?", 28, digest);
    require(strcmp(to_hex(digest, 16, hex), answers[1]) == 0, "HMAC", variant->name);
    pbkdf2(variant, "password", "salt", 2, digest);
    require(strcmp(to_hex(digest, 16, hex), answers[2]) == 0, "PBKDF2", variant->name);
}

static void hash_message(const struct sha2_variant *variant, const uint8_t *message, size_t size)
{
    uint8_t whole[MAX_DIGEST], pieces[MAX_DIGEST];
    char hex[MAX_HEX];
    struct sha2 ctx;

    sha2_hash(variant, message, size, whole);
    sha2_init(&ctx, variant);
    for (size_t at = 0, step = 1; at < size; at += step, step = step * 3 % 257) {
        if (step > size - at)
            step = size - at;
        sha2_update(&ctx, message + at, step);
    }
    sha2_final(&ctx, pieces);
    require(memcmp(whole, pieces, variant->digest_size) == 0, "piecewise digest", variant->name);
    printf("%s %s\n", variant->name, to_hex(whole, variant->digest_size, hex));
}

/* Each digest is the next message, and its first byte decides on the next length. */
static void hash_chain(const struct sha2_variant *variant, unsigned links)
{
    uint8_t message[256];
    char hex[MAX_HEX];
    memset(message, 'a', sizeof message);
    for (unsigned i = 0; i < links; i++)
        sha2_hash(variant, message, message[0], message);
    printf("  chain  %s\n", to_hex(message, 16, hex));
}

int main(int argc, char **argv)
{
    static const struct sha2_variant variants[] = {
        {"SHA-224", 64, 28, compress_32, 8, 0},
        {"SHA-256", 64, 32, compress_32, 0, 32},
        {"SHA-384", 128, 48, compress_64, 8, 0},
        {"SHA-512", 128, 64, compress_64, 0, 0},
    };
    static const char *const answers[][3] = {
        {"23097d223405d8228642a477bda255b3",
         "a30e01098bc6dbbf45690f3a7e9e6d0f",
         "93200ffa96c5776d38fa10abdf8f5bfc"},
        {"ba7816bf8f01cfea414140de5dae2223",
         "5bdcc146bf60754e6a042426089575c7",
         "ae4d0c95af6b46d32d0adff928f06dd0"},
        {"cb00753f45a35e8bb5a03d699ac65007",
         "af45d2e376484031617f78d2b58a6b1b",
         "54f775c6d790f21930459162fc535dbf"},
        {"ddaf35a193617abacc417349ae204131",
         "164b7a7bfcf819e2e395fbe73b56e0a3",
         "e1d9c16aa681708a45f5c7c4e215ceb6"},
    };
    long size = 14000;
    if (argc > 1) {
        char *end;
        errno = 0;
        size = strtol(argv[1], &end, 10);
        if (errno != 0 || end == argv[1] || *end != '\0' || size < 1 || size > 100000000) {
            fprintf(stderr, "sha2: invalid size \"%s\", expected 1 to 100000000\n", argv[1]);
            return 2;
        }
    }

    uint8_t *message = malloc((size_t)size * 8);
    if (message == NULL) {
        fprintf(stderr, "sha2: out of memory\n");
        return 1;
    }
    uint32_t state = 1;
    for (size_t i = 0; i < (size_t)size * 8; i++) {
        state = state * 1664525u + 1013904223u;
        message[i] = (uint8_t)(state >> 24);
    }
    for (size_t v = 0; v < sizeof variants / sizeof variants[0]; v++) {
        const struct sha2_variant *variant = &variants[v];
        uint8_t derived[MAX_DIGEST];
        char hex[MAX_HEX];
        check_known_answers(variant, answers[v]);
        hash_message(variant, message, (size_t)size * 8);
        hash_chain(variant, (unsigned)size / 4);
        pbkdf2(variant, "correct horse", "battery staple", (unsigned)size / 4 + 1, derived);
        printf("  pbkdf2 %s\n", to_hex(derived, 16, hex));
    }
    free(message);
    return 0;
}
