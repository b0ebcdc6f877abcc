/* Occlusion: how much less sure the network is when it does not see a part of the picture. */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "eval/heat.h"
#include "net/model.h"

enum { BATCH = 64, BATCH_BYTES = 1 << 24, MOST_POSITIONS = 1 << 20, MOST_CHANNELS = 4 };

typedef struct cover {
    const ecg_image *img;
    uint8_t median[MOST_CHANNELS];
    uint32_t side_h, side_w, step; /* of the square, no larger than the picture */
    uint32_t rows, cols;           /* positions */
    uint8_t *px;                   /* [batch][h][w][c] */
    ecg_image view[BATCH];
    float *probs; /* [batch][classes] */
    size_t batch;
} cover;

static void take_medians(cover *c)
{
    const ecg_image *v = c->img;
    for (uint32_t k = 0; k < v->c; k++) {
        uint64_t count[256] = {0}, below = 0;
        for (uint32_t r = 0; r < v->h; r++)
            for (uint32_t x = 0; x < v->w; x++)
                count[v->px[r * v->stride + (size_t)x * v->c + k]]++;
        uint32_t g = 0;
        while ((below += count[g]) < ((uint64_t)v->h * v->w + 1) / 2)
            g++;
        c->median[k] = (uint8_t)g;
    }
}

/* Squares side by side that reach both ends: how many, and where the i-th begins. */
static uint32_t positions(uint32_t size, uint32_t side, uint32_t step)
{
    return (size - side + step - 1) / step + 1;
}

static uint32_t begin(uint32_t i, uint32_t size, uint32_t side, uint32_t step)
{
    return (uint64_t)i * step < size - side ? i * step : size - side;
}

static void paint(const cover *c, uint8_t *px, uint32_t position)
{
    const ecg_image *v = c->img;
    const size_t row = (size_t)v->w * v->c;
    const uint32_t top = begin(position / c->cols, v->h, c->side_h, c->step);
    const uint32_t left = begin(position % c->cols, v->w, c->side_w, c->step);
    for (uint32_t r = 0; r < v->h; r++)
        memcpy(px + r * row, v->px + r * v->stride, row);
    for (uint32_t r = top; r < top + c->side_h; r++)
        for (uint32_t x = left; x < left + c->side_w; x++)
            memcpy(px + r * row + (size_t)x * v->c, c->median, v->c);
}

/* heat->map: how far the probability falls at each position. */
static ecg_status run(cover *c, ecg_heat *heat, ecg_session *session, uint32_t classes, uint32_t cls,
                      float probability, ecg_error *err)
{
    const ecg_image *v = c->img;
    const size_t bytes = (size_t)v->h * v->w * v->c;
    const uint32_t all = c->rows * c->cols;
    for (uint32_t at = 0; at < all;) {
        const uint32_t n = all - at < c->batch ? all - at : (uint32_t)c->batch;
        for (uint32_t i = 0; i < n; i++) {
            paint(c, c->px + i * bytes, at + i);
            c->view[i] = (ecg_image){c->px + i * bytes, v->w, v->h, v->c, (size_t)v->w * v->c};
        }
        const ecg_status s = ecg_session_run_images(session, c->view, n, c->probs, err);
        if (s != ECG_OK)
            return s;
        for (uint32_t i = 0; i < n; i++, at++) {
            heat->map[at] = probability - c->probs[(size_t)i * classes + cls];
            if (!isfinite(heat->map[at]))
                return ecg__fail(err, ECG_ENUMERIC, "heat: the network's probabilities are not finite");
        }
    }
    return ECG_OK;
}

/* At each pixel the mean of the squares that cover it. *covering is [h][w]. */
static void spread(const cover *c, ecg_heat *heat, uint32_t *covering)
{
    for (uint32_t i = 0; i < c->rows * c->cols; i++) {
        const uint32_t top = begin(i / c->cols, heat->h, c->side_h, c->step);
        const uint32_t left = begin(i % c->cols, heat->w, c->side_w, c->step);
        for (uint32_t r = top; r < top + c->side_h; r++)
            for (uint32_t x = left; x < left + c->side_w; x++) {
                heat->full[(size_t)r * heat->w + x] += heat->map[i];
                covering[(size_t)r * heat->w + x]++;
            }
    }
    for (size_t i = 0; i < (size_t)heat->h * heat->w; i++)
        if (covering[i])
            heat->full[i] /= (float)covering[i];
}

static ecg_status measure(cover *c, const ecg_image *img, const ecg_heat_options *o, ecg_error *err)
{
    const uint32_t longer = img->h > img->w ? img->h : img->w;
    const uint32_t patch = o->patch ? o->patch : (longer + 7) / 8;
    c->img = img;
    c->side_h = patch < img->h ? patch : img->h;
    c->side_w = patch < img->w ? patch : img->w;
    c->step = o->step ? o->step : (patch + 3) / 4;
    if (c->step > patch)
        return ecg__fail(err, ECG_EINVAL, "heat options: step is %u, more than the patch of %u", c->step,
                         patch);
    c->rows = positions(img->h, c->side_h, c->step);
    c->cols = positions(img->w, c->side_w, c->step);
    if ((uint64_t)c->rows * c->cols > MOST_POSITIONS)
        return ecg__fail(err, ECG_ELIMIT, "heat: %u x %u positions, at most %d; a larger step has fewer",
                         c->rows, c->cols, (int)MOST_POSITIONS);
    return ECG_OK;
}

ecg_status ecg__occlusion(ecg_heat **out, ecg_model *m, const ecg_image *img, uint32_t cls, float probability,
                          const ecg_heat_options *o, ecg_error *err)
{
    cover c = {.batch = BATCH};
    ecg_session_options so = ECG_SESSION_OPTIONS_INIT;
    ecg_session *session = NULL;
    *out = NULL;
    ecg_status s = measure(&c, img, o, err);
    if (s != ECG_OK)
        return s;
    const size_t bytes = (size_t)img->h * img->w * img->c;
    while (c.batch > 1 && c.batch * bytes > BATCH_BYTES)
        c.batch /= 2;
    so.threads = o->threads;
    take_medians(&c);
    s = ecg_session_new(&session, m, &so, err);
    if (s == ECG_OK)
        s = ecg__heat_alloc(out, c.rows, c.cols, &m->prep, err);
    c.px = ecg__alloc(c.batch * bytes);
    c.probs = ecg__alloc(c.batch * m->classes * sizeof *c.probs);
    uint32_t *covering = ecg__calloc((size_t)img->h * img->w, sizeof *covering);
    if (s == ECG_OK && !(c.px && c.probs && covering))
        s = ecg__fail(err, ECG_ENOMEM, "heat: out of memory");
    if (s == ECG_OK)
        s = run(&c, *out, session, m->classes, cls, probability, err);
    if (s == ECG_OK)
        spread(&c, *out, covering);
    if (s != ECG_OK) {
        ecg_heat_free(*out);
        *out = NULL;
    }
    ecg__free(covering);
    ecg__free(c.px);
    ecg__free(c.probs);
    ecg_session_free(session);
    return s;
}
