/* Heat maps of networks whose answers can be worked out by hand. */
#include "eval/heat.h"

#include <math.h>
#include <string.h>

#include "net/model.h"
#include "unit/nets.h"

static const char *const names[] = {"a", "b", "c"};

static ecg_model *make_model(const char *text, uint64_t seed)
{
    ecg_error e = {0};
    ecg_spec *spec = unit_spec(text);
    float *w = ecg__calloc(spec->floats, sizeof *w), *v = unit_values(spec->floats, seed);
    for (uint32_t i = 0; i < spec->slots; i++)
        for (size_t k = 0; k < spec->slot[i].tensor->count; k++)
            w[spec->slot[i].offset + k] = spec->slot[i].tensor->nonnegative ? 0.5f + v[k] * v[k]
                                                                            : 0.5f * v[k];
    ecg__free(v);
    ecg_preprocess p = ECG_PREPROCESS_INIT;
    p.h = spec->input.h;
    p.w = spec->input.w;
    p.color = (ecg_color)spec->input.c;
    ecg_model *m;
    ck_ok(ecg__model_new(&m, spec, &p, names, 3, NULL, w, false, &e), e);
    ecg_spec_free(spec);
    return m;
}

static void fill(uint8_t *px, size_t n, uint64_t seed)
{
    ecg__rng r = ecg__rng_at(seed, ECG__RNG_SYNTH, 0, 0);
    for (size_t i = 0; i < n; i++)
        px[i] = (uint8_t)ecg__rng_below(&r, 256);
}

/* The class's value is a sum over the map with the dense layer's kernel as its derivative. */
START_TEST(gradcam_by_hand)
{
    enum { H = 7, W = 6, MH = 5, MW = 4, K = 2 };
    ecg_model *m = make_model("input 7x6x1; conv2d 2 3x3; batchnorm; dropout 0.5; flatten; dense 3; softmax",
                              3);
    ecg_error err = {0};
    uint8_t px[H * W];
    fill(px, sizeof px, 8);
    const ecg_image img = {px, W, H, 1, W};
    const float *conv[ECG__MAX_TENSORS], *norm[ECG__MAX_TENSORS], *dense[ECG__MAX_TENSORS];
    ecg__spec_tensors(m->spec, 0, m->weights, conv);
    ecg__spec_tensors(m->spec, 1, m->weights, norm);
    ecg__spec_tensors(m->spec, 4, m->weights, dense);
    double a[MH][MW][K], weight[3][K] = {{0}};
    for (int r = 0; r < MH; r++)
        for (int c = 0; c < MW; c++)
            for (int k = 0; k < K; k++) {
                a[r][c][k] = (double)conv[1][k];
                for (int i = 0; i < 9; i++)
                    a[r][c][k] += px[(r + i / 3) * W + c + i % 3] / 255.0 * (double)conv[0][i * K + k];
                const double slope = (double)norm[0][k] / sqrt((double)norm[3][k] + 0.001);
                for (int cls = 0; cls < 3; cls++)
                    weight[cls][k] += slope * (double)dense[0][((r * MW + c) * K + k) * 3 + cls] / (MH * MW);
            }
    uint32_t hot = 0;
    for (uint32_t cls = 0; cls < 3; cls++) {
        ecg_heat_options o = ECG_HEAT_OPTIONS_INIT;
        ecg_heat *h;
        o.choose = 1;
        o.cls = cls;
        o.layer = 1;
        ck_ok(ecg_heat_new(&h, m, &img, &o, &err), err);
        ck_assert(h->map_h == MH && h->map_w == MW && h->h == H && h->w == W && h->layer == 1 &&
                  h->cls == cls);
        double most = 0.0;
        for (int i = 0; i < MH * MW; i++) {
            const double *v = a[i / MW][i % MW], sum = v[0] * weight[cls][0] + v[1] * weight[cls][1];
            ck_assert_double_eq_tol((double)(h->map[i] * h->most), sum > 0 ? sum : 0, 1e-5);
            most = sum > most ? sum : most;
        }
        ck_assert_double_eq_tol((double)h->most, most, 1e-5);
        float top = 0.0f;
        for (int i = 0; i < H * W; i++) {
            ck_assert(h->full[i] >= 0.0f && h->full[i] <= 1.0f);
            top = h->full[i] > top ? h->full[i] : top;
        }
        hot += most > 0;
        ck_assert(top == (most > 0 ? 1.0f : 0.0f));
        ecg_heat_free(h);
    }
    ck_assert_uint_ge(hot, 1);
    ecg_model_free(m);
}
END_TEST

START_TEST(the_default)
{
    static const struct {
        const char *net;
        uint32_t layer;
    } of[] = {
        {"input 9x9x1; conv2d 2 3x3 relu; maxpool; flatten; dense 3; softmax", 2},
        {"input 9x9x1; conv2d 2 3x3; flatten; dense 3; softmax", 1},
        {"input 9x9x1; conv2d 2 3x3; conv2d 3 3x3; batchnorm elu; dropout 0.1; flatten; dense 3; softmax", 4},
        {"input 9x9x1; conv2d 2 3x3 relu; conv2d 4 7x7 relu; flatten; dense 3; softmax", 2}, /* one value */
    };
    uint8_t px[81];
    fill(px, sizeof px, 1);
    const ecg_image img = {px, 9, 9, 1, 9};
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        ecg_model *m = make_model(of[i].net, i);
        ecg_error err = {0};
        ecg_heat *h;
        ecg_session *s;
        float p[3];
        ck_ok(ecg_heat_new(&h, m, &img, NULL, &err), err);
        ck_assert_uint_eq(h->layer, of[i].layer);
        ck_ok(ecg_session_new(&s, m, NULL, &err), err);
        ck_ok(ecg_session_run_images(s, &img, 1, p, &err), err);
        ck_assert(h->probability == p[h->cls] && p[h->cls] >= p[0] && p[h->cls] >= p[1] && p[h->cls] >= p[2]);
        ecg_session_free(s);
        ecg_heat_free(h);
        ecg_model_free(m);
    }
}
END_TEST

START_TEST(refused)
{
    ecg_model *m = make_model("input 6x6x1; conv2d 2 3x3 relu; flatten; dense 3; softmax", 1);
    ecg_model *flat = make_model("input 6x6x1; flatten; dense 3; softmax", 1);
    uint8_t px[36] = {0};
    const ecg_image img = {px, 6, 6, 1, 6}, small = {px, 5, 6, 1, 5};
    ecg_error err = {0};
    ecg_heat *h;
    ecg_heat_options o = ECG_HEAT_OPTIONS_INIT;
    ck_fails(ecg_heat_new(&h, m, &small, NULL, &err), err, ECG_ESHAPE, "6x5x1");
    ck_assert_ptr_null(h);
    ck_fails(ecg_heat_new(&h, flat, &img, NULL, &err), err, ECG_EUNSUPPORTED, "no convolution");
    o.layer = 5;
    ck_fails(ecg_heat_new(&h, m, &img, &o, &err), err, ECG_EINVAL, "layer 5, expected 1..4");
    o.layer = 4;
    ck_fails(ecg_heat_new(&h, m, &img, &o, &err), err, ECG_EINVAL, "no rows and columns");
    o.layer = 0;
    o.choose = 1;
    o.cls = 3;
    ck_fails(ecg_heat_new(&h, m, &img, &o, &err), err, ECG_EINVAL, "class 3, expected 0..2");
    o = (ecg_heat_options)ECG_HEAT_OPTIONS_INIT;
    o.kind = (ecg_heat_kind)2;
    ck_fails(ecg_heat_new(&h, m, &img, &o, &err), err, ECG_EINVAL, "no such kind");
    o.kind = ECG_HEAT_OCCLUSION;
    o.patch = 2;
    o.step = 3;
    ck_fails(ecg_heat_new(&h, m, &img, &o, &err), err, ECG_EINVAL, "step is 3");
    ecg_heat_kind k = ECG_HEAT_GRADCAM;
    ck_assert_int_eq(ecg_heat_kind_parse(&k, "occlusion"), ECG_OK);
    ck_assert_int_eq(k, ECG_HEAT_OCCLUSION);
    ck_assert_int_eq(ecg_heat_kind_parse(&k, "guess"), ECG_EINVAL);
    ck_assert_str_eq(ecg_heat_kind_name(ECG_HEAT_GRADCAM), "gradcam");
    ck_assert_ptr_null(ecg_heat_kind_name((ecg_heat_kind)2));
    ecg_heat_free(NULL);
    ecg_model_free(m);
    ecg_model_free(flat);
}
END_TEST

/* Against one run for each position; the last squares end with the picture. */
START_TEST(occlusion_by_hand)
{
    enum { H = 7, W = 9, SIDE = 4, STEP = 3, ROWS = 2, COLS = 3 };
    static const uint32_t top[ROWS] = {0, 3}, left[COLS] = {0, 3, 5};
    ecg_model *m = make_model("input 7x9x3; flatten; dense 3; softmax", 5);
    ecg_error err = {0};
    uint8_t px[H][W * 3 + 2], other[H * W * 3]; /* rows that are not packed */
    fill(&px[0][0], sizeof px, 2);
    for (int r = 0; r < H; r++)
        for (int x = 0; x < W; x++)
            if ((r + x) % 3) /* medians 9, 7, 5 */
                for (int k = 0; k < 3; k++)
                    px[r][3 * x + k] = (uint8_t)(9 - 2 * k);
    const ecg_image img = {&px[0][0], W, H, 3, W * 3 + 2}, changed = {other, W, H, 3, W * 3};
    ecg_heat_options o = ECG_HEAT_OPTIONS_INIT;
    ecg_heat *h, *again;
    ecg_session *s;
    float p[3], q[3], raw[ROWS * COLS], most = 0.0f;
    o.kind = ECG_HEAT_OCCLUSION;
    o.patch = SIDE;
    o.step = STEP;
    o.threads = 2;
    ck_ok(ecg_heat_new(&h, m, &img, &o, &err), err);
    ck_assert(h->map_h == ROWS && h->map_w == COLS && h->layer == 0);
    ck_ok(ecg_session_new(&s, m, NULL, &err), err);
    ck_ok(ecg_session_run_images(s, &img, 1, p, &err), err);
    double sum[H][W] = {{0}}, n[H][W] = {{0}}, highest = 0.0;
    for (int i = 0; i < ROWS * COLS; i++) {
        for (int r = 0; r < H; r++)
            memcpy(other + r * W * 3, px[r], W * 3);
        for (uint32_t r = top[i / COLS]; r < top[i / COLS] + SIDE; r++)
            for (uint32_t x = left[i % COLS]; x < left[i % COLS] + SIDE; x++)
                for (uint32_t k = 0; k < 3; k++)
                    other[(r * W + x) * 3 + k] = (uint8_t)(9 - 2 * k);
        ck_ok(ecg_session_run_images(s, &changed, 1, q, &err), err);
        raw[i] = p[h->cls] - q[h->cls];
        most = raw[i] > most ? raw[i] : most;
        for (uint32_t r = top[i / COLS]; r < top[i / COLS] + SIDE; r++)
            for (uint32_t x = left[i % COLS]; x < left[i % COLS] + SIDE; x++) {
                sum[r][x] += (double)raw[i];
                n[r][x] += 1.0;
            }
    }
    ck_assert(most > 0.0f);
    ck_assert(h->most == most);
    for (int i = 0; i < ROWS * COLS; i++)
        ck_assert_double_eq_tol((double)h->map[i], raw[i] > 0 ? (double)(raw[i] / most) : 0.0, 1e-6);
    for (int i = 0; i < H * W; i++) {
        ck_assert(n[i / W][i % W] > 0);
        highest = fmax(highest, sum[i / W][i % W] / n[i / W][i % W]);
    }
    for (int i = 0; i < H * W; i++)
        ck_assert_double_eq_tol((double)h->full[i], fmax(sum[i / W][i % W] / n[i / W][i % W], 0) / highest,
                                1e-5);
    o.threads = 1;
    ck_ok(ecg_heat_new(&again, m, &img, &o, &err), err);
    ck_assert_mem_eq(h->full, again->full, sizeof(float) * H * W);
    ecg_heat_free(again);
    ecg_heat_free(h);
    /* A patch larger than the picture is all of it. */
    o.patch = 100;
    o.step = 0;
    ck_ok(ecg_heat_new(&h, m, &img, &o, &err), err);
    ck_assert(h->map_h == 1 && h->map_w == 1);
    ecg_heat_free(h);
    ecg_session_free(s);
    ecg_model_free(m);
}
END_TEST

START_TEST(enlarging)
{
    static const float from[2] = {0.0f, 1.0f}, want[5] = {0.0f, 0.1f, 0.5f, 0.9f, 1.0f};
    float to[5], many[30];
    ecg__heat_enlarge(from, 1, 2, to, 1, 5);
    for (int i = 0; i < 5; i++)
        ck_assert_double_eq_tol((double)to[i], (double)want[i], 1e-6);
    ecg__heat_enlarge(from, 2, 1, to, 5, 1);
    for (int i = 0; i < 5; i++)
        ck_assert_double_eq_tol((double)to[i], (double)want[i], 1e-6);
    ecg__heat_enlarge(from + 1, 1, 1, many, 5, 6);
    for (int i = 0; i < 30; i++)
        ck_assert(many[i] == 1.0f);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("heat");
    TCase *t = tcase_create("heat");
    tcase_add_test(t, gradcam_by_hand);
    tcase_add_test(t, the_default);
    tcase_add_test(t, refused);
    tcase_add_test(t, occlusion_by_hand);
    tcase_add_test(t, enlarging);
    suite_add_tcase(s, t);
    return unit_run(s);
}
