#include "data/balance.h"

#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "base/status.h"

ecg_status ecg__balance_init(struct ecg__balance *b, const uint32_t *label, size_t count, uint32_t classes,
                             ecg_error *err)
{
    memset(b, 0, sizeof *b);
    b->picture = ecg__calloc(count, sizeof *b->picture);
    b->start = ecg__calloc((size_t)classes + 1, sizeof *b->start);
    size_t *at = ecg__calloc((size_t)classes + 1, sizeof *at);
    if (!b->picture || !b->start || !at) {
        ecg__free(at);
        ecg__balance_free(b);
        return ecg__fail(err, ECG_ENOMEM, "loader: out of memory to balance %zu pictures", count);
    }
    for (size_t i = 0; i < count; i++)
        at[label[i] + 1]++;
    for (uint32_t c = 0; c < classes; c++) {
        if (at[c + 1])
            b->start[++b->classes] = at[c] + at[c + 1];
        at[c + 1] += at[c];
    }
    for (size_t i = 0; i < count; i++)
        b->picture[at[label[i]]++] = (uint32_t)i;
    ecg__free(at);
    return ECG_OK;
}

void ecg__balance_free(struct ecg__balance *b)
{
    ecg__free(b->picture);
    ecg__free(b->start);
    memset(b, 0, sizeof *b);
}

/* A Feistel network on a square of a power of two that holds n, walked until it falls below n. */
uint32_t ecg__permuted(uint64_t seed, uint64_t epoch, uint64_t stream, uint64_t n, uint32_t i)
{
    enum { ROUNDS = 8 };
    uint32_t half = 3;
    while (half < 16 && (uint64_t)1 << (2 * half) < n)
        half++;
    const uint32_t mask = (1u << half) - 1;
    const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    uint64_t v = i;
    do {
        uint32_t left = (uint32_t)(v >> half), right = (uint32_t)v & mask;
        for (uint32_t round = 0; round < ROUNDS; round++) {
            const uint32_t counter[4] = {right | round << 16, (uint32_t)stream, (uint32_t)epoch,
                                         (uint32_t)ECG__RNG_BALANCE << 24 ^ (uint32_t)(stream >> 32) ^
                                             (uint32_t)(epoch >> 32)};
            uint32_t word[4];
            ecg__philox(counter, key, word);
            const uint32_t next = left ^ (word[0] & mask);
            left = right;
            right = next;
        }
        v = (uint64_t)left << half | right;
    } while (v >= n);
    return (uint32_t)v;
}

size_t ecg__balance_pick(const struct ecg__balance *b, uint64_t seed, uint64_t epoch, size_t i)
{
    const size_t c = i % b->classes, turn = i / b->classes;
    const size_t n = b->start[c + 1] - b->start[c];
    const uint64_t stream = (uint64_t)(turn / n) * b->classes + c; /* one order for each time around */
    return b->picture[b->start[c] + ecg__permuted(seed, epoch, stream, n, (uint32_t)(turn % n))];
}
