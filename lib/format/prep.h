/* The chunks that say how a picture becomes numbers: PREP, and STDZ where there is more to it. */
#ifndef ECG_FORMAT_PREP_H
#define ECG_FORMAT_PREP_H

#include "ecgcnn/image.h"
#include "format/chunk.h"

/* PREP, and STDZ after it if it is wanted. */
ecg_status ecg__prep_write(ecg__chunk_writer *w, const ecg_preprocess *prep, ecg_error *err);

/* The reader stands at PREP. *out is checked. */
ecg_status ecg__prep_read(ecg_preprocess *out, ecg__chunk_reader *r, ecg_error *err);

/* The reader stands at STDZ: completes what PREP said. *zca is the matrix that prep then borrows, ecg__free
 * it. */
ecg_status ecg__stdz_read(ecg_preprocess *prep, float **zca, ecg__chunk_reader *r, ecg_error *err);

#endif
