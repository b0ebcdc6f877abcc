/* Where the time of a trainer goes. Hooks are one branch where timing is off. */
#ifndef ECG_TRAIN_PROFILE_H
#define ECG_TRAIN_PROFILE_H

#include "base/laps.h"
#include "train/tape.h"

enum { ECG__LAP_FETCH, ECG__LAP_LOSS, ECG__LAP_REDUCE, ECG__LAP_OPTIMIZER, ECG__LAP_LAYERS };

/* What the calling thread sees by the clock. */
enum { ECG__SPAN_STEPS, ECG__SPAN_VALIDATION, ECG__SPAN_SAVE, ECG__SPANS };
typedef struct ecg__span {
    uint64_t ns, pictures, count;
} ecg__span;

typedef struct ecg__profile {
    ecg__laps *step; /* ECG__LAP_FETCH..., then forward and then backward of each layer */
    ecg__laps *val;  /* as of an inference */
    ecg__span span[ECG__SPANS];
} ecg__profile;

/* NULL for NULL: timing is off. */
static inline ecg__lap_row *ecg__profile_row(const ecg__profile *p, uint32_t worker)
{
    return p ? ecg__laps_row(p->step, worker) : NULL;
}

static inline ecg__lap_row *ecg__profile_val_row(const ecg__profile *p, uint32_t worker)
{
    return p ? ecg__laps_row(p->val, worker) : NULL;
}

/* origin: of the operation's layer, in a network of so many layers before the softmax as it was written. */
static inline uint32_t ecg__op_lap(const ecg__op *op, uint32_t origin, uint32_t layers)
{
    return op->kind == ECG__OP_FETCH     ? ECG__LAP_FETCH
           : op->kind == ECG__OP_LOSS    ? ECG__LAP_LOSS
           : op->kind == ECG__OP_FORWARD ? ECG__LAP_LAYERS + origin
                                         : ECG__LAP_LAYERS + layers + origin;
}

/* 0 where timing is off. */
static inline uint64_t ecg__span_begin(const ecg__profile *p)
{
    return p ? ecg__nanoseconds() : 0;
}

static inline void ecg__span_end(ecg__profile *p, uint32_t which, uint64_t begin, uint64_t pictures)
{
    if (!p)
        return;
    ecg__span *s = &p->span[which];
    s->ns += ecg__nanoseconds() - begin;
    s->pictures += pictures;
    s->count++;
}

void ecg__profile_free(ecg__profile *p); /* NULL is allowed */

#endif
