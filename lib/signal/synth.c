#include "ecgcnn/signal.h"

#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "base/status.h"
#include "signal/morphology.h"

static const double TWO_PI = 6.283185307179586476925286766559;

/* Where a patient's own draws stand: beat numbers that no beat can have. */
#define PATIENT_HABITS       ((uint64_t)1 << 32)
#define PATIENT_FORM_OF(c)   (((uint64_t)1 << 32) + 1 + (uint64_t)(c))
#define PATIENT_FIBRILLATION (((uint64_t)1 << 32) + 100)
/* And for the beat the waves of its atria, apart from what else differs from beat to beat. */
#define FIBRILLATION_OF(beat) (((uint64_t)2 << 32) + (beat))

static double uniform(ecg__rng *r, double lo, double hi)
{
    return lo + ecg__rng_double(r) * (hi - lo);
}

/* One beat to be made, and how. */
struct request {
    uint64_t seed;
    uint32_t patient, beat;
    ecg_beat_class c;
    ecg_synth_options o;
};

static void draw_patient(struct ecg__patient *p, const struct request *q, ecg_beat_class c)
{
    const uint64_t seed = q->seed;
    const uint32_t patient = q->patient;
    double u[ECG__HABITS];
    ecg__rng r = ecg__rng_at(seed, ECG__RNG_SYNTH, patient, PATIENT_HABITS);
    for (unsigned i = 0; i < ECG__HABITS; i++)
        u[i] = ecg__rng_double(&r);
    ecg__habits(p->habit, u);
    r = ecg__rng_at(seed, ECG__RNG_SYNTH, patient, PATIENT_FORM_OF(c));
    for (unsigned i = 0; i < ECG__FORM; i++)
        p->form[i] = ecg__rng_double(&r);
    if (q->o.rate > 0)
        p->habit[ECG__RR] = 60.0 / q->o.rate;
    if (q->o.rhythm == ECG_SYNTH_FIBRILLATION)
        p->habit[ECG__P_MV] = 0.0;
}

/* Add a beat whose R peak is `at` seconds from the middle of the window. */
static void add_shape(double *mv, const struct ecg__shape *s, double at)
{
    const double tail = 4.5; /* deviations; what is beyond is below 0.1 microvolt */
    for (unsigned i = 0; i < s->n; i++) {
        const struct ecg__wave *w = &s->wave[i];
        const double peak = (at + w->at) * ECG_BEAT_RATE + ECG_BEAT_SAMPLES / 2;
        const double before = w->before * ECG_BEAT_RATE, after = w->after * ECG_BEAT_RATE;
        const double first = fmax(0.0, ceil(peak - tail * before));
        const double last = fmin(ECG_BEAT_SAMPLES - 1, floor(peak + tail * after));
        for (double x = first; x <= last; x += 1.0) {
            const double d = (x - peak) / (x < peak ? before : after);
            mv[(size_t)x] += w->mv * exp(-0.5 * d * d);
        }
    }
}

/* The intervals before and after the beat: premature beats come early and are followed by a pause.
 * Fibrillating atria leave no order. */
static void intervals(ecg__rng *r, const struct request *q, double rr, double *before, double *after)
{
    const ecg_beat_class c = q->c;
    const double u = ecg__rng_double(r), drift = 0.03 * ecg__rng_normal(r);
    *before = rr * (1.0 + drift);
    *after = rr * (1.0 + 0.5 * drift);
    if (q->o.rhythm == ECG_SYNTH_FIBRILLATION) {
        *before = rr * exp(0.25 * ecg__rng_normal(r));
        *after = fmax(0.36, rr * exp(0.25 * ecg__rng_normal(r)));
    }
    if (c == ECG_BEAT_PAC) {
        *before = fmin(0.37 + 0.1 * u, 0.6 * rr);
        *after = rr * 1.1;
    } else if (c == ECG_BEAT_PVC) {
        *before = rr * (0.55 + 0.2 * u);
        *after = 2.0 * rr - *before; /* the sinus node goes on undisturbed */
    }
    *before = fmax(*before, 0.36);
}

/* The beat itself and both neighbours, which are what this patient's rhythm is made of. */
static void add_beats(double *mv, ecg__rng *r, const struct request *m)
{
    const ecg_beat_class c = m->c;
    const ecg_beat_class around = c == ECG_BEAT_PAC || c == ECG_BEAT_PVC ? ECG_BEAT_NORMAL : c;
    struct ecg__patient p, q;
    draw_patient(&p, m, c);
    draw_patient(&q, m, around);
    double before, after, jitter[3][ECG__JITTER];
    intervals(r, m, p.habit[ECG__RR], &before, &after);
    for (unsigned i = 0; i < 3; i++)
        for (unsigned k = 0; k < ECG__JITTER; k++)
            jitter[i][k] = ecg__rng_normal(r);
    const double shift = 0.0025 * ecg__rng_normal(r); /* where the R peak was marked */
    struct ecg__shape s;
    ecg__shape_make(&s, around, &q, jitter[0], q.habit[ECG__RR]);
    add_shape(mv, &s, shift - before);
    ecg__shape_make(&s, c, &p, jitter[1], before);
    add_shape(mv, &s, shift);
    ecg__shape_make(&s, around, &q, jitter[2], after);
    add_shape(mv, &s, shift + after);
}

/* One undulation without a level line: a sine with a steeper side, 250 to 350 a minute, swelling and fading.
 */
static void add_flutter(double *mv, ecg__rng *r, const struct request *q)
{
    struct ecg__patient p;
    draw_patient(&p, q, ECG_BEAT_VFLUTTER);
    const double hz = (250.0 + 100.0 * p.form[0]) / 60.0 * (1.0 + 0.04 * ecg__rng_normal(r));
    const double size = p.habit[ECG__GAIN] * (0.3 + 0.6 * p.form[1]) * exp(0.2 * ecg__rng_normal(r));
    const double second = 0.1 + 0.3 * p.form[2], lean = TWO_PI * p.form[3], bend = 0.4 * ecg__rng_normal(r);
    const double swell = 0.12 * ecg__rng_normal(r), phase = 0.5 * ecg__rng_normal(r);
    for (unsigned i = 0; i < ECG_BEAT_SAMPLES; i++) {
        const double t = ((double)i - ECG_BEAT_SAMPLES / 2) / ECG_BEAT_RATE;
        const double a = TWO_PI * hz * t + phase + bend * t;
        mv[i] += size * (1.0 + swell * t / 0.27) * (cos(a) + second * cos(2.0 * a + lean));
    }
}

/* Baseline wander, mains hum and muscle noise. One beat in twenty is a noisy one. */
static void add_disturbance(double *mv, ecg__rng *r, const double *habit)
{
    const double offset = habit[ECG__OFFSET_MV] + 0.03 * ecg__rng_normal(r);
    const double slow = uniform(r, 0.0, TWO_PI), hum = uniform(r, 0.0, TWO_PI);
    const double noisy = ecg__rng_double(r) < 0.05 ? 3.0 : 1.0;
    const double noise = noisy * habit[ECG__NOISE_MV], mains = noisy * habit[ECG__MAINS_MV];
    double last = ecg__rng_normal(r);
    for (unsigned i = 0; i < ECG_BEAT_SAMPLES; i++) {
        const double t = (double)i / ECG_BEAT_RATE;
        last = 0.5 * last + 0.87 * ecg__rng_normal(r); /* deviation 1, most of it below 60 Hz */
        mv[i] += offset + habit[ECG__WANDER_MV] * sin(TWO_PI * habit[ECG__WANDER_HZ] * t + slow) +
                 mains * sin(TWO_PI * 60.0 * t + hum) + noise * last;
    }
}

/* What fibrillating atria leave between the beats: four to nine small waves a second, never quite the same.
 */
static void add_fibrillation(double *mv, const struct request *q)
{
    ecg__rng r = ecg__rng_at(q->seed, ECG__RNG_SYNTH, q->patient, PATIENT_FIBRILLATION);
    const double hz = uniform(&r, 4.5, 8.5), size = uniform(&r, 0.02, 0.09);
    r = ecg__rng_at(q->seed, ECG__RNG_SYNTH, q->patient, FIBRILLATION_OF(q->beat));
    const double first = uniform(&r, 0.0, TWO_PI), second = uniform(&r, 0.0, TWO_PI);
    const double other = hz * uniform(&r, 1.1, 1.35), bend = 1.5 * ecg__rng_normal(&r);
    for (unsigned i = 0; i < ECG_BEAT_SAMPLES; i++) {
        const double t = ((double)i - ECG_BEAT_SAMPLES / 2) / ECG_BEAT_RATE;
        mv[i] += size * (cos(TWO_PI * hz * t + first + bend * t) + 0.5 * cos(TWO_PI * other * t + second));
    }
}

static void synthesize(const struct request *q, float mv[ECG_BEAT_SAMPLES])
{
    double sum[ECG_BEAT_SAMPLES] = {0};
    if ((unsigned)q->c < ECG_BEAT_CLASSES) {
        struct ecg__patient p;
        ecg__rng r = ecg__rng_at(q->seed, ECG__RNG_SYNTH, q->patient, q->beat);
        if (q->c == ECG_BEAT_VFLUTTER)
            add_flutter(sum, &r, q);
        else
            add_beats(sum, &r, q);
        if (q->c != ECG_BEAT_VFLUTTER && q->o.rhythm == ECG_SYNTH_FIBRILLATION)
            add_fibrillation(sum, q);
        draw_patient(&p, q, q->c);
        p.habit[ECG__NOISE_MV] *= q->o.noise;
        p.habit[ECG__MAINS_MV] *= q->o.noise;
        p.habit[ECG__WANDER_MV] *= q->o.wander;
        add_disturbance(sum, &r, p.habit);
    }
    for (unsigned i = 0; i < ECG_BEAT_SAMPLES; i++)
        mv[i] = (float)sum[i];
}

void ecg_beat_synthesize(uint64_t seed, uint32_t patient, uint32_t beat, ecg_beat_class c,
                         float mv[ECG_BEAT_SAMPLES])
{
    const struct request q = {seed, patient, beat, c, ECG_SYNTH_OPTIONS_INIT};
    synthesize(&q, mv);
}

static ecg_status check(const struct request *q, ecg_error *err)
{
    const ecg_synth_options *o = &q->o;
    if ((unsigned)q->c >= ECG_BEAT_CLASSES)
        return ecg__fail(err, ECG_EINVAL, "class %d: expected 0 to %d", (int)q->c, ECG_BEAT_CLASSES - 1);
    if ((unsigned)o->rhythm >= ECG_SYNTH_RHYTHMS)
        return ecg__fail(err, ECG_EINVAL, "rhythm %d: expected 0 to %d", (int)o->rhythm,
                         ECG_SYNTH_RHYTHMS - 1);
    if (!(o->rate == 0.0 || (o->rate >= 30.0 && o->rate <= 160.0)))
        return ecg__fail(err, ECG_EINVAL, "rate %g: expected 30 to 160 beats a minute, or 0", o->rate);
    if (!(o->noise >= 0.0 && o->noise <= 50.0))
        return ecg__fail(err, ECG_EINVAL, "noise %g: expected 0 to 50", o->noise);
    if (!(o->wander >= 0.0 && o->wander <= 50.0))
        return ecg__fail(err, ECG_EINVAL, "wander %g: expected 0 to 50", o->wander);
    if (o->rhythm == ECG_SYNTH_FIBRILLATION && q->c == ECG_BEAT_PAC)
        return ecg__fail(err, ECG_EINVAL, "%s: there is none in atrial fibrillation",
                         ecg_beat_class_name(q->c));
    return ECG_OK;
}

ecg_status ecg_beat_synthesize_with(uint64_t seed, uint32_t patient, uint32_t beat, ecg_beat_class c,
                                    const ecg_synth_options *o, float mv[ECG_BEAT_SAMPLES], ecg_error *err)
{
    struct request q = {seed, patient, beat, c, ECG_SYNTH_OPTIONS_INIT};
    if (o) {
        const ecg_status s = ecg__options_copy(&q.o, sizeof q.o, o, "ecg_synth_options", err);
        if (s != ECG_OK)
            return s;
    }
    const ecg_status s = check(&q, err);
    if (s == ECG_OK)
        synthesize(&q, mv);
    return s;
}
