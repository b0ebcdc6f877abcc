/* keras.h: Keras models on the way from a file to an import_model. What libhdf5 reads (keras_h5.c) comes out
 * of a process of its own (keras_apart.c) as records (keras_records.c); the configuration becomes a chain of
 * layers (keras_config.c), those become network text (keras_layers.c), and weights find their places
 * (keras_weights.c). */
#ifndef ECG_TOOLS_KERAS_H
#define ECG_TOOLS_KERAS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "model/import.h"

enum {
    KERAS_LAYERS = 1024,
    KERAS_WEIGHTS = 8,        /* of a layer */
    KERAS_NAME = 512,         /* bytes of a name, NUL included */
    KERAS_CONFIG = 16 << 20,  /* most bytes of the configuration */
    KERAS_FLOATS = 400000000, /* most values of a model */
};

/* ---- What a file holds ---- */

typedef struct keras_weight {
    char name[KERAS_NAME];
    uint32_t rank, dims[4];
    size_t count;
    float *value; /* [count] */
} keras_weight;

typedef struct keras_group {
    char layer[KERAS_NAME];
    uint32_t weights;
    keras_weight weight[KERAS_WEIGHTS]; /* in the order of the layer */
} keras_group;

typedef struct keras_file {
    char *config; /* JSON text, or NULL */
    size_t config_bytes;
    char version[64]; /* of Keras, "" where it is not said */
    keras_group **group;
    size_t groups;
} keras_file;

void keras_file_free(keras_file *f);

/* ---- keras_records.c: the same as records in a stream ---- */

/* false: the stream does not take any more. */
bool keras_put_config(FILE *to, const char *text, size_t bytes);
bool keras_put_version(FILE *to, const char *text);
bool keras_put_group(FILE *to, const char *layer);
bool keras_put_weight(FILE *to, const char *name, uint32_t rank, const uint32_t dims[4], const float *value);
bool keras_put_end(FILE *to, ecg_status s, const ecg_error *err); /* err where s is not ECG_OK */

/* Read up to the end record, whose error is returned. *whole: there was an end record. Nothing in the stream
 * is believed: sizes are checked before anything is allocated. *out is to be freed in any case. */
ecg_status keras_records_read(keras_file *out, FILE *from, const char *path, bool *whole, ecg_error *err);

/* ---- keras_apart.c ---- */

/* work() in a child process of few rights and bounded memory, writing records that become *out. A child that
 * dies is an error like any other. `bytes`: of the file. */
typedef ecg_status keras_work(FILE *to, const void *ctx, ecg_error *err);
ecg_status keras_apart(keras_file *out, const char *path, uint64_t bytes, keras_work *work, const void *ctx,
                       ecg_error *err);

/* ---- keras_h5.c: to be called in the child alone ---- */

/* A file, or one in memory; `path` names it in messages. */
typedef struct keras_source {
    const char *path;
    const void *image; /* NULL: the file at path */
    uint64_t bytes;
    /* For the weights of a .keras file: names of groups, and which of several layouts does not matter. NULL:
     * a whole model with its configuration. */
    char (*group)[KERAS_NAME];
    size_t groups;
} keras_source;

keras_work keras_h5_model, keras_h5_weights; /* ctx: a keras_source */

/* ---- keras_config.c: the configuration as a chain of layers ---- */

typedef struct keras_layer {
    const char *kind, *name; /* "Conv2D", "conv2d_1" */
    const json_t *config;
} keras_layer;

typedef struct keras_chain {
    json_t *root;
    keras_layer *layer; /* without input layers */
    size_t layers;
    uint32_t h, w, c; /* 0: left open */
} keras_chain;

ecg_status keras_config_read(keras_chain *out, const char *text, size_t bytes, const char *path,
                             ecg_error *err);
void keras_chain_free(keras_chain *c);

/* The text of a member, NULL where there is none. */
const char *keras_string(const json_t *object, const char *key);

/* The name by which Keras files the weights of a layer kind: "Conv2D" -> "conv2d", "ReLU" -> "re_lu". */
void keras_snake(char out[KERAS_NAME], const char *kind);

/* ---- keras_layers.c: layers as network text, and where their weights go ---- */

/* Weight `nth` of a layer becomes a tensor; nth < 0: it has none, and all values are `fill`. */
typedef struct keras_place {
    char tensor[IMPORT_NAME];
    const keras_layer *layer;
    int nth;
    float fill;
    uint32_t rank; /* of the weight in the file */
    bool logistic; /* one output of a sigmoid, to become the second of two of a softmax */
    bool first;    /* kernel of the first layer with weights */
} keras_place;

typedef struct keras_plan {
    char *text;
    keras_place *place;
    size_t places;
    bool gray;
} keras_plan;

/* Also sets m->prep and notes, and the size of the input in *c. */
ecg_status keras_plan_make(keras_plan *out, keras_chain *c, const import_options *o, const char *path,
                           import_model *m, ecg_error *err);
void keras_plan_free(keras_plan *p);

/* How many weights of the file belong to a layer of the plan. */
uint32_t keras_plan_weights(const keras_plan *p, const keras_layer *l);

/* ---- keras_weights.c ---- */

/* The tensors of the plan's network, from the groups that bear the names of its layers. */
ecg_status keras_weights_take(import_model *m, const keras_plan *p, const keras_file *f, const char *path,
                              ecg_error *err);

/* ---- keras_zip.c ---- */

typedef struct keras_parts {
    char *config, *weights;
    size_t config_bytes, weights_bytes;
    char version[64];
} keras_parts;

/* config.json, model.weights.h5 and the version in metadata.json. */
ecg_status keras_zip_read(keras_parts *out, const char *path, ecg_error *err);
void keras_parts_free(keras_parts *p);

/* ---- keras.c ---- */

/* What import_keras_h5 does once it has the file, or one in memory. */
ecg_status keras_import(import_model *m, const keras_source *source, const import_options *o, ecg_error *err);

#endif
