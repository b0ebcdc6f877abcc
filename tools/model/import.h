/* import.h: models of other programs. Whatever reads a file (keras_*.c, onnx_*.c) fills an import_model, and
 * import_make turns that into one of ours. */
#ifndef ECG_TOOLS_IMPORT_H
#define ECG_TOOLS_IMPORT_H

#include "ecgcnn/net.h"

enum { IMPORT_NAME = 48, IMPORT_PAIRS = 64, IMPORT_NOTES = 16, IMPORT_NOTE = 240 };

/* What the file cannot say. */
typedef struct import_options {
    double rescale;   /* value = pixel * rescale; 0: not given */
    uint32_t h, w;    /* rows and columns, where the file leaves them open; 0: not given */
    uint32_t gray;    /* 1: three equal input channels become one */
    uint32_t softmax; /* 1: the network ends in logits, add the softmax */
} import_options;

typedef struct import_tensor {
    char name[IMPORT_NAME]; /* as ecg_spec_tensor has it: "1.conv2d.kernel" */
    float *value;           /* [count], in the order of ecg_spec_tensor */
    size_t count;
} import_tensor;

/* All zero to begin with; import_free frees what it holds. */
typedef struct import_model {
    char *text;          /* the network as ecg_spec_parse takes it; malloc */
    ecg_preprocess prep; /* but h, w and color, which follow from the network */
    import_tensor *tensor;
    size_t tensors;
    char **class_name; /* in the file; none: NULL */
    uint32_t classes;
    char *meta[2 * IMPORT_PAIRS + 1];     /* key, value, ..., NULL */
    char note[IMPORT_NOTES][IMPORT_NOTE]; /* what the user should know, one line each */
    size_t notes;
    float *zca;    /* what prep.zca points to; malloc, or NULL */
    ecg_rule rule; /* size 0: none */
} import_model;

/* Fill *err and return s: one line that names the file and what was expected. */
ecg_status import_fail(ecg_error *err, ecg_status s, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Room for one more tensor, set to zero; NULL after *err was filled. */
float *import_add(import_model *m, const char *name, size_t count, ecg_error *err);

/* The tensor of that name, or NULL. */
import_tensor *import_find(const import_model *m, const char *name);

/* One more line of provenance; one more note. What is too much is left out. */
void import_meta(import_model *m, const char *key, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void import_note(import_model *m, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The model. `classes` (count names) go before those of the file; where there are none, classes are numbered
 * "class 0". The model must not have more values than ecg_model_load takes. */
ecg_status import_make(ecg_model **out, const import_model *m, const char *const *classes, uint32_t count,
                       ecg_error *err);

void import_free(import_model *m);

/* ---- the formats ----
 * Each reads the file at `path` into *m, whose notes say what was changed on the way. ECG_EUNSUPPORTED: a
 * part of the program that would be needed was not built, or the model has what this library has not; the
 * message names it. *m is to be freed in any case. */
ecg_status import_keras_h5(import_model *m, const char *path, const import_options *o, ecg_error *err);
ecg_status import_keras_zip(import_model *m, const char *path, const import_options *o, ecg_error *err);
ecg_status import_onnx(import_model *m, const char *path, const import_options *o, ecg_error *err);

#endif
