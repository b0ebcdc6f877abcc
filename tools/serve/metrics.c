#define _POSIX_C_SOURCE 200809L
#include "serve/metrics.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "ecgcnn/version.h"

enum { BUCKETS = 13, MOST_ROWS = 512, NAME = 64 };

static const double edges[BUCKETS] = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10};

/* Requests of a route and a status; pictures of a class and an answer. */
typedef struct row {
    char name[NAME], other[16];
    uint64_t count;
} row;

typedef struct timing {
    char name[NAME];
    uint64_t bucket[BUCKETS + 1]; /* not cumulated; the last: longer */
    double seconds;
} timing;

typedef struct table {
    row *at;
    size_t count;
} table;

struct metrics {
    pthread_mutex_t lock;
    table requests, pictures;
    timing *time;
    size_t times;
    uint64_t in, out, loads[2], kept[2], refused, cut;
};

metrics *metrics_new(void)
{
    metrics *m = calloc(1, sizeof *m);
    if (m && pthread_mutex_init(&m->lock, NULL) != 0) {
        free(m);
        return NULL;
    }
    return m;
}

void metrics_free(metrics *m)
{
    if (!m)
        return;
    pthread_mutex_destroy(&m->lock);
    free(m->requests.at);
    free(m->pictures.at);
    free(m->time);
    free(m);
}

/* Room for one more of `size` bytes in an array of `count`. */
static int grow(void **at, size_t count, size_t size)
{
    if (count >= MOST_ROWS)
        return 0;
    void *more = realloc(*at, (count + 1) * size);
    if (!more)
        return 0;
    *at = more;
    memset((char *)more + count * size, 0, size);
    return 1;
}

/* Where the table cannot grow, the row is not counted. */
static void count(table *t, const char *name, const char *other)
{
    for (size_t i = 0; i < t->count; i++)
        if (strncmp(t->at[i].name, name, NAME - 1) == 0 && strcmp(t->at[i].other, other) == 0) {
            t->at[i].count++;
            return;
        }
    void *at = t->at;
    if (!grow(&at, t->count, sizeof *t->at))
        return;
    t->at = at;
    row *r = &t->at[t->count++];
    snprintf(r->name, sizeof r->name, "%s", name);
    snprintf(r->other, sizeof r->other, "%s", other);
    r->count = 1;
}

static void count_time(metrics *m, const char *route, double seconds)
{
    size_t i = 0;
    while (i < m->times && strcmp(m->time[i].name, route) != 0)
        i++;
    if (i == m->times) {
        void *at = m->time;
        if (!grow(&at, m->times, sizeof *m->time))
            return;
        m->time = at;
        snprintf(m->time[i].name, NAME, "%s", route);
        m->times++;
    }
    size_t b = 0;
    while (b < BUCKETS && seconds > edges[b])
        b++;
    m->time[i].bucket[b]++;
    m->time[i].seconds += seconds;
}

void metrics_request(metrics *m, const char *route, unsigned status, double seconds, uint64_t in,
                     uint64_t out)
{
    char code[16];
    snprintf(code, sizeof code, "%u", status);
    pthread_mutex_lock(&m->lock);
    count(&m->requests, route, code);
    count_time(m, route, seconds);
    m->in += in;
    m->out += out;
    pthread_mutex_unlock(&m->lock);
}

void metrics_picture(metrics *m, const char *cls, const char *answer)
{
    pthread_mutex_lock(&m->lock);
    count(&m->pictures, cls ? cls : "", cls ? answer : "failed");
    pthread_mutex_unlock(&m->lock);
}

static void add(metrics *m, uint64_t *to, uint64_t n)
{
    pthread_mutex_lock(&m->lock);
    *to += n;
    pthread_mutex_unlock(&m->lock);
}

void metrics_load(metrics *m, int done)
{
    add(m, &m->loads[done != 0], 1);
}

void metrics_refused(metrics *m)
{
    add(m, &m->refused, 1);
}

void metrics_cut(metrics *m, uint64_t n)
{
    add(m, &m->cut, n);
}

void metrics_kept(metrics *m, int done)
{
    add(m, &m->kept[done != 0], 1);
}

/* ---- Text ---- */

/* A label's value: backslash, quote and line end escaped. */
static void put_value(FILE *f, const char *text)
{
    fputc('"', f);
    for (; *text; text++) {
        if (*text == '\\' || *text == '"')
            fprintf(f, "\\%c", *text);
        else if (*text == '\n')
            fputs("\\n", f);
        else
            fputc(*text, f);
    }
    fputc('"', f);
}

static void head(FILE *f, const char *name, const char *type, const char *help)
{
    fprintf(f, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void put_table(FILE *f, const table *t, const char *name, const char *first, const char *second)
{
    for (size_t i = 0; i < t->count; i++) {
        fprintf(f, "%s{%s=", name, first);
        put_value(f, t->at[i].name);
        fprintf(f, ",%s=", second);
        put_value(f, t->at[i].other);
        fprintf(f, "} %llu\n", (unsigned long long)t->at[i].count);
    }
}

static void put_times(FILE *f, const metrics *m)
{
    static const char name[] = "ecg_serve_request_seconds";
    head(f, name, "histogram", "Time from the head of a request to the end of its answer.");
    for (size_t i = 0; i < m->times; i++) {
        const timing *t = &m->time[i];
        uint64_t sum = 0;
        for (size_t b = 0; b <= BUCKETS; b++) {
            sum += t->bucket[b];
            fprintf(f, "%s_bucket{route=\"%s\",le=\"", name, t->name);
            if (b < BUCKETS)
                fprintf(f, "%g", edges[b]);
            else
                fputs("+Inf", f);
            fprintf(f, "\"} %llu\n", (unsigned long long)sum);
        }
        fprintf(f, "%s_sum{route=\"%s\"} %.9g\n", name, t->name, t->seconds);
        fprintf(f, "%s_count{route=\"%s\"} %llu\n", name, t->name, (unsigned long long)sum);
    }
}

static void put_one(FILE *f, const char *name, const char *type, const char *help, uint64_t n)
{
    head(f, name, type, help);
    fprintf(f, "%s %llu\n", name, (unsigned long long)n);
}

static void put_two(FILE *f, const char *name, const char *help, const uint64_t n[2])
{
    head(f, name, "counter", help);
    fprintf(f, "%s{result=\"done\"} %llu\n%s{result=\"failed\"} %llu\n", name, (unsigned long long)n[1], name,
            (unsigned long long)n[0]);
}

void metrics_write(metrics *m, const metrics_now *now, FILE *f)
{
    pthread_mutex_lock(&m->lock);
    head(f, "ecg_serve_info", "gauge", "Version and model in use; always 1.");
    fprintf(f, "ecg_serve_info{version=\"%s\",model=", ecg_version());
    put_value(f, now->model);
    fprintf(f, ",sha256=\"%s\"} 1\n", now->sha256);
    head(f, "ecg_serve_requests_total", "counter", "Requests answered, by route and HTTP status.");
    put_table(f, &m->requests, "ecg_serve_requests_total", "route", "code");
    put_times(f, m);
    head(f, "ecg_serve_pictures_total", "counter", "Pictures, by the most likely class and the answer.");
    put_table(f, &m->pictures, "ecg_serve_pictures_total", "class", "answer");
    put_one(f, "ecg_serve_received_bytes_total", "counter", "Bytes of the bodies of requests.", m->in);
    put_one(f, "ecg_serve_sent_bytes_total", "counter", "Bytes of the bodies of answers.", m->out);
    put_two(f, "ecg_serve_model_loads_total", "Times the model file was loaded, or could not be.", m->loads);
    put_two(f, "ecg_serve_uploads_total", "Uploads that were kept, or could not be.", m->kept);
    put_one(f, "ecg_serve_connections_refused_total", "counter", "Connections over a limit.", m->refused);
    put_one(f, "ecg_serve_requests_limited_total", "counter", "Requests over the rate.", now->limited);
    put_one(f, "ecg_serve_connections_cut_total", "counter", "Connections that took too long.", m->cut);
    put_one(f, "ecg_serve_model_loaded_seconds", "gauge", "When the model was loaded, in Unix time.",
            (uint64_t)now->loaded);
    put_one(f, "ecg_serve_requests_in_flight", "gauge", "Requests under way.", now->requests);
    put_one(f, "ecg_serve_requests_waiting", "gauge", "Requests that wait for a thread.", now->waiting);
    put_one(f, "ecg_serve_connections", "gauge", "Connections there are.", now->connections);
    put_one(f, "ecg_serve_held_bytes", "gauge", "Bytes of bodies in memory.", now->held);
    pthread_mutex_unlock(&m->lock);
}
