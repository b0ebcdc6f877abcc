/* samples.h: pictures to try with one click, drawn when the server starts. */
#ifndef ECG_TOOLS_SERVE_SAMPLES_H
#define ECG_TOOLS_SERVE_SAMPLES_H

#include "serve/classes.h"

enum { SAMPLES_MOST = 12 };

typedef struct sample {
    char slug[CLASS_SLUG]; /* /samples/SLUG.png */
    char label[96];        /* text: "Normal" */
    unsigned char *png;
    size_t size;
    uint32_t width, height;
} sample;

typedef struct samples {
    sample of[SAMPLES_MOST];
    size_t count;
} samples;

/* One synthetic beat for each class of the model that the generator knows, as the model's pictures were drawn
 * (by the recipe in the model, else as `ecg-beats synth` draws, else any way that the model's gate takes),
 * and rings, which are no heartbeat. Immutable once made; freed with samples_free. Errors: ECG_ENOMEM and
 * those of drawing. */
ecg_status samples_make(samples **out, ecg_model *m, ecg_error *err);
void samples_free(samples *s); /* NULL is allowed */

/* By slug; NULL: there is none. */
const sample *samples_find(const samples *s, const char *slug);

#endif
