/* What the programs over recordings share: a lead, and the annotated beats. */
#ifndef ECG_TESTS_RECORDS_H
#define ECG_TESTS_RECORDS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ecgcnn/beats.h"

enum { SKIPPED = 77, MOST_RECORDS = 128 };

/* Names of the records in `folder`, sorted: those with .hea and .atr. Returns how many. */
size_t records_find(char names[MOST_RECORDS][16], const char *folder);

struct lead {
    float *mv;
    size_t n;
    double rate;
    ecg_annotations *notes;
};

/* The lead that the recipe text asks for, and the annotations. Prints what is wrong; nonzero then. */
int lead_open(struct lead *l, const char *folder, const char *name, const char *recipe);
void lead_close(struct lead *l);

#endif
