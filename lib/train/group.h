/* The ranks of a job, and how they tell each other what they must know in common. One process alone is a
 * group of one, in which nothing is called. */
#ifndef ECG_TRAIN_GROUP_H
#define ECG_TRAIN_GROUP_H

#include <stdbool.h>

#include "ecgcnn/train.h"

typedef struct ecg__group {
    ecg_comm comm;  /* ranks 1: alone */
    bool fast;      /* gradients are summed as they come */
    bool local;     /* batch normalisation by each rank's own samples */
    bool under_way; /* sums have been begun */
    bool lost;      /* a call has failed: there are no further ones */
    size_t *at;     /* [ranks + 1]: room for the caller of gather */
    size_t *other;  /* [ranks + 1] */
    void *words;    /* [ranks] of 8 bytes */
} ecg__group;

/* From the options. Errors: ECG_EINVAL (names the field), ECG_ENOMEM. */
ecg_status ecg__group_new(ecg__group *g, const ecg_train_options *o, ecg_error *err);
void ecg__group_end(ecg__group *g);

static inline bool ecg__group_alone(const ecg__group *g)
{
    return g->comm.ranks == 1;
}

static inline bool ecg__group_leads(const ecg__group *g)
{
    return g->comm.rank == 0;
}

/* The first of n items that rank r of `ranks` has; rank 0 has one at least if there is one. */
static inline size_t ecg__share(size_t n, uint32_t r, uint32_t ranks)
{
    return (n * r + ranks - 1) / ranks;
}

/* The functions of the communicator; nothing where one is alone. After a failure each returns it at once. */
ecg_status ecg__group_gather(ecg__group *g, void *data, const size_t *at, ecg_error *err);
ecg_status ecg__group_exchange(ecg__group *g, const void *send, const size_t *send_at, void *recv,
                               const size_t *recv_at, ecg_error *err);
ecg_status ecg__group_broadcast(ecg__group *g, void *data, size_t bytes, uint32_t root, ecg_error *err);
ecg_status ecg__group_sum(ecg__group *g, float *v, size_t n, ecg_error *err);
ecg_status ecg__group_sum_begin(ecg__group *g, float *v, size_t n, ecg_error *err);
ecg_status ecg__group_sum_end(ecg__group *g, ecg_error *err);

/* `items` of `bytes` each, cut evenly: those from ecg__share on are the rank's own. */
ecg_status ecg__group_gather_items(ecg__group *g, void *data, size_t items, size_t bytes, ecg_error *err);

/* All ranks meet. If s is an error on any, all return that of the lowest, with its message. */
ecg_status ecg__group_agree(ecg__group *g, ecg_status s, ecg_error *err);

/* The same where rank 0 alone has done something that may take long. */
ecg_status ecg__group_follow(ecg__group *g, ecg_status s, ecg_error *err);

/* Bits that any rank has set. */
ecg_status ecg__group_flags(ecg__group *g, uint32_t *flags, ecg_error *err);

/* The lowest rank whose number is not rank 0's; `ranks` where all agree. */
ecg_status ecg__group_compare(ecg__group *g, uint64_t number, uint32_t *rank, ecg_error *err);

#endif
