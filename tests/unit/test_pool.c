/* maxpool and avgpool against their definition, ties, not a number, and what is refused. */
#include "unit.h"

#include "layer_run.h"

/* What PyTorch defines: the first largest of a window wins, not a number is larger than all; padding is no
 * cell. */
static void oracle(const layer_run *r, bool largest, uint32_t k, uint32_t stride, uint32_t pad, double *y,
                   double *dx)
{
    const ecg_shape in = r->plan.in, out = r->plan.out;
    for (size_t at = 0; at < r->n * r->plan.out_count; at++) {
        const size_t s = at / r->plan.out_count, c = at % out.c;
        const size_t row = at / out.c / out.w % out.h, col = at / out.c % out.w;
        size_t cells = 0, best = 0, in_window[1024];
        for (uint32_t i = 0; i < k * k; i++) {
            const int64_t h = (int64_t)(row * stride + i / k) - pad,
                          w = (int64_t)(col * stride + i % k) - pad;
            if (h < 0 || w < 0 || h >= in.h || w >= in.w)
                continue;
            in_window[cells] = s * r->plan.in_count + ((size_t)h * in.w + (size_t)w) * in.c + c;
            const float v = r->x[in_window[cells]];
            if (cells == 0 || v > r->x[best] || isnan(v))
                best = in_window[cells];
            cells++;
        }
        for (size_t i = 0; i < cells; i++)
            if (!largest || in_window[i] == best) {
                const double share = largest ? 1.0 : 1.0 / (double)cells;
                y[at] += share * (double)r->x[in_window[i]];
                dx[in_window[i]] += share * (double)r->dy[at];
            }
    }
}

/* Few different values, so that there are ties everywhere. */
static void check(const char *name, uint32_t k, uint32_t stride, uint32_t pad, ecg_shape in)
{
    char text[64];
    layer_run r;
    ecg_error err;
    snprintf(text, sizeof text, "%u stride=%u pad=%u", k, stride, pad);
    ck_ok(layer_open(&r, name, text, in, 2, 1, &err), err);
    const size_t n_in = r.n * r.plan.in_count, n_out = r.n * r.plan.out_count;
    ck_assert_uint_eq(r.plan.out.h, (in.h + 2 * pad - k) / stride + 1);
    ck_assert_uint_eq(r.plan.out.w, (in.w + 2 * pad - k) / stride + 1);
    double *y = calloc(n_out, sizeof *y), *dx = calloc(n_in, sizeof *dx);
    ck_assert(y && dx);
    ecg__rng g = ecg__rng_at(3, ECG__RNG_SYNTH, 0, 0);
    for (size_t i = 0; i < n_in; i++)
        r.x[i] = (float)ecg__rng_below(&g, 4) - 2.0f;
    layer_random(r.dy, n_out, 4);
    oracle(&r, strcmp(name, "maxpool") == 0, k, stride, pad, y, dx);
    layer_infer(&r, r.x, r.y, r.n);
    for (size_t i = 0; i < n_out; i++)
        ck_assert_msg(fabs((double)r.y[i] - y[i]) <= 1e-6, "%s %s: y[%zu] in inference", name, text, i);
    layer_forward(&r);
    layer_backward(&r, true);
    for (size_t i = 0; i < n_out; i++)
        ck_assert_msg(fabs((double)r.y[i] - y[i]) <= 1e-6, "%s %s: y[%zu]", name, text, i);
    for (size_t i = 0; i < n_in; i++)
        ck_assert_msg(fabs((double)r.dx[i] - dx[i]) <= 1e-5, "%s %s: dx[%zu]", name, text, i);
    free(y);
    free(dx);
    layer_close(&r);
}

START_TEST(agrees_with_its_definition)
{
    static const uint32_t channels[] = {1, 3, 16, 31, 32, 33, 70};
    const char *name = _i % 2 ? "avgpool" : "maxpool";
    const uint32_t c = channels[_i / 2];
    for (uint32_t k = 1; k <= 5; k++)
        for (uint32_t stride = 1; stride <= 3; stride++)
            for (uint32_t pad = 0; pad < k && pad < 3; pad++)
                check(name, k, stride, pad, (ecg_shape){5 + stride, 9 - stride, c});
    check(name, 17, 2, 8, (ecg_shape){19, 20, c}); /* more cells than a byte counts */
}
END_TEST

START_TEST(not_a_number_is_seen)
{
    layer_run r;
    ecg_error err;
    for (size_t at = 0; at < 4; at++) {
        ck_ok(layer_open(&r, "maxpool", "2", (ecg_shape){2, 2, 1}, 1, 1, &err), err);
        const float x[4] = {1.0f, 3.0f, 2.0f, INFINITY};
        memcpy(r.x, x, sizeof x);
        r.x[at] = NAN;
        r.dy[0] = 1.0f;
        layer_infer(&r, r.x, r.y, 1);
        ck_assert(isnan(r.y[0]));
        layer_forward(&r);
        ck_assert(isnan(r.y[0]));
        layer_backward(&r, true);
        for (size_t i = 0; i < 4; i++)
            ck_assert(fabsf(r.dx[i] - (i == at ? 1.0f : 0.0f)) <= 0.0f);
        layer_close(&r);
    }
}
END_TEST

START_TEST(minus_infinity_is_a_value)
{
    layer_run r;
    ecg_error err;
    ck_ok(layer_open(&r, "maxpool", "3 stride=1 pad=1", (ecg_shape){2, 2, 1}, 1, 1, &err), err);
    for (size_t i = 0; i < 4; i++)
        r.x[i] = -INFINITY;
    layer_forward(&r);
    for (size_t i = 0; i < 4; i++)
        ck_assert(isinf(r.y[i]) && r.y[i] < 0);
    layer_backward(&r, true);
    layer_close(&r);
}
END_TEST

START_TEST(stride_is_the_size_unless_given)
{
    layer_run r;
    ecg_error err;
    ck_ok(layer_open(&r, "maxpool", "3x2", (ecg_shape){9, 9, 1}, 1, 1, &err), err);
    ck_assert(r.plan.out.h == 3 && r.plan.out.w == 4);
    layer_close(&r);
    ck_ok(layer_open(&r, "avgpool2d", "3x2 pad=same", (ecg_shape){10, 9, 1}, 1, 1, &err), err);
    ck_assert(r.plan.out.h == 4 && r.plan.out.w == 5);
    layer_close(&r);
}
END_TEST

START_TEST(windows_without_a_cell_are_refused)
{
    layer_run r;
    ecg_error err;
    ck_fails(layer_open(&r, "maxpool", "2 pad=2", (ecg_shape){9, 9, 1}, 1, 1, &err), err, ECG_EINVAL,
             "maxpool: pad must be less than size, got 2,2,2,2 for 2x2");
    layer_close(&r);
    ck_fails(layer_open(&r, "avgpool", "3x2 pad=0,0,0,2", (ecg_shape){9, 9, 1}, 1, 1, &err), err, ECG_EINVAL,
             "avgpool: pad must be less than size");
    layer_close(&r);
    ck_fails(layer_open(&r, "maxpool", "3", (ecg_shape){2, 9, 1}, 1, 1, &err), err, ECG_ESHAPE,
             "maxpool: a window of 3x3 does not fit into 2x9");
    layer_close(&r);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("pool");
    TCase *t = tcase_create("all");
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, agrees_with_its_definition, 0, 14);
    tcase_add_test(t, not_a_number_is_seen);
    tcase_add_test(t, minus_infinity_is_a_value);
    tcase_add_test(t, stride_is_the_size_unless_given);
    tcase_add_test(t, windows_without_a_cell_are_refused);
    suite_add_tcase(s, t);
    return unit_run(s);
}
