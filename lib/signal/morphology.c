#include "signal/morphology.h"

#include <math.h>

/* Usual ranges; a habit is drawn evenly from them. */
static const struct {
    double lo, hi;
} RANGE[ECG__HABITS] = {
    [ECG__RR] = {0.72, 1.08},       [ECG__GAIN] = {0.8, 1.3},        [ECG__WIDTH] = {0.9, 1.15},
    [ECG__P_AT] = {0.135, 0.19},    [ECG__P_MV] = {0.06, 0.2},       [ECG__P_WIDTH] = {0.016, 0.025},
    [ECG__Q_MV] = {0.0, 0.16},      [ECG__R_MV] = {0.8, 1.5},        [ECG__S_MV] = {0.03, 0.32},
    [ECG__QT] = {0.25, 0.31},       [ECG__T_MV] = {0.24, 0.5},       [ECG__T_WIDTH] = {0.034, 0.05},
    [ECG__ST_MV] = {-0.07, 0.07},   [ECG__OFFSET_MV] = {-0.15, 0.1}, [ECG__WANDER_MV] = {0.02, 0.14},
    [ECG__WANDER_HZ] = {0.15, 0.4}, [ECG__NOISE_MV] = {0.004, 0.02}, [ECG__MAINS_MV] = {0.0, 0.012},
};

void ecg__habits(double habit[ECG__HABITS], const double u[ECG__HABITS])
{
    for (unsigned i = 0; i < ECG__HABITS; i++)
        habit[i] = RANGE[i].lo + u[i] * (RANGE[i].hi - RANGE[i].lo);
}

static double mix(double lo, double hi, double u)
{
    return lo + u * (hi - lo);
}

static void add(struct ecg__shape *s, double at, double mv, double before, double after)
{
    if (s->n < ECG__WAVES)
        s->wave[s->n++] = (struct ecg__wave){at, mv, before, after};
}

/* Everything a beat is made with: the patient, and the small differences of this one beat. */
struct maker {
    struct ecg__shape *s;
    const double *h, *f, *j;
    double gain, width, qt; /* with this beat's jitter; qt is where T peaks */
};

/* A P wave of two halves, the right atrium before the left. `ratio` is the late half against the early one.
 */
static void add_p(const struct maker *k, double at, double mv, double ratio, double width)
{
    const double t = -at + 0.004 * k->j[3], a = k->gain * mv * (1.0 + 0.1 * k->j[4]);
    add(k->s, t - 0.55 * width, 0.62 * a, width, width);
    add(k->s, t + 0.75 * width, 0.62 * a * ratio, width, width);
}

static void add_sinus_p(const struct maker *k)
{
    add_p(k, k->h[ECG__P_AT], k->h[ECG__P_MV], 0.9, k->h[ECG__P_WIDTH]);
}

/* A QRS wave: place and width stretch with the width of the complex. */
static void add_qrs(const struct maker *k, double at, double mv, double before, double after)
{
    add(k->s, at * k->width, mv * k->gain, before * k->width, after * k->width);
}

/* T, steeper after its peak than before, and the ST level that leads to it. */
static void add_t(const struct maker *k, double mv, double st, double width, double delay)
{
    const double at = k->qt + delay, a = k->gain * (1.0 + 0.08 * k->j[5]);
    add(k->s, at, mv * a, 1.25 * width, 0.85 * width);
    add(k->s, 0.5 * (at + 0.07), st * a, 0.045, 0.06);
}

static void add_narrow_qrs(const struct maker *k, double r, double s)
{
    const double *h = k->h;
    add_qrs(k, -0.026, -h[ECG__Q_MV], 0.0075, 0.0075);
    add_qrs(k, 0.0, r, 0.0115, 0.0105);
    add_qrs(k, 0.027, -s, 0.009, 0.011);
}

static void make_normal(const struct maker *k)
{
    const double *h = k->h;
    add_sinus_p(k);
    add_narrow_qrs(k, h[ECG__R_MV], h[ECG__S_MV]);
    add_t(k, k->f[0] < 0.08 ? -0.6 * h[ECG__T_MV] : h[ECG__T_MV], h[ECG__ST_MV], h[ECG__T_WIDTH], 0.0);
}

/* P from elsewhere in the atria: upside down, in two peaks of opposite sign, or merely narrow and tall; and
 * soon after, as it starts closer to the node. */
static void make_pac(const struct maker *k)
{
    const double *h = k->h, *f = k->f;
    const double size = mix(0.14, 0.27, f[1]), at = h[ECG__P_AT] * mix(0.66, 0.85, f[2]);
    const double width = h[ECG__P_WIDTH] * mix(0.65, 0.85, f[3]);
    if (f[0] < 0.6)
        add_p(k, at, -size, 0.9, width);
    else if (f[0] < 0.85)
        add_p(k, at, 1.2 * size, -0.9, width);
    else
        add_p(k, at, 1.3 * size, 0.6, width);
    add_narrow_qrs(k, h[ECG__R_MV] * mix(0.7, 0.95, f[4]), mix(0.12, 0.3, f[5]) + h[ECG__S_MV]);
    add_t(k, h[ECG__T_MV] * mix(0.6, 0.9, f[6]), h[ECG__ST_MV], h[ECG__T_WIDTH], 0.0);
}

/* From the lead's side a broad notched R without Q, or from the other a broad notched S; T against the QRS.
 */
static void make_lbbb(const struct maker *k)
{
    const double *f = k->f;
    const double size = mix(0.75, 1.35, f[1]), t = mix(0.15, 0.42, f[2]);
    add_sinus_p(k);
    if (f[0] < 0.78) {
        const double apart = mix(0.018, 0.026, f[3]), late = mix(0.75, 1.1, f[4]);
        add_qrs(k, -apart, 0.78 * size, 0.017, 0.016);
        add_qrs(k, apart, 0.8 * size * late, 0.017, 0.02);
        add_t(k, -t, -mix(0.05, 0.2, f[5]), 0.052, 0.0);
    } else {
        add_qrs(k, -0.042, mix(0.05, 0.3, f[3]), 0.01, 0.01);
        add_qrs(k, -0.016, -0.75 * size, 0.014, 0.014);
        add_qrs(k, 0.024, -mix(0.6, 0.85, f[4]) * size, 0.014, 0.019);
        add_t(k, t, mix(0.05, 0.2, f[5]), 0.052, 0.0);
    }
}

/* R with a broad slurred S, or seen from the right an rsR'; T against the end of the QRS. */
static void make_rbbb(const struct maker *k)
{
    const double *h = k->h, *f = k->f;
    add_sinus_p(k);
    if (f[0] < 0.6) {
        const double notch = mix(0.0, 0.4, f[1]), s = mix(0.35, 0.95, f[2]);
        add_qrs(k, -0.03, notch, 0.009, 0.008);
        add_qrs(k, 0.0, h[ECG__R_MV] * mix(0.75, 1.0, f[3]), 0.0115, 0.0105);
        add_qrs(k, mix(0.045, 0.056, f[4]), -s, 0.016, 0.024);
        add_t(k, h[ECG__T_MV] * mix(0.8, 1.2, f[5]), h[ECG__ST_MV], h[ECG__T_WIDTH], 0.015);
    } else {
        add_qrs(k, -0.04, mix(0.2, 0.6, f[1]), 0.01, 0.009);
        add_qrs(k, -0.018, -mix(0.15, 0.6, f[2]), 0.009, 0.009);
        add_qrs(k, 0.01, mix(0.6, 1.15, f[3]), 0.014, mix(0.018, 0.024, f[4]));
        add_t(k, -h[ECG__T_MV] * mix(0.6, 1.0, f[5]), h[ECG__ST_MV], h[ECG__T_WIDTH], 0.015);
    }
}

/* Wide, tall, no P, T against the QRS. A patient has two foci; the second fires now and then. */
static void make_pvc(const struct maker *k)
{
    const double *h = k->h, *f = k->f;
    const int second = k->j[9] > 1.2 && f[9] < 0.5;
    const double u = second ? f[6] : f[0], v = second ? f[7] : f[1];
    const double sign = u < 0.6 ? 1.0 : -1.0, size = sign * mix(1.25, 1.95, v);
    const double wide = mix(0.032, 0.044, second ? f[8] : f[2]);
    add_qrs(k, -0.045, sign * mix(-0.25, 0.35, f[3]), 0.016, 0.016);
    add_qrs(k, 0.0, size, 0.85 * wide, wide);
    add_qrs(k, 2.3 * wide, -size * mix(0.1, 0.65, f[4]), 0.75 * wide, 0.9 * wide);
    add_t(k, -sign * (0.25 + h[ECG__T_MV]) * mix(0.7, 1.3, f[5]), -0.1 * sign, 0.058, 0.02);
}

/* The stimulus, then a wide QRS that starts where the wire lies. */
static void make_paced(const struct maker *k)
{
    const double *h = k->h, *f = k->f;
    const double lead = mix(0.072, 0.092, f[0]) * k->width, spike = mix(0.55, 1.5, f[1]);
    const double size = mix(0.7, 1.35, f[3]), late = mix(0.1, 0.55, f[4]);
    const double sign = f[2] < 0.4 ? 1.0 : -1.0;
    if (f[6] < 0.12) /* atria and ventricles are paced, or the sinus beat is followed */
        add_sinus_p(k);
    add(k->s, -lead, (f[5] < 0.7 ? 1.0 : -1.0) * spike * k->gain, 0.0026, 0.0026);
    add(k->s, -lead + 0.007, (f[5] < 0.7 ? -0.12 : 0.12) * spike * k->gain, 0.004, 0.01);
    add_qrs(k, 0.0, sign * size, 0.024, 0.025);
    add_qrs(k, 0.045, sign * late * size, 0.016, 0.022);
    add_t(k, -sign * (0.1 + h[ECG__T_MV]) * mix(0.7, 1.3, f[7]), -0.08 * sign, 0.055, 0.01);
}

void ecg__shape_make(struct ecg__shape *s, ecg_beat_class c, const struct ecg__patient *p,
                     const double jitter[ECG__JITTER], double rr)
{
    static void (*const MAKE[ECG_BEAT_CLASSES])(const struct maker *) = {
        [ECG_BEAT_LBBB] = make_lbbb, [ECG_BEAT_NORMAL] = make_normal, [ECG_BEAT_PACED] = make_paced,
        [ECG_BEAT_PAC] = make_pac,   [ECG_BEAT_PVC] = make_pvc,       [ECG_BEAT_RBBB] = make_rbbb,
    };
    s->n = 0;
    if ((unsigned)c >= ECG_BEAT_CLASSES || !MAKE[(unsigned)c])
        return;
    /* QT follows the rate of the beats before (Bazett), and only a little the one interval before this beat.
     */
    const double base = p->habit[ECG__RR], qt_rr = base + 0.2 * (rr - base);
    const struct maker k = {
        .s = s,
        .h = p->habit,
        .f = p->form,
        .j = jitter,
        .gain = p->habit[ECG__GAIN] * exp(0.05 * jitter[0]),
        .width = p->habit[ECG__WIDTH] * exp(0.03 * jitter[1]),
        .qt = p->habit[ECG__QT] * sqrt(qt_rr) + 0.006 * jitter[2],
    };
    MAKE[(unsigned)c](&k);
}
