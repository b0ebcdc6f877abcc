#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "image/draw.h"
#include "signal/beat_level.h"
#include "signal/beat_usual.h"
#include "signal/recipe.h"

/* Seconds before and after the beat. */
static const double FIXED_BEFORE = 96.0 / 360.0, FIXED_AFTER = 95.0 / 360.0;
static const double CLOSE_BEFORE = 0.35, CLOSE_AFTER = 0.45;
static const double PACE_BEFORE = 2.5, PACE_AFTER = 1.5; /* median intervals */
static const double STRIP_BEFORE = 2.5, STRIP_AFTER = 1.5;
enum { PACE_REACH = 16 };                     /* intervals to either side whose median is the pace */
static const double RR_MARGIN = 20.0 / 360.0; /* kept away from the neighbours */
static const double QRS_REACH = 0.08;

struct ecg_painter {
    struct ecg_recipe recipe;
    double rate;
    size_t n;
    float *lead, *second; /* [n], less their baselines; second may be NULL */
    uint64_t *beats;      /* [count] */
    size_t count;
    float *usual;      /* [usual_n], its beat at usual_at; NULL where no view shows it */
    uint8_t *usual_px; /* [h][w], the same for every beat */
    size_t usual_n, usual_at;
    double qrs, second_qrs; /* mV */
};

static bool shows(const struct ecg_recipe *r, enum ecg__recipe_view view)
{
    for (uint32_t i = 0; i < r->views; i++)
        if (r->view[i] == view)
            return true;
    return false;
}

static ecg_status copy_lead(float **out, const struct ecg_painter *p, const float *mv)
{
    *out = ecg__calloc(p->n ? p->n : 1, sizeof **out);
    if (!*out)
        return ECG_ENOMEM;
    if (p->n)
        memcpy(*out, mv, p->n * sizeof **out);
    return p->recipe.baseline > 0.0 ? ecg__level_take(*out, p->n, p->rate, p->recipe.baseline) : ECG_OK;
}

static void draw_view(const struct ecg_painter *p, size_t i, enum ecg__recipe_view view, uint8_t *px);

static ecg_status prepare(struct ecg_painter *p, const float *mv, const float *second, const uint64_t *beats)
{
    const size_t reach = (size_t)(QRS_REACH * p->rate + 0.5);
    p->beats = ecg__calloc(p->count ? p->count : 1, sizeof *p->beats);
    if (!p->beats)
        return ECG_ENOMEM;
    if (p->count)
        memcpy(p->beats, beats, p->count * sizeof *p->beats);
    ecg_status s = copy_lead(&p->lead, p, mv);
    if (s == ECG_OK && shows(&p->recipe, ECG__VIEW_SECOND))
        s = copy_lead(&p->second, p, second);
    if (s != ECG_OK)
        return s;
    p->qrs = ecg__usual_size(reach, p->lead, p->n, p->beats, p->count);
    p->second_qrs = p->second ? ecg__usual_size(reach, p->second, p->n, p->beats, p->count) : 0.0;
    if (!shows(&p->recipe, ECG__VIEW_USUAL))
        return ECG_OK;
    const size_t after = (size_t)ceil(CLOSE_AFTER * p->rate) + 1;
    p->usual_at = (size_t)ceil(CLOSE_BEFORE * p->rate) + 1;
    p->usual_n = p->usual_at + after + 1;
    p->usual = ecg__calloc(p->usual_n, sizeof *p->usual);
    p->usual_px = ecg__alloc((size_t)p->recipe.h * p->recipe.w);
    if (!p->usual || !p->usual_px)
        return ECG_ENOMEM;
    s = ecg__usual_beat(p->usual, p->usual_at, after, p->lead, p->n, p->beats, p->count);
    if (s == ECG_OK && p->count)
        draw_view(p, 0, ECG__VIEW_USUAL, p->usual_px);
    return s;
}

ecg_status ecg_painter_new(ecg_painter **out, const ecg_recipe *r, const float *mv, const float *second,
                           size_t n, double rate, const uint64_t *beats, size_t count, ecg_error *err)
{
    if (!out || !r || (!mv && n) || (!beats && count))
        return ecg__fail(err, ECG_EINVAL, "painter: no recipe, signal or beats, or nowhere to put it");
    *out = NULL;
    if (!(rate >= 1.0 && rate <= 1e5))
        return ecg__fail(err, ECG_EINVAL, "painter: %g samples a second, expected 1 to 100000", rate);
    if (shows(r, ECG__VIEW_SECOND) && !second && n)
        return ecg__fail(err, ECG_EINVAL, "painter: the recipe draws a second lead, and there is none");
    for (size_t i = 0; i < count; i++)
        if (beats[i] >= n || (i > 0 && beats[i] < beats[i - 1]))
            return ecg__fail(err, ECG_EINVAL,
                             "painter: beat %zu at sample %llu of %zu: out of order, or beyond", i,
                             (unsigned long long)beats[i], n);
    struct ecg_painter *p = ecg__calloc(1, sizeof *p);
    if (!p)
        return ecg__fail(err, ECG_ENOMEM, "painter: out of memory");
    p->recipe = *r;
    p->rate = rate;
    p->n = n;
    p->count = count;
    const ecg_status s = prepare(p, mv, second, beats);
    if (s == ECG_OK) {
        *out = p;
        return s;
    }
    ecg_painter_free(p);
    return ecg__fail(err, s, "painter: out of memory for %zu samples", n);
}

/* ---- Drawing ---- */

enum { POINTS = 256 };

/* Points on their way to the page. */
struct pencil {
    uint8_t *px; /* of the box */
    uint32_t h, w;
    size_t stride;
    float pen;
    size_t n;
    float xy[POINTS][2];
};

static void flush(struct pencil *c)
{
    if (c->n > 1)
        ecg__draw_polyline(c->px, c->h, c->w, c->stride, c->xy[0], c->n, c->pen);
    if (c->n) {
        memcpy(c->xy[0], c->xy[c->n - 1], sizeof c->xy[0]);
        c->n = 1;
    }
}

static void add(struct pencil *c, double x, double y)
{
    const double far = 1e6;
    if (c->n == POINTS)
        flush(c);
    c->xy[c->n][0] = (float)x;
    c->xy[c->n++][1] = isnan(y) ? NAN : (float)fmax(-far, fmin(far, y));
}

/* What to draw: v[n] from `from` to `to`, in samples that may lie outside. */
struct curve {
    const float *v;
    size_t n;
    double from, to;
    double unit; /* of v that are 1 on the scale */
};

static void draw_curve(struct pencil *c, const struct curve *k, const struct ecg_recipe *r)
{
    const double columns = (c->w - 1) / (k->to - k->from), rows = (c->h - 1) / (r->top - r->bottom);
    const double per_unit = rows / k->unit, zero = r->top * rows;
    const double first = fmax(0.0, floor(k->from)), last = fmin((double)k->n - 1.0, ceil(k->to));
    if (!(first <= last))
        return;
    const size_t a = (size_t)first, b = (size_t)last;
    /* Where many samples fall on a column, the lowest and the highest of a bunch draw the same line. */
    const size_t bunch = columns < 0.25 ? (size_t)(0.75 / columns) : 1;
    for (size_t i = a; i <= b; i += bunch) {
        const size_t end = b - i < bunch ? b + 1 : i + bunch;
        size_t lo = i, hi = i;
        for (size_t j = i + 1; j < end; j++) {
            lo = k->v[j] < k->v[lo] || isnan(k->v[j]) ? j : lo;
            hi = k->v[j] > k->v[hi] ? j : hi;
        }
        const size_t early = lo < hi ? lo : hi, late = lo < hi ? hi : lo;
        add(c, ((double)early - k->from) * columns, zero - (double)k->v[early] * per_unit);
        if (late != early)
            add(c, ((double)late - k->from) * columns, zero - (double)k->v[late] * per_unit);
    }
    if (bunch > 1)
        add(c, ((double)b - k->from) * columns, zero - (double)k->v[b] * per_unit);
    flush(c);
}

/* Seconds to the neighbours of beat i. */
static void neighbours(const struct ecg_painter *p, size_t i, double *before, double *after)
{
    *before = i > 0 ? (double)(p->beats[i] - p->beats[i - 1]) / p->rate : 0.0;
    *after = i + 1 < p->count ? (double)(p->beats[i + 1] - p->beats[i]) / p->rate : *before;
    if (i == 0)
        *before = *after > 0.0 ? *after : 1.0;
    if (*after <= 0.0)
        *after = *before;
}

/* The median of the intervals around beat i in seconds; 1 s where there is none. */
static double pace(const struct ecg_painter *p, size_t i)
{
    uint64_t rr[2 * PACE_REACH];
    size_t n = 0;
    const size_t first = i > PACE_REACH ? i - PACE_REACH : 0;
    for (size_t k = first; k + 1 < p->count && k < i + PACE_REACH; k++) {
        const uint64_t d = p->beats[k + 1] - p->beats[k];
        size_t at = n++;
        for (; at > 0 && rr[at - 1] > d; at--)
            rr[at] = rr[at - 1];
        rr[at] = d;
    }
    return n > 0 && rr[n / 2] > 0 ? (double)rr[n / 2] / p->rate : 1.0;
}

static struct curve curve_of(const struct ecg_painter *p, size_t i, enum ecg__recipe_view view)
{
    double before = CLOSE_BEFORE, after = CLOSE_AFTER, at = (double)p->beats[i];
    const bool other = view == ECG__VIEW_SECOND, usual = view == ECG__VIEW_USUAL;
    if (view == ECG__VIEW_BEAT || other) {
        before = FIXED_BEFORE;
        after = FIXED_AFTER;
        if (p->recipe.window == ECG__RR) {
            neighbours(p, i, &before, &after);
            before = fmax(before - RR_MARGIN, 0.1);
            after = fmax(after - RR_MARGIN, 0.1);
        }
    }
    if (view == ECG__VIEW_STRIP || (p->recipe.window == ECG__RHYTHM && (view == ECG__VIEW_BEAT || other))) {
        before = STRIP_BEFORE;
        after = STRIP_AFTER;
    }
    if (view == ECG__VIEW_PACE) {
        const double beat = pace(p, i);
        before = PACE_BEFORE * beat;
        after = PACE_AFTER * beat;
    }
    if (usual)
        at = (double)p->usual_at;
    const double qrs = other ? p->second_qrs : p->qrs;
    return (struct curve){usual   ? p->usual
                          : other ? p->second
                                  : p->lead,
                          usual ? p->usual_n : p->n, at - before * p->rate, at + after * p->rate,
                          p->recipe.by_qrs && qrs > 0.0 ? qrs : 1.0};
}

static void draw_view(const struct ecg_painter *p, size_t i, enum ecg__recipe_view view, uint8_t *px)
{
    const struct ecg_recipe *r = &p->recipe;
    struct pencil c = {.px = px + (size_t)r->box[1] * r->w + r->box[0],
                       .h = r->box[3] - r->box[1] + 1,
                       .w = r->box[2] - r->box[0] + 1,
                       .stride = r->w,
                       .pen = (float)r->pen};
    const struct curve k = curve_of(p, i, view);
    memset(px, 255, (size_t)r->h * r->w);
    draw_curve(&c, &k, r);
}

ecg_status ecg_painter_draw(const ecg_painter *p, size_t i, uint8_t *px)
{
    if (!p || !px || i >= p->count)
        return ECG_EINVAL;
    const size_t pixels = (size_t)p->recipe.h * p->recipe.w;
    if (p->recipe.views == 1) {
        if (p->recipe.view[0] == ECG__VIEW_USUAL)
            memcpy(px, p->usual_px, pixels);
        else
            draw_view(p, i, p->recipe.view[0], px);
        return ECG_OK;
    }
    uint8_t *plane = ecg__alloc(pixels);
    if (!plane)
        return ECG_ENOMEM;
    for (uint32_t c = 0; c < 3; c++) {
        const bool usual = c < p->recipe.views && p->recipe.view[c] == ECG__VIEW_USUAL;
        const uint8_t *from = usual ? p->usual_px : plane;
        if (c >= p->recipe.views)
            memset(plane, 255, pixels);
        else if (!usual)
            draw_view(p, i, p->recipe.view[c], plane);
        for (size_t k = 0; k < pixels; k++)
            px[3 * k + c] = from[k];
    }
    ecg__free(plane);
    return ECG_OK;
}

double ecg_painter_qrs_mv(const ecg_painter *p)
{
    return p ? p->qrs : 0.0;
}

void ecg_painter_free(ecg_painter *p)
{
    if (!p)
        return;
    ecg__free(p->lead);
    ecg__free(p->second);
    ecg__free(p->beats);
    ecg__free(p->usual);
    ecg__free(p->usual_px);
    ecg__free(p);
}
