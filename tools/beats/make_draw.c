/* Pictures of a plan, record by record, the beats of each on all threads. */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "beats/make.h"
#include "common/progress.h"
#include "common/start.h"
#include "ecgcnn/image.h"

typedef struct job {
    const make_plan *p;
    const ecg_painter *painter;
    const char *dir;
    progress bar;
    size_t end; /* of the items of this record */
    atomic_size_t next, done;
    atomic_int stop;
    pthread_mutex_t lock; /* over the bar and what follows */
    int code;
} job;

typedef struct helper {
    job *j;
    uint8_t *px;
    pthread_t thread;
} helper;

static void fail(job *j, ecg_status status, const ecg_error *err)
{
    pthread_mutex_lock(&j->lock);
    if (j->code == EXIT_DONE) {
        progress_clear(&j->bar);
        j->code = tool_error(status, err);
    }
    atomic_store(&j->stop, 1);
    pthread_mutex_unlock(&j->lock);
}

static void draw(job *j, uint8_t *px, size_t i)
{
    const make_item *item = &j->p->item[i];
    const ecg_shape shape = ecg_recipe_shape(j->p->recipe);
    const ecg_image image = {px, shape.w, shape.h, shape.c, (size_t)shape.w * shape.c};
    char name[256], path[MAKE_PATH];
    ecg_error err = {.status = ECG_ENOMEM, .message = "out of memory"};
    make_image_name(j->p, item, name, sizeof name);
    if (snprintf(path, sizeof path, "%s/%s", j->dir, name) >= (int)sizeof path) {
        snprintf(err.message, sizeof err.message, "a path below the output folder is too long");
        fail(j, ECG_EINVAL, &err);
        return;
    }
    ecg_status status = ecg_painter_draw(j->painter, item->beat, px);
    if (status == ECG_OK)
        status = ecg_image_save_png(&image, path, &err);
    if (status != ECG_OK)
        fail(j, status, &err);
}

static void *work(void *arg)
{
    const helper *h = arg;
    job *j = h->j;
    while (!atomic_load(&j->stop) && !tool_interrupted()) {
        const size_t i = atomic_fetch_add(&j->next, 1);
        if (i >= j->end)
            break;
        draw(j, h->px, i);
        const size_t done = atomic_fetch_add(&j->done, 1) + 1;
        if (pthread_mutex_trylock(&j->lock) == 0) {
            if (j->code == EXIT_DONE)
                progress_show(&j->bar, done, j->p->items, NULL);
            pthread_mutex_unlock(&j->lock);
        }
    }
    return NULL;
}

static void draw_beats(helper *h, uint32_t threads)
{
    uint32_t running = 1; /* this thread; fewer than asked for will do */
    while (running < threads && pthread_create(&h[running].thread, NULL, work, &h[running]) == 0)
        running++;
    work(&h[0]);
    for (uint32_t k = 1; k < running; k++)
        pthread_join(h[k].thread, NULL);
}

static int draw_record(job *j, helper *h, const make_record *r, const make_settings *s)
{
    leads l;
    ecg_painter *painter = NULL;
    ecg_error err = {0};
    int code = leads_open(&l, r->path, j->p->recipe, s->annotations, 1);
    if (code == EXIT_DONE) {
        const ecg_status status = ecg_painter_new(&painter, j->p->recipe, l.mv, l.second, l.n, l.rate, l.at,
                                                  l.count, &err);
        if (status != ECG_OK)
            code = tool_fail("%s: %s", r->path, err.message);
    }
    leads_close(&l);
    if (code == EXIT_DONE) {
        const size_t most = r->end - r->first;
        j->painter = painter;
        atomic_store(&j->next, r->first);
        j->end = r->end;
        draw_beats(h, s->threads < most ? s->threads : (uint32_t)most);
        code = j->code;
    }
    ecg_painter_free(painter);
    return code;
}

int make_draw(const make_plan *p, const make_settings *s, const char *dir)
{
    job j = {.p = p, .dir = dir, .code = EXIT_DONE};
    const ecg_shape shape = ecg_recipe_shape(p->recipe);
    const size_t pixels = (size_t)shape.h * shape.w * shape.c;
    helper *h = calloc(s->threads, sizeof *h);
    uint8_t *px = malloc(s->threads * pixels);
    int code = h && px ? EXIT_DONE : tool_fail("out of memory");
    if (code == EXIT_DONE) {
        pthread_mutex_init(&j.lock, NULL);
        progress_start(&j.bar, "drawing", (int)s->quiet);
        for (uint32_t k = 0; k < s->threads; k++)
            h[k] = (helper){.j = &j, .px = px + k * pixels};
        for (size_t i = 0; i < p->records && code == EXIT_DONE && !tool_interrupted(); i++)
            if (p->record[i].end > p->record[i].first)
                code = draw_record(&j, h, &p->record[i], s);
        progress_clear(&j.bar);
        pthread_mutex_destroy(&j.lock);
    }
    free(px);
    free(h);
    if (code == EXIT_DONE && atomic_load(&j.done) < p->items)
        return tool_fail("interrupted: nothing was made");
    return code;
}
