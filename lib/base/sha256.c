#include "base/sha256.h"

#include <string.h>

#include "ecgcnn/net.h"

static const uint32_t k[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t turn(uint32_t v, int n)
{
    return v >> n | v << (32 - n);
}

/* One round; instead of moving the eight values along, the callers name them in turned order. */
static inline void round_of(uint32_t a, uint32_t b, uint32_t c, uint32_t *d, uint32_t e, uint32_t f,
                            uint32_t g, uint32_t *h, uint32_t add)
{
    const uint32_t one = *h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + add;
    *d += one;
    *h = one + (turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
}

static void take_block(uint32_t state[8], const unsigned char *p)
{
    uint32_t w[64];
    for (int i = 0; i < 16; i++, p += 4)
        w[i] = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
    for (int i = 16; i < 64; i++) {
        const uint32_t x = w[i - 15], y = w[i - 2];
        w[i] = w[i - 16] + (turn(x, 7) ^ turn(x, 18) ^ x >> 3) + w[i - 7] +
               (turn(y, 17) ^ turn(y, 19) ^ y >> 10);
    }
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
    uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
    for (int i = 0; i < 64; i += 8) {
        round_of(a, b, c, &d, e, f, g, &h, k[i] + w[i]);
        round_of(h, a, b, &c, d, e, f, &g, k[i + 1] + w[i + 1]);
        round_of(g, h, a, &b, c, d, e, &f, k[i + 2] + w[i + 2]);
        round_of(f, g, h, &a, b, c, d, &e, k[i + 3] + w[i + 3]);
        round_of(e, f, g, &h, a, b, c, &d, k[i + 4] + w[i + 4]);
        round_of(d, e, f, &g, h, a, b, &c, k[i + 5] + w[i + 5]);
        round_of(c, d, e, &f, g, h, a, &b, k[i + 6] + w[i + 6]);
        round_of(b, c, d, &e, f, g, h, &a, k[i + 7] + w[i + 7]);
    }
    state[0] += a, state[1] += b, state[2] += c, state[3] += d;
    state[4] += e, state[5] += f, state[6] += g, state[7] += h;
}

void ecg__sha256_begin(ecg__sha256 *s)
{
    static const uint32_t start[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    memcpy(s->h, start, sizeof start);
    s->bytes = 0;
}

void ecg__sha256_add(ecg__sha256 *s, const void *data, size_t n)
{
    const unsigned char *p = data;
    const size_t held = (size_t)(s->bytes % 64);
    s->bytes += n;
    if (held) {
        const size_t more = n < 64 - held ? n : 64 - held;
        if (more)
            memcpy(s->block + held, p, more);
        if (held + more < 64)
            return;
        take_block(s->h, s->block);
        p += more;
        n -= more;
    }
    for (; n >= 64; p += 64, n -= 64)
        take_block(s->h, p);
    if (n)
        memcpy(s->block, p, n);
}

void ecg__sha256_end(ecg__sha256 *s, char hex[ECG__SHA256_HEX])
{
    static const unsigned char pad[64] = {0x80};
    static const char digit[] = "0123456789abcdef";
    unsigned char length[8];
    for (int i = 0; i < 8; i++)
        length[i] = (unsigned char)(s->bytes * 8 >> (56 - 8 * i));
    ecg__sha256_add(s, pad, 1 + (size_t)((119 - s->bytes % 64) % 64));
    ecg__sha256_add(s, length, sizeof length);
    for (int i = 0; i < 64; i++)
        hex[i] = digit[s->h[i / 8] >> (28 - 4 * (i % 8)) & 15];
    hex[64] = '\0';
}

void ecg_sha256(const void *data, size_t n, char hex[65])
{
    ecg__sha256 s;
    ecg__sha256_begin(&s);
    ecg__sha256_add(&s, data, n);
    ecg__sha256_end(&s, hex);
}
