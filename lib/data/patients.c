#include "data/patients.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "data/dataset.h"

struct row {
    const char *patient;
    uint32_t index;
};

static int by_patient(const void *a, const void *b)
{
    return strcmp(((const struct row *)a)->patient, ((const struct row *)b)->patient);
}

bool ecg__is_split(const ecg_dataset *d, size_t i)
{
    const char *split = ecg_dataset_part(d, i);
    return !split || strcmp(split, "test") != 0;
}

static const char *who(const ecg_dataset *d, size_t i, bool by_group)
{
    return by_group ? ecg_dataset_group(d, i) : ecg_dataset_patient(d, i);
}

/* of_sample by sorting names: what a folder needs. */
static bool number_names(struct ecg__patients *p, const ecg_dataset *d, bool by_group)
{
    const size_t n = ecg_dataset_samples(d);
    struct row *row = ecg__calloc(n, sizeof *row);
    size_t rows = 0;
    for (size_t i = 0; row && i < n; i++)
        if (ecg__is_split(d, i))
            row[rows++] = (struct row){who(d, i, by_group), (uint32_t)i};
    if (rows)
        qsort(row, rows, sizeof *row, by_patient);
    for (size_t i = 0; i < rows; i++) {
        p->count += i == 0 || strcmp(row[i - 1].patient, row[i].patient) != 0;
        p->of_sample[row[i].index] = (uint32_t)(p->count - 1);
    }
    ecg__free(row);
    return row != NULL;
}

/* of_sample from a pack's numbers, less those that no sample has. */
static bool number_words(struct ecg__patients *p, const ecg_dataset *d, bool by_group)
{
    const size_t n = ecg_dataset_samples(d);
    const uint32_t numbers = ecg__packed_numbers(d, by_group);
    uint32_t *rank = ecg__calloc(numbers, sizeof *rank);
    for (size_t i = 0; rank && i < n; i++)
        if (ecg__is_split(d, i))
            rank[ecg__packed_who(d, i, by_group)] = 1;
    for (uint32_t k = 0; rank && k < numbers; k++)
        if (rank[k])
            rank[k] = (uint32_t)p->count++;
    for (size_t i = 0; rank && i < n; i++)
        if (ecg__is_split(d, i))
            p->of_sample[i] = rank[ecg__packed_who(d, i, by_group)];
    ecg__free(rank);
    return rank != NULL;
}

/* Samples come class by class, so a patient's share ends where its class does. With `share` NULL, shares are
 * counted in start[patient + 1]. */
static void walk(struct ecg__patients *p, const ecg_dataset *d, uint32_t *last, size_t *at)
{
    const size_t n = ecg_dataset_samples(d);
    memset(last, 0xff, p->count * sizeof *last);
    for (size_t i = 0; i < n; i++) {
        if (!ecg__is_split(d, i))
            continue;
        const uint32_t k = p->of_sample[i], label = ecg_dataset_label(d, i);
        if (last[k] != label) {
            if (at)
                p->share[at[k]++] = (struct ecg__share){label, 0};
            else
                p->start[k + 1]++;
            last[k] = label;
        }
        if (at)
            p->share[at[k] - 1].count++;
        else
            p->class_count[label]++;
    }
}

static bool fill(struct ecg__patients *p, const ecg_dataset *d)
{
    uint32_t *last = ecg__calloc(p->count, sizeof *last);
    size_t *at = ecg__calloc(p->count, sizeof *at);
    p->start = ecg__calloc(p->count + 1, sizeof *p->start);
    bool ok = last && at && p->start;
    if (ok) {
        walk(p, d, last, NULL);
        for (size_t k = 0; k < p->count; k++) {
            p->start[k + 1] += p->start[k];
            at[k] = p->start[k];
        }
        p->share = ecg__calloc(p->start[p->count], sizeof *p->share);
        ok = p->share != NULL;
    }
    if (ok)
        walk(p, d, last, at);
    ecg__free(last);
    ecg__free(at);
    return ok;
}

ecg_status ecg__patients_init(struct ecg__patients *p, const ecg_dataset *d, bool by_group, ecg_error *err)
{
    const size_t n = ecg_dataset_samples(d);
    memset(p, 0, sizeof *p);
    for (size_t i = 0; i < n; i++)
        if (ecg__is_split(d, i) && !who(d, i, by_group)) {
            const ecg_sample *s = ecg_dataset_sample(d, i);
            return ecg__fail(err, ECG_EINVAL, "split by %s: no %s is named for %s",
                             by_group ? "group" : "patient", by_group ? "group" : "patient",
                             s ? s->path : "a picture");
        }
    p->classes = ecg_dataset_classes(d);
    p->of_sample = ecg__calloc(n, sizeof *p->of_sample);
    p->class_count = ecg__calloc(p->classes, sizeof *p->class_count);
    if (p->of_sample && p->class_count &&
        (d->packed ? number_words(p, d, by_group) : number_names(p, d, by_group)) && fill(p, d))
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
