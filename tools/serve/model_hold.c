#define _POSIX_C_SOURCE 200809L
#include "serve/model_hold.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/start.h"

enum { MOST_CARD = 1 << 20 };

struct model_holder {
    pthread_mutex_t lock; /* of `now` */
    model_hold *now;
    model_source source;
};

__attribute__((format(printf, 3, 4))) static ecg_status fail(ecg_error *err, ecg_status s, const char *fmt,
                                                             ...)
{
    va_list args;
    va_start(args, fmt);
    err->status = s;
    vsnprintf(err->message, sizeof err->message, fmt, args);
    va_end(args);
    return s;
}

/* A text file whole, with a NUL. */
static ecg_status read_card(char **out, const char *path, ecg_error *err)
{
    *out = NULL;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fail(err, ECG_EIO, "%s: %s", path, strerror(errno));
    char *text = malloc(MOST_CARD + 2);
    size_t n = 0;
    ssize_t got = 1;
    while (text && n <= MOST_CARD && got > 0) {
        got = read(fd, text + n, MOST_CARD + 1 - n);
        n += got > 0 ? (size_t)got : 0;
    }
    const int why = errno;
    close(fd);
    ecg_status s = ECG_OK;
    if (!text)
        s = fail(err, ECG_ENOMEM, "%s: out of memory", path);
    else if (got < 0)
        s = fail(err, ECG_EIO, "%s: %s", path, strerror(why));
    else if (n > MOST_CARD)
        s = fail(err, ECG_ELIMIT, "%s: more than %d bytes, which is no model card", path, MOST_CARD);
    else if (memchr(text, '\0', n))
        s = fail(err, ECG_EFORMAT, "%s: holds zero bytes, expected text", path);
    if (s != ECG_OK) {
        free(text);
        return s;
    }
    text[n] = '\0';
    *out = text;
    return ECG_OK;
}

static void hold_free(model_hold *m)
{
    for (uint32_t i = 0; m->session && i < m->info.threads; i++)
        ecg_session_free(m->session[i]);
    free(m->session);
    samples_free(m->samples);
    free(m->card);
    ecg_model_free(m->info.model);
    free(m);
}

static ecg_status open_sessions(model_hold *m, ecg_error *err)
{
    ecg_session_options o = ECG_SESSION_OPTIONS_INIT;
    o.threads = 1;
    m->session = calloc(m->info.threads, sizeof(ecg_session *));
    if (!m->session)
        return fail(err, ECG_ENOMEM, "out of memory");
    ecg_status s = ECG_OK;
    for (uint32_t i = 0; i < m->info.threads && s == ECG_OK; i++)
        s = ecg_session_new(&m->session[i], m->info.model, &o, err);
    return s;
}

static ecg_status hold_new(model_hold **out, const model_source *source, ecg_error *err)
{
    model_hold *m = calloc(1, sizeof *m);
    *out = NULL;
    if (!m)
        return fail(err, ECG_ENOMEM, "out of memory");
    ecg_load_options o = ECG_LOAD_OPTIONS_INIT;
    o.sha256 = 1;
    m->info = source->settings;
    atomic_init(&m->owners, 1);
    ecg_status s = ecg_model_load(&m->info.model, source->path, &o, err);
    if (s == ECG_OK && source->card)
        s = read_card(&m->card, source->card, err);
    if (s == ECG_OK)
        s = open_sessions(m, err);
    if (s == ECG_OK && samples_make(&m->samples, m->info.model, err) != ECG_OK)
        tool_warn("no samples to try: %s", err->message); /* the server does well without */
    if (s != ECG_OK) {
        hold_free(m);
        return s;
    }
    const char *slash = strrchr(source->path, '/');
    m->info.name = slash ? slash + 1 : source->path;
    m->info.sha256 = ecg_model_sha256(m->info.model);
    m->info.card = m->card;
    m->info.loaded = time(NULL);
    *out = m;
    return ECG_OK;
}

ecg_status model_holder_new(model_holder **out, const model_source *source, ecg_error *err)
{
    model_holder *h = calloc(1, sizeof *h);
    *out = NULL;
    if (!h)
        return fail(err, ECG_ENOMEM, "out of memory");
    h->source = *source;
    const ecg_status s = hold_new(&h->now, source, err);
    if (s != ECG_OK || pthread_mutex_init(&h->lock, NULL) != 0) {
        model_hold_drop(h->now);
        free(h);
        return s != ECG_OK ? s : fail(err, ECG_ENOMEM, "out of memory");
    }
    *out = h;
    return ECG_OK;
}

ecg_status model_holder_reload(model_holder *h, ecg_error *err)
{
    model_hold *fresh = NULL;
    const ecg_status s = hold_new(&fresh, &h->source, err);
    if (s != ECG_OK)
        return s;
    pthread_mutex_lock(&h->lock);
    model_hold *old = h->now;
    h->now = fresh;
    pthread_mutex_unlock(&h->lock);
    model_hold_drop(old);
    return ECG_OK;
}

model_hold *model_holder_take(model_holder *h)
{
    pthread_mutex_lock(&h->lock);
    model_hold *m = h->now;
    atomic_fetch_add(&m->owners, 1);
    pthread_mutex_unlock(&h->lock);
    return m;
}

void model_hold_drop(model_hold *m)
{
    if (m && atomic_fetch_sub(&m->owners, 1) == 1)
        hold_free(m);
}

void model_holder_free(model_holder *h)
{
    if (!h)
        return;
    model_hold_drop(h->now);
    pthread_mutex_destroy(&h->lock);
    free(h);
}
