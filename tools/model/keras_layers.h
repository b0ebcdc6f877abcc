/* keras_layers.h: what keras_layers.c, which goes through the layers, and keras_kinds.c, which knows them,
 * share. */
#ifndef ECG_TOOLS_KERAS_LAYERS_H
#define ECG_TOOLS_KERAS_LAYERS_H

#include "model/keras.h"

/* "conv2d" and " 32 3x3 pad=same" */
typedef struct keras_item_text {
    const char *kind;
    char attributes[160];
} keras_item_text;

typedef struct keras_work_at {
    keras_plan *out;
    import_model *model; /* notes and preprocessing */
    const char *path;
    ecg_error *err;
    const keras_layer *at;
    keras_item_text *item; /* [KERAS_LAYERS] */
    size_t items;
    uint32_t channels; /* of the input */
    bool flat;         /* the shape is of one dimension now */
    bool padded;       /* a ZeroPadding2D waits for its Conv2D: top, bottom, left, right */
    uint32_t pad[4];
    bool noted;                 /* another precision was spoken of */
    uint32_t units;             /* of the last Dense */
    double scale[4], offset[4]; /* of a Rescaling in front; scale[0] 0: there is none */
} keras_work_at;

/* What a layer kind becomes. */
typedef struct keras_kind {
    const char *name;
    ecg_status (*take)(keras_work_at *w); /* w->at */
    bool activated;                       /* it may have an activation */
} keras_kind;

/* NULL: not known. */
const keras_kind *keras_kind_of(const char *name);

/* An activation as Keras writes it: a name, or a layer or function with its own configuration. NULL: none. */
ecg_status keras_activation(keras_work_at *w, const json_t *activation);

/* ---- keras_layers.c ---- */

/* Refuse w->at: "FILE: layer "name" (Kind): why". */
ecg_status keras_refuse(const keras_work_at *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* One more item; its attributes begin with a space. */
ecg_status keras_item(keras_work_at *w, const char *kind, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* A tensor of the last item: weight nth of w->at, of so many dimensions; or `fill`, where nth is negative. */
ecg_status keras_place_add(keras_work_at *w, const char *tensor, int nth, float fill, uint32_t rank);

/* Members of the configuration of w->at. */
ecg_status keras_uint(const keras_work_at *w, const char *key, uint32_t least, uint32_t most, uint32_t *out);
ecg_status keras_pair(const keras_work_at *w, const char *key, const uint32_t fallback[2], uint32_t out[2]);
ecg_status keras_number(const keras_work_at *w, const char *key, double fallback, double *out);
bool keras_flag(const keras_work_at *w, const char *key, bool fallback);
ecg_status keras_channels_last(const keras_work_at *w);
ecg_status keras_last_axis(const keras_work_at *w, const char *key);

#endif
