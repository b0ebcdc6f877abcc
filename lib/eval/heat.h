/* Heat maps: what their kinds share. */
#ifndef ECG_EVAL_HEAT_H
#define ECG_EVAL_HEAT_H

#include "ecgcnn/eval.h"

/* All but its figures, maps cleared; freed with ecg_heat_free. ECG_ENOMEM. */
ecg_status ecg__heat_alloc(ecg_heat **out, uint32_t map_h, uint32_t map_w, const ecg_preprocess *p,
                           ecg_error *err);

/* gradcam.c: map and layer from x, an input; map is not divided yet, full not made. */
ecg_status ecg__gradcam(ecg_heat **out, const ecg_model *m, const float *x, uint32_t cls, uint32_t layer,
                        ecg_error *err);

/* occlusion.c: map and full, not divided yet. */
ecg_status ecg__occlusion(ecg_heat **out, ecg_model *m, const ecg_image *img, uint32_t cls, float probability,
                          const ecg_heat_options *o, ecg_error *err);

/* from[h][w] to to[th][tw], bilinearly, corners not aligned. */
void ecg__heat_enlarge(const float *from, uint32_t h, uint32_t w, float *to, uint32_t th, uint32_t tw);

#endif
