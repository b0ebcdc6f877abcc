#define _GNU_SOURCE
/* Gates learned: from numbers with known answers, and from folders of small pictures. */
#include "eval/gate_fit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "net/gate.h"
#include "net/model.h"
#include "unit/nets.h"

static const char *const names[] = {"flat", "high"};

START_TEST(quantiles)
{
    double v[] = {5, 1, 4, 2, 3}, one[] = {7};
    ck_assert_double_eq_tol(ecg__quantile(v, 5, 0.0), 1.0, 1e-12);
    ck_assert_double_eq_tol(ecg__quantile(v, 5, 0.5), 3.0, 1e-12);
    ck_assert_double_eq_tol(ecg__quantile(v, 5, 0.9), 4.6, 1e-12);
    ck_assert_double_eq_tol(ecg__quantile(v, 5, 1.0), 5.0, 1e-12);
    ck_assert_double_eq_tol(ecg__quantile(one, 1, 0.3), 7.0, 1e-12);
}
END_TEST

/* Against the inverse of a 2 x 2 covariance. */
START_TEST(mahalanobis)
{
    enum { COUNT = 400, N = 2 };
    static float f[COUNT * N];
    static ecg__seen seen[COUNT];
    ecg__rng r = ecg__rng_at(4, ECG__RNG_SYNTH, 0, 0);
    double mean[3][N] = {{0}}, cov[N][N] = {{0}}, all[N] = {0};
    size_t count[3] = {0};
    for (int i = 0; i < COUNT; i++) {
        const double a = ecg__rng_normal(&r), b = ecg__rng_normal(&r);
        seen[i].label = i % 4 ? 0 : 2; /* class 1 has none */
        f[i * N] = (float)(3.0 * a + (seen[i].label ? 100.0 : 0.0));
        f[i * N + 1] = (float)(a + 0.2 * b - 50.0);
        count[seen[i].label]++;
        for (int k = 0; k < N; k++) {
            mean[seen[i].label][k] += (double)f[i * N + k];
            all[k] += (double)f[i * N + k] / COUNT;
        }
    }
    for (int c = 0; c < 3; c++)
        for (int k = 0; k < N; k++)
            mean[c][k] = count[c] ? mean[c][k] / (double)count[c] : all[k];
    for (int i = 0; i < COUNT; i++)
        for (int a = 0; a < N; a++)
            for (int b = 0; b < N; b++)
                cov[a][b] += ((double)f[i * N + a] - mean[seen[i].label][a]) *
                             ((double)f[i * N + b] - mean[seen[i].label][b]) / COUNT;
    const double trace = cov[0][0] + cov[1][1];
    for (int a = 0; a < N; a++)
        for (int b = 0; b < N; b++)
            cov[a][b] = 0.95 * cov[a][b] + (a == b ? 0.05 * trace / N : 0.0);
    const double det = cov[0][0] * cov[1][1] - cov[0][1] * cov[0][1];
    float factor[3], centre[3 * N];
    const ecg__sight s = {seen, f, COUNT};
    ecg_error err = {0};
    ck_ok(ecg__gate_space(&s, N, 3, factor, centre, &err), err);
    const ecg_gate g = {.features = N, .factor = factor, .centre = centre};
    for (int i = 0; i < 50; i++) {
        const float x[N] = {(float)(ecg__rng_normal(&r) * 60.0), (float)(ecg__rng_normal(&r) * 60.0)};
        double least = (double)INFINITY;
        for (int c = 0; c < 3; c++) {
            const double u = (double)x[0] - mean[c][0], v = (double)x[1] - mean[c][1];
            least = fmin(least, (u * u * cov[1][1] - 2 * u * v * cov[0][1] + v * v * cov[0][0]) / det);
        }
        ck_assert_double_eq_tol(ecg__gate_distance(&g, 3, x), sqrt(least), 1e-3 * sqrt(least) + 1e-4);
    }
    /* Values that never move, all the same. */
    memset(f, 0, sizeof f);
    ck_ok(ecg__gate_space(&s, N, 3, factor, centre, &err), err);
    ck_assert(isfinite(factor[0]) && factor[0] > 0.0f && factor[2] > 0.0f);
}
END_TEST

/* ---- Folders of pictures ---- */

enum { SIDE = 24, EACH = 40 };

static void draw(uint8_t *px, int cls, uint64_t seed)
{
    ecg__rng r = ecg__rng_at(seed, ECG__RNG_SYNTH, (uint64_t)cls, 0);
    memset(px, 255, SIDE * SIDE);
    int at = 12;
    for (int x = 2; x < SIDE - 2; x++) {
        at += (int)ecg__rng_below(&r, 3) - 1;
        at = at < 8 ? 8 : at > 16 ? 16 : at;
        const int row = cls && x > 10 && x < 14 ? at - 6 : at;
        px[row * SIDE + x] = 0;
        px[(row + 1) * SIDE + x] = 30;
    }
}

static ecg_dataset *make_folder(const char *name, uint64_t seed)
{
    char dir[512], path[1024];
    ecg_error err = {0};
    snprintf(dir, sizeof dir, "%s", unit_tmp(name));
    mkdir(dir, 0777);
    for (int cls = 0; cls < 2; cls++) {
        snprintf(path, sizeof path, "%s/%s", dir, names[cls]);
        mkdir(path, 0777);
        for (int i = 0; i < EACH; i++) {
            uint8_t px[SIDE * SIDE];
            const ecg_image img = {px, SIDE, SIDE, 1, SIDE};
            draw(px, cls, seed + (uint64_t)i);
            snprintf(path, sizeof path, "%s/%s/%d.png", dir, names[cls], i);
            ck_ok(ecg_image_save_png(&img, path, &err), err);
        }
    }
    ecg_dataset *d;
    ck_ok(ecg_dataset_open(&d, dir, NULL, &err), err);
    return d;
}

static ecg_model *make_model(void)
{
    ecg_error e = {0};
    ecg_spec *spec = unit_spec(
        "input 24x24x1; conv2d 3 5x5 stride=3 relu; flatten; dense 6 tanh; dense 2; softmax");
    float *w = ecg__calloc(spec->floats, sizeof *w), *v = unit_values(spec->floats, 9);
    for (uint32_t i = 0; i < spec->slots; i++)
        for (size_t k = 0; k < spec->slot[i].tensor->count; k++)
            w[spec->slot[i].offset + k] = 0.2f * v[k];
    ecg__free(v);
    ecg_preprocess p = ECG_PREPROCESS_INIT;
    p.h = p.w = SIDE;
    ecg_model *m;
    ck_ok(ecg__model_new(&m, spec, &p, names, 2, NULL, w, false, &e), e);
    ecg_spec_free(spec);
    return m;
}

static ecg_answer ask(ecg_model *m, const uint8_t *px)
{
    const ecg_image img = {px, SIDE, SIDE, 1, SIDE};
    ecg_session *s;
    ecg_decision d;
    ecg_error err = {0};
    float p[2];
    ck_ok(ecg_session_new(&s, m, NULL, &err), err);
    ck_ok(ecg_session_judge_image(s, &img, p, &d, &err), err);
    ecg_session_free(s);
    return d.answer;
}

START_TEST(learned)
{
    ecg_dataset *train = make_folder("train", 1000), *val = make_folder("val", 2000);
    const ecg_gate_pictures a = {train, NULL, 2 * EACH}, b = {val, NULL, 2 * EACH};
    ecg_model *m = make_model(), *one, *two;
    ecg_error err = {0};
    ecg_gate_options o = ECG_GATE_OPTIONS_INIT;
    o.threads = 1;
    ck_ok(ecg_gate_fit(&one, m, &a, &b, &o, &err), err);
    o.threads = 3;
    ck_ok(ecg_gate_fit(&two, m, &a, &b, &o, &err), err);
    const ecg_gate *g = ecg_model_gate(one), *h = ecg_model_gate(two);
    ck_assert(g->pictures == 2 * EACH && g->held_out == 2 * EACH && g->features == 6);
    ck_assert_mem_eq(g->low, h->low, sizeof g->low);
    ck_assert_mem_eq(g->high, h->high, sizeof g->high);
    ck_assert(g->limit == h->limit);
    ck_assert_mem_eq(g->factor, h->factor, sizeof(float) * 21);
    ck_assert_mem_eq(g->centre, h->centre, sizeof(float) * 12);
    uint32_t refused = 0;
    uint8_t px[SIDE * SIDE];
    for (int i = 0; i < 100; i++) {
        draw(px, i % 2, 3000 + (uint64_t)i);
        refused += ask(one, px) != ECG_ANSWER_OK;
    }
    ck_assert_uint_le(refused, 8);
    /* Blank, inverted, noise, and a page of traces. */
    memset(px, 255, sizeof px);
    ck_assert_int_eq(ask(one, px), ECG_ANSWER_NOT_ECG);
    ck_assert_int_eq(ask(m, px), ECG_ANSWER_OK);
    draw(px, 0, 5000);
    for (size_t i = 0; i < sizeof px; i++)
        px[i] = (uint8_t)(255 - px[i]);
    ck_assert_int_eq(ask(one, px), ECG_ANSWER_NOT_ECG);
    ecg__rng r = ecg__rng_at(1, ECG__RNG_SYNTH, 0, 0);
    for (size_t i = 0; i < sizeof px; i++)
        px[i] = (uint8_t)ecg__rng_below(&r, 256);
    ck_assert_int_eq(ask(one, px), ECG_ANSWER_NOT_ECG);
    memset(px, 255, sizeof px);
    for (int row = 2; row < SIDE; row += 5)
        memset(px + row * SIDE + 2, 0, SIDE - 4);
    ck_assert_int_eq(ask(one, px), ECG_ANSWER_NOT_ECG);
    ecg_model_free(one);
    ecg_model_free(two);
    /* A quarter is held out where there are no others; and a few are enough. */
    ck_ok(ecg_gate_fit(&one, m, &a, NULL, &o, &err), err);
    g = ecg_model_gate(one);
    ck_assert(g->pictures == 60 && g->held_out == 20);
    ecg_model_free(one);
    o.most = 5;
    ck_ok(ecg_gate_fit(&one, m, &a, &b, &o, &err), err);
    g = ecg_model_gate(one);
    ck_assert(g->pictures == 5 && g->held_out == 5);
    ecg_model_free(one);
    ecg_model_free(m);
    ecg_dataset_free(train);
    ecg_dataset_free(val);
}
END_TEST

static int stop(void *payload, size_t done, size_t total)
{
    (void)payload;
    return done == total;
}

START_TEST(refused_to)
{
    ecg_dataset *d = make_folder("bad", 1);
    ecg_model *m = make_model(), *out;
    ecg_error err = {0};
    static const uint32_t one[] = {0};
    const ecg_gate_pictures all = {d, NULL, 2 * EACH}, few = {d, one, 1};
    ecg_gate_options o = ECG_GATE_OPTIONS_INIT;
    ck_fails(ecg_gate_fit(&out, m, &few, &all, NULL, &err), err, ECG_EINVAL, "1 training");
    ck_assert_ptr_null(out);
    o.refused = 0.6;
    ck_fails(ecg_gate_fit(&out, m, &all, NULL, &o, &err), err, ECG_EINVAL, "refused is 0.6");
    o.refused = 0.0;
    o.progress = stop;
    ck_fails(ecg_gate_fit(&out, m, &all, NULL, &o, &err), err, ECG_ECANCELLED, "stopped after");
    o.progress = NULL;
    FILE *f = fopen(ecg_dataset_sample(d, 3)->path, "w");
    ck_assert_ptr_nonnull(f);
    fputs("no picture", f);
    fclose(f);
    ck_fails(ecg_gate_fit(&out, m, &all, NULL, &o, &err), err, ECG_EFORMAT, ecg_dataset_sample(d, 3)->name);
    o.skip_bad = 1;
    ck_ok(ecg_gate_fit(&out, m, &all, NULL, &o, &err), err);
    ck_assert_uint_eq(ecg_model_gate(out)->pictures + ecg_model_gate(out)->held_out, 2 * EACH - 1);
    ecg_model_free(out);
    ecg_model_free(m);
    ecg_dataset_free(d);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("gate_fit");
    TCase *t = tcase_create("gate_fit");
    tcase_add_test(t, quantiles);
    tcase_add_test(t, mahalanobis);
    tcase_add_test(t, learned);
    tcase_add_test(t, refused_to);
    suite_add_tcase(s, t);
    return unit_run(s);
}
