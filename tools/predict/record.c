/* A recording to answers, beat by beat. */
#include "predict/record.h"

#include <stdlib.h>
#include <string.h>

#include "common/judge.h"
#include "common/progress.h"
#include "common/recipe.h"
#include "common/start.h"
#include "ecgcnn/image.h"
#include "ecgcnn/version.h"

/* The recipe that the model's pictures were drawn by, or the one that was given. */
static int find_recipe(ecg_recipe **out, const ecg_model *m, const record_settings *s)
{
    const char *text = s->recipe ? s->recipe : ecg_model_meta(m, "recipe");
    if (!text)
        return tool_fail("the model does not say how its pictures were drawn (it was not trained on a folder "
                         "made by ecg-beats make); --recipe TEXT says it");
    const int code = recipe_read(out, text);
    if (code != EXIT_DONE)
        return code;
    const ecg_shape shape = ecg_recipe_shape(*out);
    const ecg_color color = ecg_model_preprocess(m)->color;
    if (shape.c != (uint32_t)color)
        return tool_fail("the recipe draws %s pictures, the model reads %s", shape.c == 1 ? "gray" : "rgb",
                         ecg_color_name(color));
    return EXIT_DONE;
}

/* ---- Drawing and running, a batch at a time ---- */
typedef struct batch {
    uint8_t *px; /* [JUDGE_BATCH][h][w][c] */
    ecg_image view[JUDGE_BATCH];
    ecg_pixels *resized[JUDGE_BATCH];
} batch;

static ecg_status draw(batch *b, const ecg_painter *p, const ecg_shape shape, const ecg_preprocess *prep,
                       size_t at, size_t n, ecg_error *err)
{
    const size_t bytes = (size_t)shape.h * shape.w * shape.c;
    ecg_status s = ECG_OK;
    for (size_t i = 0; i < n && s == ECG_OK; i++) {
        uint8_t *px = b->px + i * bytes;
        s = ecg_painter_draw(p, at + i, px);
        b->view[i] = (ecg_image){px, shape.w, shape.h, shape.c, (size_t)shape.w * shape.c};
        if (s == ECG_OK && (shape.h != prep->h || shape.w != prep->w)) {
            s = ecg_pixels_resize(&b->resized[i], &b->view[i], prep->h, prep->w, prep->filter, err);
            if (s == ECG_OK)
                b->view[i] = ecg_pixels_view(b->resized[i]);
        }
    }
    return s;
}

static int classify(record_beats *b, ecg_session *session, const ecg_painter *p, const ecg_recipe *r,
                    const record_settings *s)
{
    const ecg_shape shape = ecg_recipe_shape(r);
    const uint32_t classes = ecg_model_classes(b->model);
    ecg_error err = {0};
    ecg_status status = ECG_OK;
    batch work = {.px = malloc((size_t)JUDGE_BATCH * shape.h * shape.w * shape.c)};
    b->probs = malloc((b->l.count + 1) * classes * sizeof *b->probs);
    b->cls = malloc((b->l.count + 1) * sizeof *b->cls);
    if (!work.px || !b->probs || !b->cls) {
        free(work.px);
        return tool_fail("out of memory");
    }
    progress bar;
    progress_start(&bar, "beats", (int)s->quiet || b->l.count < 4096);
    for (size_t at = 0; at < b->l.count && status == ECG_OK; at += JUDGE_BATCH) {
        const size_t n = b->l.count - at < JUDGE_BATCH ? b->l.count - at : JUDGE_BATCH;
        status = draw(&work, p, shape, ecg_model_preprocess(b->model), at, n, &err);
        if (status == ECG_OK)
            status = ecg_session_run_images(session, work.view, n, b->probs + at * classes, &err);
        for (size_t i = 0; i < n; i++) {
            ecg_pixels_free(work.resized[i]);
            work.resized[i] = NULL;
            b->cls[at + i] = judge_best(b->probs + (at + i) * classes, classes);
        }
        progress_show(&bar, at + n, b->l.count, NULL);
    }
    progress_clear(&bar);
    free(work.px);
    return status == ECG_OK ? EXIT_DONE : tool_error(status, &err);
}

static int answer(record_beats *b, ecg_model *m, const ecg_recipe *r, const record_settings *s)
{
    ecg_session_options o = ECG_SESSION_OPTIONS_INIT;
    ecg_session *session = NULL;
    ecg_painter *painter = NULL;
    ecg_error err = {0};
    leads *l = &b->l;
    o.threads = s->threads;
    ecg_status status = ecg_session_new(&session, m, &o, &err);
    if (status == ECG_OK)
        status = ecg_painter_new(&painter, r, l->mv, l->second, l->n, l->rate, l->at, l->count, &err);
    const int code = status == ECG_OK ? classify(b, session, painter, r, s) : tool_error(status, &err);
    ecg_painter_free(painter);
    ecg_session_free(session);
    return code;
}

/* ---- Annotations ---- */

/* The class as a code where it has one, else Q with the class as text; num is the probability in per cent. */
static int write_notes(char *path, size_t cap, const record_beats *b, const record_settings *s)
{
    const uint32_t classes = ecg_model_classes(b->model);
    const char *slash = s->out && *s->out && s->out[strlen(s->out) - 1] == '/' ? "" : "/";
    if (snprintf(path, cap, "%s%s%s.cnn", s->out ? s->out : "", s->out ? slash : "", b->l.name) >= (int)cap)
        return tool_fail("the name of the annotation file is too long");
    ecg_annotation *note = calloc(b->l.count + 1, sizeof *note);
    if (!note)
        return tool_fail("out of memory");
    for (size_t i = 0; i < b->l.count; i++) {
        const char *name = ecg_model_class(b->model, b->cls[i]);
        const uint8_t code = ecg_annotation_from_char(ecg_beat_set_code_of_name(name));
        const float p = b->probs[i * classes + b->cls[i]];
        note[i] = (ecg_annotation){.sample = b->l.at[i],
                                   .code = code ? code : ECG_ANN_UNKNOWN,
                                   .num = (int8_t)(100.0f * p + 0.5f),
                                   .aux = code ? NULL : name};
    }
    ecg_error err = {0};
    const ecg_status status = ecg_annotations_write(note, b->l.count, b->l.rate, path, &err);
    free(note);
    return status == ECG_OK ? EXIT_DONE : tool_error(status, &err);
}

int predict_record(ecg_model *m, const record_settings *s)
{
    record_beats b = {.model = m};
    record_figures f = {.count = NULL};
    ecg_recipe *r = NULL;
    char path[4096];
    int code = find_recipe(&r, m, s);
    if (code == EXIT_DONE && !(b.recipe = recipe_text(r)))
        code = tool_fail("out of memory");
    if (code == EXIT_DONE)
        code = leads_open(&b.l, s->record, r, s->annotations, 1);
    if (code == EXIT_DONE)
        code = answer(&b, m, r, s);
    if (code == EXIT_DONE)
        code = write_notes(path, sizeof path, &b, s);
    if (code == EXIT_DONE)
        code = record_figure(&f, &b);
    if (code == EXIT_DONE && s->html)
        code = record_html(s->html, &f, &b);
    if (code == EXIT_DONE && s->json)
        record_json(&f, &b, path);
    else if (code == EXIT_DONE)
        record_print(&f, &b, path);
    if (code == EXIT_DONE && !s->quiet && !s->json)
        fprintf(stderr, "%s\n", ECG_NOTICE);
    ecg_recipe_free(r);
    free(f.count);
    free(b.recipe);
    free(b.probs);
    free(b.cls);
    leads_close(&b.l);
    return code;
}
