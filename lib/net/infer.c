#include "net/infer.h"

#include <string.h>

#include "base/mem.h"
#include "net/arena.h"
#include "net/lower.h"

ecg_status ecg__infer_plan(ecg__infer *out, const ecg_spec *written)
{
    ecg_spec *spec = ecg__spec_lower(written);
    *out = (ecg__infer){.spec = spec};
    if (!spec)
        return ECG_ENOMEM;
    const uint32_t n = spec->layers;
    ecg__value *value = ecg__calloc(n, sizeof *value);
    uint32_t *home = ecg__alloc(n * sizeof *home), *order = ecg__alloc(2 * (size_t)n * sizeof *order);
    out->offset = ecg__alloc(n * sizeof *out->offset);
    const bool ok = value && home && order && out->offset;
    size_t scratch = 0;
    for (uint32_t i = 0; ok && i < n; i++) {
        const ecg__plan *p = &spec->layer[i].plan;
        /* The network's input is the caller's, so the first layer never writes over it. */
        const bool inplace = i > 0 && (p->flags & ECG__INPLACE);
        home[i] = inplace ? home[i - 1] : i;
        if (!inplace)
            value[i] = (ecg__value){.bytes = p->out_count * sizeof(float), .first = i};
        value[home[i]].last = i + 1;
        if (p->scratch > scratch)
            scratch = p->scratch;
    }
    if (ok) {
        out->scratch = ecg__arena_plan(value, n, order);
        out->bytes = out->scratch + ecg__align_up(scratch);
        for (uint32_t i = 0; i < n; i++)
            out->offset[i] = value[home[i]].offset;
    } else {
        ecg__infer_end(out);
    }
    ecg__free(value);
    ecg__free(home);
    ecg__free(order);
    return ok ? ECG_OK : ECG_ENOMEM;
}

void ecg__infer_run(const ecg__infer *f, const float *flat, const float *x, float *out, void *arena,
                    ecg__lap_row *laps)
{
    const ecg_spec *s = f->spec;
    unsigned char *base = arena;
    for (uint32_t i = 0; i < s->layers; i++) {
        const ecg__layer *l = &s->layer[i];
        const float *tensor[ECG__MAX_TENSORS];
        ecg__spec_tensors(s, i, flat, tensor);
        float *y = (float *)(void *)(base + f->offset[i]);
        const ecg__forward_args a = {.attr = l->attr,
                                     .plan = &l->plan,
                                     .tensor = tensor,
                                     .x = x,
                                     .y = y,
                                     .n = 1,
                                     .scratch = base + f->scratch};
        l->ops->forward(&a);
        ecg__lap(laps, l->origin);
        x = y;
    }
    memcpy(out, x, ecg_spec_outputs(s) * sizeof *out);
}

void ecg__infer_end(ecg__infer *f)
{
    ecg_spec_free(f->spec);
    ecg__free(f->offset);
    f->spec = NULL;
    f->offset = NULL;
}
