/* heatmap.h: a picture with the heat of its answer over it, and a scale beside it. */
#ifndef ECG_TOOLS_PREDICT_HEATMAP_H
#define ECG_TOOLS_PREDICT_HEATMAP_H

#include "ecgcnn/eval.h"

typedef struct heatmap_settings {
    const char *path; /* NULL: none wanted */
    const char *kind; /* "gradcam", "occlusion" */
    uint32_t layer, threads;
} heatmap_settings;

/* What is drawn: the picture as it was read (`file`, NULL: `prepared`, at the shape of `look`). */
typedef struct heatmap_picture {
    const char *file;
    ecg_image prepared;
    const ecg_look *look;
    const ecg_decision *decision;
    size_t number; /* above 0: "-NUMBER" goes before the ending of the path */
} heatmap_picture;

/* The name that picture `number` is written to, allocated. NULL: out of memory. */
char *heatmap_name(const char *path, size_t number);

/* Returns 0 or the exit code. */
int heatmap_write(ecg_model *m, const heatmap_settings *s, const heatmap_picture *p);

#endif
