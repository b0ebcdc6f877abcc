#include "data/batch_save.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "base/status.h"
#include "ecgcnn/standardize.h"

ecg_status ecg__batch_save(const struct ecg__saved *s, const ecg_preprocess *p, ecg_geometry geometry,
                           const float *x, ecg_error *err)
{
    enum { NUMBERS = 64, HASHES = 10000000 };
    const uint32_t c = (uint32_t)p->color;
    const size_t n = strlen(s->dir) + strlen(s->prefix) + NUMBERS;
    char *path = ecg__alloc(n);
    uint8_t *px = ecg__alloc((size_t)p->h * p->w * c);
    ecg_status st = ECG_ENOMEM;
    if (path && px) {
        ecg__rng r = ecg__rng_at(s->seed, ECG__RNG_SAVE, s->epoch, s->sample);
        snprintf(path, n, "%s/%s_%" PRIu32 "_%" PRIu32 ".png", s->dir, s->prefix, s->index,
                 ecg__rng_below(&r, HASHES));
        ecg_standardize_to_pixels(geometry, x, p->h, p->w, c, px);
        const ecg_image picture = {px, p->w, p->h, c, (size_t)p->w * c};
        st = ecg_image_save_png(&picture, path, err);
    } else {
        ecg__fail(err, st, "%s: out of memory", s->dir);
    }
    ecg__free(path);
    ecg__free(px);
    return st;
}
