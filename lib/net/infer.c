#include "net/infer.h"

#include <string.h>

#include "base/mem.h"
#include "net/arena.h"
#include "net/lower.h"

enum { HEAD_BYTES = 16 << 20 };

/* The first dense layer behind others. */
static uint32_t split_of(const ecg_spec *s)
{
    for (uint32_t i = 1; i < s->layers; i++)
        if (strcmp(s->layer[i].ops->name, "dense") == 0)
            return i;
    return s->layers;
}

/* Values, their homes (the layer that first wrote to a place) and lifetimes. Returns the largest scratch. */
static size_t make_values(const ecg__infer *f, ecg__value *value, uint32_t *home)
{
    const ecg_spec *s = f->spec;
    size_t scratch = 0;
    for (uint32_t i = 0; i < s->layers; i++) {
        const ecg__plan *p = &s->layer[i].plan;
        /* The network's input is the caller's, so the first layer never writes over it. */
        const bool inplace = i > 0 && (p->flags & ECG__INPLACE);
        home[i] = inplace ? home[i - 1] : i;
        if (!inplace)
            value[i] = (ecg__value){.bytes = p->out_count * sizeof(float), .first = i};
        value[home[i]].last = i + 1;
        if (p->scratch > scratch)
            scratch = p->scratch;
    }
    return scratch;
}

/* What belongs to the head is there for the whole group, its input while the body runs again and again. */
static void widen(ecg__infer *f, ecg__value *value, const uint32_t *home)
{
    const uint32_t n = f->spec->layers;
    size_t bytes = value[f->last].bytes;
    for (uint32_t i = f->split; i < n; i++)
        bytes += home[i] == i ? value[i].bytes : 0;
    while (f->group > 1 && f->group * bytes > HEAD_BYTES)
        f->group /= 2;
    if (f->group < 2)
        return;
    value[f->last].first = 0;
    for (uint32_t i = f->last; i < n; i++)
        if (home[i] == i && (i == f->last || i >= f->split))
            value[i].bytes *= f->group;
}

ecg_status ecg__infer_plan(ecg__infer *out, const ecg_spec *written, uint32_t group)
{
    ecg_spec *spec = ecg__spec_lower_infer(written);
    *out = (ecg__infer){.spec = spec, .group = group};
    if (!spec)
        return ECG_ENOMEM;
    const uint32_t n = spec->layers;
    ecg__value *value = ecg__calloc(n, sizeof *value);
    uint32_t *home = ecg__alloc(n * sizeof *home), *order = ecg__alloc(2 * (size_t)n * sizeof *order);
    out->offset = ecg__alloc(n * sizeof *out->offset);
    const bool ok = value && home && order && out->offset;
    if (ok) {
        const size_t scratch = make_values(out, value, home);
        out->split = split_of(spec);
        out->last = home[out->split - 1];
        widen(out, value, home);
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

size_t ecg__infer_groups(const ecg__infer *f, size_t n, uint32_t workers)
{
    const size_t most = (size_t)workers * f->group, groups = (n + most - 1) / most * workers;
    return groups < n ? groups : n;
}

static void run_layer(const ecg__infer *f, uint32_t i, const float *flat, const float *x, float *y,
                      uint32_t n, unsigned char *base, ecg__lap_row *laps, const ecg__infer_tap *tap)
{
    const ecg__layer *l = &f->spec->layer[i];
    if (tap && tap->layer == i)
        for (uint32_t k = 0; k < n; k++)
            tap->take(tap->ctx, x + k * l->plan.in_count, l->plan.in_count);
    const float *tensor[ECG__MAX_TENSORS];
    ecg__spec_tensors(f->spec, i, flat, tensor);
    const ecg__forward_args a = {.attr = l->attr,
                                 .plan = &l->plan,
                                 .tensor = tensor,
                                 .x = x,
                                 .y = y,
                                 .n = n,
                                 .scratch = base + f->scratch};
    l->ops->forward(&a);
    ecg__lap(laps, l->origin);
}

void ecg__infer_body(const ecg__infer *f, const float *flat, const float *x, uint32_t place, void *arena,
                     ecg__lap_row *laps, const ecg__infer_tap *tap)
{
    unsigned char *base = arena;
    for (uint32_t i = 0; i < f->split; i++) {
        float *y = (float *)(void *)(base + f->offset[i]);
        if (i >= f->last)
            y += place * f->spec->layer[i].plan.out_count;
        run_layer(f, i, flat, x, y, 1, base, laps, tap);
        x = y;
    }
}

void ecg__infer_head(const ecg__infer *f, const float *flat, uint32_t n, float *out, void *arena,
                     ecg__lap_row *laps, const ecg__infer_tap *tap)
{
    unsigned char *base = arena;
    const float *x = (const float *)(const void *)(base + f->offset[f->split - 1]);
    for (uint32_t i = f->split; i < f->spec->layers; i++) {
        float *y = (float *)(void *)(base + f->offset[i]);
        run_layer(f, i, flat, x, y, n, base, laps, tap);
        x = y;
    }
    memcpy(out, x, n * (size_t)ecg_spec_outputs(f->spec) * sizeof *out);
}

void ecg__infer_run(const ecg__infer *f, const float *flat, const float *x, float *out, void *arena,
                    ecg__lap_row *laps)
{
    ecg__infer_body(f, flat, x, 0, arena, laps, NULL);
    ecg__infer_head(f, flat, 1, out, arena, laps, NULL);
}

void ecg__infer_end(ecg__infer *f)
{
    ecg_spec_free(f->spec);
    ecg__free(f->offset);
    f->spec = NULL;
    f->offset = NULL;
}

size_t ecg__infer_plan_bytes(const ecg__infer *f)
{
    return ecg__align_up(f->spec->layers * sizeof *f->offset) + ecg__spec_bytes(f->spec);
}

ecg__infer ecg__infer_place(const ecg__infer *f, void *memory)
{
    ecg__infer placed = *f;
    const size_t offsets = f->spec->layers * sizeof *f->offset;
    placed.offset = memcpy(memory, f->offset, offsets);
    placed.spec = ecg__spec_place(f->spec, (unsigned char *)memory + ecg__align_up(offsets));
    return placed;
}
