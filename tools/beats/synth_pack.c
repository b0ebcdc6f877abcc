/* ecg-beats synth --pack: synthetic beats without a file of each. The bytes are those that `ecg-beats pack`
 * makes of the folders: pictures are drawn by all threads, a chunk at a time, and added in order. */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "beats/synth.h"
#include "common/progress.h"
#include "common/start.h"
#include "ecgcnn/image.h"
#include "ecgcnn/pack.h"

enum { CHUNK = 2048 };

/* A picture of the chunk as it is stored. */
typedef struct stored {
    unsigned char *data;
    size_t n, cap;
    ecg_status status;
    ecg_error err;
} stored;

typedef struct drawing {
    const synth_settings *s;
    stored *item;            /* [CHUNK] */
    uint32_t first, n, step; /* of the chunk; step: threads */
    uint32_t label[SYNTH_SPLITS][ECG_BEAT_CLASSES];
} drawing;

typedef struct helper {
    drawing *d;
    uint32_t from;
    uint8_t *px;
    pthread_t thread;
} helper;

static int take(void *payload, const void *data, size_t n)
{
    stored *t = payload;
    if (n > t->cap - t->n) {
        unsigned char *more = realloc(t->data, 2 * (t->n + n));
        if (!more)
            return 1;
        t->data = more;
        t->cap = 2 * (t->n + n);
    }
    memcpy(t->data + t->n, data, n);
    t->n += n;
    return 0;
}

static void *work(void *arg)
{
    const helper *h = arg;
    const synth_settings *s = h->d->s;
    const ecg_image image = {h->px, s->size.w, s->size.h, 1, s->size.w};
    const int pixels = strcmp(s->pack, "pixels") == 0;
    for (uint32_t k = h->from; k < h->d->n; k += h->d->step) {
        stored *t = &h->d->item[k];
        t->n = 0;
        t->status = synth_draw(s, h->d->first + k, h->px, &t->err);
        if (t->status == ECG_OK && !pixels)
            t->status = ecg_image_encode_png(&image, take, t, &t->err);
        else if (t->status == ECG_OK && take(t, h->px, (size_t)s->size.h * s->size.w) != 0)
            t->status = ECG_ENOMEM;
    }
    return NULL;
}

/* Draw the chunk. */
static void draw(drawing *d, helper *h)
{
    uint32_t running = 1;
    for (uint32_t k = 1; k < d->step && pthread_create(&h[k].thread, NULL, work, &h[k]) == 0; k++)
        running++;
    work(&h[0]);
    for (uint32_t k = running; k < d->step; k++) /* those that could not be started */
        work(&h[k]);
    for (uint32_t k = 1; k < running; k++)
        pthread_join(h[k].thread, NULL);
}

static int add(const drawing *d, uint32_t k, ecg_pack_writer *const w[SYNTH_SPLITS])
{
    const stored *t = &d->item[k];
    const synth_picture p = synth_picture_at(d->s, d->first + k);
    const char *cls = ecg_beat_class_name(p.cls), code[] = {ecg_beat_class_code(p.cls), '\0'};
    char name[128], who[16];
    ecg_error err = {.status = ECG_OK};
    if (t->status != ECG_OK)
        return tool_error(t->status, &t->err);
    snprintf(who, sizeof who, "s%03u", p.patient);
    snprintf(name, sizeof name, "%s/%s_b%04u.png", cls, who, p.beat);
    const char *const values[] = {who, who, code, synth_splits[p.split]};
    const ecg_status s = ecg_pack_writer_add(w[p.split], name, d->label[p.split][p.cls], values, t->data,
                                             t->n, &err);
    return s == ECG_OK ? EXIT_DONE : tool_error(s, &err);
}

/* Classes are those that have pictures. */
static int open_writers(drawing *d, ecg_pack_writer *w[SYNTH_SPLITS])
{
    const synth_settings *s = d->s;
    static const char *const columns[] = {"patient", "record", "code", "split"};
    const char *classes[ECG_BEAT_CLASSES];
    ecg_pack_options o = ECG_PACK_OPTIONS_INIT;
    char path[4096];
    o.pixels = strcmp(s->pack, "pixels") == 0;
    o.h = o.pixels ? s->size.h : 0;
    o.w = o.pixels ? s->size.w : 0;
    o.classes = classes;
    for (uint32_t i = 0; i < s->count; i++) {
        const synth_picture p = synth_picture_at(s, i);
        d->label[p.split][p.cls] = 1;
    }
    o.columns = columns;
    o.column_count = 4;
    for (uint32_t k = 0; k < SYNTH_SPLITS; k++) {
        ecg_error err = {.status = ECG_OK};
        o.class_count = 0;
        for (uint32_t c = 0; c < ECG_BEAT_CLASSES; c++)
            if (d->label[k][c]) {
                classes[o.class_count] = ecg_beat_class_name((ecg_beat_class)c);
                d->label[k][c] = o.class_count++;
            }
        if (k == SYNTH_TEST && synth_train_patients(s) == s->patients)
            break;
        if (snprintf(path, sizeof path, "%s/%s", s->out, synth_splits[k]) >= (int)sizeof path)
            return tool_fail("a path below the output folder is too long");
        const ecg_status status = ecg_pack_writer_new(&w[k], path, &o, &err);
        if (status != ECG_OK)
            return tool_error(status, &err);
    }
    return EXIT_DONE;
}

static int draw_all(drawing *d, helper *h, ecg_pack_writer *const w[SYNTH_SPLITS])
{
    const uint32_t count = d->s->count;
    progress bar;
    int code = EXIT_DONE;
    progress_start(&bar, "drawing", (int)d->s->quiet);
    for (d->first = 0; d->first < count && code == EXIT_DONE; d->first += d->n) {
        d->n = count - d->first < CHUNK ? count - d->first : CHUNK;
        draw(d, h);
        for (uint32_t k = 0; k < d->n && code == EXIT_DONE; k++)
            code = add(d, k, w);
        progress_show(&bar, d->first + d->n, count, NULL);
        if (tool_interrupted() && code == EXIT_DONE)
            code = tool_fail("interrupted: %s is not complete", d->s->out);
    }
    progress_clear(&bar);
    return code;
}

int synth_pack(const synth_settings *s)
{
    ecg_pack_writer *w[SYNTH_SPLITS] = {NULL, NULL};
    const size_t pixels = (size_t)s->size.h * s->size.w;
    drawing d = {.s = s, .item = calloc(CHUNK, sizeof *d.item), .step = s->threads};
    helper *h = calloc(s->threads, sizeof *h);
    uint8_t *px = malloc(s->threads * pixels);
    int code = d.item && h && px ? open_writers(&d, w) : tool_fail("out of memory");
    for (uint32_t k = 0; code == EXIT_DONE && k < s->threads; k++)
        h[k] = (helper){.d = &d, .from = k, .px = px + k * pixels};
    if (code == EXIT_DONE)
        code = draw_all(&d, h, w);
    for (uint32_t k = 0; k < SYNTH_SPLITS; k++) {
        ecg_error err = {.status = ECG_OK};
        const ecg_status status = w[k] && code == EXIT_DONE ? ecg_pack_writer_finish(w[k], NULL, &err)
                                                            : ECG_OK;
        if (w[k] && code != EXIT_DONE)
            ecg_pack_writer_abandon(w[k]);
        if (status != ECG_OK)
            code = tool_error(status, &err);
    }
    for (uint32_t k = 0; d.item && k < CHUNK; k++)
        free(d.item[k].data);
    free(d.item);
    free(h);
    free(px);
    return code;
}
