/* ecg-eval --train: which of the evaluated pictures trained the model, and the figures of the others. */
#include <stdlib.h>
#include <string.h>

#include "common/auditing.h"
#include "common/parts.h"
#include "common/start.h"
#include "eval/eval.h"

enum { TRAINED = 0, EVALUATED = 1 };

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Patients of the training pictures, sorted; *count of them. */
static const char **trained_patients(const auditing *a, size_t *count)
{
    const char **v = calloc(a->count ? a->count : 1, sizeof *v);
    *count = 0;
    for (size_t i = 0; v && i < a->count; i++)
        if (a->at[i].set == TRAINED && a->at[i].patient)
            v[(*count)++] = a->at[i].patient;
    if (v)
        qsort(v, *count, sizeof *v, by_text);
    return v;
}

/* Whether a group of copies, by its first picture, has one that trained. */
static char *trained_groups(const auditing *a)
{
    char *v = calloc(a->count ? a->count : 1, 1);
    for (size_t i = 0; v && i < a->count; i++)
        if (a->at[i].set == TRAINED)
            v[ecg_audit_at(a->audit, i)->like] = 1;
    return v;
}

static int sort_out(leaks *l, const ecg_metrics *all, const auditing *a)
{
    size_t patients;
    const char **trained = trained_patients(a, &patients);
    char *group = trained_groups(a);
    const uint32_t classes = ecg_metrics_classes(all);
    ecg_status s = trained && group ? ecg_metrics_new(&l->clean, classes) : ECG_ENOMEM;
    if (s == ECG_OK && patients)
        s = ecg_metrics_new(&l->strangers, classes);
    uint64_t i = 0;
    for (size_t k = 0; s == ECG_OK && k < a->count; k++) {
        const audited *p = &a->at[k];
        if (p->set != EVALUATED)
            continue;
        const ecg_metrics_case c = ecg_metrics_at(all, i++);
        const int copied = group[ecg_audit_at(a->audit, k)->like];
        const int known = p->patient && patients &&
                          bsearch(&p->patient, trained, patients, sizeof *trained, by_text);
        l->copies += (size_t)copied;
        l->known += (size_t)known;
        if (!copied)
            s = ecg_metrics_add_patient(l->clean, c.truth, c.probs, c.patient);
        if (s == ECG_OK && !copied && !known && p->patient && l->strangers)
            s = ecg_metrics_add_patient(l->strangers, c.truth, c.probs, c.patient);
    }
    free(trained);
    free(group);
    return s == ECG_OK ? EXIT_DONE : tool_fail("%s", ecg_status_text(s));
}

/* What is wrong with the evaluated pictures themselves. */
static int find_flaws(leaks *l, const auditing *a, uint32_t evaluated)
{
    const char **first = calloc(a->count ? a->count : 1, sizeof *first); /* class of a set of copies */
    char *mixed = calloc(a->count ? a->count : 1, 1);
    for (size_t k = 0; first && mixed && k < a->count; k++) {
        const ecg_audit_found *p = ecg_audit_at(a->audit, k);
        if (a->at[k].set != evaluated || p->flags & ECG_AUDIT_UNREADABLE)
            continue;
        l->blank += (p->flags & ECG_AUDIT_BLANK) != 0;
        l->odd += (p->flags & (ECG_AUDIT_ODD_SIZE | ECG_AUDIT_ODD_MODE | ECG_AUDIT_ODD_GROUND)) != 0;
        if (!first[p->like]) {
            first[p->like] = a->at[k].label;
            continue;
        }
        l->repeated++;
        if (strcmp(first[p->like], a->at[k].label) != 0 && !mixed[p->like]) {
            mixed[p->like] = 1;
            l->conflicts++;
        }
    }
    const int ok = first && mixed;
    free(first);
    free(mixed);
    return ok ? EXIT_DONE : tool_fail("out of memory");
}

/* What --train names: its train/ where there is one, and of that what a manifest gives to the split 'train'.
 */
static int open_trained(pictures *t, const settings *s, const ecg_model *m)
{
    t->folder = parts_folder(s->train, "train");
    t->dir = t->folder ? t->folder : s->train;
    const int code = pictures_dataset(&t->data, s, m, t->dir);
    if (code != EXIT_DONE)
        return code;
    t->index = parts_of_manifest(t->data, "train", &t->count);
    t->count = t->index ? t->count : ecg_dataset_samples(t->data);
    return EXIT_DONE;
}

int leaks_find(leaks *l, const ecg_model *m, const settings *s, const ecg_metrics *all,
               const ecg_dataset *data, const uint32_t *answered)
{
    pictures t = {0};
    auditing a = {0};
    *l = (leaks){0};
    int code = s->train ? open_trained(&t, s, m) : EXIT_DONE;
    if (code == EXIT_DONE && s->train)
        code = auditing_add_samples(&a, t.data, t.index, t.count, "training");
    if (code == EXIT_DONE)
        code = auditing_add_samples(&a, data, answered, (size_t)ecg_metrics_count(all), "evaluated");
    if (code == EXIT_DONE)
        code = auditing_run(&a, s->threads, (int)s->quiet);
    if (code == EXIT_DONE && s->train)
        code = sort_out(l, all, &a);
    if (code == EXIT_DONE)
        code = find_flaws(l, &a, s->train ? EVALUATED : 0);
    auditing_free(&a);
    pictures_free(&t);
    return code;
}

void leaks_free(leaks *l)
{
    ecg_metrics_free(l->clean);
    ecg_metrics_free(l->strangers);
    *l = (leaks){0};
}

int leaks_print(const leaks *l, int json, FILE *f)
{
    if (!json) {
        fprintf(f, "\n%zu of these pictures trained the model (exact or near copies)\n", l->copies);
        judge_print_brief(l->clean, "without them", f);
        if (l->strangers) {
            fprintf(f, "%zu are of patients who trained the model\n", l->known);
            judge_print_brief(l->strangers, "without those too", f);
        }
        return EXIT_DONE;
    }
    fprintf(f, ",\"leaked\":%zu,\"without_leaked\":", l->copies);
    int code = judge_json_brief(l->clean, f);
    if (code == EXIT_DONE && l->strangers) {
        fprintf(f, ",\"of_trained_patients\":%zu,\"other_patients\":", l->known);
        code = judge_json_brief(l->strangers, f);
    }
    return code;
}
