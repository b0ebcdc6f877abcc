/* What the headers promise of threads and fork: threads predict from one model while another trains, and
 * children that are forked in the middle predict and exit. All get the bits they would get alone, and nobody
 * hangs. */
#define _GNU_SOURCE
#include "unit/nets.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ecgcnn/train.h"

enum {
    SIDE = 32,
    VALUES = SIDE * SIDE,
    CLASSES = 4,
    N = 24,
    PREDICTORS = 2,
    SAMPLES = 256,
    EPOCHS = UNIT_SANITIZED ? 2 : 6
};
/* A product with many columns is one for BLAS, not for our own grid. */
static const char net[] =
    "input 32x32x1; conv2d 6 3x3 pad=same elu; batchnorm; maxpool 2x2; conv2d 8 3x3 relu;"
    "maxpool 2x2; flatten; dense 48 relu; dense 4; softmax";

static float pictures[N * VALUES], want[N * CLASSES];
static ecg_model *model;

/* ---- Somebody's own source of samples: any thread ---- */
static ecg_status fetch(void *ctx, uint64_t epoch, size_t i, float *x, uint32_t *label, ecg_error *err)
{
    (void)ctx, (void)err;
    ecg__rng r = ecg__rng_at(7, ECG__RNG_AUGMENT, epoch, i);
    *label = (uint32_t)(i % CLASSES);
    for (size_t k = 0; k < VALUES; k++)
        x[k] = 0.2f * (float)ecg__rng_normal(&r) + (k / (VALUES / CLASSES) == *label);
    return ECG_OK;
}

static ecg_model *train(uint32_t threads, uint32_t epochs)
{
    static const char *const classes[] = {"a", "b", "c", "d"};
    ecg_preprocess p = ECG_PREPROCESS_INIT;
    p.h = p.w = SIDE;
    const ecg_model_info info = {sizeof info, &p, classes, NULL};
    ecg_train_options o = ECG_TRAIN_OPTIONS_INIT;
    o.threads = threads;
    o.epochs = epochs;
    const ecg_source source = {NULL, SAMPLES, fetch};
    ecg_error e;
    ecg_trainer *t;
    ecg_model *m;
    ecg_spec *s = unit_spec(net);
    ck_ok(ecg_trainer_new(&t, s, &o, &e), e);
    ck_ok(ecg_trainer_fit(t, &source, NULL, &info, NULL, NULL, &e), e);
    ck_ok(ecg_trainer_snapshot(t, &info, &m, &e), e);
    ecg_trainer_free(t);
    ecg_spec_free(s);
    return m;
}

static bool predict(ecg_session *s, const float *answer)
{
    float got[N * CLASSES];
    ecg_session_run(s, pictures, N, got);
    return memcmp(got, answer, sizeof got) == 0;
}

static ecg_session *session(ecg_model *m, uint32_t threads)
{
    ecg_session_options o = ECG_SESSION_OPTIONS_INIT;
    ecg_session *s = NULL;
    ecg_error e;
    o.threads = threads;
    return ecg_session_new(&s, m, &o, &e) == ECG_OK ? s : NULL;
}

static void set_up(void)
{
    uint32_t label;
    model = train(1, 1);
    for (size_t i = 0; i < N; i++)
        fetch(NULL, 9, i, pictures + i * VALUES, &label, NULL);
    ecg_session *s = session(model, 1);
    ecg_session_run(s, pictures, N, want);
    ecg_session_free(s);
}

/* ---- Threads ---- */
static atomic_bool over, trained;
static atomic_size_t wrong, right;

static void *predicts(void *arg)
{
    const uint32_t threads = 1 + *(uint32_t *)arg % 2;
    ecg_model *m = ecg_model_retain(model);
    while (!atomic_load(&over)) { /* sessions come and go, and pin and unpin the BLAS */
        ecg_session *s = session(m, threads);
        for (int i = 0; i < 5; i++)
            atomic_fetch_add(s && predict(s, want) ? &right : &wrong, 1);
        ecg_session_free(s);
    }
    ecg_model_free(m);
    return NULL;
}

static void *trains(void *arg)
{
    *(ecg_model **)arg = train(2, EPOCHS);
    atomic_store(&trained, true);
    return NULL;
}

/* The first step of a trainer on our pictures. */
static ecg_trainer *idle_trainer(void)
{
    ecg_error e;
    ecg_trainer *t;
    ecg_train_options o = ECG_TRAIN_OPTIONS_INIT;
    o.threads = 2;
    ecg_spec *s = unit_spec(net);
    ck_ok(ecg_trainer_new(&t, s, &o, &e), e);
    ecg_spec_free(s);
    return t;
}

static double first_loss(ecg_trainer *t)
{
    uint32_t y[N];
    ecg_step out;
    for (uint32_t i = 0; i < N; i++)
        y[i] = i % CLASSES;
    return ecg_trainer_step(t, pictures, y, N, &out, NULL) == ECG_OK ? out.loss : -1.0;
}

/* What its parent left idle. */
struct idle {
    ecg_session *session;
    ecg_trainer *trainer;
    double loss; /* of the trainer's first step */
};

/* What a child does, with that and with new sessions. Returns its exit code. */
static int child(const struct idle *idle)
{
    alarm(60); /* who hangs is ended, and seen */
    int code = predict(idle->session, want) ? 0 : 1;
    ecg_session_free(idle->session);
    const double loss = first_loss(idle->trainer);
    if (memcmp(&loss, &idle->loss, sizeof loss) != 0)
        code |= 4;
    ecg_trainer_free(idle->trainer);
    /* ThreadSanitizer knows no new threads in the child of a process with threads. */
    ecg_session *s = session(model, UNIT_TSAN ? 1 : 2);
    if (!s || !predict(s, want))
        code |= 2;
    ecg_session_free(s);
    return code;
}

START_TEST(threads_predict_and_children_too_while_one_trains)
{
    set_up();
    ecg_model *const alone = train(2, EPOCHS);
    ecg_model *beside = NULL;
    struct idle idle = {session(model, 2), idle_trainer(), 0.0};
    ck_assert(predict(idle.session, want));
    ecg_trainer *twin = idle_trainer();
    idle.loss = first_loss(twin);
    ecg_trainer_free(twin);
    pthread_t thread[PREDICTORS + 1];
    uint32_t number[PREDICTORS];
    for (uint32_t i = 0; i < PREDICTORS; i++) {
        number[i] = i;
        ck_assert_int_eq(pthread_create(&thread[i], NULL, predicts, &number[i]), 0);
    }
    ck_assert_int_eq(pthread_create(&thread[PREDICTORS], NULL, trains, &beside), 0);
    const int children = UNIT_SANITIZED ? 6 : getenv("ECG_FULL") ? 1000 : 30;
    for (int i = 0; i < children || !atomic_load(&trained); i++) {
        const pid_t pid = fork();
        ck_assert_int_ge(pid, 0);
        if (pid == 0)
            _exit(child(&idle));
        int status = 0;
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "child %d: status %#x%s", i, status,
                      WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM ? ", hung" : "");
    }
    pthread_join(thread[PREDICTORS], NULL);
    atomic_store(&over, true);
    for (int i = 0; i < PREDICTORS; i++)
        pthread_join(thread[i], NULL);
    ck_assert_uint_eq(atomic_load(&wrong), 0);
    ck_assert_uint_gt(atomic_load(&right), 0);
    ck_assert(predict(idle.session, want)); /* the children took nothing from it */
    ck_assert_int_eq(memcmp(&(double){first_loss(idle.trainer)}, &idle.loss, sizeof idle.loss), 0);
    ecg_session_free(idle.session);
    ecg_trainer_free(idle.trainer);

    /* Training has made the same model as alone. */
    float a[N * CLASSES];
    ecg_session *s = session(alone, 1);
    ecg_session_run(s, pictures, N, a);
    ecg_session_free(s);
    ck_assert_int_ne(memcmp(a, want, sizeof a), 0);
    s = session(beside, 1);
    ck_assert(predict(s, a));
    ecg_session_free(s);
    ecg_model_free(alone);
    ecg_model_free(beside);
    ecg_model_free(model);
}
END_TEST

/* Owners on many threads: the last one frees, once. */
static void *owns(void *arg)
{
    for (int i = 0; i < 2000; i++) {
        ecg_model *m = ecg_model_retain(arg);
        if (strcmp(ecg_model_class(m, 1), "b") != 0)
            atomic_fetch_add(&wrong, 1);
        ecg_model_free(m);
    }
    ecg_model_free(arg);
    return NULL;
}

START_TEST(a_model_has_owners_on_many_threads)
{
    ecg_model *m = train(1, 1);
    pthread_t thread[4];
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_create(&thread[i], NULL, owns, ecg_model_retain(m)), 0);
    ecg_model_free(m);
    for (int i = 0; i < 4; i++)
        pthread_join(thread[i], NULL);
    ck_assert_uint_eq(atomic_load(&wrong), 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("threads");
    TCase *t = tcase_create("threads");
    tcase_set_timeout(t, 240);
    tcase_add_test(t, threads_predict_and_children_too_while_one_trains);
    tcase_add_test(t, a_model_has_owners_on_many_threads);
    suite_add_tcase(s, t);
    return unit_run(s);
}
