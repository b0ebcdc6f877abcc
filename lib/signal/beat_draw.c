#include "ecgcnn/signal.h"

#include <math.h>
#include <string.h>

#include "image/draw.h"

enum { CHUNK = 256 }; /* points drawn at a time, so that any n fits on the stack */

static const double FAR = 1e9; /* rows; more might not fit a float */

ecg_status ecg_beat_draw(const float *mv, size_t n, float top, float bottom, float pen, uint8_t *px,
                         uint32_t h, uint32_t w)
{
    if (!mv || !px || n < 2 || h < 8 || h > 4096 || w < 8 || w > 4096)
        return ECG_EINVAL;
    if (!isfinite(top) || !isfinite(bottom) || !(top > bottom) || !isfinite(pen) || !(pen > 0.0f))
        return ECG_EINVAL;
    memset(px, 255, (size_t)h * w);
    const double columns = (double)(w - 1) / (double)(n - 1), rows = (h - 1) / ((double)top - (double)bottom);
    float xy[CHUNK][2];
    for (size_t start = 0; start + 1 < n; start += CHUNK - 1) {
        const size_t points = n - start < CHUNK ? n - start : CHUNK;
        for (size_t i = 0; i < points; i++) {
            const float v = mv[start + i];
            xy[i][0] = (float)((double)(start + i) * columns);
            xy[i][1] = isfinite(v) ? (float)fmax(-FAR, fmin(FAR, ((double)top - (double)v) * rows)) : NAN;
        }
        ecg__draw_polyline(px, h, w, w, xy[0], points, pen);
    }
    return ECG_OK;
}
