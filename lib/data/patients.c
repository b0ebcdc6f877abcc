#include "data/patients.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/status.h"

struct row {
    const char *patient;
    uint32_t label, index;
};

static int by_patient_and_class(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    const int d = strcmp(x->patient, y->patient);
    return d ? d : (x->label > y->label) - (x->label < y->label);
}

/* rows[0..n) are sorted. */
static void fill(struct ecg__patients *p, const struct row *row, size_t n)
{
    size_t shares = 0;
    p->count = 0;
    for (size_t i = 0; i < n; i++) {
        const bool next = i == 0 || strcmp(row[i - 1].patient, row[i].patient) != 0;
        if (next)
            p->start[p->count++] = shares;
        if (next || row[i - 1].label != row[i].label)
            p->share[shares++] = (struct ecg__share){row[i].label, 0};
        p->share[shares - 1].count++;
        p->of_sample[row[i].index] = (uint32_t)(p->count - 1);
        p->class_count[row[i].label]++;
    }
    p->start[p->count] = shares;
}

bool ecg__is_split(const ecg_dataset *d, size_t i)
{
    const char *split = ecg_dataset_sample(d, i)->split;
    return !split || strcmp(split, "test") != 0;
}

static const char *who(const ecg_dataset *d, size_t i, bool by_group)
{
    const ecg_sample *s = ecg_dataset_sample(d, i);
    return by_group ? s->group : s->patient;
}

ecg_status ecg__patients_init(struct ecg__patients *p, const ecg_dataset *d, bool by_group, ecg_error *err)
{
    const size_t n = ecg_dataset_samples(d);
    memset(p, 0, sizeof *p);
    for (size_t i = 0; i < n; i++)
        if (ecg__is_split(d, i) && !who(d, i, by_group))
            return ecg__fail(err, ECG_EINVAL, "split by %s: no %s is named for %s",
                             by_group ? "group" : "patient", by_group ? "group" : "patient",
                             ecg_dataset_sample(d, i)->path);
    p->classes = ecg_dataset_classes(d);
    p->of_sample = ecg__calloc(n, sizeof *p->of_sample);
    p->class_count = ecg__calloc(p->classes, sizeof *p->class_count);
    p->start = ecg__calloc(n + 1, sizeof *p->start);
    p->share = ecg__calloc(n, sizeof *p->share);
    struct row *row = ecg__calloc(n, sizeof *row);
    const bool ok = p->of_sample && p->class_count && p->start && p->share && row;
    if (ok) {
        size_t rows = 0;
        for (size_t i = 0; i < n; i++)
            if (ecg__is_split(d, i))
                row[rows++] = (struct row){who(d, i, by_group), ecg_dataset_sample(d, i)->label, (uint32_t)i};
        if (rows)
            qsort(row, rows, sizeof *row, by_patient_and_class);
        fill(p, row, rows);
    }
    ecg__free(row);
    if (ok)
        return ECG_OK;
    ecg__patients_free(p);
    return ecg__fail(err, ECG_ENOMEM, "split: out of memory for %zu pictures", n);
}

void ecg__patients_free(struct ecg__patients *p)
{
    ecg__free(p->of_sample);
    ecg__free(p->class_count);
    ecg__free(p->start);
    ecg__free(p->share);
    memset(p, 0, sizeof *p);
}
