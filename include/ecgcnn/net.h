/* net.h: networks as text, models, and running them. All that a program needs which only predicts.
 *
 *     ecg_error err;
 *     ecg_model *m = NULL;
 *     ecg_session *s = NULL;
 *     float probs[64]; // room for as many as ecg_model_classes(m) says
 *     if (ecg_model_load(&m, "beats.ecgm", NULL, &err) == ECG_OK && ecg_model_classes(m) <= 64 &&
 *         ecg_session_new(&s, m, NULL, &err) == ECG_OK &&
 *         ecg_session_run_file(s, "beat.png", probs, &err) == ECG_OK)
 *         printf("%s: %g\n", ecg_model_class(m, 0), (double)probs[0]);
 *     ecg_session_free(s);
 *     ecg_model_free(m);
 */
#ifndef ECGCNN_NET_H
#define ECGCNN_NET_H

#include "image.h"
#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Architecture: text to network ----
 *
 *     input 64x64x1; conv2d 32 3x3 relu; maxpool 2x2; flatten; dense 32; dense 6; softmax
 *
 * Items are separated by `;` or line ends; `#` starts a comment up to the end of the line. The first item is
 * `input HxWxC`. An item is a layer's name, its positional attributes in order, then `name=value` in any
 * order; a layer with parameters may end in the name of an activation. Immutable, share it freely. */
typedef struct ecg_spec ecg_spec;

/* `input` replaces the one of the text, or supplies it where the text has none; a zero field keeps the
 * text's; NULL: as in the text. `classes` > 0 replaces the size of the last dense layer. `text` may also be
 * the name of a preset. Errors: ECG_EINVAL or ECG_ESHAPE, naming the item; ECG_ELIMIT; ECG_ENOMEM. */
ECG_API ecg_status ecg_spec_parse(ecg_spec **out, const char *text, const ecg_shape *input, uint32_t classes,
                                  ecg_error *err);

/* Canonical text that parses to the same network; snprintf's rules (returns the length without the NUL,
 * writes at most cap bytes, always terminated when cap > 0). */
ECG_API size_t ecg_spec_print(const ecg_spec *s, char *buf, size_t cap);

/* Text of preset i, with its name and one line of help; NULL when there are no more. Static storage. */
ECG_API const char *ecg_preset(size_t i, const char **name, const char **help);

/* Layer kind i of those the text may use, with one line of help; NULL when there are no more. */
ECG_API const char *ecg_layer_kind(size_t i, const char **help);

typedef struct ecg_layer_info {
    const char *name; /* "conv2d" */
    ecg_shape out;
    uint64_t params; /* trainable */
    uint64_t state;  /* not trainable: running statistics */
    uint64_t macs;   /* multiply-adds of forward for one picture */
} ecg_layer_info;

ECG_API ecg_shape ecg_spec_input(const ecg_spec *s);
ECG_API uint32_t ecg_spec_outputs(const ecg_spec *s); /* values of the last layer: classes */
ECG_API uint64_t ecg_spec_params(const ecg_spec *s);  /* trainable */
ECG_API uint32_t ecg_spec_layers(const ecg_spec *s);
/* i < ecg_spec_layers(s). */
ECG_API ecg_layer_info ecg_spec_layer(const ecg_spec *s, uint32_t i);
/* Attributes of layer i as text ("32 3x3 pad=same"), snprintf's rules. */
ECG_API size_t ecg_spec_layer_text(const ecg_spec *s, uint32_t i, char *buf, size_t cap);
/* Parameter tensor i of the network (kernels, biases, statistics, in layer order): its name
 * ("1.conv2d.kernel": layers count from 1), valid as long as s is; NULL: no more. dims (may be NULL) takes
 * its shape, unused ends 0: a kernel is [kh][kw][in][out] or [in][out], any other [channels]. */
ECG_API const char *ecg_spec_tensor(const ecg_spec *s, size_t i, uint32_t dims[4]);
ECG_API void ecg_spec_free(ecg_spec *s); /* NULL is allowed */

/* ---- Model: network, weights, preprocessing, class names, provenance ----
 * Immutable and counted; share it freely between threads. */
typedef struct ecg_model ecg_model;

typedef struct ecg_load_options {
    uint32_t size;
    uint32_t max_layers; /* 0: 1024 */
    uint64_t max_bytes;  /* largest file, 0: 2 GiB */
    uint64_t max_params; /* 0: 400,000,000 */
    uint64_t max_arena;  /* bytes a session needs for one thread: a small file can ask for much. 0: 2 GiB */
    uint32_t in_place;   /* 1: use the weights where they lie, see below */
    uint32_t sha256;     /* 1: compute ecg_model_sha256 while reading, about 5 ms a megabyte */
} ecg_load_options;
#define ECG_LOAD_OPTIONS_INIT                                                                                \
    {                                                                                                        \
        sizeof(ecg_load_options), 0, 0, 0, 0, 0, 0                                                           \
    }

/* Read a model file. Whatever a file claims, no more memory is taken than it is long, and limits are checked
 * first. Errors: ECG_EIO, ECG_EFORMAT (no model file), ECG_EVERSION, ECG_ECORRUPT, ECG_ELIMIT,
 * ECG_ENUMERIC (a weight that is not finite), ECG_ENOMEM.
 *
 * With in_place the file is mapped into memory, read and checked once, and its weights are not copied:
 * processes that load the same file share them. A file that is replaced as ecg_model_save does it, or
 * removed, may be so at any time. One that another program overwrites in place changes the model, and one
 * that it cuts short, or a failing disk, ends this process with SIGBUS. That is why it is a choice: without
 * it a model depends on nothing once it is loaded. */
ECG_API ecg_status ecg_model_load(ecg_model **out, const char *path, const ecg_load_options *o,
                                  ecg_error *err);

/* The same from memory. With in_place, data that begins on a multiple of 64 bytes is not copied, and must
 * stay as it is until the model is freed; other data is copied all the same. */
ECG_API ecg_status ecg_model_load_memory(ecg_model **out, const void *data, size_t n,
                                         const ecg_load_options *o, ecg_error *err);

/* Write a model file, whole or not at all: into a temporary file beside it, to the disk, read back and
 * compared, and only then renamed. Who has the old file open or mapped keeps it. What killed processes left
 * in the folder (.ecg-PROCESS-NUMBER.tmp) is removed. Errors: ECG_EIO, ECG_ENOMEM. */
ECG_API ecg_status ecg_model_save(const ecg_model *m, const char *path, ecg_error *err);

/* ---- A model from outside weights, and its weights to the outside ---- */

/* What goes into the model file beside the weights; all copied. */
typedef struct ecg_model_info {
    uint32_t size;
    const ecg_preprocess *preprocess; /* needed */
    const char *const *classes;       /* needed: [outputs of the network] */
    const char *const *meta;          /* key, value, key, value, ..., NULL. NULL: none */
} ecg_model_info;

typedef struct ecg_tensor {
    const char *name;    /* as ecg_spec_tensor has it */
    const float *values; /* row after row, the last dimension running fastest */
    size_t count;
} ecg_tensor;

/* A model of this network with these weights, everything copied: each tensor of the network once, in any
 * order. It answers every picture, as it is, without rule and gate. Errors: ECG_EINVAL (a tensor is missing,
 * given twice, not the network's or of another count; a class name is empty, over 255 bytes or given twice;
 * the network does not end in softmax or reads other pictures than preprocess makes), ECG_ENUMERIC (a weight
 * is not finite, a variance is negative), ECG_ELIMIT (a network that ecg_model_load would refuse by its
 * default limits), ECG_ENOMEM. Any thread. */
ECG_API ecg_status ecg_model_new(ecg_model **out, const ecg_spec *s, const ecg_model_info *info,
                                 const ecg_tensor *tensor, size_t tensors, ecg_error *err);

/* Tensor i, in the order of ecg_spec_tensor: its values, valid as long as m is; NULL: no more. name and count
 * may be NULL. Any thread. */
ECG_API const float *ecg_model_tensor(const ecg_model *m, size_t i, const char **name, size_t *count);

/* Counts one more owner; returns m. */
ECG_API ecg_model *ecg_model_retain(ecg_model *m);
ECG_API void ecg_model_free(ecg_model *m); /* NULL is allowed */

/* All valid as long as the model is. */
ECG_API const ecg_spec *ecg_model_spec(const ecg_model *m);
ECG_API const ecg_preprocess *ecg_model_preprocess(const ecg_model *m);
ECG_API uint32_t ecg_model_classes(const ecg_model *m);
ECG_API const char *ecg_model_class(const ecg_model *m, uint32_t i); /* NULL: i out of range */

/* SHA-256 of the file the model was loaded from, 64 hexadecimal digits: what names it in a log. NULL where it
 * was not asked for (ecg_load_options.sha256), or not loaded. */
ECG_API const char *ecg_model_sha256(const ecg_model *m);

/* The same of n bytes in memory: 64 digits and a NUL into hex. Allocates nothing, cannot fail. Any thread. */
ECG_API void ecg_sha256(const void *data, size_t n, char hex[65]);

/* ---- Rule: what is made of a model's probabilities ----
 * Part of the model file. Probabilities of a session, and so everywhere, are those of the network at
 * `temperature`: p^(1/temperature), made to sum to 1, which never changes the most likely class. */
typedef enum ecg_threshold {
    ECG_THRESHOLD_NONE = 0,
    ECG_THRESHOLD_GIVEN = 1,    /* by hand */
    ECG_THRESHOLD_ERROR = 2,    /* at most `wanted` of the answers are wrong */
    ECG_THRESHOLD_COVERAGE = 3, /* at least `wanted` of the pictures get an answer */
} ecg_threshold;

typedef struct ecg_rule {
    uint32_t size;
    float temperature; /* 0.05..20; 0: 1, probabilities as the network gives them */
    float threshold;   /* 0..1: an answer of smaller probability is uncertain; 0: none is */
    ecg_threshold chosen_by;
    float wanted;      /* 0..1 */
    uint32_t pictures; /* the rule was fitted on so many; 0: it was not fitted */
    uint32_t apart;    /* 1: of patients who did not train the model; 0: that is not known */
} ecg_rule;
#define ECG_RULE_INIT                                                                                        \
    {                                                                                                        \
        sizeof(ecg_rule), 0.0f, 0.0f, ECG_THRESHOLD_NONE, 0.0f, 0, 0                                         \
    }

/* The rule of a model; temperature is never 0 here. */
ECG_API const ecg_rule *ecg_model_rule(const ecg_model *m);

/* A model that is m under another rule (NULL: none); weights are shared with m, which is kept alive. Errors:
 * ECG_EINVAL, naming the field; ECG_ENOMEM. */
ECG_API ecg_status ecg_model_with_rule(ecg_model **out, ecg_model *m, const ecg_rule *rule, ecg_error *err);

/* ---- Gate: is it a picture of a heartbeat at all? ----
 * Part of the model file, learned from training pictures (ecg_gate_fit in eval.h). A picture outside is
 * ECG_ANSWER_NOT_ECG: one of its looks (image.h) lies outside low..high, or the input of the network's last
 * dense layer (of the softmax, where there is none) lies too far from what it is for training pictures of any
 * class: with f[n] those values, folded to n where they are more, and z = factor f, the distance is that from
 * z to the nearest of the classes' centres. */
enum { ECG_GATE_FEATURES = 256 };
typedef struct ecg_gate {
    uint32_t size;
    uint32_t pictures;                     /* it was learned from so many training pictures, */
    uint32_t held_out;                     /* and its limits were set on so many others; 0: there were none */
    float low[ECG_LOOKS], high[ECG_LOOKS]; /* finite, low < high */
    float limit;                           /* of the distance, above 0 */
    uint32_t features;                     /* n: ecg_gate_features of the model, at most ECG_GATE_FEATURES */
    const float *factor; /* [n * (n + 1) / 2]: rows of a lower triangle, its diagonal above 0 */
    const float *centre; /* [classes][n] */
} ecg_gate;

/* The gate of a model, valid as long as it is; NULL: it has none and takes every picture. */
ECG_API const ecg_gate *ecg_model_gate(const ecg_model *m);

/* n of a gate for this model. */
ECG_API uint32_t ecg_gate_features(const ecg_model *m);

/* A model that is m with another gate, which is copied (NULL: none); weights as in ecg_model_with_rule.
 * Errors: ECG_EINVAL, naming the field; ECG_ENOMEM. */
ECG_API ecg_status ecg_model_with_gate(ecg_model **out, ecg_model *m, const ecg_gate *gate, ecg_error *err);

/* ---- Decision: what to say about a picture ---- */
typedef enum ecg_answer {
    ECG_ANSWER_OK = 0,
    ECG_ANSWER_UNCERTAIN = 1, /* better ask somebody else */
    ECG_ANSWER_NOT_ECG = 2,   /* no picture of a heartbeat as the model knows them */
} ecg_answer;

enum { ECG_MOST_REASONS = 6 };

typedef struct ecg_decision {
    ecg_answer answer;
    uint32_t best;                     /* the most likely class, the first of equals */
    float probability;                 /* of it */
    uint32_t reasons;                  /* why not OK: at least one then, else 0 */
    char reason[ECG_MOST_REASONS][96]; /* "probability 0.41 is below 0.9" */
    float score; /* of the gate: above 1 it is no ECG; 0 where the model has none, or the picture was not seen
                  */
} ecg_decision;

/* What the model's rule makes of probs[classes], as a session of it gave them. Cannot fail. Any thread. It
 * does not know the picture: whether that is an ECG at all, ecg_session_judge and its like say. */
ECG_API void ecg_decide(const ecg_model *m, const float *probs, ecg_decision *out);

/* "ok", "uncertain", "not_ecg"; NULL for a value that is none. */
ECG_API const char *ecg_answer_name(ecg_answer a);

/* Provenance: entry i as key and value ("epochs", "10"); false when there is none. And by key: NULL if
 * absent. */
ECG_API int ecg_model_meta_at(const ecg_model *m, size_t i, const char **key, const char **value);
ECG_API const char *ecg_model_meta(const ecg_model *m, const char *key);

/* ---- Model files: what is in them, and what is damaged ----
 * Walks a whole file, past damage where it can, and tells `chunk` of each chunk and `damage` of each damage,
 * in the order of the file; both may be NULL. The structs are valid during the call. */
typedef struct ecg_file_chunk {
    char tag[8];               /* "WGTS"; lib/format/FORMAT.md has them all */
    uint64_t offset;           /* of its first byte in the file */
    uint64_t bytes;            /* of its payload; the chunk has 16 more */
    uint32_t stored, computed; /* CRC-32 as it stands in the file, and that of its bytes */
    uint32_t known; /* 1: a model's; 2: a checkpoint's; 0: another program's or a later version's */
} ecg_file_chunk;

typedef struct ecg_file_damage {
    ecg_status status;
    uint64_t offset;     /* the byte of the file where it is, or where it begins */
    char chunk[8];       /* "WGTS"; "" where no chunk is concerned */
    char tensor[48];     /* "3.conv2d.kernel"; "" where none is known to be concerned */
    const char *message; /* "the file ends 1234 bytes early" */
} ecg_file_damage;

typedef struct ecg_verify_hooks {
    uint32_t size;
    void *payload;
    void (*chunk)(void *payload, const ecg_file_chunk *c);
    void (*damage)(void *payload, const ecg_file_damage *d);
} ecg_verify_hooks;
#define ECG_VERIFY_HOOKS_INIT                                                                                \
    {                                                                                                        \
        sizeof(ecg_verify_hooks), NULL, NULL, NULL                                                           \
    }

typedef struct ecg_verify_report {
    uint32_t size;
    uint32_t major, minor; /* of the format; 0: HEAD is damaged */
    uint32_t chunks, damages;
    uint32_t checkpoint;                /* 1: training can go on from it; the rest says how far it got */
    uint64_t bytes;                     /* of the file */
    uint64_t epochs, steps;             /* epochs done, and steps of the optimiser in all */
    uint64_t samples, samples_of_epoch; /* done of the epoch under way */
    char sha256[72]; /* of the file, 64 hexadecimal digits; "" where it could not be read */
} ecg_verify_report;
#define ECG_VERIFY_REPORT_INIT                                                                               \
    {                                                                                                        \
        sizeof(ecg_verify_report), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, ""                                          \
    }

/* ECG_OK: the file is whole, and ecg_model_load with these options takes it; a checkpoint can be gone on
 * from. Else the first damage, whose status and message are those of *err. `hooks` and `report` may be NULL.
 * Any thread. Also: ECG_EIO, ECG_ENOMEM, ECG_EINVAL, and ECG_ELIMIT for a file that is over
 * options->max_bytes. */
ECG_API ecg_status ecg_model_verify(const char *path, const ecg_load_options *o,
                                    const ecg_verify_hooks *hooks, ecg_verify_report *report, ecg_error *err);

/* ---- Session: runs a model ---- one caller at a time; several sessions may share a model. */
typedef struct ecg_session ecg_session;

typedef struct ecg_session_options {
    uint32_t size;
    uint32_t threads; /* 0: one per core this process may use; at most 256 are started */
} ecg_session_options;
#define ECG_SESSION_OPTIONS_INIT                                                                             \
    {                                                                                                        \
        sizeof(ecg_session_options), 0                                                                       \
    }

/* Allocates all that running needs, and keeps the model alive. While a session lives, OpenBLAS is held to one
 * thread per caller for the whole process. Errors: ECG_EINVAL, ECG_ENOMEM. */
ECG_API ecg_status ecg_session_new(ecg_session **out, ecg_model *m, const ecg_session_options *o,
                                   ecg_error *err);

/* A session in memory of the caller's, for a program that decides where its memory comes from: of one thread,
 * the caller's, for one picture at a time. _bytes: how much this model needs, and 0 when out of memory for
 * working it out. _new_in: memory[bytes], of any alignment, must stay where it is until the session is freed,
 * and is the caller's again then; nothing else is allocated for the session, now or when it runs, but a few
 * KiB that are free again when this returns. (The BLAS keeps its own buffers, which it takes once.) Answers
 * have the same bits as those of any other session. Errors: ECG_EINVAL (too few bytes: says how many),
 * ECG_ENOMEM. */
ECG_API size_t ecg_session_bytes(const ecg_model *m);
ECG_API ecg_status ecg_session_new_in(ecg_session **out, ecg_model *m, void *memory, size_t bytes,
                                      ecg_error *err);

/* x[n][h][w][c], prepared by ecg_preprocess_values; probs[n][classes], each row summing to 1. Allocates
 * nothing. The same picture gives the same bits whatever n, its place and the number of threads. */
ECG_API void ecg_session_run(ecg_session *s, const float *x, size_t n, float *probs);

/* 8-bit pixels as ecg_preprocess_load returns them, n pictures; probs[n][classes]. Allocates nothing.
 * ECG_ESHAPE when a picture is not of the size and colour the model reads. */
ECG_API ecg_status ecg_session_run_images(ecg_session *s, const ecg_image *img, size_t n, float *probs,
                                          ecg_error *err);

/* Read, prepare and predict one picture file; probs[classes]. Errors as ecg_pixels_load. */
ECG_API ecg_status ecg_session_run_file(ecg_session *s, const char *path, float *probs, ecg_error *err);

/* ---- Judging: probabilities and decision at once ----
 * The same probabilities, bit for bit, as ecg_session_run and its like; and a decision by the model's rule
 * and gate, which does not depend on the pictures beside it. */

/* x as in ecg_session_run; probs[n][classes], out[n]. Of the gate the distance alone is asked: nothing is
 * known of the picture. Allocates nothing. */
ECG_API void ecg_session_judge(ecg_session *s, const float *x, size_t n, float *probs, ecg_decision *out);

/* img as in ecg_session_run_images; look[n] is what they were before they were prepared (ecg_look_load),
 * NULL: not known, and not asked. Allocates nothing. ECG_ESHAPE. */
ECG_API ecg_status ecg_session_judge_images(ecg_session *s, const ecg_image *img, const ecg_look *look,
                                            size_t n, float *probs, ecg_decision *out, ecg_error *err);

/* Read, prepare and judge one picture file; probs[classes]. Errors as ecg_pixels_load. */
ECG_API ecg_status ecg_session_judge_file(ecg_session *s, const char *path, float *probs, ecg_decision *out,
                                          ecg_error *err);

/* The same from bytes in memory; `name` stands for the file in messages. */
ECG_API ecg_status ecg_session_judge_data(ecg_session *s, const void *data, size_t n, const char *name,
                                          float *probs, ecg_decision *out, ecg_error *err);

/* The same of a decoded picture of any size and of 1, 3 or 4 channels. ECG_EINVAL, ECG_ENOMEM. */
ECG_API ecg_status ecg_session_judge_image(ecg_session *s, const ecg_image *img, float *probs,
                                           ecg_decision *out, ecg_error *err);

ECG_API void ecg_session_free(ecg_session *s); /* NULL is allowed */

#ifdef __cplusplus
}
#endif
#endif
