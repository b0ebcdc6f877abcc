/* heat_png.h: a picture with the heat of its answer over it, as a PNG. */
#ifndef ECG_TOOLS_SERVE_HEAT_PNG_H
#define ECG_TOOLS_SERVE_HEAT_PNG_H

#include "ecgcnn/eval.h"

/* Grad-CAM of the most likely class over the picture `data`, of which `prepared` and `look` were made. *out
 * is allocated (malloc). Errors: those of ecg_heat_new and of decoding. Any thread. */
ecg_status heat_png(unsigned char **out, size_t *size, ecg_model *m, const ecg_image *prepared,
                    const ecg_look *look, const void *data, size_t n, ecg_error *err);

#endif
