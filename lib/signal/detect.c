#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/status.h"
#include "ecgcnn/beats.h"
#include "signal/detect_energy.h"

/* What is known while going through the peaks in time. Levels are of sqrt(energy). */
struct hunt {
    const struct ecg__energy *e;
    const ecg_detect_options *o;
    double rate;
    const size_t *peak; /* [peaks], ascending */
    size_t peaks;
    double beat, noise; /* levels */
    double rr;          /* mean interval in samples, 0: none yet */
    size_t *found;      /* [count] indices into peak */
    size_t count;
};

static double height(const struct hunt *h, size_t i)
{
    return (double)h->e->level[h->peak[i]];
}

static double threshold(const struct hunt *h)
{
    return h->noise + h->o->threshold * (h->beat - h->noise);
}

static void accept_peak(struct hunt *h, size_t i, double weight)
{
    const double v = height(h, i), most = 1.8 * h->beat;
    if (h->count > 0) {
        const double rr = (double)(h->peak[i] - h->peak[h->found[h->count - 1]]);
        if (h->rr == 0.0)
            h->rr = rr;
        else if (rr < 1.8 * h->rr) /* a pause says little about the rate */
            h->rr += 0.125 * (rr - h->rr);
        else
            h->rr += 0.03 * (rr - h->rr);
    }
    h->beat += weight * ((v < most ? v : most) - h->beat);
    h->found[h->count++] = i;
}

/* A wave soon after a beat, less than half as steep. */
static int is_t_wave(const struct hunt *h, size_t i)
{
    if (h->count == 0)
        return 0;
    const size_t last = h->found[h->count - 1];
    const double dt = (double)(h->peak[i] - h->peak[last]) / h->rate;
    const double limit = h->rr > 0.0 ? fmin(0.36, 0.6 * h->rr / h->rate) : 0.36;
    return dt < limit && height(h, i) < 0.5 * height(h, last);
}

/* The highest peak between the last beat and `before` that is over half the threshold. */
static int search_back(struct hunt *h, size_t first, size_t before)
{
    const double least = 0.5 * threshold(h);
    const size_t last = h->peak[h->found[h->count - 1]];
    size_t best = before;
    for (size_t i = first; i < before; i++)
        if (height(h, i) > least && (double)(h->peak[i] - last) >= h->o->refractory * h->rate &&
            !is_t_wave(h, i) && (best == before || height(h, i) > height(h, best)))
            best = i;
    if (best == before)
        return 0;
    accept_peak(h, best, 0.25);
    return 1;
}

static void hunt_all(struct hunt *h)
{
    const double refractory = h->o->refractory * h->rate;
    for (size_t i = 0; i < h->peaks; i++) {
        const size_t last = h->count ? h->found[h->count - 1] : 0;
        const double since = h->count ? (double)(h->peak[i] - h->peak[last]) : 1e30;
        if (h->count && h->rr > 0.0 && since > h->o->searchback * h->rr && search_back(h, last + 1, i)) {
            i--; /* look at this peak again, from the beat that was found */
            continue;
        }
        const double v = height(h, i);
        if (since < refractory) { /* the higher of the two is the beat */
            if (v > height(h, last))
                h->found[h->count - 1] = i;
            continue;
        }
        if (v > threshold(h) && !is_t_wave(h, i))
            accept_peak(h, i, 0.125);
        else
            h->noise += 0.125 * (fmin(v, h->beat) - h->noise);
    }
}

/* Samples that are the highest within half a refractory time to either side. */
static size_t find_peaks(size_t *peak, const struct ecg__energy *e, size_t reach)
{
    size_t count = 0;
    const float *v = e->level;
    for (size_t i = 0; i < e->n;) {
        size_t best = i;
        const size_t end = e->n - i > reach ? i + reach + 1 : e->n;
        for (size_t k = i + 1; k < end; k++)
            if (v[k] > v[best])
                best = k;
        if (best != i) { /* rises to best: nothing before it can be a peak */
            i = best;
            continue;
        }
        const size_t from = i > reach ? i - reach : 0;
        size_t k = i;
        while (k > from && v[k - 1] < v[i])
            k--;
        if (k == from && v[i] > 0.0f && (count == 0 || i - peak[count - 1] > reach))
            peak[count++] = i;
        i = end;
    }
    return count;
}

static int by_value(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* The median height of the highest peak in each of the first blocks of two seconds. */
static double first_level(const struct hunt *h)
{
    enum { BLOCKS = 12 };
    float top[BLOCKS] = {0};
    size_t n = 0;
    const double block = 2.0 * h->rate;
    size_t current = SIZE_MAX;
    for (size_t i = 0; i < h->peaks; i++) {
        const size_t k = (size_t)((double)h->peak[i] / block);
        if (k != current && n == BLOCKS)
            break;
        if (k != current)
            n++;
        current = k;
        if (h->e->level[h->peak[i]] > top[n - 1])
            top[n - 1] = h->e->level[h->peak[i]];
    }
    if (n == 0)
        return 0.0;
    qsort(top, n, sizeof *top, by_value);
    return (double)top[n / 2];
}

/* The QRS peak by the signal itself: farthest from the level around it, near the hump's middle. */
static size_t refine(const struct ecg__energy *e, size_t at, double rate)
{
    const size_t reach = (size_t)(0.075 * rate);
    const size_t from = at > reach ? at - reach : 0, to = at + reach < e->n ? at + reach : e->n - 1;
    size_t best = at;
    for (size_t i = from; i <= to; i++)
        if (fabsf(e->band[i]) > fabsf(e->band[best]))
            best = i;
    return best;
}

static ecg_status check(const ecg_detect_options *o, double rate, ecg_error *err)
{
    if (!(rate >= 100.0 && rate <= 1000.0))
        return ecg__fail(err, ECG_EINVAL, "detector: %g samples a second, expected 100 to 1000", rate);
    if (!(o->low > 0.0 && o->low < o->high && o->high <= 0.4 * rate))
        return ecg__fail(err, ECG_EINVAL, "detector: pass band %g to %g Hz at %g samples a second", o->low,
                         o->high, rate);
    if (!(o->window > 0.0 && o->window <= 1.0) || !(o->threshold > 0.0 && o->threshold < 1.0) ||
        !(o->refractory > 0.0 && o->refractory <= 1.0) || !(o->searchback >= 1.0 && o->searchback <= 100.0))
        return ecg__fail(err, ECG_EINVAL, "detector: an option is out of its range");
    return ECG_OK;
}

static ecg_status detect(uint64_t **samples, size_t *count, const struct ecg__energy *e, double rate,
                         const ecg_detect_options *o)
{
    const size_t reach = (size_t)(0.5 * o->refractory * rate);
    const size_t most = e->n / (reach + 1) + 2;
    size_t *peak = ecg__calloc(most, sizeof *peak), *found = ecg__calloc(most, sizeof *found);
    uint64_t *out = ecg__calloc(most, sizeof *out);
    ecg_status s = peak && found && out ? ECG_OK : ECG_ENOMEM;
    if (s == ECG_OK) {
        struct hunt h = {.e = e, .o = o, .rate = rate, .peak = peak, .found = found};
        h.peaks = find_peaks(peak, e, reach);
        h.beat = first_level(&h);
        h.noise = 0.1 * h.beat;
        hunt_all(&h);
        for (size_t i = 0; i < h.count; i++) {
            const size_t at = refine(e, peak[found[i]], rate);
            if (*count == 0 || at > out[*count - 1])
                out[(*count)++] = at;
        }
        *samples = out;
        out = NULL;
    }
    ecg__free(peak);
    ecg__free(found);
    ecg__free(out);
    return s;
}

ecg_status ecg_beats_detect(uint64_t **samples, size_t *count, const float *mv, size_t n, double rate,
                            const ecg_detect_options *options, ecg_error *err)
{
    ecg_detect_options o = ECG_DETECT_OPTIONS_INIT;
    struct ecg__energy e;
    if (!samples || !count || (!mv && n))
        return ecg__fail(err, ECG_EINVAL, "detector: no signal, or nowhere to put its beats");
    *samples = NULL;
    *count = 0;
    ecg_status s = ecg__options_copy(&o, sizeof o, options, "ecg_detect_options", err);
    if (s != ECG_OK)
        return s;
    o.low = o.low == 0.0 ? 5.0 : o.low;
    o.high = o.high == 0.0 ? 18.0 : o.high;
    o.window = o.window == 0.0 ? 0.12 : o.window;
    o.threshold = o.threshold == 0.0 ? 0.35 : o.threshold;
    o.refractory = o.refractory == 0.0 ? 0.2 : o.refractory;
    o.searchback = o.searchback == 0.0 ? 1.6 : o.searchback;
    s = check(&o, rate, err);
    if (s == ECG_OK) {
        s = ecg__energy_make(&e, mv, n, rate, o.low, o.high, o.window);
        if (s == ECG_OK)
            s = detect(samples, count, &e, rate, &o);
        ecg__energy_free(&e);
        if (s == ECG_ENOMEM)
            return ecg__fail(err, s, "detector: out of memory for %zu samples", n);
    }
    return s;
}

void ecg_beats_free(uint64_t *samples)
{
    ecg__free(samples);
}
