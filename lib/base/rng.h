/* Random numbers as a pure function of (seed, purpose, epoch, sample, i): no state, no stream to share, so
 * results depend neither on threads nor on the order of calls. Philox 4x32-10 (Salmon et al. 2011). */
#ifndef ECG_BASE_RNG_H
#define ECG_BASE_RNG_H

#include <stdint.h>

/* What a draw is for; part of the key. Values are kept: they decide what a seed means. */
enum ecg__purpose {
    ECG__RNG_INIT = 1,    /* epoch = layer, sample = parameter */
    ECG__RNG_SHUFFLE = 2, /* epoch = epoch */
    ECG__RNG_DROPOUT = 3, /* epoch = epoch or step, sample = sample and layer */
    ECG__RNG_SPLIT = 4,   /* validation split */
    ECG__RNG_AUGMENT = 5,
    ECG__RNG_SYNTH = 6, /* synthetic beats: epoch = patient, sample = beat */
    ECG__RNG_BALANCE = 16,
    ECG__RNG_SAVE = 17,      /* names of saved pictures: epoch = epoch, sample = sample */
    ECG__RNG_BOOTSTRAP = 24, /* epoch = replicate */
};

/* A position in one of 2^192 independent sequences; draw i is block i / 4, word i % 4. */
typedef struct ecg__rng {
    uint32_t key[2];     /* seed */
    uint32_t counter[3]; /* counter words 1..3; word 0 is the block number */
    uint32_t next;       /* index of the next draw */
    uint32_t block[4];
} ecg__rng;

/* Four 32-bit words for counter c[4] under key k[2]. */
static inline void ecg__philox(const uint32_t c[4], const uint32_t k[2], uint32_t out[4])
{
    uint32_t x0 = c[0], x1 = c[1], x2 = c[2], x3 = c[3], k0 = k[0], k1 = k[1];
    for (int round = 0; round < 10; round++) {
        const uint64_t a = (uint64_t)0xD2511F53u * x0, b = (uint64_t)0xCD9E8D57u * x2;
        x0 = (uint32_t)(b >> 32) ^ x1 ^ k0;
        x2 = (uint32_t)(a >> 32) ^ x3 ^ k1;
        x1 = (uint32_t)b;
        x3 = (uint32_t)a;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    out[0] = x0, out[1] = x1, out[2] = x2, out[3] = x3;
}

/* epoch and sample below 2^48 and 2^40 keep all sequences apart. */
static inline ecg__rng ecg__rng_at(uint64_t seed, enum ecg__purpose purpose, uint64_t epoch, uint64_t sample)
{
    ecg__rng r = {{(uint32_t)seed, (uint32_t)(seed >> 32)}, {0, 0, 0}, 0, {0, 0, 0, 0}};
    r.counter[0] = (uint32_t)sample;
    r.counter[1] = (uint32_t)epoch;
    r.counter[2] = ((uint32_t)purpose << 24) ^ ((uint32_t)(sample >> 32) << 16) ^ (uint32_t)(epoch >> 32);
    return r;
}

static inline uint32_t ecg__rng_u32(ecg__rng *r)
{
    if (r->next % 4 == 0) {
        const uint32_t c[4] = {r->next / 4, r->counter[0], r->counter[1], r->counter[2]};
        ecg__philox(c, r->key, r->block);
    }
    return r->block[r->next++ % 4];
}

/* Uniform in [0, 1): 24 random bits, exact in a float. */
static inline float ecg__rng_float(ecg__rng *r)
{
    return (float)(ecg__rng_u32(r) >> 8) * 0x1p-24f;
}

/* Uniform in [0, 1): 53 random bits. */
static inline double ecg__rng_double(ecg__rng *r)
{
    const uint64_t hi = ecg__rng_u32(r) >> 5, lo = ecg__rng_u32(r) >> 6;
    return ((double)hi * 0x1p26 + (double)lo) * 0x1p-53;
}

/* Uniform in 0..n-1 without bias (rejection; Lemire 2019); n >= 1. */
static inline uint32_t ecg__rng_below(ecg__rng *r, uint32_t n)
{
    uint64_t m = (uint64_t)ecg__rng_u32(r) * n;
    if ((uint32_t)m < n) {
        const uint32_t threshold = (0u - n) % n;
        while ((uint32_t)m < threshold)
            m = (uint64_t)ecg__rng_u32(r) * n;
    }
    return (uint32_t)(m >> 32);
}

/* Standard normal (Box and Muller). */
double ecg__rng_normal(ecg__rng *r);

/* Shuffle v[0..n) (Fisher and Yates). */
void ecg__rng_shuffle(ecg__rng *r, uint32_t *v, uint32_t n);

#endif
