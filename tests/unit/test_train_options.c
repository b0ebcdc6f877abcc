#include "train/options.h"

#include <math.h>
#include <stdbool.h>

#include "unit.h"

#define AT(field) offsetof(ecg_train_options, field)

START_TEST(test_defaults_are_right)
{
    ecg_error err;
    ck_ok(ecg_train_options_check(NULL, &err), err);
    const ecg_train_options o = ECG_TRAIN_OPTIONS_INIT;
    ck_ok(ecg_train_options_check(&o, NULL), err);
    ecg_train_options read;
    ck_ok(ecg__train_options_read(&read, NULL, &err), err);
    ck_assert_uint_eq(read.shards, 16);
    ck_assert_uint_eq(read.size, sizeof read);
    ck_assert(read.epochs == 10 && read.batch == 32 && read.optimizer == ECG_ADAM && read.lr == 1e-3f);
    ck_assert(read.beta1 == 0.9f && read.beta2 == 0.999f && read.epsilon == 1e-7f && read.gamma == 0.1f);
    ck_assert(read.schedule == ECG_SCHEDULE_CONSTANT && read.every == 10 && read.class_weights == NULL);
}
END_TEST

static const struct {
    size_t at;
    uint32_t value;
    bool good;
    const char *part; /* of the message */
} counts[] = {
    {AT(epochs), 0, false, "epochs must be 1..1000000, got 0"},
    {AT(epochs), 1, true, ""},
    {AT(epochs), 1000000, true, ""},
    {AT(epochs), 1000001, false, "got 1000001"},
    {AT(batch), 0, false, "batch must be 1..65536, got 0"},
    {AT(batch), 65536, true, ""},
    {AT(batch), 65537, false, "batch"},
    {AT(threads), 256, true, ""},
    {AT(threads), 257, false, "threads must be 0..256"},
    {AT(shards), 1024, true, ""},
    {AT(shards), 1025, false, "shards must be 0..1024"},
    {AT(optimizer), ECG_RMSPROP, true, ""},
    {AT(optimizer), ECG_RMSPROP + 1, false, "optimizer"},
    {AT(optimizer), UINT32_MAX, false, "optimizer"},
    {AT(nesterov), 2, false, "nesterov must be 0..1, got 2"},
    {AT(schedule), ECG_SCHEDULE_PLATEAU, true, ""},
    {AT(schedule), ECG_SCHEDULE_PLATEAU + 1, false, "schedule"},
    {AT(every), 0, false, "every must be 1..1000000"},
    {AT(every), 1000001, false, "every"},
    {AT(warmup), 9, true, ""},
    {AT(warmup), 10, false, "warmup must be below epochs, which is 10, got 10"},
    {AT(weighted_mean), 1, true, ""},
    {AT(weighted_mean), 2, false, "weighted_mean"},
    {AT(early_stop), 1000000, true, ""},
    {AT(early_stop), 1000001, false, "early_stop"},
};

START_TEST(test_counts)
{
    ecg_train_options o = ECG_TRAIN_OPTIONS_INIT;
    memcpy((char *)&o + counts[_i].at, &counts[_i].value, sizeof counts[_i].value);
    ecg_error err;
    if (counts[_i].good)
        ck_ok(ecg_train_options_check(&o, &err), err);
    else
        ck_fails(ecg_train_options_check(&o, &err), err, ECG_EINVAL, counts[_i].part);
}
END_TEST

/* Each float: the largest and smallest that pass, and what lies beside them. */
static const struct {
    const char *name;
    size_t at;
    float good[2], bad[2];
} numbers[] = {
    {"lr", AT(lr), {1e-30f, 1e30f}, {0.0f, -1.0f}},
    {"beta1", AT(beta1), {0.0f, 0.999f}, {1.0f, -0.1f}},
    {"beta2", AT(beta2), {0.0f, 0.99999f}, {1.0f, -0.1f}},
    {"epsilon", AT(epsilon), {1e-12f, 1.0f}, {0.0f, 1.5f}},
    {"momentum", AT(momentum), {0.0f, 0.99f}, {1.0f, -0.1f}},
    {"weight_decay", AT(weight_decay), {0.0f, 10.0f}, {-1e-9f, -1.0f}},
    {"l2", AT(l2), {0.0f, 10.0f}, {-1e-9f, -1.0f}},
    {"clip_norm", AT(clip_norm), {0.0f, 1e9f}, {-1e-9f, -1.0f}},
    {"clip_value", AT(clip_value), {0.0f, 1e9f}, {-1e-9f, -1.0f}},
    {"gamma", AT(gamma), {1e-6f, 1.0f}, {0.0f, 1.01f}},
    {"lr_min", AT(lr_min), {0.0f, 1e-3f}, {-1e-9f, 1.1e-3f}},
    {"label_smoothing", AT(label_smoothing), {0.0f, 0.99f}, {1.0f, -0.1f}},
};

START_TEST(test_numbers)
{
    char *field;
    ecg_error err;
    ecg_train_options o = ECG_TRAIN_OPTIONS_INIT;
    field = (char *)&o + numbers[_i].at;
    for (int k = 0; k < 2; k++) {
        memcpy(field, &numbers[_i].good[k], sizeof(float));
        ck_ok(ecg_train_options_check(&o, &err), err);
    }
    const float bad[] = {numbers[_i].bad[0], numbers[_i].bad[1], NAN, -NAN, INFINITY, -INFINITY};
    for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++) {
        char part[64];
        snprintf(part, sizeof part, "train options: %s must be ", numbers[_i].name);
        memcpy(field, &bad[k], sizeof(float));
        ck_fails(ecg_train_options_check(&o, &err), err, ECG_EINVAL, part);
        snprintf(part, sizeof part, "got %.9g", (double)bad[k]);
        ck_assert_msg(strstr(err.message, part) != NULL, "%s", err.message);
    }
}
END_TEST

START_TEST(test_nesterov_needs_momentum)
{
    ecg_error err;
    ecg_train_options o = ECG_TRAIN_OPTIONS_INIT;
    o.nesterov = 1;
    ck_ok(ecg_train_options_check(&o, &err), err); /* Adam does not look at it */
    o.optimizer = ECG_SGD;
    ck_fails(ecg_train_options_check(&o, &err), err, ECG_EINVAL, "momentum must be above 0 with nesterov");
    o.momentum = 0.9f;
    ck_ok(ecg_train_options_check(&o, &err), err);
}
END_TEST

/* Older callers know fewer fields; newer ones may set none that are unknown here. */
START_TEST(test_sizes)
{
    ecg_error err;
    ecg_train_options read, old = ECG_TRAIN_OPTIONS_INIT;
    old.size = AT(batch);
    old.epochs = 77;
    old.batch = 0;
    old.shards = 9;
    ck_ok(ecg__train_options_read(&read, &old, &err), err);
    ck_assert(read.epochs == 77 && read.batch == 32 && read.shards == 16 && read.size == sizeof read);
    struct {
        ecg_train_options known;
        unsigned char more[8];
    } newer = {ECG_TRAIN_OPTIONS_INIT, {0}};
    newer.known.size = sizeof newer;
    newer.known.shards = 9;
    ck_ok(ecg__train_options_read(&read, &newer.known, &err), err);
    ck_assert(read.shards == 9 && read.size == sizeof read);
    newer.more[3] = 1;
    ck_fails(ecg__train_options_read(&read, &newer.known, &err), err, ECG_EVERSION, "train options");
    old.size = 0;
    ck_fails(ecg_train_options_check(&old, &err), err, ECG_EINVAL, "size");
}
END_TEST

START_TEST(test_class_weights)
{
    ecg_error err;
    const float good[3] = {0.0f, 2.0f, 1e9f}, zero[3] = {0.0f, 0.0f, 0.0f};
    ck_ok(ecg__class_weights_check(NULL, 3, &err), err);
    ck_ok(ecg__class_weights_check(good, 3, &err), err);
    ck_fails(ecg__class_weights_check(zero, 3, &err), err, ECG_EINVAL, "class_weights are all 0");
    const float bad[] = {NAN, INFINITY, -1.0f};
    for (int i = 0; i < 3; i++) {
        const float w[3] = {1.0f, 1.0f, bad[i]};
        ck_fails(ecg__class_weights_check(w, 3, &err), err, ECG_EINVAL, "class_weights[2] must be");
        ck_ok(ecg__class_weights_check(w, 2, &err), err);
    }
}
END_TEST

START_TEST(test_names)
{
    static const char *const optimizers[] = {"adam", "amsgrad", "adamw", "sgd", "rmsprop"};
    static const char *const schedules[] = {"constant", "step",      "exponential",
                                            "cosine",   "one-cycle", "plateau"};
    for (int i = 0; i <= ECG_RMSPROP; i++) {
        ecg_optimizer o = (ecg_optimizer)99;
        ck_assert_str_eq(ecg_optimizer_name((ecg_optimizer)i), optimizers[i]);
        ck_assert(ecg_optimizer_parse(&o, optimizers[i]) == ECG_OK && (int)o == i);
    }
    for (int i = 0; i <= ECG_SCHEDULE_PLATEAU; i++) {
        ecg_schedule s = (ecg_schedule)99;
        ck_assert_str_eq(ecg_schedule_name((ecg_schedule)i), schedules[i]);
        ck_assert(ecg_schedule_parse(&s, schedules[i]) == ECG_OK && (int)s == i);
    }
    ck_assert_ptr_null(ecg_optimizer_name((ecg_optimizer)(ECG_RMSPROP + 1)));
    ck_assert_ptr_null(ecg_schedule_name((ecg_schedule)-1));
    static const char *const bad[] = {"", "Adam", "ada", "adamww", "one_cycle", " sgd", NULL};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ecg_optimizer o = ECG_SGD;
        ecg_schedule s = ECG_SCHEDULE_STEP;
        ck_assert(ecg_optimizer_parse(&o, bad[i]) == ECG_EINVAL && o == ECG_SGD);
        ck_assert(ecg_schedule_parse(&s, bad[i]) == ECG_EINVAL && s == ECG_SCHEDULE_STEP);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("train options");
    TCase *t = tcase_create("train options");
    tcase_add_test(t, test_defaults_are_right);
    tcase_add_loop_test(t, test_counts, 0, sizeof counts / sizeof counts[0]);
    tcase_add_loop_test(t, test_numbers, 0, sizeof numbers / sizeof numbers[0]);
    tcase_add_test(t, test_nesterov_needs_momentum);
    tcase_add_test(t, test_sizes);
    tcase_add_test(t, test_class_weights);
    tcase_add_test(t, test_names);
    suite_add_tcase(s, t);
    return unit_run(s);
}
