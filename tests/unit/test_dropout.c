#include "unit.h"

#include "layer_run.h"

static void open_dropout(layer_run *r, const char *rate, size_t c, size_t n, uint32_t shards)
{
    ecg_error err;
    ck_ok(layer_open(r, "dropout", rate, (ecg_shape){1, 1, (uint32_t)c}, n, shards, &err), err);
    for (size_t i = 0; i < n * c; i++)
        r->x[i] = r->dy[i] = 1.0f;
}

START_TEST(keeps_the_share_and_the_mean)
{
    static const struct {
        const char *text;
        double rate;
    } rates[] = {{"0", 0}, {"0.1", 0.1}, {"0.5", 0.5}, {"0.9", 0.9}, {"0.999", 0.999}};
    for (size_t k = 0; k < sizeof rates / sizeof rates[0]; k++) {
        layer_run r;
        open_dropout(&r, rates[k].text, 100003, 1, 1);
        layer_forward(&r);
        layer_backward(&r, true);
        const float scale = (float)(1 / (1 - rates[k].rate));
        double dropped = 0;
        for (size_t i = 0; i < 100003; i++) {
            ck_assert(fabsf(r.y[i]) <= 0.0f || fabsf(r.y[i] - scale) <= 1e-4f * scale);
            ck_assert(memcmp(&r.y[i], &r.dx[i], sizeof(float)) == 0); /* the same mask for the gradient */
            dropped += r.y[i] <= 0.0f;
        }
        const double sd = sqrt(rates[k].rate * (1 - rates[k].rate) / 100003);
        ck_assert_msg(fabs(dropped / 100003 - rates[k].rate) <= 5 * sd, "%s: %g dropped", rates[k].text,
                      dropped / 100003);
        layer_close(&r);
    }
}
END_TEST

/* The mask is that of the generator's plain sequence for (seed, key, layer), whatever the shard or the place.
 */
START_TEST(mask_is_a_function_of_seed_key_and_layer)
{
    enum { C = 1001, N = 5 };
    layer_run r;
    open_dropout(&r, "0.3", C, N, 3);
    r.key[4] = r.key[1];
    layer_forward(&r);
    for (size_t i = 0; i < N; i++) {
        ecg__rng g = ecg__rng_at(r.seed, ECG__RNG_DROPOUT, r.key[i], r.layer);
        for (size_t j = 0; j < C; j++)
            ck_assert((r.y[i * C + j] > 0.0f) == (ecg__rng_u32(&g) >= (uint32_t)((double)0.3f * 0x1p32)));
    }
    ck_assert(memcmp(r.y + 4 * C, r.y + C, C * sizeof(float)) == 0);
    ck_assert(memcmp(r.y, r.y + C, C * sizeof(float)) != 0);
    float *before = layer_floats(C);
    ck_assert_ptr_nonnull(before);
    memcpy(before, r.y, C * sizeof *before);
    r.layer++;
    layer_forward(&r);
    ck_assert(memcmp(before, r.y, C * sizeof *before) != 0);
    r.layer--;
    r.seed++;
    layer_forward(&r);
    ck_assert(memcmp(before, r.y, C * sizeof *before) != 0);
    r.seed--;
    layer_forward(&r);
    ck_assert(memcmp(before, r.y, C * sizeof *before) == 0);
    ecg__free(before);
    layer_close(&r);
}
END_TEST

START_TEST(inference_changes_nothing)
{
    layer_run r;
    open_dropout(&r, "0.5", 50, 2, 1);
    layer_random(r.x, 100, 1);
    layer_infer(&r, r.x, r.y, 2);
    ck_assert(memcmp(r.x, r.y, 100 * sizeof(float)) == 0);
    layer_close(&r);
}
END_TEST

START_TEST(rates_out_of_range_are_refused)
{
    layer_run r;
    ecg_error err;
    ck_fails(layer_open(&r, "dropout", "1", (ecg_shape){1, 1, 3}, 1, 1, &err), err, ECG_EINVAL,
             "rate must be 0..0.999");
    ck_fails(layer_open(&r, "dropout", "-0.1", (ecg_shape){1, 1, 3}, 1, 1, &err), err, ECG_EINVAL,
             "got -0.1");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("dropout");
    TCase *t = tcase_create("all");
    tcase_add_test(t, keeps_the_share_and_the_mean);
    tcase_add_test(t, mask_is_a_function_of_seed_key_and_layer);
    tcase_add_test(t, inference_changes_nothing);
    tcase_add_test(t, rates_out_of_range_are_refused);
    suite_add_tcase(s, t);
    return unit_run(s);
}
