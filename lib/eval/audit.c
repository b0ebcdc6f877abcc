#include "eval/audit.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/status.h"

enum { MOST_PICTURES = 1 << 30, CHUNK = 512 };

ecg_status ecg_audit_new(ecg_audit **out)
{
    *out = ecg__calloc(1, sizeof **out);
    return *out ? ECG_OK : ECG_ENOMEM;
}

void ecg_audit_free(ecg_audit *a)
{
    if (!a)
        return;
    for (size_t i = 0; i < a->count; i++) {
        ecg__free(a->file[i].path);
        if (a->print)
            ecg__free(a->print[i].profile);
    }
    ecg__free(a->file);
    ecg__free(a->found);
    ecg__free(a->print);
    ecg__free(a->near);
    ecg__free(a);
}

static ecg_status add(ecg_audit *a, const char *path, const ecg_dataset *set, size_t index)
{
    if (a->found)
        return ECG_EINVAL;
    if (a->count == MOST_PICTURES)
        return ECG_ELIMIT;
    if (a->count == a->cap) {
        const size_t cap = a->cap ? 2 * a->cap : 256;
        ecg__audited *more = ecg__calloc(cap, sizeof *more);
        if (!more)
            return ECG_ENOMEM;
        if (a->count)
            memcpy(more, a->file, a->count * sizeof *more);
        ecg__free(a->file);
        a->file = more;
        a->cap = cap;
    }
    char *own = ecg__strdup(path);
    if (!own)
        return ECG_ENOMEM;
    a->file[a->count++] = (ecg__audited){own, set, index};
    return ECG_OK;
}

ecg_status ecg_audit_add(ecg_audit *a, const char *path)
{
    return add(a, path, NULL, 0);
}

ecg_status ecg_audit_add_sample(ecg_audit *a, const ecg_dataset *d, size_t i)
{
    const ecg_sample *s = ecg_dataset_sample(d, i);
    if (!s)
        return i < ecg_dataset_samples(d) ? ECG_ENOMEM : ECG_EINVAL;
    return add(a, s->path, d, i);
}

size_t ecg_audit_count(const ecg_audit *a)
{
    return a->count;
}

const char *ecg_audit_path(const ecg_audit *a, size_t i)
{
    return a->file[i].path;
}

const ecg_audit_found *ecg_audit_at(const ecg_audit *a, size_t i)
{
    return &a->found[i];
}

const ecg_audit_pair *ecg_audit_near(const ecg_audit *a, size_t *count)
{
    *count = a->near_count;
    return a->near;
}

/* ---- Reading ---- */
struct reading {
    ecg_audit *a;
    size_t first;
};

static void read_one(void *ctx, size_t item, uint32_t worker)
{
    (void)worker;
    const struct reading *r = ctx;
    const size_t i = r->first + item;
    ecg_audit_found *f = &r->a->found[i];
    const ecg_status s = ecg__audit_read(&r->a->file[i], f, &r->a->print[i], NULL, NULL);
    if (s == ECG_OK)
        return;
    *f = (ecg_audit_found){.flags = ECG_AUDIT_UNREADABLE, .status = s};
}

static ecg_status read_all(ecg_audit *a, ecg__pool *pool, const ecg_audit_options *o, ecg_error *err)
{
    struct reading r = {a, 0};
    for (size_t n; r.first < a->count; r.first += n) {
        n = a->count - r.first < CHUNK ? a->count - r.first : CHUNK;
        ecg__parallel_for(pool, n, read_one, &r);
        for (size_t i = r.first; i < r.first + n; i++)
            if (a->found[i].status == ECG_ENOMEM)
                return ecg__fail(err, ECG_ENOMEM, "audit: out of memory for %s", a->file[i].path);
        if (o->progress && o->progress(o->payload, r.first + n, a->count) != 0)
            return ecg__fail(err, ECG_ECANCELLED, "audit: stopped by the caller after %zu of %zu pictures",
                             r.first + n, a->count);
    }
    return ECG_OK;
}

/* ---- What most have ---- */
static uint64_t size_of(const ecg_audit_found *f)
{
    return (uint64_t)f->w << 32 | f->h;
}

static uint64_t mode_of(const ecg_audit_found *f)
{
    return (uint64_t)f->jpeg << 16 | f->channels << 8 | f->bits;
}

static uint64_t ground_of(const ecg_audit_found *f)
{
    return f->ground;
}

static int by_value(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static uint64_t commonest(const ecg_audit *a, uint64_t *v, uint64_t (*of)(const ecg_audit_found *f))
{
    size_t n = 0, most = 0;
    uint64_t best = 0;
    for (size_t i = 0; i < a->count; i++)
        if (!(a->found[i].flags & ECG_AUDIT_UNREADABLE))
            v[n++] = of(&a->found[i]);
    if (n)
        qsort(v, n, sizeof *v, by_value);
    for (size_t i = 0, from = 0; i < n; i++) {
        if (i && v[i] != v[i - 1])
            from = i;
        if (i - from + 1 > most) {
            most = i - from + 1;
            best = v[i];
        }
    }
    return best;
}

static ecg_status find_odd(ecg_audit *a)
{
    uint64_t *v = ecg__calloc(a->count + 1, sizeof *v);
    if (!v)
        return ECG_ENOMEM;
    const uint64_t size = commonest(a, v, size_of), mode = commonest(a, v, mode_of);
    const int ground = (int)commonest(a, v, ground_of);
    for (size_t i = 0; i < a->count; i++) {
        ecg_audit_found *f = &a->found[i];
        if (f->flags & ECG_AUDIT_UNREADABLE)
            continue;
        f->flags |= (size_of(f) != size ? ECG_AUDIT_ODD_SIZE : 0) |
                    (mode_of(f) != mode ? ECG_AUDIT_ODD_MODE : 0) |
                    (abs((int)f->ground - ground) > 16 ? ECG_AUDIT_ODD_GROUND : 0);
    }
    ecg__free(v);
    return ECG_OK;
}

/* ---- Copies ---- */
struct key {
    uint64_t hash[2];
    uint32_t picture;
};

static int by_hash(const void *a, const void *b)
{
    const struct key *x = a, *y = b;
    for (int i = 0; i < 2; i++)
        if (x->hash[i] != y->hash[i])
            return x->hash[i] < y->hash[i] ? -1 : 1;
    return (x->picture > y->picture) - (x->picture < y->picture);
}

static ecg_status find_same(ecg_audit *a)
{
    struct key *key = ecg__calloc(a->count + 1, sizeof *key);
    if (!key)
        return ECG_ENOMEM;
    for (int of_pixels = 0; of_pixels < 2; of_pixels++) {
        size_t n = 0, first = 0;
        for (size_t i = 0; i < a->count; i++) {
            const uint64_t *h = of_pixels ? a->print[i].pixels : a->print[i].bytes;
            a->found[i].same = of_pixels ? (uint32_t)i : a->found[i].same;
            a->found[i].same_bytes = of_pixels ? a->found[i].same_bytes : (uint32_t)i;
            if (!(a->found[i].flags & ECG_AUDIT_UNREADABLE))
                key[n++] = (struct key){{h[0], h[1]}, (uint32_t)i};
        }
        if (n)
            qsort(key, n, sizeof *key, by_hash);
        for (size_t i = 0; i < n; i++) {
            if (i && (key[i].hash[0] != key[i - 1].hash[0] || key[i].hash[1] != key[i - 1].hash[1]))
                first = i;
            ecg_audit_found *f = &a->found[key[i].picture];
            *(of_pixels ? &f->same : &f->same_bytes) = key[first].picture;
        }
    }
    ecg__free(key);
    return ECG_OK;
}

static uint32_t root_of(ecg_audit *a, uint32_t i)
{
    while (a->found[i].like != i) {
        a->found[i].like = a->found[a->found[i].like].like;
        i = a->found[i].like;
    }
    return i;
}

/* Copies of copies are copies; the first of all stands for them. */
static void join(ecg_audit *a)
{
    for (size_t i = 0; i < a->count; i++)
        a->found[i].like = a->found[i].same;
    for (size_t i = 0; i < a->near_count; i++) {
        const uint32_t x = root_of(a, a->near[i].a), y = root_of(a, a->near[i].b);
        a->found[x > y ? x : y].like = x < y ? x : y;
    }
    for (size_t i = 0; i < a->count; i++)
        a->found[i].like = root_of(a, (uint32_t)i);
}

ecg_status ecg_audit_run(ecg_audit *a, const ecg_audit_options *options, ecg_error *err)
{
    ecg_audit_options o = ECG_AUDIT_OPTIONS_INIT;
    ecg__pool *pool = NULL;
    ecg_status s = ecg__options_copy(&o, sizeof o, options, "audit options", err);
    if (s != ECG_OK)
        return s;
    if (a->found)
        return ecg__fail(err, ECG_EINVAL, "audit: has run already");
    a->found = ecg__calloc(a->count + 1, sizeof *a->found);
    a->print = ecg__calloc(a->count + 1, sizeof *a->print);
    s = a->found && a->print ? ecg__pool_new(&pool, o.threads) : ECG_ENOMEM;
    if (s != ECG_OK)
        return ecg__fail(err, s, "audit: out of memory for %zu pictures", a->count);
    s = read_all(a, pool, &o, err);
    if (s == ECG_OK) {
        s = find_same(a);
        if (s == ECG_OK)
            s = find_odd(a);
        if (s != ECG_OK)
            ecg__fail(err, s, "audit: out of memory");
    }
    if (s == ECG_OK && !o.exact)
        s = ecg__audit_find_near(a, pool, &o, err);
    if (s == ECG_OK)
        join(a);
    ecg__pool_free(pool);
    return s;
}
