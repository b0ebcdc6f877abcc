/* Convolution against its definition: six loops in double precision. */
#include "unit.h"

#include "layer_run.h"
#include "layers/window.h"

typedef struct oracle {
    double *y, *dx, *dw, *db;
} oracle;

static void sum_window(const layer_run *r, const ecg__window *g, size_t s, uint32_t row, uint32_t col,
                       uint32_t f, const oracle *o)
{
    const uint32_t filters = r->plan.out.c;
    const size_t out = s * r->plan.out_count + ((size_t)row * g->ow + col) * filters + f;
    const double dy = (double)r->dy[out];
    for (uint32_t i = 0; i < g->kh; i++)
        for (uint32_t j = 0; j < g->kw; j++)
            for (uint32_t c = 0; c < g->c; c++) {
                const int64_t h = (int64_t)row * g->sh + i * g->dh - g->top;
                const int64_t w = (int64_t)col * g->sw + j * g->dw - g->left;
                if (h < 0 || w < 0 || h >= g->h || w >= g->w)
                    continue;
                const size_t in = s * r->plan.in_count + ((size_t)h * g->w + (size_t)w) * g->c + c;
                const size_t k = (((size_t)i * g->kw + j) * g->c + c) * filters + f;
                o->y[out] += (double)r->x[in] * (double)r->tensor[0][k];
                o->dx[in] += dy * (double)r->tensor[0][k];
                o->dw[k] += dy * (double)r->x[in];
            }
    if (r->plan.tensors > 1) {
        o->y[out] += (double)r->tensor[1][f];
        o->db[f] += dy;
    }
}

static void compute(const layer_run *r, const ecg__window *g, const oracle *o)
{
    for (size_t s = 0; s < r->n; s++)
        for (uint32_t row = 0; row < g->oh; row++)
            for (uint32_t col = 0; col < g->ow; col++)
                for (uint32_t f = 0; f < r->plan.out.c; f++)
                    sum_window(r, g, s, row, col, f, o);
}

static bool agrees(const float *got, const double *want, size_t n)
{
    double worst = 0, top = 0;
    for (size_t i = 0; i < n; i++) {
        const double d = fabs((double)got[i] - want[i]);
        if (isnan(d))
            return false;
        worst = d > worst ? d : worst;
        top = fabs(want[i]) > top ? fabs(want[i]) : top;
    }
    return worst <= 2e-6 * top + 1e-6;
}

static double *doubles(size_t n)
{
    double *v = calloc(n ? n : 1, sizeof *v);
    ck_assert_ptr_nonnull(v);
    return v;
}

/* Geometry by the definition of each kind of padding, not by the code under test. */
static ecg__window geometry(ecg_shape in, uint32_t kh, uint32_t kw, uint32_t sh, uint32_t sw, uint32_t d,
                            int pad)
{
    ecg__window g = {in.h, in.w, in.c, kh, kw, sh, sw, d, d, 0, 0, 0, 0};
    const uint32_t rh = (kh - 1) * d + 1, rw = (kw - 1) * d + 1;
    if (pad == 1) { /* same */
        g.oh = (in.h + sh - 1) / sh;
        g.ow = (in.w + sw - 1) / sw;
        const int32_t th = (int32_t)((g.oh - 1) * sh + rh) - (int32_t)in.h;
        const int32_t tw = (int32_t)((g.ow - 1) * sw + rw) - (int32_t)in.w;
        g.top = th > 0 ? (uint32_t)th / 2 : 0;
        g.left = tw > 0 ? (uint32_t)tw / 2 : 0;
        return g;
    }
    const uint32_t t = pad == 2 ? 1 : 0, b = pad == 2 ? 2 : 0, l = pad == 2 ? 3 : 0, r = pad == 2 ? 0 : 0;
    g.top = t;
    g.left = l;
    g.oh = in.h + t + b < rh ? 0 : (in.h + t + b - rh) / sh + 1;
    g.ow = in.w + l + r < rw ? 0 : (in.w + l + r - rw) / sw + 1;
    return g;
}

static void check(ecg_shape in, uint32_t filters, uint32_t kh, uint32_t kw, uint32_t sh, uint32_t sw,
                  uint32_t d, int pad)
{
    static const char *const pads[] = {"valid", "same", "1,2,3,0"};
    const ecg__window g = geometry(in, kh, kw, sh, sw, d, pad);
    char text[128];
    layer_run r;
    ecg_error err;
    snprintf(text, sizeof text, "%u %ux%u stride=%ux%u dilation=%u pad=%s bias=%u", filters, kh, kw, sh, sw,
             d, pads[pad], (kh + sw) % 2);
    const ecg_status s = layer_open(&r, "conv2d", text, in, 2, 2, &err);
    if (g.oh == 0 || g.ow == 0) {
        ck_assert_msg(s == ECG_ESHAPE, "%s does not fit but was accepted", text);
        layer_close(&r);
        return;
    }
    ck_assert_msg(s == ECG_OK, "%s: %s", text, err.message);
    ck_assert_uint_eq(r.plan.out.h, g.oh);
    ck_assert_uint_eq(r.plan.out.w, g.ow);
    ck_assert_uint_eq(r.plan.out.c, filters);
    const size_t in_count = r.n * r.plan.in_count, out_count = r.n * r.plan.out_count;
    layer_random(r.x, in_count, 1);
    layer_random(r.dy, out_count, 2);
    for (uint32_t t = 0; t < r.plan.tensors; t++)
        layer_random(r.tensor[t], r.plan.tensor[t].count, 3 + t);
    const oracle o = {doubles(out_count), doubles(in_count), doubles(r.plan.tensor[0].count),
                      doubles(filters)};
    compute(&r, &g, &o);
    layer_forward(&r);
    layer_backward(&r, true);
    ck_assert_msg(agrees(r.y, o.y, out_count), "%ux%ux%u %s: y", in.h, in.w, in.c, text);
    ck_assert_msg(agrees(r.dx, o.dx, in_count), "%ux%ux%u %s: dx", in.h, in.w, in.c, text);
    ck_assert_msg(agrees(r.dtensor[0], o.dw, r.plan.tensor[0].count), "%ux%ux%u %s: dw", in.h, in.w, in.c,
                  text);
    if (r.plan.tensors > 1)
        ck_assert_msg(agrees(r.dtensor[1], o.db, filters), "%ux%ux%u %s: db", in.h, in.w, in.c, text);
    free(o.y);
    free(o.dx);
    free(o.dw);
    free(o.db);
    layer_close(&r);
}

START_TEST(agrees_with_six_loops)
{
    static const uint32_t channels[] = {1, 2, 3, 5, 17};
    const ecg_shape in = {(uint32_t)_i / 2 + 1, (uint32_t)(_i * 7) % 11 + 1, channels[_i % 5]};
    for (uint32_t kh = 1; kh <= 5; kh += 2)
        for (uint32_t kw = 1; kw <= 4; kw++)
            for (uint32_t stride = 1; stride <= 3; stride++)
                for (uint32_t d = 1; d <= 2; d++)
                    for (int pad = 0; pad < 3; pad++)
                        check(in, 1 + (kh + kw) % 4, kh, kw, stride, 1 + (stride + kw) % 2, d, pad);
}
END_TEST

/* Numbers of filters and channels that vectors fill: the ways without columns, and those with some. */
START_TEST(agrees_where_vectors_are_full)
{
    static const uint32_t filters[] = {8, 16, 24, 40, 72}, channels[] = {1, 3, 8, 16, 40};
    const ecg_shape in = {7 + (uint32_t)_i % 3, 9 + (uint32_t)_i % 5, channels[_i % 5]};
    for (uint32_t k = 1; k <= 3; k++)
        for (uint32_t stride = 1; stride <= 2; stride++)
            for (uint32_t d = 1; d <= 2; d++)
                for (int pad = 0; pad < 3; pad++)
                    check(in, filters[(_i + k) % 5], k, 4 - k, stride, 1 + (stride + k) % 2, d, pad);
    check((ecg_shape){60, 61, 16}, 48, 3, 3, 1, 1, 1, (int)_i % 3); /* several tiles */
}
END_TEST

/* Rows wide enough for the quick copy of small windows, and pictures of several tiles. */
START_TEST(agrees_on_large_pictures)
{
    check((ecg_shape){40, 64, 1}, 8, 3, 3, 1, 1, 1, 0);
    check((ecg_shape){12, 61, 3}, 4, 3, 3, 1, 1, 1, 1);
    check((ecg_shape){12, 61, 3}, 4, 3, 5, 2, 2, 1, 2);
    check((ecg_shape){20, 33, 2}, 4, 5, 7, 1, 3, 1, 1);
    check((ecg_shape){9, 50, 16}, 3, 2, 1, 1, 1, 1, 0);
    check((ecg_shape){70, 40, 32}, 8, 3, 3, 1, 1, 1, 0);
    check((ecg_shape){2, 300, 40}, 3, 2, 9, 1, 1, 1, 0); /* one row of columns is more than a tile */
}
END_TEST

static ecg_status plan_of(const char *text, ecg_shape in, ecg__plan *p, ecg_error *err)
{
    const ecg__layer_ops *ops = ecg__layer_by_name("conv2d", 6);
    _Alignas(16) unsigned char attr[ECG__ATTR_BYTES];
    const ecg_status s = layer_attrs(ops, text, attr, err);
    return s == ECG_OK ? ecg__layer_plan(ops, attr, in, p, err) : s;
}

START_TEST(plan_describes_the_layer)
{
    ecg__plan p;
    ecg_error err;
    ck_ok(plan_of("32 3x5 pad=same l2=0.5 init=he_normal", (ecg_shape){64, 64, 3}, &p, &err), err);
    ck_assert_uint_eq(p.macs, 64u * 64 * 32 * 3 * 5 * 3);
    ck_assert_uint_eq(p.tensors, 2);
    ck_assert_str_eq(p.tensor[0].name, "kernel");
    ck_assert_uint_eq(p.tensor[0].rank, 4);
    ck_assert_uint_eq(p.tensor[0].count, 3u * 5 * 3 * 32);
    ck_assert(p.tensor[0].decays && p.tensor[0].trainable);
    ck_assert_int_eq(p.tensor[0].init, ECG__INIT_HE_NORMAL);
    ck_assert_uint_eq(p.tensor[0].fan_in, 45);
    ck_assert_uint_eq(p.tensor[0].fan_out, 480);
    ck_assert(p.tensor[0].l2 > 0.49f && p.tensor[0].l2 < 0.51f);
    ck_assert_str_eq(p.tensor[1].name, "bias");
    ck_assert(!p.tensor[1].decays && p.tensor[1].trainable);
    ck_assert_uint_le(p.scratch, 256u * 1024);
    ck_assert_uint_gt(p.scratch, 0);
    ck_ok(plan_of("8 1 bias=0", (ecg_shape){64, 64, 3}, &p, &err), err);
    ck_assert_uint_eq(p.tensors, 1);
    ck_assert_uint_eq(p.scratch, 0); /* 1x1 needs no columns */
}
END_TEST

START_TEST(what_does_not_fit_is_refused)
{
    ecg__plan p;
    ecg_error err;
    ck_fails(plan_of("8 5", (ecg_shape){4, 9, 1}, &p, &err), err, ECG_ESHAPE, "conv2d: a window of 5x5");
    ck_fails(plan_of("8 3 dilation=4", (ecg_shape){8, 9, 1}, &p, &err), err, ECG_ESHAPE,
             "does not fit into 8x9");
    ck_fails(plan_of("0 3", (ecg_shape){8, 9, 1}, &p, &err), err, ECG_EINVAL,
             "filters must be 1..65536, got 0");
    ck_fails(plan_of("8 65", (ecg_shape){80, 90, 1}, &p, &err), err, ECG_EINVAL, "kernel must be");
    ck_fails(plan_of("8 64 pad=same", (ecg_shape){1, 64, 800000}, &p, &err), err, ECG_ELIMIT, "too large");
    ck_fails(plan_of("65536 1", (ecg_shape){1000, 1000, 1}, &p, &err), err, ECG_ELIMIT, "conv2d");
    ck_fails(plan_of("8 3", (ecg_shape){0, 9, 1}, &p, &err), err, ECG_ESHAPE, "conv2d: an input of 0x9x1");
    ck_fails(plan_of("8 3", (ecg_shape){1u << 31, 1u << 31, 4}, &p, &err), err, ECG_ESHAPE, "input");
    ck_fails(plan_of("8 3 pad=4096", (ecg_shape){1, 2147483647, 1}, &p, &err), err, ECG_ELIMIT, "conv2d");
}
END_TEST

/* Many channels: Winograd's way, with odd and even sizes, one strip and several. */
START_TEST(agrees_where_channels_are_many)
{
    static const struct {
        ecg_shape in;
        uint32_t filters;
    } cases[] = {
        {{9, 12, 64}, 64}, {{12, 7, 64}, 72}, {{5, 6, 104}, 64}, {{66, 34, 64}, 64}, {{4, 4, 64}, 64}};
    for (int pad = 0; pad < 3; pad++)
        check(cases[_i].in, cases[_i].filters, 3, 3, 1, 1, 1, pad);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("conv2d");
    TCase *t = tcase_create("all");
    tcase_set_timeout(t, 300);
    tcase_add_loop_test(t, agrees_with_six_loops, 0, 15);
    tcase_add_loop_test(t, agrees_where_channels_are_many, 0, 5);
    tcase_add_loop_test(t, agrees_where_vectors_are_full, 0, 5);
    tcase_add_test(t, agrees_on_large_pictures);
    tcase_add_test(t, plan_describes_the_layer);
    tcase_add_test(t, what_does_not_fit_is_refused);
    suite_add_tcase(s, t);
    return unit_run(s);
}
