/* Kinds of cases of golden_augment. */
#ifndef ECG_GOLDEN_AUGMENT_CASES_H
#define ECG_GOLDEN_AUGMENT_CASES_H

#include "golden/golden_image_table.h"

/* golden_augment_pictures.c */
golden_run golden_transform_case;
golden_run golden_standardize_case;
golden_run golden_fit_case;

/* golden_augment_draws.c */
golden_run golden_rng_case;
golden_run golden_permutation_case;

/* golden_augment_folders.c */
golden_run golden_directory_case;
golden_run golden_order_case;
golden_run golden_iterator_case;

#endif
