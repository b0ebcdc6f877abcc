#include "serve/samples.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ecgcnn/beats.h"
#include "serve/strip.h"

enum { SEED = 11, PATIENT = 2, LOOKS = 4, ROWS = 128, COLUMNS = 192 };

/* How pictures can be drawn: NULL is what `ecg-beats synth` does, else a recipe. */
static const char *const look_text[LOOKS] = {NULL, "fixed", "rhythm", "rr"};

typedef struct drawn {
    uint8_t *px;
    ecg_shape shape;
} drawn;

static ecg_status out_of_memory(ecg_error *err)
{
    if (err) {
        err->status = ECG_ENOMEM;
        snprintf(err->message, sizeof err->message, "samples: out of memory");
    }
    return ECG_ENOMEM;
}

static ecg_status draw_window(drawn *d, char code, ecg_error *err)
{
    float mv[ECG_BEAT_SAMPLES];
    int c = 0;
    while (c < ECG_BEAT_CLASSES && ecg_beat_class_code((ecg_beat_class)c) != code)
        c++;
    d->shape = (ecg_shape){ROWS, COLUMNS, 1};
    d->px = malloc((size_t)ROWS * COLUMNS);
    if (!d->px)
        return out_of_memory(err);
    ecg_status s = ecg_beat_synthesize_with(SEED, PATIENT, 0, (ecg_beat_class)c, NULL, mv, err);
    if (s == ECG_OK)
        s = ecg_beat_draw(mv, ECG_BEAT_SAMPLES, 2.0f, -1.5f, 1.5f, d->px, ROWS, COLUMNS);
    return s;
}

/* The middle one of many beats, by a recipe. */
static ecg_status draw_recipe(drawn *d, const char *text, char code, ecg_error *err)
{
    char beats[STRIP_MOST];
    const int alone = strchr("AVEF", code) != NULL, count = code == '!' ? 36 : 15, middle = count / 2;
    strip t = {0};
    ecg_recipe *recipe = NULL;
    ecg_painter *painter = NULL;
    memset(beats, alone ? 'N' : code, (size_t)count);
    beats[middle] = code;
    beats[count] = '\0';
    ecg_status s = ecg_recipe_parse(&recipe, text, err);
    if (s == ECG_OK)
        s = strip_make(&t, SEED, PATIENT, beats, err);
    if (s == ECG_OK)
        s = ecg_painter_new(&painter, recipe, t.mv, NULL, t.n, ECG_BEAT_RATE, t.at, t.beats, NULL);
    if (s == ECG_EINVAL && t.mv) /* it draws a second lead */
        s = ecg_painter_new(&painter, recipe, t.mv, t.mv, t.n, ECG_BEAT_RATE, t.at, t.beats, err);
    if (s == ECG_OK) {
        d->shape = ecg_recipe_shape(recipe);
        d->px = malloc((size_t)d->shape.h * d->shape.w * d->shape.c);
        s = d->px ? ecg_painter_draw(painter, (size_t)middle, d->px) : out_of_memory(err);
    }
    ecg_painter_free(painter);
    ecg_recipe_free(recipe);
    strip_free(&t);
    return s;
}

static ecg_status draw(drawn *d, const char *look, char code, ecg_error *err)
{
    *d = (drawn){0};
    const ecg_status s = !look && !strchr("EF", code) ? draw_window(d, code, err)
                                                      : draw_recipe(d, look ? look : "fixed", code, err);
    if (s != ECG_OK) {
        free(d->px);
        *d = (drawn){0};
    }
    return s;
}

static ecg_image view(const drawn *d)
{
    return (ecg_image){d->px, d->shape.w, d->shape.h, d->shape.c, (size_t)d->shape.w * d->shape.c};
}

/* The letter of the generator for a class; '\0': it has none. */
static char code_of(const ecg_model *m, uint32_t i)
{
    const class_text *t = class_text_at(m, i);
    if (!t->strip)
        return '\0';
    const char *other = t->strip;
    while (*other == 'N' && other[1])
        other++;
    return *other;
}

/* ---- Which look ---- */

/* Sum over the classes of the probability that their own sample gets, where the gate lets it through. */
static ecg_status rate(double *sum, ecg_model *m, ecg_session *session, float *probs, const char *look,
                       ecg_error *err)
{
    *sum = 0.0;
    for (uint32_t i = 0; i < ecg_model_classes(m) && i < SAMPLES_MOST - 1; i++) {
        const char code = code_of(m, i);
        drawn d;
        ecg_decision decision;
        if (!code)
            continue;
        ecg_status s = draw(&d, look, code, err);
        if (s != ECG_OK)
            return s;
        const ecg_image v = view(&d);
        s = ecg_session_judge_image(session, &v, probs, &decision, err);
        free(d.px);
        if (s != ECG_OK)
            return s;
        if (decision.answer != ECG_ANSWER_NOT_ECG)
            *sum += (double)probs[i];
    }
    return ECG_OK;
}

/* The look that the model knows best; its own recipe, where it has one. */
static ecg_status choose(const char **look, ecg_model *m, ecg_session *session, float *probs, ecg_error *err)
{
    double best = -1.0;
    *look = ecg_model_meta(m, "recipe");
    ecg_recipe *own = NULL;
    if (*look && **look && ecg_recipe_parse(&own, *look, NULL) == ECG_OK) {
        ecg_recipe_free(own);
        return ECG_OK;
    }
    *look = NULL;
    for (size_t k = 0; k < LOOKS; k++) {
        double sum;
        const ecg_status s = rate(&sum, m, session, probs, look_text[k], err);
        if (s != ECG_OK)
            return s;
        if (sum > best + 1e-3) {
            best = sum;
            *look = look_text[k];
        }
    }
    return ECG_OK;
}

/* ---- All of them ---- */
static int collect(void *payload, const void *data, size_t n)
{
    sample *p = payload;
    unsigned char *more = realloc(p->png, p->size + n);
    if (!more)
        return 1;
    memcpy(more + p->size, data, n);
    p->png = more;
    p->size += n;
    return 0;
}

static ecg_status encode(sample *p, const drawn *d, ecg_error *err)
{
    const ecg_image v = view(d);
    p->width = v.w;
    p->height = v.h;
    return ecg_image_encode_png(&v, collect, p, err);
}

/* Rings on water: what a gate should refuse. */
static ecg_status make_rings(sample *p, ecg_error *err)
{
    drawn d = {malloc((size_t)ROWS * COLUMNS), {ROWS, COLUMNS, 1}};
    if (!d.px)
        return out_of_memory(err);
    for (int r = 0; r < ROWS; r++)
        for (int c = 0; c < COLUMNS; c++) {
            const double one = hypot(r - 40.0, c - 60.0), other = hypot(r - 90.0, c - 140.0);
            d.px[r * COLUMNS + c] = (uint8_t)lrint(150.0 + 50.0 * (sin(one / 3.0) + sin(other / 4.5)));
        }
    snprintf(p->slug, sizeof p->slug, "rings--0"); /* no class has it */
    snprintf(p->label, sizeof p->label, "No heartbeat at all");
    const ecg_status s = encode(p, &d, err);
    free(d.px);
    return s;
}

static ecg_status make_all(samples *all, ecg_model *m, ecg_session *session, float *probs, ecg_error *err)
{
    const char *look;
    ecg_status s = choose(&look, m, session, probs, err);
    for (uint32_t i = 0; s == ECG_OK && i < ecg_model_classes(m) && all->count < SAMPLES_MOST - 1; i++) {
        const char code = code_of(m, i);
        sample *p = &all->of[all->count];
        drawn d;
        if (!code)
            continue;
        class_slug(p->slug, m, i);
        snprintf(p->label, sizeof p->label, "%.90s", ecg_model_class(m, i));
        all->count++; /* what is half made is freed with the others */
        s = draw(&d, look, code, err);
        if (s == ECG_OK) {
            s = encode(p, &d, err);
            free(d.px);
        }
    }
    return s == ECG_OK ? make_rings(&all->of[all->count++], err) : s;
}

ecg_status samples_make(samples **out, ecg_model *m, ecg_error *err)
{
    ecg_session_options o = ECG_SESSION_OPTIONS_INIT;
    ecg_session *session = NULL;
    samples *all = calloc(1, sizeof *all);
    float *probs = calloc(ecg_model_classes(m), sizeof *probs);
    o.threads = 1;
    ecg_status s = all && probs ? ecg_session_new(&session, m, &o, err) : out_of_memory(err);
    if (s == ECG_OK)
        s = make_all(all, m, session, probs, err);
    ecg_session_free(session);
    free(probs);
    if (s != ECG_OK) {
        samples_free(all);
        all = NULL;
    }
    *out = all;
    return s;
}

void samples_free(samples *s)
{
    for (size_t i = 0; s && i < s->count; i++)
        free(s->of[i].png);
    free(s);
}

const sample *samples_find(const samples *s, const char *slug)
{
    for (size_t i = 0; s && i < s->count; i++)
        if (strcmp(s->of[i].slug, slug) == 0)
            return &s->of[i];
    return NULL;
}
