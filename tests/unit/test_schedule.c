#include "train/schedule.h"

#include <math.h>

#include "unit.h"

static ecg__schedule_state begin(ecg_schedule kind, uint32_t epochs, uint64_t steps)
{
    ecg_train_options o = ECG_TRAIN_OPTIONS_INIT;
    o.schedule = kind;
    o.epochs = epochs;
    o.lr = 0.1f;
    o.gamma = 0.5f;
    o.every = 3;
    ecg__schedule_state s;
    ecg__schedule_begin(&s, &o, steps);
    return s;
}

#define ck_rate(s, step, want)                                                                               \
    ck_assert_double_eq_tol((double)ecg__schedule_rate(&(s), step) / (want), 1.0, 3e-7)

START_TEST(test_constant)
{
    const ecg__schedule_state s = begin(ECG_SCHEDULE_CONSTANT, 2, 5);
    for (uint64_t i = 0; i < 20; i++)
        ck_assert(ecg__schedule_rate(&s, i) == 0.1f);
}
END_TEST

/* lr * gamma^floor(epoch / every): the numbers of PyTorch's StepLR(3, 0.5) by epoch. */
START_TEST(test_step)
{
    static const double want[10] = {0.1, 0.1, 0.1, 0.05, 0.05, 0.05, 0.025, 0.025, 0.025, 0.0125};
    const ecg__schedule_state s = begin(ECG_SCHEDULE_STEP, 10, 4);
    for (uint64_t i = 0; i < 40; i++)
        ck_rate(s, i, want[i / 4]);
    ck_rate(s, 1000, 0.0125);
}
END_TEST

/* lr * gamma^(step / (every * steps per epoch)): PyTorch's ExponentialLR(0.5^(1 / 12)) by step. */
START_TEST(test_exponential)
{
    const ecg__schedule_state s = begin(ECG_SCHEDULE_EXPONENTIAL, 10, 4);
    ck_rate(s, 0, 0.1);
    ck_rate(s, 1, 0.09438743127);
    ck_rate(s, 12, 0.05);
    ck_rate(s, 24, 0.025);
    ck_rate(s, 39, 0.01051120519);
    for (uint64_t i = 1; i < 40; i++)
        ck_assert(ecg__schedule_rate(&s, i) < ecg__schedule_rate(&s, i - 1));
}
END_TEST

/* lr_min + (lr - lr_min) / 2 * (1 + cos(pi * step / total)): PyTorch's CosineAnnealingLR(40, 0.001). */
START_TEST(test_cosine)
{
    ecg__schedule_state s = begin(ECG_SCHEDULE_COSINE, 10, 4);
    s.lr_min = 0.001f;
    ck_rate(s, 0, 0.1);
    ck_rate(s, 1, 0.09984740802);
    ck_rate(s, 10, 0.08550178567);
    ck_rate(s, 20, 0.0505);
    ck_rate(s, 30, 0.01549821433);
    ck_rate(s, 39, 0.00115259198);
    ck_assert(ecg__schedule_rate(&s, 40) == 0.001f);
    ck_assert(ecg__schedule_rate(&s, UINT64_MAX) == 0.001f);
}
END_TEST

/* Two epochs of four steps up, then a cosine over 32: PyTorch's LinearLR(1 / 9, 1, 8) before
 * CosineAnnealingLR(32). */
START_TEST(test_cosine_after_warmup)
{
    ecg__schedule_state s = begin(ECG_SCHEDULE_COSINE, 10, 4);
    s.lr_min = 0.001f;
    s.warmup = 2;
    ck_rate(s, 0, 0.01111111111);
    ck_rate(s, 1, 0.02222222222);
    ck_rate(s, 7, 0.08888888889);
    ck_rate(s, 8, 0.1);
    ck_rate(s, 9, 0.09976164397);
    ck_rate(s, 24, 0.0505);
    ck_rate(s, 39, 0.00123835603);
    for (uint64_t i = 1; i < 40; i++)
        ck_assert((ecg__schedule_rate(&s, i) > ecg__schedule_rate(&s, i - 1)) == (i <= 8));
}
END_TEST

/* PyTorch's OneCycleLR(0.1, total_steps=40): half cosines 0.004 .. 0.1 until step 0.3 * 40 - 1, .. 0.1 / 25 /
 * 1e4. */
START_TEST(test_one_cycle)
{
    const ecg__schedule_state s = begin(ECG_SCHEDULE_ONE_CYCLE, 10, 4);
    ck_rate(s, 0, 0.004);
    ck_rate(s, 1, 0.005944337267);
    ck_rate(s, 5, 0.04516888776);
    ck_rate(s, 10, 0.09805566273);
    ck_rate(s, 11, 0.1);
    ck_rate(s, 12, 0.09968561175);
    ck_rate(s, 20, 0.07660169742);
    ck_rate(s, 30, 0.02339870258);
    ck_rate(s, 38, 0.0003147882478);
    ck_rate(s, 39, 4e-7);
    ck_rate(s, 40, 4e-7);
    for (uint64_t i = 1; i < 40; i++)
        ck_assert((ecg__schedule_rate(&s, i) > ecg__schedule_rate(&s, i - 1)) == (i <= 11));
    const ecg__schedule_state three = begin(ECG_SCHEDULE_ONE_CYCLE, 1, 3),
                              one = begin(ECG_SCHEDULE_ONE_CYCLE, 1, 1);
    ck_rate(three, 0, 0.09944154355);
    ck_rate(three, 1, 0.04626371027);
    ck_rate(three, 2, 4e-7);
    ck_rate(one, 0, 4e-7);
}
END_TEST

/* Whatever the lengths, rates are numbers within the schedule's bounds, and asking changes nothing. */
START_TEST(test_bounds)
{
    for (int kind = ECG_SCHEDULE_CONSTANT; kind <= ECG_SCHEDULE_PLATEAU; kind++)
        for (uint32_t epochs = 1; epochs < 12; epochs++)
            for (uint64_t steps = 0; steps < 6; steps++)
                for (uint32_t warmup = 0; warmup < epochs; warmup++) {
                    ecg__schedule_state s = begin((ecg_schedule)kind, epochs, steps);
                    s.warmup = warmup;
                    s.lr_min = 1e-4f;
                    const ecg__schedule_state before = s;
                    for (uint64_t i = 0; i < 80; i++) {
                        const float r = ecg__schedule_rate(&s, i);
                        ck_assert_msg(r > 3.9e-7f && r <= 0.1f, "kind %d epochs %u steps %u step %u: %g",
                                      kind, epochs, (unsigned)steps, (unsigned)i, (double)r);
                    }
                    ck_assert_mem_eq(&s, &before, sizeof s);
                }
}
END_TEST

START_TEST(test_plateau)
{
    ecg__schedule_state s = begin(ECG_SCHEDULE_PLATEAU, 100, 4);
    s.lr_min = 0.03f;
    const struct {
        double loss, rate;
    } rows[] = {
        {5.0, 0.1},       {4.0, 0.1},  {4.0, 0.1},  {4.5, 0.1},
        {NAN, 0.1},       {4.1, 0.05}, /* three not below 4 */
        {4.2, 0.05},      {4.2, 0.05}, {3.9, 0.05}, {3.9, 0.05},
        {3.9, 0.05},      {3.9, 0.03}, /* not 0.025: lr_min */
        {INFINITY, 0.03}, {3.9, 0.03}, {3.9, 0.03}, {1.0, 0.03},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ecg__schedule_epoch(&s, rows[i].loss);
        ck_rate(s, i, rows[i].rate);
    }
    ck_assert(s.best == 1.0 && s.wait == 0);
}
END_TEST

START_TEST(test_epoch_matters_to_plateau_alone)
{
    for (int kind = ECG_SCHEDULE_CONSTANT; kind < ECG_SCHEDULE_PLATEAU; kind++) {
        ecg__schedule_state s = begin((ecg_schedule)kind, 100, 4);
        const ecg__schedule_state before = s;
        for (int i = 0; i < 10; i++)
            ecg__schedule_epoch(&s, 1.0);
        ck_assert_mem_eq(&s, &before, sizeof s);
    }
}
END_TEST

/* Checkpoints hold the state as bytes. */
START_TEST(test_state_has_no_padding)
{
    ck_assert_uint_eq(sizeof(ecg__schedule_state),
                      2 * sizeof(uint64_t) + sizeof(double) + 4 * sizeof(uint32_t) + 4 * sizeof(float));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("schedule");
    TCase *t = tcase_create("schedule");
    tcase_add_test(t, test_constant);
    tcase_add_test(t, test_step);
    tcase_add_test(t, test_exponential);
    tcase_add_test(t, test_cosine);
    tcase_add_test(t, test_cosine_after_warmup);
    tcase_add_test(t, test_one_cycle);
    tcase_add_test(t, test_bounds);
    tcase_add_test(t, test_plateau);
    tcase_add_test(t, test_epoch_matters_to_plateau_alone);
    tcase_add_test(t, test_state_has_no_padding);
    suite_add_tcase(s, t);
    return unit_run(s);
}
