#include "train/init.h"

#include <math.h>
#include <stdbool.h>

#include "unit.h"

enum { COUNT = 100001, GAP = 15, TENSORS = 4, TOTAL = TENSORS * (COUNT + GAP) };

/* Two layers of two tensors each. */
typedef struct net {
    ecg_spec spec;
    ecg__layer layer[2];
    ecg__slot slot[TENSORS];
} net;

static void make(net *n, ecg__init init, uint32_t fan_in, uint32_t fan_out, float fill)
{
    memset(n, 0, sizeof *n);
    for (uint32_t i = 0; i < TENSORS; i++) {
        ecg__layer *l = &n->layer[i / 2];
        ecg__tensor *t = &l->plan.tensor[i % 2];
        l->plan.tensors = 2;
        l->first_tensor = i / 2 * 2;
        t->count = COUNT;
        t->init = init;
        t->fan_in = fan_in;
        t->fan_out = fan_out;
        t->fill = fill;
        n->slot[i].tensor = t;
        n->slot[i].layer = i / 2;
        n->slot[i].offset = i * (size_t)(COUNT + GAP);
    }
    n->spec.layers = 2;
    n->spec.layer = n->layer;
    n->spec.slots = TENSORS;
    n->spec.slot = n->slot;
    n->spec.trainable_floats = n->spec.floats = TOTAL;
}

static float *weights(const net *n, uint64_t seed)
{
    float *w = malloc(TOTAL * sizeof *w);
    ck_assert_ptr_nonnull(w);
    memset(w, 0x7f, TOTAL * sizeof *w);
    ecg__init_weights(&n->spec, seed, w);
    return w;
}

typedef struct moments {
    double mean, deviation, most;
} moments;

static moments measure(const float *w, size_t n)
{
    moments m = {0.0, 0.0, 0.0};
    for (size_t i = 0; i < n; i++) {
        m.mean += (double)w[i];
        m.deviation += (double)w[i] * (double)w[i];
        m.most = fmax(m.most, fabs((double)w[i]));
    }
    m.mean /= (double)n;
    m.deviation = sqrt(m.deviation / (double)n - m.mean * m.mean);
    return m;
}

/* Deviation and bound, each as the formula gives it for fans 72 and 128. */
START_TEST(test_distribution)
{
    static const struct {
        ecg__init init;
        bool uniform;
        double variance; /* wanted */
    } rows[] = {
        {ECG__INIT_GLOROT_UNIFORM, true, 2.0 / 200.0},
        {ECG__INIT_GLOROT_NORMAL, false, 2.0 / 200.0},
        {ECG__INIT_HE_UNIFORM, true, 2.0 / 72.0},
        {ECG__INIT_HE_NORMAL, false, 2.0 / 72.0},
    };
    net n;
    make(&n, rows[_i].init, 72, 128, 0.0f);
    float *w = weights(&n, 1);
    const double want = sqrt(rows[_i].variance);
    const double bound = rows[_i].uniform ? sqrt(3.0) * want : 2.0 / 0.87962566103423978 * want;
    for (int t = 0; t < TENSORS; t++) {
        const float *v = w + n.slot[t].offset;
        const moments m = measure(v, COUNT);
        ck_assert_double_eq_tol(m.mean / want, 0.0, 5.0 / sqrt(COUNT));
        ck_assert_double_eq_tol(m.deviation / want, 1.0, 0.01);
        ck_assert_double_le(m.most, bound * (1.0 + 1e-6));
        ck_assert_double_ge(m.most, bound * 0.995);
        /* The part within half the bound: 1/2 of a uniform, erf(1/sqrt(2)) / erf(sqrt(2)) of a cut normal. */
        size_t inner = 0;
        for (int i = 0; i < COUNT; i++)
            inner += fabs((double)v[i]) < 0.5 * bound;
        const double part = rows[_i].uniform ? 0.5 : erf(sqrt(0.5)) / erf(sqrt(2.0));
        ck_assert_double_eq_tol((double)inner / COUNT, part, 5.0 * 0.5 / sqrt(COUNT));
        for (int i = 0; i < GAP; i++)
            ck_assert(v[COUNT + i] == 0.0f);
    }
    free(w);
}
END_TEST

START_TEST(test_seeds)
{
    net n;
    make(&n, _i ? ECG__INIT_HE_NORMAL : ECG__INIT_GLOROT_UNIFORM, 9, 32, 0.0f);
    float *a = weights(&n, 5), *b = weights(&n, 5), *c = weights(&n, 6);
    ck_assert_mem_eq(a, b, TOTAL * sizeof *a);
    /* Tensors, layers and seeds share no values but by chance. */
    const float *parts[2 * TENSORS];
    for (int t = 0; t < TENSORS; t++)
        parts[t] = a + n.slot[t].offset, parts[TENSORS + t] = c + n.slot[t].offset;
    for (int i = 0; i < 2 * TENSORS; i++)
        for (int j = 0; j < i; j++) {
            double product = 0.0;
            for (int k = 0; k < COUNT; k++)
                product += (double)parts[i][k] * (double)parts[j][k];
            const double r = product / COUNT /
                             (measure(parts[i], COUNT).deviation * measure(parts[j], COUNT).deviation);
            ck_assert_double_eq_tol(r, 0.0, 5.0 / sqrt(COUNT));
        }
    free(a);
    free(b);
    free(c);
}
END_TEST

/* Where a tensor lies in the flat vector, and what the other layers hold, does not matter. */
START_TEST(test_values_belong_to_layer_and_tensor)
{
    net n, other;
    make(&n, ECG__INIT_GLOROT_UNIFORM, 9, 32, 0.0f);
    make(&other, ECG__INIT_GLOROT_UNIFORM, 9, 32, 0.0f);
    for (int t = 0; t < TENSORS; t++)
        other.slot[t].offset = n.slot[TENSORS - 1 - t].offset;
    other.layer[0].plan.tensor[0].init = ECG__INIT_HE_NORMAL;
    float *a = weights(&n, 5), *b = weights(&other, 5);
    for (int t = 1; t < TENSORS; t++)
        ck_assert_mem_eq(a + n.slot[t].offset, b + other.slot[t].offset, COUNT * sizeof *a);
    ck_assert_mem_ne(a, b + other.slot[0].offset, COUNT * sizeof *a);
    free(a);
    free(b);
}
END_TEST

START_TEST(test_fill)
{
    net n;
    make(&n, ECG__INIT_FILL, 0, 0, 0.75f);
    float *w = weights(&n, 1);
    for (int i = 0; i < TOTAL; i++)
        ck_assert(w[i] == (i % (COUNT + GAP) < COUNT ? 0.75f : 0.0f));
    free(w);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("init");
    TCase *t = tcase_create("init");
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, test_distribution, 0, 4);
    tcase_add_loop_test(t, test_seeds, 0, 2);
    tcase_add_test(t, test_values_belong_to_layer_and_tensor);
    tcase_add_test(t, test_fill);
    suite_add_tcase(s, t);
    return unit_run(s);
}
