/* A reference case: parameters and tensors, as a manifest names them, and how they are compared. */
#ifndef ECG_GOLDEN_NN_CASE_H
#define ECG_GOLDEN_NN_CASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { GOLDEN_MAX_TENSORS = 32, GOLDEN_MAX_RANK = 5, GOLDEN_LINE = 16384 };

/* How the file's axes become ours. */
typedef enum golden_layout {
    GOLDEN_PLAIN,
    GOLDEN_PICTURE, /* ...CHW to ...HWC; other ranks stay */
    GOLDEN_KERNEL,  /* out in kh kw to kh kw in out; out in to in out */
} golden_layout;

typedef struct golden_tensor {
    char key[32];
    uint32_t rank;
    size_t dims[GOLDEN_MAX_RANK], count;
    float *data;
    bool moved; /* already in our layout */
} golden_tensor;

typedef struct golden_case {
    char name[64], kind[64];
    char params[1024];
    uint32_t tensors;
    golden_tensor tensor[GOLDEN_MAX_TENSORS];
    bool failed;
    char why[512]; /* the first thing that was wrong */
} golden_case;

/* Cut one line of the manifest (which is changed) and read the tensors from `dir`. */
void golden_open(golden_case *c, const char *dir, char *line);
void golden_close(golden_case *c);

/* Note a failure; false. */
bool golden_fail(golden_case *c, const char *fmt, ...);

bool golden_has(const golden_case *c, const char *key);

/* In our layout. NULL, and the case has failed, when there is none of that name. */
golden_tensor *golden_get(golden_case *c, const char *key, golden_layout layout);

/* max |got - want| <= 1e-4 max |want| + 1e-6 and as many of them, or the case fails. */
bool golden_compare(golden_case *c, const char *key, const float *got, const float *want, size_t got_count,
                    size_t want_count);
bool golden_match(golden_case *c, const char *key, golden_layout layout, const float *got, size_t count);

/* Parameter as text; NULL when there is none. Valid until the next call. */
const char *golden_param(const golden_case *c, const char *key);
double golden_number(const golden_case *c, const char *key, double fallback);

/* Numbers of a list "1,2,3", up to `max`; how many there are. */
size_t golden_list(const char *text, double *out, size_t max);

/* Kinds of cases: golden_nn_layers.c, golden_nn_train.c. NULL ends a table. */
typedef struct golden_kind {
    const char *kind;
    void (*run)(golden_case *c);
} golden_kind;

extern const golden_kind golden_layer_kinds[], golden_train_kinds[];

#endif
