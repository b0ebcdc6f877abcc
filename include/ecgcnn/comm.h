/* comm.h: training by several processes at once, its ranks.
 *
 * The library knows no network. Whoever has one (MPI, sockets, threads) fills in an ecg_comm and gives it to
 * every rank's trainer by ecg_train_options.comm; `ecg-train-mpi` does so over MPI. Each rank has a trainer
 * of the same network and options and calls the same functions in the same order: ecg_trainer_step or
 * ecg_trainer_fit. They compute together what one process would, each its part of every batch:
 *
 * - A batch of n samples is cut into S = min(shards, n) shards as ever, and rank r computes the shards from
 *   ceil(S * r / ranks) to ceil(S * (r + 1) / ranks). Parts may be unequal, and empty in a short last batch,
 *   but never rank 0's. `shards` of the options must be at least `ranks`.
 * - ECG_REDUCE_EXACT: the same bits as one process with the same options, whatever the number of ranks.
 *   Shards' gradients and the sums of batch normalisation are added in shard order; of dense layers every
 *   rank gets the other ranks' inputs and output gradients and computes the whole, as it needs all their
 *   weights. All ranks must compute alike: the same kind of processor and BLAS kernels. Weights are compared
 *   at the end of each epoch, and a difference is an error that says so.
 * - ECG_REDUCE_FAST: each rank sums its own gradients, dense layers' too, and these sums are summed by `sum`.
 *   Equal to one process but for rounding. The ranks may be unlike; weights that have drifted apart are
 *   replaced by rank 0's at the end of each epoch.
 *
 * In both, the order of samples, augmentation and dropout are those of one process.
 *
 * ecg_trainer_fit: order, loss and all decisions (best epoch, early stop, schedule) are the same on every
 * rank. Validation is shared and summed in one order. Rank 0 alone reads `resume` and writes the checkpoint
 * and the best model; paths given to others are not looked at. Hooks are called on every rank, and training
 * stops on all when any returns nonzero, all at the end of the same step. `seconds` is each rank's own clock.
 * Facts (see ecg_checkpoint_options) and the numbers of samples must be the same on all.
 *
 * Errors: what fails on one rank is returned by all, as "rank R: message", and nothing hangs, for as long as
 * the communicator works. When one of its functions fails, its status and message are returned by the rank
 * that met it at once, without another call; that trainer can only be freed. ecg_trainer_new does not
 * communicate: a job must make sure by itself that every rank has a trainer before the first step.
 *
 * Every function is called from the thread that called ecg_trainer_step or ecg_trainer_fit, one at a time, in
 * the same order and with the same sizes on all ranks, and must return when the result is there. With `ranks`
 * 1 none is ever called. No function may return ECG_ECANCELLED.
 */
#ifndef ECGCNN_COMM_H
#define ECGCNN_COMM_H

#include <stddef.h>

#include "status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ecg_comm {
    uint32_t size;
    uint32_t rank;  /* of this process, 0..ranks - 1 */
    uint32_t ranks; /* 1..65536 */
    void *payload;

    /* All that every rank has: bytes at[r] .. at[r + 1] - 1 of data are rank r's before, and everybody's
     * after. at[0] is 0; at has ranks + 1 entries, the same on all. A part may be empty. */
    ecg_status (*gather)(void *payload, void *data, const size_t *at, ecg_error *err);

    /* Bytes send_at[r] .. send_at[r + 1] - 1 of send go to rank r; what it sends arrives at recv_at[r]. The
     * part for oneself is copied. Called with ECG_REDUCE_EXACT. */
    ecg_status (*exchange)(void *payload, const void *send, const size_t *send_at, void *recv,
                           const size_t *recv_at, ecg_error *err);

    /* Bytes of rank `root` to all. Rank 0 may have read or written a file before, so that waiting long is no
     * sign of trouble here; in all other functions all ranks arrive within the time of a step. */
    ecg_status (*broadcast)(void *payload, void *data, size_t bytes, uint32_t root, ecg_error *err);

    /* v[i] = sum of all ranks' v[i]; the order of the sum is free, but the result is the same on all.
     * Called with ECG_REDUCE_FAST. */
    ecg_status (*sum)(void *payload, float *v, size_t n, ecg_error *err);

    /* May be NULL, all three. Begin such a sum of a large piece of the gradient, and go on computing; several
     * may be under way, of places that do not overlap. sum_end: wait for all of them. poll: called often in
     * between, for a network that moves nothing by itself. */
    ecg_status (*sum_begin)(void *payload, float *v, size_t n, ecg_error *err);
    ecg_status (*sum_end)(void *payload, ecg_error *err);
    void (*poll)(void *payload);
} ecg_comm;
#define ECG_COMM_INIT                                                                                        \
    {                                                                                                        \
        sizeof(ecg_comm), 0, 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL                               \
    }

/* How ranks add up gradients, see above. */
typedef enum ecg_reduce {
    ECG_REDUCE_EXACT = 0,
    ECG_REDUCE_FAST,
} ecg_reduce;

#ifdef __cplusplus
}
#endif
#endif
