#include "train/optimizer.h"

#include <math.h>

#include "unit.h"

enum { N = 37, STEPS = 6, CASES = 18 };

typedef struct variant {
    ecg_optimizer kind;
    float momentum;
    uint32_t nesterov;
    float weight_decay, clip_value, grad_scale;
} variant;

static const variant variants[CASES] = {
    {ECG_ADAM, 0.0f, 0, 0.0f, 0.0f, 1.0f},    {ECG_ADAM, 0.0f, 0, 0.1f, 0.0f, 1.0f},
    {ECG_ADAM, 0.9f, 1, 0.1f, 0.4f, 0.5f},    {ECG_AMSGRAD, 0.0f, 0, 0.0f, 0.0f, 1.0f},
    {ECG_AMSGRAD, 0.0f, 0, 0.1f, 0.4f, 0.5f}, {ECG_ADAMW, 0.0f, 0, 0.0f, 0.0f, 1.0f},
    {ECG_ADAMW, 0.0f, 0, 0.1f, 0.0f, 1.0f},   {ECG_ADAMW, 0.0f, 0, 0.1f, 0.4f, 0.5f},
    {ECG_SGD, 0.0f, 0, 0.0f, 0.0f, 1.0f},     {ECG_SGD, 0.0f, 0, 0.1f, 0.4f, 0.5f},
    {ECG_SGD, 0.9f, 0, 0.0f, 0.0f, 1.0f},     {ECG_SGD, 0.9f, 0, 0.1f, 0.4f, 0.5f},
    {ECG_SGD, 0.9f, 1, 0.0f, 0.0f, 1.0f},     {ECG_SGD, 0.9f, 1, 0.1f, 0.4f, 0.5f},
    {ECG_RMSPROP, 0.0f, 0, 0.0f, 0.0f, 1.0f}, {ECG_RMSPROP, 0.0f, 0, 0.1f, 0.4f, 0.5f},
    {ECG_RMSPROP, 0.9f, 0, 0.0f, 0.0f, 1.0f}, {ECG_RMSPROP, 0.9f, 0, 0.1f, 0.4f, 0.5f},
};

static ecg_train_options options(const variant *c)
{
    ecg_train_options o = ECG_TRAIN_OPTIONS_INIT;
    o.optimizer = c->kind;
    o.lr = 0.01f;
    o.momentum = c->momentum;
    o.nesterov = c->nesterov;
    o.weight_decay = c->weight_decay;
    o.clip_value = c->clip_value;
    return o;
}

static float draw(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (float)(*seed >> 8) * (2.0f / 16777216.0f) - 1.0f;
}

/* One weight in double precision, every step written out from the papers; `past` is all its gradients so far.
 */
static double reference(const ecg_train_options *o, double grad_scale, double w, const double *raw,
                        uint32_t steps)
{
    const double lr = (double)o->lr, b1 = (double)o->beta1, b2 = (double)o->beta2, eps = (double)o->epsilon;
    const double mu = (double)o->momentum, wd = (double)o->weight_decay, clip = (double)o->clip_value;
    double mean = 0.0, square = 0.0, most = 0.0, speed = 0.0;
    for (uint32_t t = 1; t <= steps; t++) {
        double g = raw[t - 1] * grad_scale;
        if (clip > 0.0)
            g = fmax(-clip, fmin(clip, g));
        if (o->optimizer == ECG_ADAMW)
            w -= lr * wd * w;
        else
            g += wd * w;
        if (o->optimizer == ECG_SGD) {
            speed = t == 1 ? g : mu * speed + g;
            w -= lr * (mu == 0.0 ? g : o->nesterov ? g + mu * speed : speed);
        } else if (o->optimizer == ECG_RMSPROP) {
            square += (1.0 - b2) * (g * g - square);
            speed = mu * speed + g / (sqrt(square) + eps);
            w -= lr * speed;
        } else {
            mean += (1.0 - b1) * (g - mean);
            square += (1.0 - b2) * (g * g - square);
            most = fmax(most, square);
            const double v = o->optimizer == ECG_AMSGRAD ? most : square;
            w -= lr * (mean / (1.0 - pow(b1, t))) / (sqrt(v / (1.0 - pow(b2, t))) + eps);
        }
    }
    return w;
}

typedef struct run {
    float w[N], g[N], m[ECG__MAX_MOMENTS][N];
} run;

/* The gradients fall from step to step, so that AMSGrad's largest square matters. */
static void gradients(run *r, uint32_t *seed, uint32_t t)
{
    for (int i = 0; i < N; i++)
        r->g[i] = draw(seed) * 4.0f / (float)(t * t);
}

static void start(run *r, uint32_t *seed)
{
    memset(r, 0, sizeof *r);
    for (int i = 0; i < N; i++)
        r->w[i] = draw(seed);
}

/* One step, cut into pieces of at most `piece` elements. */
static void apply(run *r, const ecg__optimizer_step *s, size_t piece, bool decays)
{
    for (size_t at = 0; at < N; at += piece) {
        float *const m[ECG__MAX_MOMENTS] = {r->m[0] + at, r->m[1] + at, r->m[2] + at};
        ecg__optimizer_apply(s, r->w + at, r->g + at, m, at + piece < N ? piece : N - at, decays);
    }
}

START_TEST(test_formula)
{
    const ecg_train_options o = options(&variants[_i]);
    ecg__optimizer_step s = ecg__optimizer_begin(&o);
    s.grad_scale = variants[_i].grad_scale;
    uint32_t seed = 11;
    run r;
    start(&r, &seed);
    double first[N], past[N][STEPS];
    for (int i = 0; i < N; i++)
        first[i] = (double)r.w[i];
    for (s.t = 1; s.t <= STEPS; s.t++) {
        gradients(&r, &seed, (uint32_t)s.t);
        const run before = r;
        apply(&r, &s, N, true);
        ck_assert_mem_eq(r.g, before.g, sizeof r.g);
        for (int i = 0; i < N; i++) {
            past[i][s.t - 1] = (double)r.g[i];
            const double want = reference(&o, (double)s.grad_scale, first[i], past[i], (uint32_t)s.t);
            ck_assert_double_eq_tol((double)r.w[i], want, 3e-7 * fmax(1.0, fabs(want)));
            ck_assert(r.w[i] != before.w[i]);
        }
    }
    for (uint32_t k = ecg__optimizer_moments(&o); k < ECG__MAX_MOMENTS; k++)
        for (int i = 0; i < N; i++)
            ck_assert(r.m[k][i] == 0.0f);
}
END_TEST

START_TEST(test_pieces_give_the_same_bits)
{
    const ecg_train_options o = options(&variants[_i]);
    ecg__optimizer_step s = ecg__optimizer_begin(&o);
    for (size_t piece = 1; piece < N; piece += 5) {
        uint32_t seed = 5;
        run whole;
        start(&whole, &seed);
        run cut = whole;
        for (s.t = 1; s.t <= STEPS; s.t++) {
            gradients(&whole, &seed, 1);
            memcpy(cut.g, whole.g, sizeof cut.g);
            apply(&whole, &s, N, true);
            apply(&cut, &s, piece, true);
        }
        ck_assert_mem_eq(&whole, &cut, sizeof whole);
    }
}
END_TEST

START_TEST(test_decay_is_off_where_told)
{
    ecg_train_options o = options(&variants[_i]);
    const ecg__optimizer_step with = ecg__optimizer_begin(&o);
    o.weight_decay = 0.0f;
    const ecg__optimizer_step without = ecg__optimizer_begin(&o);
    uint32_t seed = 21;
    run a;
    start(&a, &seed);
    gradients(&a, &seed, 1);
    run b = a, c = a;
    apply(&a, &with, N, false);
    apply(&b, &without, N, true);
    apply(&c, &with, N, true);
    ck_assert_mem_eq(&a, &b, sizeof a);
    ck_assert((memcmp(&a, &c, sizeof a) != 0) == (variants[_i].weight_decay > 0.0f));
}
END_TEST

/* No gradient, no decay: the weights stay; and steps far out stay finite. */
START_TEST(test_still_and_late)
{
    const ecg_train_options o = options(&variants[_i]);
    ecg__optimizer_step s = ecg__optimizer_begin(&o);
    uint32_t seed = 31;
    run r;
    start(&r, &seed);
    const run before = r;
    apply(&r, &s, N, false);
    ck_assert_mem_eq(r.w, before.w, sizeof r.w);
    s.t = UINT64_C(5000000000);
    gradients(&r, &seed, 1);
    apply(&r, &s, N, true);
    for (int i = 0; i < N; i++)
        ck_assert(isfinite(r.w[i]) && fabsf(r.w[i] - before.w[i]) < 1.0f);
}
END_TEST

/* A gradient that is not a number must not be hidden by clamping. */
START_TEST(test_nan_stays)
{
    const ecg_train_options o = options(&variants[_i]);
    const ecg__optimizer_step s = ecg__optimizer_begin(&o);
    uint32_t seed = 41;
    run r;
    start(&r, &seed);
    gradients(&r, &seed, 1);
    r.g[3] = NAN;
    apply(&r, &s, N, true);
    for (int i = 0; i < N; i++)
        ck_assert(isnan(r.w[i]) == (i == 3));
}
END_TEST

START_TEST(test_moments)
{
    static const struct {
        ecg_optimizer kind;
        float momentum;
        uint32_t want;
    } rows[] = {{ECG_ADAM, 0.9f, 2},    {ECG_AMSGRAD, 0.0f, 3},      {ECG_ADAMW, 0.0f, 2},
                {ECG_SGD, 0.0f, 0},     {ECG_SGD, 0.5f, 1},          {ECG_RMSPROP, 0.0f, 1},
                {ECG_RMSPROP, 0.5f, 2}, {(ecg_optimizer)77, 0.5f, 0}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ecg_train_options o = ECG_TRAIN_OPTIONS_INIT;
        o.optimizer = rows[i].kind;
        o.momentum = rows[i].momentum;
        ck_assert_uint_eq(ecg__optimizer_moments(&o), rows[i].want);
    }
}
END_TEST

START_TEST(test_sum_squares)
{
    float v[200];
    uint32_t seed = 51;
    for (int i = 0; i < 200; i++)
        v[i] = draw(&seed);
    double want = 0.0;
    for (size_t n = 0; n <= 200; n++) {
        ck_assert_double_eq_tol(ecg__sum_squares(v, n), want, 1e-13 * (1.0 + want));
        if (n < 200)
            want += (double)v[n] * (double)v[n];
    }
    const float big[3] = {1e30f, 1e30f, -1e30f};
    ck_assert_double_eq_tol(ecg__sum_squares(big, 3) / 3e60, 1.0, 1e-6);
    v[100] = NAN;
    ck_assert(isnan(ecg__sum_squares(v, 200)));
}
END_TEST

/* Reference runs that were made with PyTorch; not shipped. */
static size_t golden(const char *name, const char *what, float *out, size_t n)
{
    const char *shared = getenv("ECG_SHARED");
    char path[1024];
    snprintf(path, sizeof path, "%s/golden/nn/opt_%s.%s.f32", shared ? shared : "", name, what);
    FILE *f = shared ? fopen(path, "rb") : NULL;
    if (!f) {
        printf("SKIP: no opt_%s.%s.f32, ECG_SHARED names the folder of golden/nn\n", name, what);
        return 0;
    }
    const size_t got = fread(out, sizeof *out, n, f);
    fclose(f);
    return got;
}

START_TEST(test_golden)
{
    enum { M = 17 };
    static const struct {
        const char *name;
        ecg_optimizer kind;
        float beta2, momentum;
        uint32_t nesterov;
        float weight_decay;
    } rows[] = {
        {"adam", ECG_ADAM, 0.999f, 0.0f, 0, 0.0f},    {"adam_l2", ECG_ADAM, 0.999f, 0.0f, 0, 0.1f},
        {"amsgrad", ECG_AMSGRAD, 0.999f, 0.0f, 0, 0}, {"adamw", ECG_ADAMW, 0.999f, 0.0f, 0, 0.1f},
        {"sgd", ECG_SGD, 0.999f, 0.0f, 0, 0.0f},      {"momentum", ECG_SGD, 0.999f, 0.9f, 0, 0.0f},
        {"nesterov", ECG_SGD, 0.999f, 0.9f, 1, 0.0f}, {"rmsprop", ECG_RMSPROP, 0.9f, 0.0f, 0, 0.0f},
    };
    ecg_train_options o = ECG_TRAIN_OPTIONS_INIT;
    o.optimizer = rows[_i].kind;
    o.lr = 0.01f;
    o.beta2 = rows[_i].beta2;
    o.momentum = rows[_i].momentum;
    o.nesterov = rows[_i].nesterov;
    o.weight_decay = rows[_i].weight_decay;
    float w[M], g[STEPS][M], want[STEPS][M], state[ECG__MAX_MOMENTS][M] = {{0}};
    if (golden(rows[_i].name, "p0", w, M) == 0)
        return;
    ck_assert_uint_eq(golden(rows[_i].name, "grads", g[0], STEPS * M), STEPS * M);
    ck_assert_uint_eq(golden(rows[_i].name, "params", want[0], STEPS * M), STEPS * M);
    ecg__optimizer_step s = ecg__optimizer_begin(&o);
    float *const m[ECG__MAX_MOMENTS] = {state[0], state[1], state[2]};
    for (s.t = 1; s.t <= STEPS; s.t++) {
        ecg__optimizer_apply(&s, w, g[s.t - 1], m, M, true);
        for (int i = 0; i < M; i++)
            ck_assert_double_eq_tol((double)w[i], (double)want[s.t - 1][i], 1e-6);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("optimizer");
    TCase *t = tcase_create("optimizer");
    tcase_add_loop_test(t, test_formula, 0, CASES);
    tcase_add_loop_test(t, test_pieces_give_the_same_bits, 0, CASES);
    tcase_add_loop_test(t, test_decay_is_off_where_told, 0, CASES);
    tcase_add_loop_test(t, test_still_and_late, 0, CASES);
    tcase_add_loop_test(t, test_nan_stays, 0, CASES);
    tcase_add_test(t, test_moments);
    tcase_add_test(t, test_sum_squares);
    tcase_add_loop_test(t, test_golden, 0, 8);
    suite_add_tcase(s, t);
    return unit_run(s);
}
