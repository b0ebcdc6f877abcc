/* Which beats of two annotators are the same ones. Facts: bxb(1) of the WFDB Applications Guide. */
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "ecgcnn/record.h"

#define NEVER INT64_C(0x3fffffffffffffff)

typedef struct beat {
    int64_t sample;
    ecg_beat_label label;
} beat;

typedef struct episode {
    int64_t first, last; /* both within */
} episode;

/* The beats that an annotator counts, and when it found none to count. */
typedef struct side {
    beat *beats; /* [count + 2]: two at NEVER end them */
    size_t count;
    episode *flutter, *shutdown;
    size_t flutters, shutdowns;
    uint64_t flutter_beats, flutter_waves;
} side;

ecg_beat_label ecg_beat_label_of(uint8_t code)
{
    static const unsigned char plus_one[ECG_ANN_MAX + 1] = {
        [ECG_ANN_NORMAL] = ECG_LABEL_N + 1, [ECG_ANN_LBBB] = ECG_LABEL_N + 1,
        [ECG_ANN_RBBB] = ECG_LABEL_N + 1,   [ECG_ANN_BBB] = ECG_LABEL_N + 1,
        [ECG_ANN_ABERR] = ECG_LABEL_S + 1,  [ECG_ANN_NPC] = ECG_LABEL_S + 1,
        [ECG_ANN_APC] = ECG_LABEL_S + 1,    [ECG_ANN_SVPB] = ECG_LABEL_S + 1,
        [ECG_ANN_NESC] = ECG_LABEL_S + 1,   [ECG_ANN_AESC] = ECG_LABEL_S + 1,
        [ECG_ANN_SVESC] = ECG_LABEL_S + 1,  [ECG_ANN_PVC] = ECG_LABEL_V + 1,
        [ECG_ANN_RONT] = ECG_LABEL_V + 1,   [ECG_ANN_VESC] = ECG_LABEL_V + 1,
        [ECG_ANN_FUSION] = ECG_LABEL_F + 1, [ECG_ANN_UNKNOWN] = ECG_LABEL_Q + 1,
        [ECG_ANN_PACE] = ECG_LABEL_Q + 1,   [ECG_ANN_PFUS] = ECG_LABEL_Q + 1,
        [ECG_ANN_LEARN] = ECG_LABEL_Q + 1};
    return code <= ECG_ANN_MAX && plus_one[code] ? (ecg_beat_label)(plus_one[code] - 1) : ECG_LABEL_O;
}

/* ---- gathering ---- */

static void side_free(side *s)
{
    ecg__free(s->beats);
    ecg__free(s->flutter);
    ecg__free(s->shutdown);
}

static bool is_shutdown(const ecg_annotation *a)
{
    return a->code == ECG_ANN_NOISE && (a->subtype & 0x30) == 0x30;
}

/* A shutdown that begins at a[i]. The next annotation ends it: either as another change of signal quality, or
 * it lasted from a window after the last event to a window before it. */
static void gather_shutdown(side *s, const ecg_annotation *a, size_t n, size_t i, int64_t window)
{
    episode *e = &s->shutdown[s->shutdowns++];
    *e = (episode){(int64_t)a[i].sample, NEVER};
    if (i + 1 == n)
        return;
    const ecg_annotation *next = &a[i + 1];
    e->last = (int64_t)next->sample;
    if (next->code == ECG_ANN_NOISE && !is_shutdown(next))
        return;
    int64_t before = s->count ? s->beats[s->count - 1].sample : 0;
    if (s->flutters && s->flutter[s->flutters - 1].last > before)
        before = s->flutter[s->flutters - 1].last;
    e->last -= window;
    e->first = before + window < e->last ? before + window : e->last;
}

static ecg_status gather(side *s, const ecg_annotation *a, size_t n, int64_t window, const char *what,
                         ecg_error *err)
{
    size_t flutters = 0, shutdowns = 0;
    for (size_t i = 0; i < n; i++) {
        flutters += a[i].code == ECG_ANN_VFON;
        shutdowns += is_shutdown(&a[i]);
        if (a[i].sample > (uint64_t)NEVER / 2 || (i > 0 && a[i].sample < a[i - 1].sample))
            return ecg__fail(err, ECG_EINVAL, "%s annotation %zu: sample %llu, expected them in order", what,
                             i, (unsigned long long)a[i].sample);
    }
    s->beats = ecg__calloc(n + 2, sizeof *s->beats);
    s->flutter = ecg__calloc(flutters + 1, sizeof *s->flutter);
    s->shutdown = ecg__calloc(shutdowns + 1, sizeof *s->shutdown);
    if (!s->beats || !s->flutter || !s->shutdown)
        return ecg__fail(err, ECG_ENOMEM, "out of memory for %zu annotations", n);
    for (size_t i = 0; i < n; i++) {
        if (a[i].code == ECG_ANN_VFON) {
            episode *e = &s->flutter[s->flutters++];
            *e = (episode){(int64_t)a[i].sample, NEVER};
            while (++i < n && a[i].code != ECG_ANN_VFOFF)
                s->flutter_beats += ecg_annotation_is_beat(a[i].code) || a[i].code == ECG_ANN_FLWAV;
            if (i < n)
                e->last = (int64_t)a[i].sample;
        } else if (is_shutdown(&a[i])) {
            gather_shutdown(s, a, n, i, window);
        } else if (ecg_annotation_is_beat(a[i].code) || a[i].code == ECG_ANN_FLWAV) {
            s->flutter_waves += a[i].code == ECG_ANN_FLWAV;
            s->beats[s->count++] = (beat){(int64_t)a[i].sample, ecg_beat_label_of(a[i].code)};
        }
    }
    s->beats[s->count] = s->beats[s->count + 1] = (beat){NEVER, ECG_LABEL_O};
    return ECG_OK;
}

/* Every episode counts, as the published description has it; where flutter or lost signal begins, ends or
 * meets another within a window of beats, bxb's own counts may differ. */
static bool within(const episode *e, size_t n, int64_t sample)
{
    for (size_t i = 0; i < n; i++) {
        if (e[i].first <= sample && sample <= e[i].last)
            return true;
    }
    return false;
}

/* ---- pairing ---- */

typedef struct matcher {
    const side *reference, *test;
    const beat *r, *t; /* the next of each; r[1] and t[1] may be looked at */
    int64_t window;
    ecg_beat_table *table;
} matcher;

static void count(matcher *m, ecg_beat_label reference, ecg_beat_label test)
{
    /* Nothing on either side is no event. */
    if (reference < ECG_LABEL_O || test < ECG_LABEL_O)
        m->table->counts[reference][test]++;
}

static int64_t apart(const beat *a, const beat *b)
{
    return a->sample > b->sample ? a->sample - b->sample : b->sample - a->sample;
}

/* `early` and `late` are the next of both sides: a pair, unless the one after `early` on its own side suits
 * `late` better and is not itself better suited by the one after `late`. */
static bool belong(const beat *early, const beat *late, int64_t window)
{
    const int64_t d = apart(early, late), other = apart(early + 1, late);
    return d <= window && (d < other || apart(early + 1, late + 1) < other);
}

static void next(const beat **b)
{
    *b += (*b)->sample != NEVER;
}

static void count_pair(matcher *m)
{
    count(m, m->r->label, m->t->label);
    next(&m->r);
    next(&m->t);
}

static void count_extra(matcher *m)
{
    const int64_t at = m->t->sample;
    if (!within(m->reference->flutter, m->reference->flutters, at))
        count(m, within(m->reference->shutdown, m->reference->shutdowns, at) ? ECG_LABEL_X : ECG_LABEL_O,
              m->t->label);
    next(&m->t);
}

static void count_missed(matcher *m)
{
    const bool lost = within(m->test->shutdown, m->test->shutdowns, m->r->sample);
    count(m, m->r->label, lost ? ECG_LABEL_X : ECG_LABEL_O);
    next(&m->r);
}

/* The last test beat before the start may belong to the first reference beat after it, and the first one
 * after the start to one before it. */
static void begin(matcher *m, int64_t start)
{
    m->r = m->reference->beats;
    m->t = m->test->beats;
    while (m->r->sample < start)
        m->r++;
    while (m->t->sample < start)
        m->t++;
    if (start == 0)
        return;
    const beat *before = m->t > m->test->beats ? m->t - 1 : NULL;
    if (before && apart(m->r, before) <= m->window && apart(m->r, before) < apart(m->r, m->t)) {
        count(m, m->r->label, before->label);
        next(&m->r);
    } else if (m->t->sample - start <= m->window && apart(m->r, m->t + 1) < apart(m->r, m->t)) {
        next(&m->t);
    }
}

static void match(matcher *m, int64_t start, int64_t end)
{
    begin(m, start);
    while (m->r->sample <= end || m->t->sample <= end) {
        const bool test_first = m->t->sample < m->r->sample;
        if (test_first ? belong(m->t, m->r, m->window) : belong(m->r, m->t, m->window))
            count_pair(m);
        else if (test_first)
            count_extra(m);
        else
            count_missed(m);
    }
}

static uint64_t shutdown_frames(const side *s, int64_t end)
{
    int64_t sum = 0;
    for (size_t i = 0; i < s->shutdowns; i++)
        sum += (s->shutdown[i].last < end ? s->shutdown[i].last : end) - s->shutdown[i].first;
    return sum > 0 ? (uint64_t)sum : 0;
}

ecg_status ecg_beats_compare(ecg_beat_table *out, const ecg_annotation *reference, size_t reference_count,
                             const ecg_annotation *test, size_t test_count, double rate, uint64_t frames,
                             const ecg_compare_options *o, ecg_error *err)
{
    ecg_compare_options options = ECG_COMPARE_OPTIONS_INIT;
    memset(out, 0, sizeof *out);
    ecg_status s = ecg__options_copy(&options, sizeof options, o, "compare options", err);
    if (s != ECG_OK)
        return s;
    const double whole = (double)frames / rate, to = options.to > 0 ? options.to : whole;
    if (!(rate >= 1e-6 && rate <= 1e9) || !(options.window > 0 && options.window <= 3600) || !(to <= 1e9) ||
        !(options.from >= 0 && options.from <= to))
        return ecg__fail(
            err, ECG_EINVAL,
            "from %g to %g seconds, window %g, rate %g: expected 0 <= from <= to (the record has %g), a "
            "window from 0 to 3600 and a rate from 1e-6 to 1e9",
            options.from, to, options.window, rate, whole);
    const int64_t window = (int64_t)floor(options.window * rate + 0.5);
    const int64_t start = (int64_t)floor(options.from * rate + 0.5);
    const int64_t end = options.to > 0 ? (int64_t)floor(options.to * rate + 0.5) : (int64_t)frames;
    side r = {0}, t = {0};
    s = gather(&r, reference, reference_count, window, "reference", err);
    if (s == ECG_OK)
        s = gather(&t, test, test_count, window, "test", err);
    if (s == ECG_OK) {
        matcher m = {.reference = &r, .test = &t, .window = window, .table = out};
        match(&m, start, end);
        out->flutter_beats = r.flutter_beats;
        out->flutter_waves = r.flutter_waves;
        out->shutdown = shutdown_frames(&t, end);
    }
    side_free(&r);
    side_free(&t);
    return s;
}

/* ---- measures ---- */

static uint64_t sum(const ecg_beat_table *t, int row0, int row1, int column0, int column1)
{
    uint64_t n = 0;
    for (int i = row0; i <= row1; i++) {
        for (int k = column0; k <= column1; k++)
            n += t->counts[i][k];
    }
    return n;
}

static ecg_ratio ratio(uint64_t part, uint64_t rest)
{
    return (ecg_ratio){part, part + rest};
}

void ecg_beats_measure(ecg_beat_measures *out, const ecg_beat_table *t)
{
    enum {
        N = ECG_LABEL_N,
        S = ECG_LABEL_S,
        V = ECG_LABEL_V,
        F = ECG_LABEL_F,
        Q = ECG_LABEL_Q,
        O = ECG_LABEL_O,
        X = ECG_LABEL_X
    };
    const uint64_t pairs = sum(t, N, Q, N, Q), vv = t->counts[V][V], ss = t->counts[S][S];
    /* A V on a fusion or unclassifiable beat is not held against the test; nor is an S on an unclassifiable
     * one. */
    const uint64_t false_v = sum(t, N, S, V, V) + sum(t, O, X, V, V);
    const uint64_t not_v = sum(t, N, S, N, S) + sum(t, N, S, F, Q) + sum(t, F, X, N, S) + sum(t, F, X, F, Q);
    const uint64_t false_s = t->counts[N][S] + sum(t, V, F, S, S) + sum(t, O, X, S, S);
    out->qrs_sensitivity = ratio(pairs, sum(t, N, Q, O, X));
    out->qrs_ppv = ratio(pairs, sum(t, O, X, N, Q));
    out->veb_sensitivity = ratio(vv, sum(t, V, V, N, X) - vv);
    out->veb_ppv = ratio(vv, false_v);
    out->veb_fpr = ratio(false_v, not_v);
    out->sveb_sensitivity = ratio(ss, sum(t, S, S, N, X) - ss);
    out->sveb_ppv = ratio(ss, false_s);
}
