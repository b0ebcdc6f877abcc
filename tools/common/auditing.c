#define _POSIX_C_SOURCE 200809L
#include "common/auditing.h"

#include <stdlib.h>
#include <string.h>

#include "common/parts.h"
#include "common/progress.h"
#include "common/start.h"

/* ---- Sets ---- */
static int add_set(auditing *a, const char *name)
{
    if (a->sets == AUDITING_MOST_SETS)
        return tool_fail("more than %d sets of pictures", AUDITING_MOST_SETS);
    if (!a->audit && ecg_audit_new(&a->audit) != ECG_OK)
        return tool_fail("out of memory");
    a->set[a->sets] = strdup(name);
    if (!a->set[a->sets])
        return tool_fail("out of memory");
    a->sets++;
    return EXIT_DONE;
}

static int add_sample(auditing *a, const ecg_dataset *d, size_t i, uint32_t set)
{
    const ecg_sample *s = ecg_dataset_sample(d, i);
    if (!s)
        return tool_fail("out of memory");
    if (a->count == a->cap) {
        audited *more = realloc(a->at, (a->cap = 2 * a->cap + 256) * sizeof *more);
        if (!more)
            return tool_fail("out of memory");
        a->at = more;
    }
    a->at[a->count++] = (audited){s->path, ecg_dataset_class(d, s->label), s->group, set};
    const ecg_status status = ecg_audit_add_sample(a->audit, d, i);
    return status == ECG_OK ? EXIT_DONE : tool_fail("%s", ecg_status_text(status));
}

int auditing_add_samples(auditing *a, const ecg_dataset *d, const uint32_t *index, size_t count,
                         const char *set)
{
    int code = add_set(a, set);
    for (size_t i = 0; code == EXIT_DONE && i < count; i++)
        code = add_sample(a, d, index ? index[i] : i, (uint32_t)a->sets - 1);
    return code;
}

/* The samples that a manifest gives to a split, or to none of the usual (NULL). */
static int add_split(auditing *a, const ecg_dataset *d, const char *dir, const char *split)
{
    char name[4096];
    int code = EXIT_DONE, named = 0;
    for (size_t i = 0; code == EXIT_DONE && i < ecg_dataset_samples(d); i++) {
        const char *named_in = ecg_dataset_part(d, i), *own = named_in ? named_in : "";
        const int usual = strcmp(own, "train") == 0 || strcmp(own, "val") == 0 || strcmp(own, "test") == 0;
        if (split ? strcmp(own, split) != 0 : usual)
            continue;
        if (!named) {
            snprintf(name, sizeof name, split ? "%s:%s" : "%s", dir, split ? split : "");
            code = add_set(a, name);
            named = 1;
        }
        if (code == EXIT_DONE)
            code = add_sample(a, d, i, (uint32_t)a->sets - 1);
    }
    return code;
}

static int add_plain_folder(auditing *a, const char *dir, const char *pattern)
{
    static const char *const splits[] = {"train", "val", "test", NULL};
    ecg_dataset_options o = ECG_DATASET_OPTIONS_INIT;
    ecg_error err = {0};
    if (a->open == AUDITING_MOST_SETS)
        return tool_fail("more than %d folders of pictures", AUDITING_MOST_SETS);
    o.group_pattern = pattern;
    ecg_dataset **d = &a->opened[a->open];
    const ecg_status s = ecg_dataset_open(d, dir, &o, &err);
    if (s != ECG_OK)
        return tool_error(s, &err);
    a->open++;
    int code = EXIT_DONE;
    for (size_t i = 0; code == EXIT_DONE && i < 4; i++)
        code = add_split(a, *d, dir, splits[i]);
    return code;
}

int auditing_add_folder(auditing *a, const char *dir, const char *pattern)
{
    static const char *const names[] = {"train", "val", "test"};
    char *folder[3];
    int code = EXIT_DONE;
    for (size_t i = 0; i < 3; i++)
        folder[i] = parts_folder(dir, names[i]);
    if (folder[0] && (folder[1] || folder[2])) {
        for (size_t i = 0; code == EXIT_DONE && i < 3; i++)
            if (folder[i])
                code = add_plain_folder(a, folder[i], pattern);
    } else {
        code = add_plain_folder(a, dir, pattern);
    }
    for (size_t i = 0; i < 3; i++)
        free(folder[i]);
    return code;
}

/* ---- Running ---- */
static int show(void *payload, size_t done, size_t total)
{
    progress_show(payload, done, total, NULL);
    return tool_interrupted();
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int list_labels(auditing *a)
{
    char **all = calloc(a->count ? a->count : 1, sizeof *all);
    if (!all)
        return tool_fail("out of memory");
    for (size_t i = 0; i < a->count; i++)
        all[i] = (char *)(uintptr_t)a->at[i].label;
    qsort(all, a->count, sizeof *all, by_text);
    for (size_t i = 0; i < a->count; i++)
        if (i == 0 || strcmp(all[i], all[i - 1]) != 0)
            all[a->labels++] = all[i];
    a->label = all;
    return EXIT_DONE;
}

int auditing_run(auditing *a, uint32_t threads, int quiet)
{
    ecg_audit_options o = ECG_AUDIT_OPTIONS_INIT;
    ecg_error err = {0};
    progress bar;
    progress_start(&bar, "auditing", quiet);
    o.threads = threads;
    o.progress = show;
    o.payload = &bar;
    const ecg_status s = ecg_audit_run(a->audit, &o, &err);
    progress_clear(&bar);
    return s == ECG_OK ? list_labels(a) : tool_error(s, &err);
}

void auditing_free(auditing *a)
{
    ecg_audit_free(a->audit);
    for (size_t i = 0; i < a->sets; i++)
        free(a->set[i]);
    for (size_t i = 0; i < a->open; i++)
        ecg_dataset_free(a->opened[i]);
    free(a->at);
    free(a->label);
    *a = (auditing){0};
}

int auditing_is_in_set(const auditing *a, size_t i, uint32_t set)
{
    const uint32_t like = ecg_audit_at(a->audit, i)->like;
    for (size_t k = like; k < a->count; k++)
        if (a->at[k].set == set && ecg_audit_at(a->audit, k)->like == like && k != i)
            return 1;
    return 0;
}

/* ---- Counting ---- */

/* For groups of copies: which sets they are in (a bit each), and one of their classes. */
typedef struct group {
    uint32_t sets;
    const char *label;
    int conflict;
} group;

static void join(group *g, const audited *p)
{
    g->sets |= UINT32_C(1) << p->set;
    g->conflict |= g->label && strcmp(g->label, p->label) != 0;
    g->label = g->label ? g->label : p->label;
}

static int is_across(uint32_t sets)
{
    return (sets & (sets - 1)) != 0;
}

typedef struct named {
    const char *patient;
    uint32_t set;
} named;

static int by_patient(const void *a, const void *b)
{
    const named *x = a, *y = b;
    const int d = strcmp(x->patient, y->patient);
    return d ? d : (x->set > y->set) - (x->set < y->set);
}

static int count_patients(audit_counts *c, const auditing *a)
{
    named *v = calloc(a->count ? a->count : 1, sizeof *v);
    size_t n = 0;
    if (!v)
        return tool_fail("out of memory");
    for (size_t i = 0; i < a->count; i++)
        if (a->at[i].patient)
            v[n++] = (named){a->at[i].patient, a->at[i].set};
    qsort(v, n, sizeof *v, by_patient);
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i; end < n && strcmp(v[end].patient, v[i].patient) == 0;)
            end++;
        c->patients++;
        c->patients_across += v[end - 1].set != v[i].set;
    }
    free(v);
    return EXIT_DONE;
}

static void count_flags(audit_counts *c, const ecg_audit_found *f)
{
    c->unreadable += (f->flags & ECG_AUDIT_UNREADABLE) != 0;
    c->blank += (f->flags & ECG_AUDIT_BLANK) != 0;
    c->odd_size += (f->flags & ECG_AUDIT_ODD_SIZE) != 0;
    c->odd_mode += (f->flags & ECG_AUDIT_ODD_MODE) != 0;
    c->odd_ground += (f->flags & ECG_AUDIT_ODD_GROUND) != 0;
    if (f->flags & (ECG_AUDIT_UNREADABLE | ECG_AUDIT_BLANK))
        return;
    for (int k = 0; k < 4; k++)
        c->border[k] = f->border[k] < c->border[k] ? f->border[k] : c->border[k];
}

int auditing_count(audit_counts *c, const auditing *a)
{
    const size_t n = a->count ? a->count : 1;
    *c = (audit_counts){.border = {SIZE_MAX, SIZE_MAX, SIZE_MAX, SIZE_MAX}};
    group *same = calloc(n, sizeof *same), *like = calloc(n, sizeof *like);
    if (!same || !like) {
        free(same);
        free(like);
        return tool_fail("out of memory");
    }
    for (size_t i = 0; i < a->count; i++) {
        const ecg_audit_found *f = ecg_audit_at(a->audit, i);
        count_flags(c, f);
        c->exact += f->same != i;
        join(&same[f->same], &a->at[i]);
        join(&like[f->like], &a->at[i]);
    }
    for (size_t i = 0; i < a->count; i++) {
        const ecg_audit_found *f = ecg_audit_at(a->audit, i);
        const int exact = is_across(same[f->same].sets), any = is_across(like[f->like].sets);
        c->exact_across += (size_t)exact;
        c->across += (size_t)any;
        c->near_across += any && !exact;
        c->conflicts += f->like == i && like[i].conflict;
        c->exact_conflicts += f->same == i && same[i].conflict;
    }
    for (int k = 0; k < 4; k++)
        c->border[k] = c->border[k] == SIZE_MAX ? 0 : c->border[k];
    ecg_audit_near(a->audit, &c->near);
    free(same);
    free(like);
    return count_patients(c, a);
}
