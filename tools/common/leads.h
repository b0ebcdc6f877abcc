/* leads.h: a recording in memory, as a recipe wants it, and its beats. */
#ifndef ECG_TOOLS_LEADS_H
#define ECG_TOOLS_LEADS_H

#include "ecgcnn/beats.h"

typedef struct leads {
    char name[64]; /* of the record */
    float *mv;     /* [n] */
    float *second; /* [n], or NULL where the recipe draws none */
    size_t n;
    double rate;
    char lead[64]; /* its name */
    /* Beats, ascending: QRS complexes and flutter waves. */
    uint64_t *at;
    char *code; /* [count] annotation codes; '?' for beats that were found, not annotated */
    size_t count;
    int found;    /* by the detector */
    size_t other; /* annotations that are no beats */
} leads;

/* Read a recording: `signals` 0 leaves mv and second out where beats are annotated. `annotator` ("atr") names
 * the file beside the record; "none" runs the detector; "auto" takes atr where that file is, else the
 * detector. Messages are printed. 0 or the exit code; free with leads_close in any case. */
int leads_open(leads *l, const char *path, const ecg_recipe *r, const char *annotator, int signals);
void leads_close(leads *l);

#endif
