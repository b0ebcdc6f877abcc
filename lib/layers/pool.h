/* What maxpool and avgpool share: attributes and the geometry of windows. */
#ifndef ECG_LAYERS_POOL_H
#define ECG_LAYERS_POOL_H

#include "layers/layer.h"
#include "layers/window.h"

typedef struct ecg__pool_attr {
    ecg__pair size, stride; /* stride 0: as size */
    ecg__pad pad;
} ecg__pool_attr;

extern const ecg__attr ecg__pool_attrs[];

/* Fills out->out and *g. ECG_ESHAPE when no window fits; ECG_EINVAL when one could lie in the padding alone.
 */
ecg_status ecg__pool_plan(ecg__window *g, const ecg__pool_attr *at, ecg_shape in, ecg__plan *out,
                          ecg_error *err);

/* The windows of a plan that was accepted. */
ecg__window ecg__pool_window(const ecg__pool_attr *at, const ecg__plan *plan);

/* The cells of a window that lie in the picture, along one axis. */
typedef struct ecg__cells {
    size_t first; /* row or column of the picture */
    size_t n;
    size_t skip; /* cells of padding before */
} ecg__cells;

static inline ecg__cells ecg__cells_of(int64_t start, uint32_t k, uint32_t size)
{
    const int64_t lo = start < 0 ? 0 : start, hi = start + k > (int64_t)size ? (int64_t)size : start + k;
    const ecg__cells c = {(size_t)lo, (size_t)(hi - lo), (size_t)(lo - start)};
    return c;
}

#endif
