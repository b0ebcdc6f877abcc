/* NumPy's legacy random stream and the order in which Keras' iterators visit pictures: a test aid, to compare
 * with what Keras did. The library's own random numbers are in lib/base/rng.h. */
#ifndef ECG_GOLDEN_MT19937_H
#define ECG_GOLDEN_MT19937_H

#include <stdint.h>

typedef struct mt19937 {
    uint32_t word[624];
    uint32_t next;
} mt19937;

/* numpy.random.seed(seed) for one integer. */
static inline void mt_seed(mt19937 *m, uint32_t seed)
{
    m->word[0] = seed;
    for (uint32_t i = 1; i < 624; i++)
        m->word[i] = 1812433253u * (m->word[i - 1] ^ (m->word[i - 1] >> 30)) + i;
    m->next = 624;
}

static inline uint32_t mt_u32(mt19937 *m)
{
    if (m->next == 624) {
        for (uint32_t k = 0; k < 624; k++) {
            const uint32_t y = (m->word[k] & 0x80000000u) | (m->word[(k + 1) % 624] & 0x7fffffffu);
            m->word[k] = m->word[(k + 397) % 624] ^ (y >> 1) ^ (y & 1 ? 0x9908b0dfu : 0);
        }
        m->next = 0;
    }
    uint32_t y = m->word[m->next++];
    y ^= y >> 11;
    y ^= (y << 7) & 0x9d2c5680u;
    y ^= (y << 15) & 0xefc60000u;
    return y ^ (y >> 18);
}

/* Uniform in [0, 1). */
static inline double mt_real(mt19937 *m)
{
    const uint32_t hi = mt_u32(m) >> 5, lo = mt_u32(m) >> 6;
    return ((double)hi * 67108864.0 + (double)lo) / 9007199254740992.0;
}

static inline double mt_uniform(mt19937 *m, double lo, double hi)
{
    return lo + (hi - lo) * mt_real(m);
}

/* Uniform in 0..n-1; draws nothing for n = 1. */
static inline uint32_t mt_below(mt19937 *m, uint32_t n)
{
    if (n <= 1)
        return 0;
    uint32_t mask = n - 1;
    for (uint32_t s = 1; s < 32; s *= 2)
        mask |= mask >> s;
    for (;;) {
        const uint32_t v = mt_u32(m) & mask;
        if (v < n)
            return v;
    }
}

/* numpy.random.permutation(n). */
static inline void mt_permutation(mt19937 *m, uint32_t *v, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        v[i] = i;
    for (uint32_t i = n; i-- > 1;) {
        const uint32_t k = mt_below(m, i + 1), t = v[i];
        v[i] = v[k];
        v[k] = t;
    }
}

/* A Keras iterator with shuffle and a seed. Plain iteration (`getitem` 0) draws a new order at the first
 * batch of each epoch; indexed access (1), which training uses, draws the next epoch's order when an epoch
 * has ended, from wherever the stream then is: so the caller must draw each picture's parameters from `mt`
 * after each batch, as Keras does (two flips at least).
 *
 *     keras_order_init(&o, index, n, 5, 7, 1);
 *     for (...) {
 *         count = keras_order_batch(&o, &first);         // the batch is index[first .. first + count)
 *         for each of them: draw(&o.mt, ...);
 *         keras_order_done(&o);
 *     } */
typedef struct keras_order {
    mt19937 mt;
    uint32_t *index; /* [n] */
    uint32_t n, batch, at, seed, batches;
    int getitem, ordered;
} keras_order;

static inline void keras_order_init(keras_order *o, uint32_t *index, uint32_t n, uint32_t batch,
                                    uint32_t seed, int getitem)
{
    o->index = index;
    o->n = n;
    o->batch = batch;
    o->seed = seed;
    o->at = o->batches = 0;
    o->getitem = getitem;
    o->ordered = 0;
}

static inline uint32_t keras_order_batch(keras_order *o, uint32_t *first)
{
    mt_seed(&o->mt, o->seed + o->batches++);
    if (o->getitem ? !o->ordered : o->at == 0)
        mt_permutation(&o->mt, o->index, o->n);
    o->ordered = 1;
    *first = o->at;
    return o->n - o->at < o->batch ? o->n - o->at : o->batch;
}

static inline void keras_order_done(keras_order *o)
{
    o->at += o->batch;
    if (o->at < o->n)
        return;
    o->at = 0;
    if (o->getitem)
        mt_permutation(&o->mt, o->index, o->n);
}

#endif
