#include "unit.h"

#include <math.h>

#include "ecgcnn/signal.h"
#include "signal/morphology.h"

enum { N = ECG_BEAT_SAMPLES, R = N / 2, PATIENTS = 60, BEATS = 4 };

static void beat(uint32_t patient, uint32_t b, ecg_beat_class c, float *mv)
{
    ecg_beat_synthesize(7, patient, b, c, mv);
}

/* Mean of f over patients and beats of a class. */
static double mean(ecg_beat_class c, double (*f)(const float *mv))
{
    double sum = 0;
    for (uint32_t p = 0; p < PATIENTS; p++)
        for (uint32_t b = 0; b < BEATS; b++) {
            float mv[N];
            beat(p, b, c, mv);
            sum += f(mv);
        }
    return sum / (PATIENTS * BEATS);
}

static double range(const float *mv, int from, int to)
{
    float lo = mv[from], hi = mv[from];
    for (int i = from; i < to; i++) {
        lo = fminf(lo, mv[i]);
        hi = fmaxf(hi, mv[i]);
    }
    return (double)(hi - lo);
}

/* Milliseconds that the largest wave near R stays beyond 0.35 of its height over the median. */
static int by_value(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static double qrs_width(const float *mv)
{
    float sorted[N];
    memcpy(sorted, mv, sizeof sorted);
    qsort(sorted, N, sizeof sorted[0], by_value);
    const double level = (double)sorted[N / 2];
    int peak = R, from, to;
    for (int i = R - 18; i < R + 30; i++)
        peak = fabs((double)mv[i] - level) > fabs((double)mv[peak] - level) ? i : peak;
    const double edge = 0.35 * fabs((double)mv[peak] - level);
    for (from = peak; from > 0 && fabs((double)mv[from] - level) > edge;)
        from--;
    for (to = peak; to < N - 1 && fabs((double)mv[to] - level) > edge;)
        to++;
    return (to - from) * 1000.0 / ECG_BEAT_RATE;
}

/* The steepest change within two samples in what comes before the QRS: a stimulus. */
static double spike(const float *mv)
{
    double most = 0;
    for (int i = R - 48; i < R - 18; i++)
        most = fmax(most, fabs((double)mv[i + 2] - (double)mv[i]));
    return most;
}

/* The flattest tenth of a second. */
static double flattest(const float *mv)
{
    double least = 1e9;
    for (int i = 0; i + 36 <= N; i++)
        least = fmin(least, range(mv, i, i + 36));
    return least;
}

static double qrs_range(const float *mv)
{
    return range(mv, R - 36, R + 45);
}

/* How much happens before the P wave of a beat in time: the tail of the beat before. */
static double before_p(const float *mv)
{
    return range(mv, 0, R - 66);
}

/* S against the level before the beat. */
static double late_s(const float *mv)
{
    float lo = 1e9f;
    for (int i = R + 12; i < R + 26; i++)
        lo = fminf(lo, mv[i]);
    return (double)mv[R - 30] - (double)lo;
}

START_TEST(test_pure)
{
    for (int c = 0; c < ECG_BEAT_CLASSES; c++) {
        float a[N], b[N], other[N];
        ecg_beat_synthesize(1, 2, 3, (ecg_beat_class)c, a);
        ecg_beat_synthesize(9, 9, 9, ECG_BEAT_PVC, other);
        ecg_beat_synthesize(1, 2, 3, (ecg_beat_class)c, b);
        ck_assert_mem_eq(a, b, sizeof a);
        ecg_beat_synthesize(2, 2, 3, (ecg_beat_class)c, b);
        ck_assert_mem_ne(a, b, sizeof a);
        ecg_beat_synthesize((uint64_t)1 << 40 | 1, 2, 3, (ecg_beat_class)c, b);
        ck_assert_mem_ne(a, b, sizeof a);
        ecg_beat_synthesize(1, 3, 3, (ecg_beat_class)c, b);
        ck_assert_mem_ne(a, b, sizeof a);
        ecg_beat_synthesize(1, 2, 4, (ecg_beat_class)c, b);
        ck_assert_mem_ne(a, b, sizeof a);
        ecg_beat_synthesize(1, 2, 3, (ecg_beat_class)((c + 1) % ECG_BEAT_CLASSES), b);
        ck_assert_mem_ne(a, b, sizeof a);
    }
}
END_TEST

START_TEST(test_bounds)
{
    const uint32_t odd[] = {0, 1, 77, 0x7fffffff, 0xffffffff};
    for (int c = 0; c < ECG_BEAT_CLASSES; c++)
        for (uint32_t k = 0; k < 400; k++) {
            float mv[N];
            ecg_beat_synthesize(k * UINT64_C(0x123456789), k < 25 ? odd[k / 5] : k, k < 25 ? odd[k % 5] : k,
                                (ecg_beat_class)c, mv);
            for (int i = 0; i < N; i++)
                ck_assert_msg(isfinite(mv[i]) && fabsf(mv[i]) < 5.0f, "class %d: %g", c, (double)mv[i]);
            ck_assert_double_gt(range(mv, 0, N), 0.15);
        }
}
END_TEST

START_TEST(test_no_class)
{
    const int outside[] = {-1, ECG_BEAT_CLASSES, 99};
    for (size_t k = 0; k < 3; k++) {
        float mv[N];
        memset(mv, 0xff, sizeof mv);
        beat(1, 1, (ecg_beat_class)outside[k], mv);
        for (int i = 0; i < N; i++)
            ck_assert(mv[i] == 0.0f);
    }
}
END_TEST

/* A normal beat's largest wave is the R, in the middle of the window. */
START_TEST(test_r_in_the_middle)
{
    for (uint32_t p = 0; p < PATIENTS; p++) {
        float mv[N];
        beat(p, 0, ECG_BEAT_NORMAL, mv);
        int top = 0;
        for (int i = 0; i < N; i++)
            top = mv[i] > mv[top] ? i : top;
        ck_assert_int_le(abs(top - R), 4);
    }
}
END_TEST

START_TEST(test_widths)
{
    const double normal = mean(ECG_BEAT_NORMAL, qrs_width), pac = mean(ECG_BEAT_PAC, qrs_width);
    ck_assert_msg(normal > 20 && normal < 80, "%g ms", normal);
    ck_assert_msg(fabs(pac - normal) < 15, "%g, not %g ms", pac, normal);
    ck_assert_double_gt(mean(ECG_BEAT_PVC, qrs_width), 2 * normal);
    ck_assert_double_gt(mean(ECG_BEAT_LBBB, qrs_width), 1.6 * normal);
    ck_assert_double_gt(mean(ECG_BEAT_PACED, qrs_width), 1.6 * normal);
}
END_TEST

START_TEST(test_pvc_is_tall)
{
    ck_assert_double_gt(mean(ECG_BEAT_PVC, qrs_range), 1.2 * mean(ECG_BEAT_NORMAL, qrs_range));
}
END_TEST

/* The stimulus of a paced beat is steeper than anything that others have before their QRS. */
START_TEST(test_spike)
{
    const double paced = mean(ECG_BEAT_PACED, spike);
    ck_assert_double_gt(paced, 0.4);
    for (int c = 0; c < ECG_BEAT_CLASSES; c++)
        if (c != ECG_BEAT_PACED)
            ck_assert_msg(mean((ecg_beat_class)c, spike) < 0.5 * paced, "class %d", c);
}
END_TEST

/* Flutter never rests; all others do somewhere. */
START_TEST(test_flutter)
{
    const double flutter = mean(ECG_BEAT_VFLUTTER, flattest);
    for (int c = 0; c < ECG_BEAT_VFLUTTER; c++)
        ck_assert_msg(mean((ecg_beat_class)c, flattest) < 0.5 * flutter, "class %d", c);
}
END_TEST

/* A premature atrial beat comes while the T wave of the beat before is still there. */
START_TEST(test_pac_is_early)
{
    ck_assert_double_gt(mean(ECG_BEAT_PAC, before_p), 1.5 * mean(ECG_BEAT_NORMAL, before_p));
}
END_TEST

START_TEST(test_rbbb_ends_late)
{
    ck_assert_double_gt(mean(ECG_BEAT_RBBB, late_s), mean(ECG_BEAT_NORMAL, late_s) + 0.1);
}
END_TEST

/* Beats of a patient resemble each other more than those of others: there is something like a patient. */
START_TEST(test_patients)
{
    for (int c = 0; c < ECG_BEAT_VFLUTTER; c++) {
        double within = 0, between = 0;
        for (uint32_t p = 0; p < PATIENTS; p++) {
            float a[N], same[N], other[N];
            beat(p, 0, (ecg_beat_class)c, a);
            beat(p, 1, (ecg_beat_class)c, same);
            beat(p + 1, 1, (ecg_beat_class)c, other);
            for (int i = 0; i < N; i++) {
                within += pow((double)a[i] - (double)same[i], 2);
                between += pow((double)a[i] - (double)other[i], 2);
            }
        }
        ck_assert_msg(within < 0.5 * between, "class %d: %g and %g", c, within, between);
    }
}
END_TEST

/* Deviation of a beat from the mean of its neighbouring samples: noise, when waves are slow. */
static double roughness(const float *mv)
{
    double sum = 0;
    for (int i = 1; i < R - 40; i++)
        sum += pow((double)mv[i] - 0.5 * ((double)mv[i - 1] + (double)mv[i + 1]), 2);
    return sqrt(sum / (R - 41));
}

static void with(uint32_t patient, uint32_t b, ecg_beat_class c, const ecg_synth_options *o, float *mv)
{
    ecg_error err = {0};
    ck_assert_msg(ecg_beat_synthesize_with(7, patient, b, c, o, mv, &err) == ECG_OK, "%s", err.message);
}

START_TEST(test_options_change_nothing)
{
    const ecg_synth_options o = ECG_SYNTH_OPTIONS_INIT;
    for (int c = 0; c < ECG_BEAT_CLASSES; c++)
        for (uint32_t p = 0; p < 5; p++) {
            float a[N], b[N];
            beat(p, 3, (ecg_beat_class)c, a);
            with(p, 3, (ecg_beat_class)c, &o, b);
            ck_assert_mem_eq(a, b, sizeof a);
            with(p, 3, (ecg_beat_class)c, NULL, b);
            ck_assert_mem_eq(a, b, sizeof a);
        }
}
END_TEST

/* Noise and wander are added to the same beat, in proportion. */
START_TEST(test_noise_and_wander)
{
    for (uint32_t p = 0; p < 20; p++) {
        ecg_synth_options o = ECG_SYNTH_OPTIONS_INIT;
        float clean[N], noisy[N], noisier[N], wandering[N];
        o.noise = o.wander = 0;
        with(p, 0, ECG_BEAT_NORMAL, &o, clean);
        ck_assert_double_lt(roughness(clean), 0.001);
        o.noise = 2;
        with(p, 0, ECG_BEAT_NORMAL, &o, noisy);
        o.noise = 6;
        with(p, 0, ECG_BEAT_NORMAL, &o, noisier);
        o.noise = 0;
        o.wander = 10;
        with(p, 0, ECG_BEAT_NORMAL, &o, wandering);
        ck_assert_double_gt(roughness(noisy), 0.003);
        ck_assert_double_lt(roughness(wandering), 0.002);
        double moved = 0;
        for (int i = 0; i < N; i++) {
            ck_assert_double_eq_tol((double)(noisier[i] - clean[i]), 3.0 * (double)(noisy[i] - clean[i]),
                                    1e-5);
            moved = fmax(moved, fabs((double)(wandering[i] - clean[i])));
        }
        ck_assert_double_gt(moved, 0.05);
    }
}
END_TEST

/* A faster heart shows the T wave of the beat before where a slow one is at rest. */
START_TEST(test_rate)
{
    double fast = 0, slow = 0;
    for (uint32_t p = 0; p < PATIENTS; p++) {
        ecg_synth_options o = ECG_SYNTH_OPTIONS_INIT;
        float mv[N];
        o.noise = o.wander = 0;
        o.rate = 150;
        with(p, 0, ECG_BEAT_NORMAL, &o, mv);
        fast += before_p(mv);
        o.rate = 40;
        with(p, 0, ECG_BEAT_NORMAL, &o, mv);
        slow += before_p(mv);
    }
    ck_assert_double_lt(slow / PATIENTS, 0.12);
    ck_assert_double_gt(fast / PATIENTS, 0.2);
}
END_TEST

/* In fibrillation there is no P wave, which a mean over many beats of a patient shows: the small waves of the
 * atria come at any time and leave nothing. */
START_TEST(test_fibrillation)
{
    enum { MANY = 400 };
    for (uint32_t p = 0; p < 6; p++) {
        ecg_synth_options o = ECG_SYNTH_OPTIONS_INIT;
        double sinus[N] = {0}, fibrillation[N] = {0}, restless = 0;
        o.noise = o.wander = 0;
        o.rate = 50;
        for (uint32_t b = 0; b < MANY; b++) {
            float mv[N];
            o.rhythm = ECG_SYNTH_SINUS;
            with(p, b, ECG_BEAT_NORMAL, &o, mv);
            for (int i = 0; i < N; i++)
                sinus[i] += (double)mv[i] / MANY;
            o.rhythm = ECG_SYNTH_FIBRILLATION;
            with(p, b, ECG_BEAT_NORMAL, &o, mv);
            for (int i = 0; i < N; i++)
                fibrillation[i] += (double)mv[i] / MANY;
            restless += range(mv, 0, R - 20) / MANY;
        }
        double p_wave = 0, none = 0;
        for (int i = R - 80; i < R - 34; i++) {
            p_wave = fmax(p_wave, sinus[i] - sinus[R - 85]);
            none = fmax(none, fabs(fibrillation[i] - fibrillation[R - 85]));
        }
        ck_assert_msg(p_wave > 0.04 && none < 0.6 * p_wave, "patient %u: %g and %g", p, p_wave, none);
        ck_assert_double_gt(restless, 0.03);
    }
}
END_TEST

START_TEST(test_wrong_options)
{
    static const struct {
        ecg_synth_options o;
        ecg_beat_class c;
        const char *says;
    } wrong[] = {
        {{sizeof(ecg_synth_options), (ecg_synth_rhythm)9, 0, 1, 1}, ECG_BEAT_NORMAL, "rhythm 9"},
        {{sizeof(ecg_synth_options), ECG_SYNTH_SINUS, 29, 1, 1}, ECG_BEAT_NORMAL, "rate 29"},
        {{sizeof(ecg_synth_options), ECG_SYNTH_SINUS, (double)NAN, 1, 1}, ECG_BEAT_NORMAL, "rate"},
        {{sizeof(ecg_synth_options), ECG_SYNTH_SINUS, 0, -1, 1}, ECG_BEAT_NORMAL, "noise -1"},
        {{sizeof(ecg_synth_options), ECG_SYNTH_SINUS, 0, 1, 51}, ECG_BEAT_NORMAL, "wander 51"},
        {{sizeof(ecg_synth_options), ECG_SYNTH_SINUS, 0, 1, 1}, ECG_BEAT_CLASSES, "class 7"},
        {{sizeof(ecg_synth_options), ECG_SYNTH_FIBRILLATION, 0, 1, 1}, ECG_BEAT_PAC, "Premature Atrial"},
        {{0, ECG_SYNTH_SINUS, 0, 1, 1}, ECG_BEAT_NORMAL, "_INIT"},
    };
    for (size_t k = 0; k < sizeof wrong / sizeof *wrong; k++) {
        ecg_error err = {0};
        float mv[N], before[N];
        memset(mv, 0x55, sizeof mv);
        memcpy(before, mv, sizeof mv);
        ck_assert_int_eq(ecg_beat_synthesize_with(1, 1, 1, wrong[k].c, &wrong[k].o, mv, &err), ECG_EINVAL);
        ck_assert_msg(strstr(err.message, wrong[k].says) != NULL, "%zu: %s", k, err.message);
        ck_assert_mem_eq(mv, before, sizeof mv);
    }
}
END_TEST

START_TEST(test_shapes)
{
    struct ecg__patient p = {{0}, {0}};
    const double jitter[ECG__JITTER] = {0};
    for (int k = 0; k < 32; k++) {
        double u[ECG__HABITS];
        for (int i = 0; i < ECG__HABITS; i++)
            u[i] = (k >> (i % 5) & 1) * 0.999;
        for (int i = 0; i < ECG__FORM; i++)
            p.form[i] = (k >> (i % 5) & 1) * 0.999;
        ecg__habits(p.habit, u);
        for (int c = 0; c < ECG_BEAT_CLASSES; c++) {
            struct ecg__shape s;
            ecg__shape_make(&s, (ecg_beat_class)c, &p, jitter, p.habit[ECG__RR]);
            ck_assert_uint_lt(s.n, ECG__WAVES); /* none was left out */
            ck_assert_int_eq(s.n > 0, c != ECG_BEAT_VFLUTTER);
            for (unsigned i = 0; i < s.n; i++) {
                ck_assert(s.wave[i].before > 0.001 && s.wave[i].after > 0.001);
                ck_assert(fabs(s.wave[i].at) < 0.5 && fabs(s.wave[i].mv) < 3);
            }
        }
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("synth");
    TCase *t = tcase_create("beats");
    tcase_add_test(t, test_pure);
    tcase_add_test(t, test_bounds);
    tcase_add_test(t, test_no_class);
    tcase_add_test(t, test_r_in_the_middle);
    tcase_add_test(t, test_widths);
    tcase_add_test(t, test_pvc_is_tall);
    tcase_add_test(t, test_spike);
    tcase_add_test(t, test_flutter);
    tcase_add_test(t, test_pac_is_early);
    tcase_add_test(t, test_rbbb_ends_late);
    tcase_add_test(t, test_patients);
    tcase_add_test(t, test_options_change_nothing);
    tcase_add_test(t, test_noise_and_wander);
    tcase_add_test(t, test_rate);
    tcase_add_test(t, test_fibrillation);
    tcase_add_test(t, test_wrong_options);
    tcase_add_test(t, test_shapes);
    suite_add_tcase(s, t);
    return unit_run(s);
}
