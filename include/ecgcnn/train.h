/* train.h: training a network. */
#ifndef ECGCNN_TRAIN_H
#define ECGCNN_TRAIN_H

#include "comm.h"
#include "data.h"
#include "net.h"
#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum ecg_optimizer {
    ECG_ADAM = 0, /* Kingma & Ba 2015; epsilon added to the root of the corrected second moment */
    ECG_AMSGRAD,  /* Reddi et al. 2018, as in PyTorch */
    ECG_ADAMW,    /* Loshchilov & Hutter 2019: decoupled weight decay */
    ECG_SGD,      /* with momentum and Nesterov */
    ECG_RMSPROP,  /* Hinton; epsilon outside the root */
} ecg_optimizer;

typedef enum ecg_schedule {
    ECG_SCHEDULE_CONSTANT = 0,
    ECG_SCHEDULE_STEP,        /* lr * gamma^floor(epoch / every) */
    ECG_SCHEDULE_EXPONENTIAL, /* lr * gamma^(step / (every * steps per epoch)) */
    ECG_SCHEDULE_COSINE,      /* from lr to lr_min over all steps, after `warmup` epochs of linear rise */
    ECG_SCHEDULE_ONE_CYCLE,   /* Smith 2018: cosine from lr / 25 to lr in 30 % of the steps, to lr / 25e4 */
    ECG_SCHEDULE_PLATEAU,     /* lr *= gamma when validation loss (training loss without validation) has not
                                 fallen for `every` epochs, down to lr_min */
} ecg_schedule;

/* Names as on the command line: "adam", "amsgrad", "adamw", "sgd", "rmsprop"; "constant", "step",
 * "exponential", "cosine", "one-cycle", "plateau". _name: NULL for a value that is none. _parse: ECG_EINVAL.
 */
ECG_API const char *ecg_optimizer_name(ecg_optimizer o);
ECG_API const char *ecg_schedule_name(ecg_schedule s);
ECG_API ecg_status ecg_optimizer_parse(ecg_optimizer *out, const char *name);
ECG_API ecg_status ecg_schedule_parse(ecg_schedule *out, const char *name);

/* Fields whose default is not zero are set by the _INIT macro. */
typedef struct ecg_train_options {
    uint32_t size;
    uint32_t epochs;  /* 1..1e6 */
    uint32_t batch;   /* samples per step, 1..65536 */
    uint32_t threads; /* 0..256, 0: one per core this process may use */
    uint64_t seed;
    uint32_t shards; /* 0..1024 parts a batch is cut into; part of what decides the bits. 0: 16 */

    ecg_optimizer optimizer;
    float lr;           /* > 0 */
    float beta1, beta2; /* 0 <= beta < 1; beta2 is RMSprop's rho */
    float epsilon;      /* 0 < epsilon <= 1 */
    float momentum;     /* SGD and RMSprop, 0 <= m < 1 */
    uint32_t nesterov;  /* SGD: 1 */
    float weight_decay; /* kernels only. ADAMW: decoupled; others: added to the gradient (L2 / 2) */
    float l2;           /* loss += l2 * sum of squares of every kernel, as Keras' regularizers.l2 */
    float clip_norm;    /* scale the whole gradient down to this norm; 0: off */
    float clip_value;   /* clamp each gradient to +-this; 0: off */

    ecg_schedule schedule;
    uint32_t every;  /* epochs, see ecg_schedule; 1..1e6 */
    float gamma;     /* 0 < gamma <= 1 */
    float lr_min;    /* 0 <= lr_min <= lr */
    uint32_t warmup; /* COSINE: epochs, less than `epochs` */

    float label_smoothing;      /* 0 <= s < 1 */
    const float *class_weights; /* [classes], copied; NULL: all 1 */
    /* 1: divide by the sum of weights (as PyTorch does, without label smoothing); 0: by samples (Keras). A
     * sample has the weight of its label, also for the share of the loss that smoothing gives other classes.
     */
    uint32_t weighted_mean;
    /* Stop after this many epochs without a better validation loss (training loss without validation). 0:
     * never. */
    uint32_t early_stop;

    /* For one rank of a job of several processes, see comm.h; what it points to is copied. NULL: one process.
     */
    const ecg_comm *comm;
    ecg_reduce reduce;
    /* ECG_REDUCE_FAST only. 1: batch normalisation by the statistics of each rank's own samples, whose
     * running means are averaged; saves two exchanges for each such layer. 0: of the whole batch. */
    uint32_t local_statistics;
} ecg_train_options;
#define ECG_TRAIN_OPTIONS_INIT                                                                               \
    {                                                                                                        \
        sizeof(ecg_train_options), 10, 32, 0, 0, 0, ECG_ADAM, 1e-3f, 0.9f, 0.999f, 1e-7f, 0.0f, 0, 0.0f,     \
            0.0f, 0.0f, 0.0f, ECG_SCHEDULE_CONSTANT, 10, 0.1f, 0.0f, 0, 0.0f, NULL, 0, 0, NULL,              \
            ECG_REDUCE_EXACT, 0                                                                              \
    }

/* NULL options check the defaults. Errors: ECG_EINVAL, naming the field, the range and what was found. */
ECG_API ecg_status ecg_train_options_check(const ecg_train_options *o, ecg_error *err);

/* Owns the only mutable weights, and threads. One caller at a time; two trainers may run side by side. While
 * one lives, OpenBLAS is held to one thread per caller for the whole process. */
typedef struct ecg_trainer ecg_trainer;

typedef struct ecg_step {
    double loss;      /* of the batch, L2 included, before the step */
    uint64_t step;    /* steps done, this one included */
    uint32_t correct; /* predictions that were right */
    uint32_t n;
    float lr; /* used */
} ecg_step;

typedef struct ecg_epoch {
    uint32_t index; /* from 1 */
    uint32_t epochs;
    double loss, accuracy; /* over the training samples as they were seen, with dropout and augmentation */
    /* Means over validation as ecg_metrics_loss counts: -log p(truth), p at least 1e-7, without class
     * weights, smoothing and L2, which `loss` includes. NaN without validation. */
    double val_loss, val_accuracy;
    double seconds;
    float lr;      /* of the last step */
    uint32_t best; /* 1: best so far (by validation loss, or training loss without validation), and saved */
} ecg_epoch;

/* Where ecg_trainer_fit keeps what it needs to go on, so that neither an interruption nor a crash loses more
 * than the work since the last time. A checkpoint is a model file too, of the weights as they were then. */
typedef struct ecg_checkpoint_options {
    uint32_t size;
    /* Write here after each epoch, when a hook stops training, and as the next two say; whole or not at all,
     * and through to the disk. NULL: nowhere. */
    const char *path;
    uint64_t every_steps; /* and after so many steps of an epoch; 0: not */
    double every_seconds; /* and after the first step that ends so long after the last time; 0: not */
    /* Go on from this checkpoint as if training had never stopped: the same bits, with any number of threads.
     * Weights, optimiser and position are replaced, the best model goes to its file anew. NULL: begin. */
    const char *resume;
    /* What else decides the bits and a source cannot tell, as key, value, ..., NULL: which pictures, how they
     * are augmented. Kept in the checkpoint; a resumed run must give the same. At most 1000 pairs. NULL:
     * none.
     */
    const char *const *facts;
} ecg_checkpoint_options;
#define ECG_CHECKPOINT_OPTIONS_INIT                                                                          \
    {                                                                                                        \
        sizeof(ecg_checkpoint_options), NULL, 0, 0.0, NULL, NULL                                             \
    }

/* All may be NULL. Called from the thread that called ecg_trainer_fit. Nonzero stops training: fit returns
 * ECG_ECANCELLED, and the best model so far and the checkpoint are in their files. */
typedef struct ecg_fit_hooks {
    uint32_t size;
    int (*step)(void *payload, const ecg_step *s, size_t done, size_t total); /* samples of this epoch */
    int (*epoch)(void *payload, const ecg_epoch *e);
    void *payload;
    /* Before the first step, when everything has been checked: the epochs done before (resume), else count 0.
     * Nonzero: fit returns ECG_ECANCELLED and has written nothing. */
    int (*begin)(void *payload, const ecg_epoch *past, size_t count);
    int (*validation)(void *payload, size_t done, size_t total); /* now and then: samples validated */
    const ecg_checkpoint_options *checkpoint;
} ecg_fit_hooks;

/* Plan, allocate everything, initialise weights from the seed. The network must end in softmax.
 * Errors: ECG_EINVAL, ECG_ESHAPE, ECG_ELIMIT (also a network that ecg_model_load would refuse by its default
 * limits), ECG_ENOMEM (says how much was wanted). */
ECG_API ecg_status ecg_trainer_new(ecg_trainer **out, const ecg_spec *s, const ecg_train_options *o,
                                   ecg_error *err);

/* One step on x[n][h][w][c] and y[n], 1 <= n <= batch; out may be NULL. Allocates nothing. Errors: ECG_EINVAL
 * (n, a label), ECG_ENUMERIC (the loss is not finite; the weights are then those before the step). One rank
 * of several looks at its own samples only (ecg_trainer_share), places for the others must be there. */
ECG_API ecg_status ecg_trainer_step(ecg_trainer *t, const float *x, const uint32_t *y, size_t n,
                                    ecg_step *out, ecg_error *err);

/* Of a batch of n samples the ones that this rank computes: *count from *first on. *count may be 0. */
ECG_API void ecg_trainer_share(const ecg_trainer *t, size_t n, size_t *first, size_t *count);

/* All epochs. The best model goes to `best_path` whenever it improves (written whole or not at all; NULL:
 * nowhere). `val` may be NULL. Errors: those of step, of the sources and of writing; ECG_ECANCELLED;
 * ECG_ENUMERIC: a loss, an answer in validation or a weight is not finite (the message names epoch and step),
 * the last checkpoint and best model are as they were; of resuming: those of ecg_trainer_checkpoint_load, and
 * ECG_EINVAL for another number of samples. A resumed run may have other epochs, where the schedule does not
 * depend on them and the checkpoint has not gone further. */
ECG_API ecg_status ecg_trainer_fit(ecg_trainer *t, const ecg_source *train, const ecg_source *val,
                                   const ecg_model_info *info, const char *best_path,
                                   const ecg_fit_hooks *hooks, ecg_error *err);

/* Probabilities for x[n][h][w][c] with the weights as they are now, as a session would give:
 * probs[n][classes]. */
ECG_API void ecg_trainer_predict(ecg_trainer *t, const float *x, size_t n, float *probs);

/* A model with a copy of the weights as they are now. */
ECG_API ecg_status ecg_trainer_snapshot(const ecg_trainer *t, const ecg_model_info *info, ecg_model **out,
                                        ecg_error *err);

/* Write the weights as they are now to a model file, without copying them. */
ECG_API ecg_status ecg_trainer_save(const ecg_trainer *t, const ecg_model_info *info, const char *path,
                                    ecg_error *err);

/* For a training loop of your own: weights, running statistics, optimiser and number of steps to a file, and
 * back into a trainer of the same network, options (but threads and epochs), info (but meta) and facts (see
 * ecg_checkpoint_options; NULL: none). Load takes a checkpoint of ecg_trainer_fit too. Between steps. Errors
 * of load: those of ecg_model_load, ECG_EFORMAT (a model, no checkpoint), ECG_EINVAL (names what differs,
 * what the checkpoint has and what is here); t is then as it was. */
ECG_API ecg_status ecg_trainer_checkpoint_save(const ecg_trainer *t, const ecg_model_info *info,
                                               const char *const *facts, const char *path, ecg_error *err);
ECG_API ecg_status ecg_trainer_checkpoint_load(ecg_trainer *t, const ecg_model_info *info,
                                               const char *const *facts, const char *path, ecg_error *err);

/* Parameter tensor i (kernels, biases, statistics, in layer order): name ("1.conv2d.kernel"), values to read
 * and write between steps (a kernel is [kh][kw][in][out] or [in][out]), their number. NULL: no more. */
ECG_API float *ecg_trainer_tensor(ecg_trainer *t, size_t i, const char **name, size_t *count);

/* Bytes this trainer has allocated. */
ECG_API uint64_t ecg_trainer_bytes(const ecg_trainer *t);
ECG_API void ecg_trainer_free(ecg_trainer *t); /* NULL is allowed */

#ifdef __cplusplus
}
#endif
#endif
