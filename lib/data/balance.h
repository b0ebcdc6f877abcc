/* Classes drawn evenly, as a pure function. */
#ifndef ECG_DATA_BALANCE_H
#define ECG_DATA_BALANCE_H

#include <stddef.h>
#include <stdint.h>

#include "ecgcnn/status.h"

/* Pictures by class; classes without pictures are left out. */
struct ecg__balance {
    uint32_t *picture; /* [count] */
    size_t *start;     /* [classes + 1] */
    uint32_t classes;  /* 0: not in use */
};

/* label[0..count) < classes. ECG_ENOMEM. */
ecg_status ecg__balance_init(struct ecg__balance *b, const uint32_t *label, size_t count, uint32_t classes,
                             ecg_error *err);
void ecg__balance_free(struct ecg__balance *b);

/* The picture that sample i of an epoch shows. */
size_t ecg__balance_pick(const struct ecg__balance *b, uint64_t seed, uint64_t epoch, size_t i);

/* Element i of a seeded permutation of 0..n-1, 1 <= n <= 2^32; `stream` tells permutations apart. */
uint32_t ecg__permuted(uint64_t seed, uint64_t epoch, uint64_t stream, uint64_t n, uint32_t i);

#endif
