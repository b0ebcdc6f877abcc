/* Inside a model. */
#ifndef ECG_NET_MODEL_H
#define ECG_NET_MODEL_H

#include <stdatomic.h>

#include "net/spec.h"

/* One entry of provenance. */
typedef struct ecg__meta {
    char *key, *value;
} ecg__meta;

struct ecg_model {
    atomic_uint owners;
    ecg_spec *spec;
    ecg_preprocess prep; /* checked */
    float *zca;          /* prep.zca, or NULL */
    uint32_t classes;    /* = ecg_spec_outputs(spec) */
    char **class_name;   /* [classes] */
    size_t metas;
    ecg__meta *meta;
    float *weights;  /* [spec->floats], 64-byte aligned */
    bool borrowed;   /* weights are someone else's (ecg_trainer_save, base), or lie in `map` */
    ecg_model *base; /* whose weights these are, kept alive; NULL: none */
    ecg_rule rule;   /* checked */
    ecg_gate *gate;  /* checked; NULL: none */
    void *map;       /* the file, where it was loaded in place */
    size_t map_bytes;
    char sha256[65]; /* of the file; "" where it is not known */
};

/* A model from its parts; all are copied, except `weights`, which is taken over (freed with ecg__free by the
 * model, on failure by the caller) or, with `borrow`, left to its owner. meta: key, value, ..., NULL; may be
 * NULL. Errors: ECG_EINVAL (a class name empty, over 255 bytes, twice; their number; preprocessing of another
 * shape than the network's input), ECG_ENUMERIC (a weight not finite), ECG_ENOMEM. */
ecg_status ecg__model_new(ecg_model **out, const ecg_spec *spec, const ecg_preprocess *prep,
                          const char *const *classes, uint32_t class_count, const char *const *meta,
                          float *weights, bool borrow, ecg_error *err);

/* decision.c: the same model once more: weights are m's, which is kept alive. ECG_ENOMEM. */
ecg_status ecg__model_again(ecg_model **out, ecg_model *m, ecg_error *err);

#endif
