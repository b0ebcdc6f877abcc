/* augmenting.h: what ecg-train says and shows about augmentation. */
#ifndef ECG_TOOLS_AUGMENTING_H
#define ECG_TOOLS_AUGMENTING_H

#include <stdio.h>

#include "common/parts.h"
#include "ecgcnn/augment.h"

/* --augment-help: presets and parameters. */
void augmenting_help(FILE *f);

/* The canonical text of the options: allocated, NULL when out of memory. */
char *augmenting_text(const ecg_augment_options *o);

/* A line on stderr where pictures are changed into what is no heartbeat. */
void augmenting_notes(const ecg_augment_options *o);

/* --augment-preview: write a contact sheet, for each class some training pictures, each with several draws to
 * its right. What is in which row goes to stdout. Returns 0 or the exit code. */
typedef struct preview {
    const char *path;
    const parts *parts;
    const ecg_preprocess *prep;
    const ecg_augment_options *augment;
    uint64_t seed;
    uint32_t threads, skip_bad;
    int quiet;
} preview;
int augmenting_preview(const preview *v);

#endif
