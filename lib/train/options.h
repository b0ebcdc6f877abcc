/* Reading the caller's training options. */
#ifndef ECG_TRAIN_OPTIONS_H
#define ECG_TRAIN_OPTIONS_H

#include "ecgcnn/train.h"

/* *out = the defaults, `in` (may be NULL) over them, checked, and shards 0 made 16. class_weights is still
 * the caller's pointer. *out is unspecified on failure. Errors: ECG_EINVAL, ECG_EVERSION. */
ecg_status ecg__train_options_read(ecg_train_options *out, const ecg_train_options *in, ecg_error *err);

/* Check class_weights[classes]: finite, none below 0, one above. NULL is right. Errors: ECG_EINVAL. */
ecg_status ecg__class_weights_check(const float *class_weights, uint32_t classes, ecg_error *err);

#endif
