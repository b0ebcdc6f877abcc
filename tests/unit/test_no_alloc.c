/* A training step and a prediction allocate nothing. The allocation functions of this program count, and hand
 * on to those of the C library. */
#define _GNU_SOURCE
#include "unit/nets.h"

#include <dlfcn.h>
#include <stdatomic.h>

#include "ecgcnn/train.h"
#include "net/model.h"

static atomic_size_t calls, bytes_asked;

#if !UNIT_SANITIZED

/* dlsym may allocate while it is asked for the real functions: it is given this memory, which stays. */
static _Alignas(64) unsigned char early[65536];
static atomic_size_t early_used;

static void *take_early(size_t bytes)
{
    const size_t at = atomic_fetch_add(&early_used, (bytes + 63) / 64 * 64);
    return at + bytes <= sizeof early ? early + at : NULL;
}

static bool is_early(const void *p)
{
    const unsigned char *q = p;
    return q >= early && q < early + sizeof early;
}

static struct {
    void *(*malloc)(size_t);
    void *(*calloc)(size_t, size_t);
    void *(*realloc)(void *, size_t);
    void *(*aligned_alloc)(size_t, size_t);
    int (*posix_memalign)(void **, size_t, size_t);
    void (*free)(void *);
} real;
static atomic_int found; /* 1: under way; 2: done */

static void find(void *function, const char *name)
{
    void *p = dlsym(RTLD_NEXT, name);
    memcpy(function, &p, sizeof p);
}

/* Before main there is one thread. */
static bool ready(void)
{
    if (atomic_load(&found) == 0) {
        atomic_store(&found, 1);
        find(&real.malloc, "malloc");
        find(&real.calloc, "calloc");
        find(&real.realloc, "realloc");
        find(&real.aligned_alloc, "aligned_alloc");
        find(&real.posix_memalign, "posix_memalign");
        find(&real.free, "free");
        atomic_store(&found, 2);
    }
    return atomic_load(&found) == 2;
}

static void count(size_t bytes)
{
    atomic_fetch_add(&calls, 1);
    atomic_fetch_add(&bytes_asked, bytes);
}

void *malloc(size_t n)
{
    count(n);
    return ready() ? real.malloc(n) : take_early(n);
}

void *calloc(size_t n, size_t size)
{
    count(n * size);
    return ready() ? real.calloc(n, size) : take_early(n * size);
}

void *realloc(void *p, size_t n)
{
    count(n);
    if (ready() && !is_early(p))
        return real.realloc(p, n);
    void *q = ready() ? real.malloc(n) : take_early(n);
    if (q && p) {
        const size_t left = (size_t)(early + sizeof early - (unsigned char *)p);
        memcpy(q, p, n < left ? n : left);
    }
    return q;
}

void *aligned_alloc(size_t align, size_t n)
{
    count(n);
    return ready() ? real.aligned_alloc(align, n) : take_early(n);
}

int posix_memalign(void **out, size_t align, size_t n)
{
    count(n);
    if (ready())
        return real.posix_memalign(out, align, n);
    *out = take_early(n);
    return *out ? 0 : ENOMEM;
}

void free(void *p)
{
    atomic_fetch_add(&calls, p != NULL);
    if (p && !is_early(p) && ready())
        real.free(p);
}

#endif

static bool skip(const char *name)
{
    if (UNIT_SANITIZED)
        printf("SKIP %s: the sanitizer has allocation functions of its own\n", name);
    return UNIT_SANITIZED;
}

START_TEST(the_counter_counts)
{
    if (skip("the_counter_counts"))
        return;
    void *volatile p;
    size_t before = atomic_load(&calls);
#define COUNTED(what, n)                                                                                     \
    do {                                                                                                     \
        what;                                                                                                \
        const size_t now = atomic_load(&calls);                                                              \
        ck_assert_msg(now - before == (n), "%s: %zu counted", #what, now - before);                          \
        before = atomic_load(&calls);                                                                        \
    } while (0)
    COUNTED(p = malloc(100), 1);
    COUNTED(p = realloc(p, 200000), 1);
    COUNTED(free(p), 1);
    COUNTED(p = calloc(3, 5), 1);
    COUNTED(free(p), 1);
    COUNTED(p = aligned_alloc(64, 128), 1);
    COUNTED(free(p), 1);
    COUNTED(p = ecg__alloc(10), 1); /* from inside the library too */
    COUNTED(ecg__free(p), 1);
    void *q = NULL;
    int failed = 1;
    COUNTED(failed = posix_memalign(&q, 64, 64), 1);
    ck_assert_int_eq(failed, 0);
    before = atomic_load(&calls);
    COUNTED(free(q), 1);
    COUNTED(free(NULL), 0);
}
END_TEST

static const char *const nets[] = {"seed", "default", UNIT_EVERY_LAYER};
enum { BATCH = 12, WARM = 3, ROUNDS = 4 };

START_TEST(a_training_step_allocates_nothing)
{
    if (skip("a_training_step_allocates_nothing"))
        return;
    static const ecg_optimizer kinds[] = {ECG_ADAM, ECG_SGD, ECG_RMSPROP};
    for (size_t k = 0; k < sizeof nets / sizeof *nets; k++) {
        ecg_error e;
        ecg_spec *s = unit_spec(nets[k]);
        ecg_train_options o = ECG_TRAIN_OPTIONS_INIT;
        o.batch = BATCH;
        o.threads = 3;
        o.optimizer = kinds[k];
        o.clip_norm = k ? 1.0f : 0;
        ecg_trainer *t;
        const size_t bytes_before = atomic_load(&bytes_asked);
        ck_ok(ecg_trainer_new(&t, s, &o, &e), e);
        /* What the trainer says of its memory is what was asked for, but for alignment, the network's
         * description and the threads. */
        const uint64_t asked = atomic_load(&bytes_asked) - bytes_before, said = ecg_trainer_bytes(t);
        ck_assert_msg(said <= asked && asked < said + said / 8 + 262144,
                      "%s: %zu bytes asked for, %zu reported", nets[k], (size_t)asked, (size_t)said);
        float *x = unit_values(BATCH * s->layer[0].plan.in_count, 4);
        uint32_t y[BATCH];
        for (uint32_t i = 0; i < BATCH; i++)
            y[i] = i % ecg_spec_outputs(s);
        ecg_step out;
        for (int r = 0; r < WARM; r++)
            ck_ok(ecg_trainer_step(t, x, y, BATCH, &out, &e), e);
        const size_t before = atomic_load(&calls);
        ecg_status status = ECG_OK;
        for (size_t r = 0; r < ROUNDS && status == ECG_OK; r++)
            status = ecg_trainer_step(t, x, y, r % 2 ? BATCH : 5, &out, &e);
        const size_t made = atomic_load(&calls) - before;
        ck_ok(status, e);
        ck_assert_msg(made == 0, "%s: %zu calls in %d steps", nets[k], made, ROUNDS);
        ecg_trainer_free(t);
        ecg__free(x);
        ecg_spec_free(s);
    }
}
END_TEST

/* A model of a network with the weights a trainer begins with. */
static ecg_model *make_model(const ecg_spec *s)
{
    static char text[16][8];
    const char *names[16];
    for (uint32_t i = 0; i < ecg_spec_outputs(s); i++) {
        snprintf(text[i], sizeof text[i], "c%u", i);
        names[i] = text[i];
    }
    ecg_error e;
    ecg_trainer *t;
    ck_ok(ecg_trainer_new(&t, s, NULL, &e), e);
    float *w = ecg__alloc(s->floats * sizeof *w);
    size_t n = 0, at = 0, count_of;
    memset(w, 0, s->floats * sizeof *w);
    for (const float *v; (v = ecg_trainer_tensor(t, n, NULL, &count_of)) != NULL; n++) {
        at = s->slot[n].offset;
        memcpy(w + at, v, count_of * sizeof *w);
    }
    ecg_trainer_free(t);
    ecg_preprocess p = ECG_PREPROCESS_INIT;
    p.h = s->input.h;
    p.w = s->input.w;
    p.color = (ecg_color)s->input.c;
    ecg_model *m;
    ck_ok(ecg__model_new(&m, s, &p, names, ecg_spec_outputs(s), NULL, w, false, &e), e);
    return m;
}

START_TEST(a_prediction_allocates_nothing)
{
    if (skip("a_prediction_allocates_nothing"))
        return;
    for (size_t n = 0; n < 2 * sizeof nets / sizeof *nets; n++) {
        const size_t k = n / 2;
        ecg_error e;
        const ecg_shape rgb = {0, 0, 3};
        ecg_spec *s;
        ck_ok(ecg_spec_parse(&s, nets[k], k == 1 ? NULL : &rgb, 0, &e), e);
        ecg_model *m = make_model(s);
        ecg_session_options o = ECG_SESSION_OPTIONS_INIT;
        o.threads = 3;
        ecg_session *session;
        void *memory = n % 2 ? ecg__alloc(ecg_session_bytes(m)) : NULL;
        if (memory)
            ck_ok(ecg_session_new_in(&session, m, memory, ecg_session_bytes(m), &e), e);
        else
            ck_ok(ecg_session_new(&session, m, &o, &e), e);
        const size_t values = s->layer[0].plan.in_count, row = (size_t)s->input.w * s->input.c;
        float *x = unit_values(BATCH * values, 4), probs[BATCH * 16];
        uint8_t *px = ecg__calloc(BATCH * s->input.h, row + 7);
        ecg_image img[BATCH];
        for (size_t i = 0; i < BATCH; i++) /* every other one with rows apart: those are packed first */
            img[i] = (ecg_image){.px = px + i * s->input.h * (row + 7),
                                 .w = s->input.w,
                                 .h = s->input.h,
                                 .c = s->input.c,
                                 .stride = i % 2 ? row : row + 7};
        for (int r = 0; r < WARM; r++) {
            ecg_session_run(session, x, BATCH, probs);
            ck_ok(ecg_session_run_images(session, img, BATCH, probs, &e), e);
        }
        size_t before = atomic_load(&calls);
        for (int r = 0; r < ROUNDS; r++)
            ecg_session_run(session, x, BATCH, probs);
        size_t made = atomic_load(&calls) - before;
        ck_assert_msg(made == 0, "%s: run: %zu calls", nets[k], made);
        before = atomic_load(&calls);
        ecg_status status = ECG_OK;
        for (int r = 0; r < ROUNDS && status == ECG_OK; r++)
            status = ecg_session_run_images(session, img, BATCH, probs, &e);
        made = atomic_load(&calls) - before;
        ck_ok(status, e);
        ck_assert_msg(made == 0, "%s: run_images: %zu calls", nets[k], made);
        before = atomic_load(&calls);
        ecg_session_free(session);
        ck_assert_msg(!memory || atomic_load(&calls) == before, "%s: a placed session had more", nets[k]);
        ecg__free(memory);
        ecg_model_free(m);
        ecg__free(px);
        ecg__free(x);
        ecg_spec_free(s);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("no_alloc");
    TCase *t = tcase_create("no_alloc");
    tcase_set_timeout(t, 120);
    tcase_add_test(t, the_counter_counts);
    tcase_add_test(t, a_training_step_allocates_nothing);
    tcase_add_test(t, a_prediction_allocates_nothing);
    suite_add_tcase(s, t);
    return unit_run(s);
}
