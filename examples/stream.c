/* Judge beats as they come, from a callback and without files: stream MODEL.ecgm [SECONDS]. The model says
 * how a beat is drawn (train_custom.c and ecg-beats make write that into it). For research and teaching only,
 * not a medical device. */
#include <ecgcnn/ecgcnn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RATE = 360, KEPT = 10 * RATE, STEP = RATE / 2, AFTER = 3 * RATE / 2, APART = RATE / 5, CLASSES = 64 };

/* The next samples of one lead in millivolts, at most `most` of them; 0: there are no more. */
typedef size_t samples_fn(void *ctx, float *mv, size_t most);

/* ---- A heart, in place of your amplifier: every fifth beat is ventricular, early, and has a pause after it
 * ---- */
typedef struct heart {
    size_t left; /* samples to come */
    uint32_t beat;
    float mv[ECG_BEAT_SAMPLES + RATE]; /* what leads to a beat, and the beat */
    size_t at, n;                      /* in mv */
} heart;

static void next_beat(heart *h)
{
    const int early = h->beat % 5 == 4, late = h->beat % 5 == 0;
    const float from = h->n ? h->mv[h->n - 1] : 0.0f;
    const size_t lead = early ? 20 : late ? 170 : 100;
    float *beat = h->mv + lead;
    ecg_beat_synthesize(1, 40, h->beat++, early ? ECG_BEAT_PVC : ECG_BEAT_NORMAL, beat);
    for (size_t i = 0; i < lead; i++)
        h->mv[i] = from + (beat[0] - from) * (float)(i + 1) / (float)(lead + 1);
    h->n = lead + ECG_BEAT_SAMPLES;
    h->at = 0;
}

static size_t listen(void *ctx, float *mv, size_t most)
{
    heart *h = ctx;
    if (h->at == h->n)
        next_beat(h);
    size_t n = h->n - h->at; /* it does not always give as many as are asked for */
    n = n < most ? n : most;
    n = n < h->left ? n : h->left;
    memcpy(mv, h->mv + h->at, n * sizeof *mv);
    h->at += n;
    h->left -= n;
    return n;
}

/* ---- The watch ---- */
typedef struct watch {
    ecg_session *session;
    const ecg_model *model;
    const ecg_recipe *recipe;
    float mv[KEPT];  /* the last ten seconds */
    size_t n;        /* of them, so many yet */
    uint64_t first;  /* number of mv[0] since the beginning */
    uint64_t judged; /* beats before this sample have been */
} watch;

/* Judge beats that are new, as far as `end`. */
static ecg_status judge(watch *w, size_t end, ecg_error *err)
{
    uint64_t *at = NULL;
    size_t beats = 0;
    ecg_painter *painter = NULL;
    const ecg_shape shape = ecg_recipe_shape(w->recipe);
    const size_t row = (size_t)shape.w * shape.c;
    uint8_t *px = malloc(shape.h * row);
    float probs[CLASSES];
    if (!px) {
        snprintf(err->message, sizeof err->message, "out of memory");
        return ECG_ENOMEM;
    }
    ecg_status s = ecg_beats_detect(&at, &beats, w->mv, w->n, RATE, NULL, err);
    if (s == ECG_OK)
        s = ecg_painter_new(&painter, w->recipe, w->mv, NULL, w->n, RATE, at, beats, err);
    for (size_t i = 0; i < beats && s == ECG_OK; i++) {
        const ecg_image picture = {px, shape.w, shape.h, shape.c, row};
        ecg_decision d;
        if (w->first + at[i] < w->judged || at[i] >= end)
            continue;
        w->judged = w->first + at[i] + APART;
        s = ecg_painter_draw(painter, i, px);
        if (s == ECG_OK)
            s = ecg_session_judge_images(w->session, &picture, NULL, 1, probs, &d, err);
        if (s == ECG_OK)
            printf("%8.3f s  %-8s %.3f  %s\n", (double)(w->first + at[i]) / RATE,
                   ecg_model_class(w->model, d.best), (double)d.probability, ecg_answer_name(d.answer));
    }
    ecg_painter_free(painter);
    ecg_beats_free(at);
    free(px);
    return s;
}

/* Take samples until there are no more. A beat is judged when what follows it is known, AFTER samples. */
static ecg_status run(watch *w, samples_fn *next, void *ctx, ecg_error *err)
{
    ecg_status s = ECG_OK;
    for (size_t got, fresh = 0; s == ECG_OK; fresh += got) {
        if (w->n == KEPT) {
            memmove(w->mv, w->mv + STEP, (KEPT - STEP) * sizeof *w->mv);
            w->first += STEP;
            w->n -= STEP;
        }
        got = next(ctx, w->mv + w->n, KEPT - w->n < STEP ? KEPT - w->n : STEP);
        w->n += got;
        if (got == 0)
            return judge(w, w->n, err);
        if (fresh >= STEP && w->n > 3 * RATE) {
            s = judge(w, w->n - AFTER, err);
            fresh = 0;
        }
    }
    return s;
}

int main(int argc, char **argv)
{
    static watch w;
    static heart h;
    ecg_error err = {ECG_EINVAL, 0, "usage: stream MODEL [SECONDS]; the model must know its recipe"};
    ecg_model *model = NULL;
    ecg_recipe *recipe = NULL;
    const long seconds = argc == 3 ? strtol(argv[2], NULL, 10) : 30;
    h.left = seconds > 0 ? (size_t)seconds * RATE : 0;
    int ok = (argc == 2 || argc == 3) && h.left > 0 &&
             ecg_model_load(&model, argv[1], NULL, &err) == ECG_OK && ecg_model_classes(model) <= CLASSES &&
             ecg_model_meta(model, "recipe") &&
             ecg_recipe_parse(&recipe, ecg_model_meta(model, "recipe"), &err) == ECG_OK &&
             ecg_session_new(&w.session, model, NULL, &err) == ECG_OK;
    w.model = model;
    w.recipe = recipe;
    ok = ok && run(&w, listen, &h, &err) == ECG_OK;
    if (!ok)
        fprintf(stderr, "%s\n", err.message);
    ecg_session_free(w.session);
    ecg_recipe_free(recipe);
    ecg_model_free(model);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
