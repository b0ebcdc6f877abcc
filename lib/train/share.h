/* What the ranks of a job tell each other within a step, between its phases. Nothing where one is alone. */
#ifndef ECG_TRAIN_SHARE_H
#define ECG_TRAIN_SHARE_H

#include "train/trainer.h"

/* Allocate for t->group. false: out of memory. */
bool ecg__share_new(ecg_trainer *t);
void ecg__share_end(ecg_trainer *t);

/* The most samples of a batch that this rank may get. */
uint32_t ecg__share_most(const ecg_trainer *t);

/* Set t's part of a step on t->n samples. */
void ecg__share_cut(ecg_trainer *t);

/* Gather what phase i of the tape needs of the other ranks. */
ecg_status ecg__share_before(ecg_trainer *t, uint32_t i, ecg_error *err);

/* Gradients that are complete with phase i, where they are summed as they come. `sum_piece` adds up the
 * shards of a piece. */
ecg_status ecg__share_after(ecg_trainer *t, uint32_t i, ecg__task *sum_piece, ecg_error *err);

/* Everybody's labels, losses and hits. If fetching failed anywhere, that failure. */
ecg_status ecg__share_labels(ecg_trainer *t, ecg_error *err);
ecg_status ecg__share_loss(ecg_trainer *t, ecg_error *err);

/* The end of backward: t->sum_of, or t->grad itself, then has the gradients of all ranks. */
ecg_status ecg__share_gradients(ecg_trainer *t, ecg_error *err);

/* Running statistics as rank 0 has them, or means of all. */
ecg_status ecg__share_state(ecg_trainer *t, ecg_error *err);

#endif
