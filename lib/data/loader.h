/* Inside a loader: its pictures, and how a sample is made of one. */
#ifndef ECG_DATA_LOADER_H
#define ECG_DATA_LOADER_H

#include <stdbool.h>

#include "data/balance.h"
#include "data/times.h"
#include "ecgcnn/data.h"

struct ecg_loader;

/* What is done to the pictures of an epoch. */
struct ecg__policy {
    ecg_augment_options augment;
    bool changes; /* augmentation does something */
    struct ecg__balance balance;
    uint64_t seed;
    ecg_preprocessing_fn *preprocessing;
    void *preprocessing_ctx;
    struct ecg__scratches *scratch;
};

struct ecg_loader {
    const ecg_dataset *dataset;
    ecg_preprocess prep;
    size_t bytes;    /* of one picture */
    uint8_t *px;     /* [cached][h][w][c] */
    uint32_t *index; /* [count] into the dataset */
    size_t count, cached, skipped;
    uint64_t pixels_print;             /* of all pictures' pixels, in order */
    struct ecg__policy policy;         /* of its source */
    struct ecg__times *times, *timing; /* timing: times, or NULL while it is off */
};

/* Decode sample `index` of the dataset to px[h][w][c]. */
ecg_status ecg__picture_read(const ecg_loader *l, uint32_t index, uint8_t *px, ecg_error *err);

/* Decode everything once; fills px, cached, count and skipped. */
ecg_status ecg__loader_decode(ecg_loader *l, const ecg_loader_options *o, ecg_error *err);

/* Bytes of pixels to keep where the caller does not say: half of what is available. */
uint64_t ecg__cache_default(void);

/* `balance` needs the loader's pictures. */
ecg_status ecg__policy_init(struct ecg__policy *p, const ecg_loader *l, const ecg_augment_options *augment,
                            uint64_t seed, bool balance, ecg_error *err);
void ecg__policy_free(struct ecg__policy *p);

/* Sample i of an epoch as network input x[h][w][c]. Any thread; allocates on a thread's first call only,
 * unless the picture is not in memory. */
ecg_status ecg__loader_fill(const ecg_loader *l, const struct ecg__policy *p, uint64_t epoch, size_t i,
                            float *x, uint32_t *label, ecg_error *err);

#endif
