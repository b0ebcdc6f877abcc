/* save_to_dir: what a batch holds, as pictures to look at. */
#ifndef ECG_DATA_BATCH_SAVE_H
#define ECG_DATA_BATCH_SAVE_H

#include "ecgcnn/augment.h"

struct ecg__saved {
    const char *dir, *prefix;
    uint32_t index; /* in the dataset */
    uint64_t seed, epoch, sample;
};

/* dir/prefix_index_hash.png */
ecg_status ecg__batch_save(const struct ecg__saved *s, const ecg_preprocess *p, ecg_geometry geometry,
                           const float *x, ecg_error *err);

#endif
