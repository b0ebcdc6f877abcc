/* auditing.h: what is wrong with folders of pictures, for people, as JSON and as CSV. */
#ifndef ECG_TOOLS_AUDITING_H
#define ECG_TOOLS_AUDITING_H

#include <stdio.h>

#include "ecgcnn/audit.h"
#include "ecgcnn/data.h"

enum { AUDITING_MOST_SETS = 32 };

/* A picture, and what is not in its file. Strings belong to the dataset. */
typedef struct audited {
    const char *path, *label, *patient; /* patient: NULL where it is not known */
    uint32_t set;
} audited;

typedef struct auditing {
    ecg_audit *audit;
    audited *at; /* [count] as in the audit */
    size_t count, cap;
    char *set[AUDITING_MOST_SETS]; /* names: "data/train", "data:test" */
    size_t sets;
    ecg_dataset *opened[AUDITING_MOST_SETS];
    size_t open;
    char **label; /* distinct class names, sorted; of auditing_run */
    size_t labels;
} auditing;

/* All zero is empty. The pictures of a folder as one set, or as several: of train/, val/ and test/ in it, or
 * of the splits that its manifest names. `pattern` (NULL: none) finds the patient in a name, as
 * ecg_dataset_options' group_pattern. Returns 0 or the exit code; free with auditing_free in any case. */
int auditing_add_folder(auditing *a, const char *dir, const char *pattern);

/* Samples index[0..count) of a dataset that outlives the audit (NULL: all) as one set. */
int auditing_add_samples(auditing *a, const ecg_dataset *d, const uint32_t *index, size_t count,
                         const char *set);

/* Decode and compare. */
int auditing_run(auditing *a, uint32_t threads, int quiet);
void auditing_free(auditing *a);

/* Whether picture i is a copy, exact or near, of one in the set. */
int auditing_is_in_set(const auditing *a, size_t i, uint32_t set);

/* Figures of an audit. */
typedef struct audit_counts {
    size_t unreadable, blank, odd_size, odd_mode, odd_ground;
    size_t exact;        /* pictures with the pixels of one before them */
    size_t exact_across; /* pictures whose pixels another set has too */
    size_t near;         /* pairs */
    size_t across;       /* pictures of which another set has a copy, exact or near */
    size_t near_across;  /* of these, those that are no exact copies */
    size_t conflicts;    /* groups of copies that are filed under two classes or more */
    size_t exact_conflicts;
    size_t patients, patients_across; /* named; in two sets or more */
    size_t border[4]; /* background on each side in all readable pictures that are not blank */
} audit_counts;
int auditing_count(audit_counts *c, const auditing *a);

/* Short, for people; members of a JSON object without its braces; a CSV line for each picture. */
int auditing_print(const auditing *a, FILE *f);
int auditing_json(const auditing *a, FILE *f);
int auditing_csv(const auditing *a, const char *path);

#endif
