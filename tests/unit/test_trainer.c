/* The trainer between steps: making, asking, saving; the same bits for any number of threads; company. */
#define _POSIX_C_SOURCE 200809L
#include "unit/nets.h"

#include <math.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "train/trainer.h"

enum { BATCH = 10 };

static const char *const names[] = {"top left", "top right", "bottom"};

static void toy_batch(uint64_t step, float *x, uint32_t *y)
{
    for (size_t i = 0; i < BATCH; i++)
        unit_toy(5, step * BATCH + i, x + i * UNIT_TOY_VALUES, &y[i]);
}

static ecg_trainer *new_trainer(const char *text, const ecg_train_options *o)
{
    ecg_error e;
    ecg_spec *s = unit_spec(text);
    ecg_trainer *t;
    ck_ok(ecg_trainer_new(&t, s, o, &e), e);
    ecg_spec_free(s); /* the trainer has its own */
    return t;
}

static ecg_train_options small_options(void)
{
    ecg_train_options o = ECG_TRAIN_OPTIONS_INIT;
    o.batch = BATCH;
    o.seed = 11;
    o.shards = 4;
    return o;
}

static void steps(ecg_trainer *t, uint64_t first, uint64_t count, double *loss)
{
    ecg_error e;
    float x[BATCH * UNIT_TOY_VALUES];
    uint32_t y[BATCH];
    for (uint64_t k = first; k < first + count; k++) {
        toy_batch(k, x, y);
        ecg_step out;
        ck_ok(ecg_trainer_step(t, x, y, BATCH, &out, &e), e);
        ck_assert_uint_eq(out.n, BATCH);
        ck_assert_uint_le(out.correct, BATCH);
        if (loss)
            *loss = out.loss;
    }
}

static bool same_weights(const ecg_trainer *a, const ecg_trainer *b)
{
    return a->spec->floats == b->spec->floats &&
           memcmp(a->weights, b->weights, a->spec->floats * sizeof(float)) == 0;
}

/* ---- making ---- */

START_TEST(mistakes_are_named)
{
    ecg_error e;
    ecg_spec *s = unit_spec(UNIT_TOY_NET);
    static const float negative[3] = {1, -1, 1}, zero[3] = {0, 0, 0};
    ecg_train_options wrong[6];
    for (int i = 0; i < 6; i++)
        wrong[i] = small_options();
    wrong[0].batch = 0;
    wrong[1].lr = 0;
    wrong[2].beta1 = 1;
    wrong[3].class_weights = negative;
    wrong[4].class_weights = zero;
    wrong[5].shards = 1025;
    static const char *const part[6] = {"batch",         "lr",    "beta1", "class_weights[1]",
                                        "class_weights", "shards"};
    for (int i = 0; i < 6; i++) {
        ecg_trainer *t = (ecg_trainer *)(void *)&e;
        ck_fails(ecg_trainer_new(&t, s, &wrong[i], &e), e, ECG_EINVAL, part[i]);
        ck_assert_ptr_null(t);
        ck_assert_int_eq(ecg_trainer_new(&t, s, &wrong[i], NULL), ECG_EINVAL);
    }
    ecg_spec_free(s);
    s = unit_spec("input 4x4x1; flatten; dense 4");
    ecg_trainer *t = (ecg_trainer *)(void *)&e;
    ck_fails(ecg_trainer_new(&t, s, NULL, &e), e, ECG_EINVAL, "must end in softmax");
    ck_assert_ptr_null(t);
    ecg_spec_free(s);
    ecg_trainer_free(NULL);
}
END_TEST

START_TEST(too_large_says_so)
{
    if (UNIT_SANITIZED) {
        puts("SKIP too_large_says_so: the sanitizer's allocator ends the program");
        return;
    }
    /* 2.6 GiB a sample that backward needs, 65536 of them: more than there are addresses. */
    ecg_error e;
    ecg_spec *s = unit_spec("input 4096x4096x1; conv2d 14 1x1; conv2d 14 1x1; conv2d 14 1x1; conv2d 2 1x1;"
                            "global_avgpool; softmax");
    ecg_train_options o = small_options();
    o.batch = 65536;
    ecg_trainer *t;
    ck_fails(ecg_trainer_new(&t, s, &o, &e), e, ECG_ENOMEM, "batch 65536");
    ck_assert_ptr_null(t);
    ecg_spec_free(s);
}
END_TEST

START_TEST(what_could_not_be_loaded_again_is_not_trained)
{
    static const char *const texts[] = {
        "input 4096x4096x1; conv2d 64 1x1; conv2d 2 1x1; global_avgpool; softmax",
        "input 64x64x1; flatten; dense 40000; dense 10000; dense 2; softmax",
    };
    static const char *const limits[] = {"max_arena of a model file is 2147483648",
                                         "max_params of a model file is 400000000"};
    for (int i = 0; i < 2; i++) {
        ecg_error e;
        ecg_spec *s = unit_spec(texts[i]);
        ecg_trainer *t;
        ck_fails(ecg_trainer_new(&t, s, NULL, &e), e, ECG_ELIMIT, limits[i]);
        ck_assert_ptr_null(t);
        ecg_spec_free(s);
    }
}
END_TEST

/* A limit that is never reached: every gradient is kept until its norm is known, and nothing else changes. */
START_TEST(updating_at_once_changes_nothing)
{
    for (uint32_t optimizer = ECG_ADAM; optimizer <= ECG_SGD; optimizer++) {
        ecg_train_options o = small_options();
        o.optimizer = (ecg_optimizer)optimizer;
        o.weight_decay = 0.01f;
        ecg_trainer *at_once = new_trainer(UNIT_TOY_NET, &o);
        o.clip_norm = 1e30f;
        ecg_trainer *kept = new_trainer(UNIT_TOY_NET, &o);
        ck_assert_uint_lt(at_once->grad_floats, kept->grad_floats);
        steps(at_once, 0, 5, NULL);
        steps(kept, 0, 5, NULL);
        for (size_t i = 0; i < kept->spec->floats; i++)
            ck_assert_msg(at_once->weights[i] == kept->weights[i], "weight %zu", i); /* 0 and -0 alike */
        ecg_trainer_free(at_once);
        ecg_trainer_free(kept);
    }
}
END_TEST

START_TEST(memory_is_reported)
{
    ecg_train_options o = small_options();
    uint64_t last = 0;
    for (uint32_t k = 0; k < 3; k++) {
        o.batch = 16u << k;
        o.threads = 2;
        o.shards = 8;
        o.optimizer = k == 2 ? ECG_AMSGRAD : ECG_ADAM;
        ecg_trainer *t = new_trainer(UNIT_TOY_NET, &o);
        const uint64_t floats = t->spec->floats, trained = t->spec->trainable_floats;
        const uint64_t least = (floats + trained * (k == 2 ? 3 : 2) + t->grad_floats + 8 * t->shard_floats) *
                                   sizeof(float) +
                               t->tape.common_bytes + ecg__pool_workers(t->pool) * t->worker_bytes +
                               o.batch * (sizeof(uint32_t) + sizeof(uint64_t));
        ck_assert_uint_ge(ecg_trainer_bytes(t), least);
        ck_assert_uint_le(ecg_trainer_bytes(t), least + 16384);
        ck_assert_uint_gt(ecg_trainer_bytes(t), last);
        last = ecg_trainer_bytes(t);
        steps(t, 0, 1, NULL);
        ck_assert_uint_eq(ecg_trainer_bytes(t), last);
        ecg_trainer_free(t);
    }
}
END_TEST

START_TEST(tensors_have_names)
{
    static const struct {
        const char *name;
        size_t count;
    } expected[] = {
        {"1.conv2d.kernel", 36}, {"2.batchnorm.gamma", 4},    {"2.batchnorm.beta", 4},
        {"2.batchnorm.mean", 4}, {"2.batchnorm.variance", 4}, {"6.dense.kernel", 64 * 24},
        {"6.dense.bias", 24},    {"9.dense.kernel", 24 * 3},  {"9.dense.bias", 3},
    };
    const size_t n = sizeof expected / sizeof *expected;
    ecg_trainer *t = new_trainer(UNIT_TOY_NET, NULL);
    size_t count;
    const char *name;
    for (size_t i = 0; i < n; i++) {
        float *v = ecg_trainer_tensor(t, i, &name, &count);
        ck_assert_ptr_nonnull(v);
        ck_assert_str_eq(name, expected[i].name);
        ck_assert_uint_eq(count, expected[i].count);
        ck_assert_ptr_eq(ecg_trainer_tensor(t, i, NULL, NULL), v);
    }
    ck_assert_ptr_null(ecg_trainer_tensor(t, n, &name, &count));
    ck_assert_ptr_null(ecg_trainer_tensor(t, SIZE_MAX, NULL, NULL));
    /* What is written there counts: a bias that settles every answer. */
    float *bias = ecg_trainer_tensor(t, n - 1, NULL, NULL), x[UNIT_TOY_VALUES], probs[3];
    uint32_t label;
    unit_toy(1, 0, x, &label);
    bias[0] = bias[1] = -100;
    bias[2] = 100;
    ecg_trainer_predict(t, x, 1, probs);
    ck_assert_double_gt((double)probs[2], 0.999);
    ecg_trainer_free(t);
}
END_TEST

START_TEST(number_of_samples)
{
    ecg_error e;
    ecg_train_options o = small_options();
    ecg_trainer *t = new_trainer(UNIT_TOY_NET, &o), *whole = new_trainer(UNIT_TOY_NET, &o);
    float x[(BATCH + 1) * UNIT_TOY_VALUES] = {0};
    uint32_t y[BATCH + 1] = {0};
    toy_batch(0, x, y);
    ck_fails(ecg_trainer_step(t, x, y, 0, NULL, &e), e, ECG_EINVAL, "0 samples, expected 1..10");
    ck_fails(ecg_trainer_step(t, x, y, BATCH + 1, NULL, &e), e, ECG_EINVAL, "11 samples");
    ck_assert_int_eq(ecg_trainer_step(t, x, y, SIZE_MAX, NULL, NULL), ECG_EINVAL);
    y[7] = 3;
    ck_fails(ecg_trainer_step(t, x, y, BATCH, NULL, &e), e, ECG_EINVAL,
             "sample 7 has label 3, expected 0..2");
    ck_assert(same_weights(t, whole)); /* and running statistics with them */
    for (size_t n = 1; n <= BATCH; n++) {
        ecg_step out;
        toy_batch(n, x, y);
        ck_ok(ecg_trainer_step(t, x, y, n, &out, &e), e);
        ck_assert_uint_eq(out.n, n);
        ck_assert_uint_eq(out.step, n);
        ck_assert_double_finite(out.loss);
    }
    ecg_trainer_free(t);
    ecg_trainer_free(whole);
}
END_TEST

START_TEST(a_failed_step_leaves_no_trace)
{
    ecg_error e;
    ecg_train_options o = small_options();
    ecg_trainer *t = new_trainer(UNIT_TOY_NET, &o), *other = new_trainer(UNIT_TOY_NET, &o);
    steps(t, 0, 3, NULL);
    steps(other, 0, 3, NULL);
    float x[BATCH * UNIT_TOY_VALUES];
    uint32_t y[BATCH];
    toy_batch(50, x, y);
    for (int k = 0; k < 2; k++) {
        if (k == 0)
            x[70] = NAN; /* not a number: reaches batchnorm's running statistics */
        else
            toy_batch(50, x, y), y[9] = 77;
        ck_fails(ecg_trainer_step(t, x, y, BATCH, NULL, &e), e, k ? ECG_EINVAL : ECG_ENUMERIC,
                 k ? "sample 9 has label 77" : "loss of step 4 is not finite");
        ck_assert_msg(same_weights(t, other), "case %d", k);
    }
    steps(t, 3, 3, NULL);
    steps(other, 3, 3, NULL);
    ck_assert(same_weights(t, other));
    ecg_trainer_free(t);
    ecg_trainer_free(other);
}
END_TEST

/* ---- out of the trainer ---- */

static void session_probs(ecg_model *m, const float *x, float *probs)
{
    ecg_error e;
    ecg_session *s;
    ck_ok(ecg_session_new(&s, m, NULL, &e), e);
    ecg_session_run(s, x, BATCH, probs);
    ecg_session_free(s);
}

START_TEST(a_saved_model_answers_as_the_trainer)
{
    ecg_error e;
    ecg_train_options o = small_options();
    ecg_trainer *t = new_trainer(UNIT_TOY_NET, &o);
    steps(t, 0, 15, NULL);
    ecg_preprocess p = ECG_PREPROCESS_INIT;
    p.h = p.w = 8;
    static const char *const meta[] = {"seed", "11", NULL};
    ecg_model_info info = {.size = sizeof info, .preprocess = &p, .classes = names, .meta = meta};
    float x[BATCH * UNIT_TOY_VALUES], want[BATCH * 3], alone[3], got[BATCH * 3];
    uint32_t y[BATCH];
    toy_batch(99, x, y);
    ecg_trainer_predict(t, x, BATCH, want);
    for (size_t i = 0; i < BATCH; i++) {
        ecg_trainer_predict(t, x + i * UNIT_TOY_VALUES, 1, alone);
        ck_assert_int_eq(memcmp(alone, want + 3 * i, sizeof alone), 0);
    }
    ecg_model *snapshot, *loaded;
    ck_ok(ecg_trainer_snapshot(t, &info, &snapshot, &e), e);
    const char *path = unit_tmp("trainer.ecgm");
    ck_ok(ecg_trainer_save(t, &info, path, &e), e);
    steps(t, 15, 5, NULL); /* neither follows the trainer */
    ecg_trainer_predict(t, x, BATCH, got);
    ck_assert_int_ne(memcmp(got, want, sizeof want), 0);
    ecg_trainer_free(t);
    session_probs(snapshot, x, got);
    ck_assert_int_eq(memcmp(got, want, sizeof want), 0);
    ck_ok(ecg_model_load(&loaded, path, NULL, &e), e);
    session_probs(loaded, x, got);
    ck_assert_int_eq(memcmp(got, want, sizeof want), 0);
    ck_assert_str_eq(ecg_model_class(loaded, 1), "top right");
    ck_assert_str_eq(ecg_model_meta(loaded, "seed"), "11");
    ecg_model_free(snapshot);
    ecg_model_free(loaded);
}
END_TEST

START_TEST(workers_predict_apart)
{
    enum { N = 400 };
    ecg_train_options o = small_options();
    o.threads = 4;
    ecg_trainer *t = new_trainer("input 8x8x1; conv2d 16 3x3 pad=same relu; conv2d 16 3x3; elu; flatten;"
                                 "dense 3; softmax",
                                 &o);
    static float x[N * UNIT_TOY_VALUES], want[N * 3], got[N * 3];
    for (size_t i = 0; i < N; i++) {
        uint32_t label;
        unit_toy(8, i, x + i * UNIT_TOY_VALUES, &label);
        ecg_trainer_predict(t, x + i * UNIT_TOY_VALUES, 1, want + 3 * i);
    }
    for (int k = 0; k < 10; k++) {
        memset(got, 0, sizeof got);
        ecg_trainer_predict(t, x, N, got);
        ck_assert_int_eq(memcmp(got, want, sizeof got), 0);
    }
    ecg_trainer_predict(t, x, 0, NULL);
    ecg_trainer_free(t);
}
END_TEST

START_TEST(a_model_needs_its_info)
{
    ecg_error e;
    ecg_trainer *t = new_trainer(UNIT_TOY_NET, NULL);
    ecg_preprocess p = ECG_PREPROCESS_INIT;
    static const char *const twice[] = {"a", "b", "a"};
    const ecg_model_info none = {.size = sizeof none, .classes = names},
                         large = {.size = sizeof large, .preprocess = &p, .classes = names};
    ecg_preprocess fits = p;
    fits.h = fits.w = 8;
    const ecg_model_info doubled = {.size = sizeof doubled, .preprocess = &fits, .classes = twice};
    ecg_model *m = (ecg_model *)(void *)&e;
    ck_fails(ecg_trainer_snapshot(t, &none, &m, &e), e, ECG_EINVAL, "preprocess");
    ck_assert_ptr_null(m);
    ck_fails(ecg_trainer_snapshot(t, NULL, &m, &e), e, ECG_EINVAL, "preprocess and classes are needed");
    ck_fails(ecg_trainer_snapshot(t, &large, &m, &e), e, ECG_EINVAL, "64x64x1");
    ck_fails(ecg_trainer_snapshot(t, &doubled, &m, &e), e, ECG_EINVAL, "\"a\"");
    const ecg_model_info good = {.size = sizeof good, .preprocess = &fits, .classes = names};
    ck_fails(ecg_trainer_save(t, &good, "no/such/folder/m.ecgm", &e), e, ECG_EIO, "no/such/folder/m.ecgm");
    ecg_trainer_tensor(t, 0, NULL, NULL)[3] = INFINITY;
    ck_fails(ecg_trainer_snapshot(t, &good, &m, &e), e, ECG_ENUMERIC, "1.conv2d.kernel");
    ecg_trainer_free(t);
}
END_TEST

/* ---- threads ---- */

START_TEST(threads_change_no_bit)
{
    static const ecg_optimizer kinds[] = {ECG_ADAM, ECG_AMSGRAD, ECG_ADAMW, ECG_SGD, ECG_RMSPROP};
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        ecg_train_options o = small_options();
        o.optimizer = kinds[k];
        o.weight_decay = 0.01f;
        o.momentum = 0.8f;
        o.nesterov = kinds[k] == ECG_SGD;
        o.clip_norm = k % 2 ? 0.5f : 0;
        o.l2 = 1e-3f;
        o.threads = 1;
        ecg_trainer *one = new_trainer(UNIT_TOY_NET, &o);
        double loss, first;
        steps(one, 0, 1, &first);
        steps(one, 1, 19, &loss);
        for (uint32_t threads = 2; threads <= 5; threads += 3) {
            o.threads = threads;
            ecg_trainer *t = new_trainer(UNIT_TOY_NET, &o);
            double again;
            steps(t, 0, 20, &again);
            ck_assert_double_eq(loss, again);
            ck_assert_msg(same_weights(one, t), "%s, %u threads", ecg_optimizer_name(kinds[k]), threads);
            ecg_trainer_free(t);
        }
        o.seed++;
        ecg_trainer *other = new_trainer(UNIT_TOY_NET, &o);
        ck_assert(!same_weights(one, other));
        ecg_trainer_free(other);
        ecg_trainer_free(one);
    }
}
END_TEST

static void *train_alone(void *arg)
{
    steps(arg, 0, 30, NULL);
    return arg;
}

START_TEST(two_trainers_side_by_side)
{
    ecg_train_options o = small_options();
    o.threads = 2;
    ecg_trainer *alone = new_trainer(UNIT_TOY_NET, &o), *pair[2];
    steps(alone, 0, 30, NULL);
    pthread_t thread[2];
    for (int i = 0; i < 2; i++) {
        pair[i] = new_trainer(UNIT_TOY_NET, &o);
        ck_assert_int_eq(pthread_create(&thread[i], NULL, train_alone, pair[i]), 0);
    }
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(pthread_join(thread[i], NULL), 0);
        ck_assert(same_weights(pair[i], alone));
        ecg_trainer_free(pair[i]);
    }
    ecg_trainer_free(alone);
}
END_TEST

START_TEST(a_child_process_can_go_on)
{
#if UNIT_TSAN
    puts("SKIP a_child_process_can_go_on: ThreadSanitizer does not follow a fork");
#else
    ecg_train_options o = small_options();
    o.threads = 3;
    ecg_trainer *t = new_trainer(UNIT_TOY_NET, &o);
    steps(t, 0, 2, NULL);
    int pipes[2];
    ck_assert_int_eq(pipe(pipes), 0);
    const pid_t child = fork();
    ck_assert_int_ge(child, 0);
    float x[BATCH * UNIT_TOY_VALUES], mine[BATCH * 3], theirs[BATCH * 3];
    uint32_t y[BATCH];
    toy_batch(9, x, y);
    if (child == 0) { /* the pool's threads are gone here */
        alarm(60);
        ecg_step out;
        float cx[BATCH * UNIT_TOY_VALUES];
        bool ok = true;
        for (uint64_t k = 2; k < 6; k++) {
            toy_batch(k, cx, y);
            ok = ok && ecg_trainer_step(t, cx, y, BATCH, &out, NULL) == ECG_OK;
        }
        ecg_trainer_predict(t, x, BATCH, mine);
        ecg_trainer_free(t);
        ok = ok && write(pipes[1], mine, sizeof mine) == (ssize_t)sizeof mine;
        _exit(ok ? 0 : 1);
    }
    steps(t, 2, 4, NULL);
    ecg_trainer_predict(t, x, BATCH, mine);
    ecg_trainer_free(t);
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the child ended with %#x",
                  (unsigned)status);
    ck_assert_int_eq(read(pipes[0], theirs, sizeof theirs), sizeof theirs);
    ck_assert_int_eq(memcmp(mine, theirs, sizeof mine), 0);
    close(pipes[0]);
    close(pipes[1]);
#endif
}
END_TEST

/* ---- it learns ---- */

START_TEST(it_learns)
{
    static const ecg_optimizer kinds[] = {ECG_ADAM, ECG_AMSGRAD, ECG_ADAMW, ECG_SGD, ECG_RMSPROP};
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        ecg_train_options o = small_options();
        o.optimizer = kinds[k];
        o.lr = kinds[k] == ECG_SGD ? 0.05f : 5e-3f;
        o.momentum = kinds[k] == ECG_SGD ? 0.9f : 0;
        ecg_trainer *t = new_trainer(UNIT_TOY_NET, &o);
        double before, after;
        steps(t, 0, 1, &before);
        steps(t, 1, 150, &after);
        ck_assert_double_gt(before, 0.7);
        uint32_t right = 0;
        for (size_t i = 0; i < 90; i++) { /* not seen before, and without dropout */
            float x[UNIT_TOY_VALUES], p[3];
            uint32_t label;
            unit_toy(77, i, x, &label);
            ecg_trainer_predict(t, x, 1, p);
            right += p[label] > p[(label + 1) % 3] && p[label] > p[(label + 2) % 3];
        }
        ck_assert_msg(after < 0.2 && right >= 86, "%s: loss %g to %g, %u of 90 right",
                      ecg_optimizer_name(kinds[k]), before, after, right);
        ecg_trainer_free(t);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("trainer");
    TCase *t = tcase_create("trainer");
    tcase_set_timeout(t, 180);
    tcase_add_test(t, mistakes_are_named);
    tcase_add_test(t, too_large_says_so);
    tcase_add_test(t, what_could_not_be_loaded_again_is_not_trained);
    tcase_add_test(t, updating_at_once_changes_nothing);
    tcase_add_test(t, memory_is_reported);
    tcase_add_test(t, tensors_have_names);
    tcase_add_test(t, number_of_samples);
    tcase_add_test(t, a_failed_step_leaves_no_trace);
    tcase_add_test(t, a_saved_model_answers_as_the_trainer);
    tcase_add_test(t, workers_predict_apart);
    tcase_add_test(t, a_model_needs_its_info);
    tcase_add_test(t, threads_change_no_bit);
    tcase_add_test(t, two_trainers_side_by_side);
    tcase_add_test(t, a_child_process_can_go_on);
    tcase_add_test(t, it_learns);
    suite_add_tcase(s, t);
    return unit_run(s);
}
