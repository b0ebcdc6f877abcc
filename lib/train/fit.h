/* Inside ecg_trainer_fit: where a training stands. */
#ifndef ECG_TRAIN_FIT_H
#define ECG_TRAIN_FIT_H

#include "train/group.h"
#include "train/schedule.h"
#include "train/trainer.h"

typedef struct ecg__fit {
    ecg_trainer *t;
    const ecg_source *train, *val;
    const ecg_model_info *info;
    const char *best_path;
    ecg_fit_hooks hooks;
    ecg_checkpoint_options keep; /* path NULL: no checkpoints */

    uint32_t *order; /* [train->count] */
    float *val_loss; /* [val->count] */
    bool *val_right;
    size_t val_first, val_count, val_groups; /* of the samples being validated */

    /* Epochs that are done, and what follows from them. */
    ecg_epoch *past; /* [epochs] */
    size_t epochs, past_cap;
    ecg__schedule_state schedule;
    double best;
    uint32_t waited;     /* epochs since the best */
    float *best_weights; /* [spec->floats], if checkpoints are kept; rank 0's only */

    /* The epoch under way. */
    size_t at; /* samples done */
    double loss;
    size_t right;
    float lr;
    double seconds, clock; /* until `clock` */

    /* The last checkpoint. */
    double kept_at;
    uint64_t kept_step;
} ecg__fit;

double ecg__fit_now(void);

/* Put an epoch behind: past, schedule, best. Sets e->best. ECG_ENOMEM. */
ecg_status ecg__fit_account(ecg__fit *f, ecg_epoch *e, ecg_error *err);

/* The epoch under way as far as it is done; figures of validation are NaN. */
ecg_epoch ecg__fit_epoch(const ecg__fit *f);

/* Every sample of f->val as a session would predict it. ECG_ECANCELLED: a hook stopped it; ECG_ENUMERIC. */
ecg_status ecg__fit_validate(ecg__fit *f, ecg_epoch *e, ecg_error *err);

/* `weights` [spec->floats] as the model of epoch e. */
ecg_status ecg__fit_save_model(const ecg__fit *f, const ecg_epoch *e, float *weights, ecg_error *err);

/* Write the checkpoint; nothing where none is wanted, and on other ranks than 0. */
ecg_status ecg__fit_keep(ecg__fit *f, ecg_error *err);

/* Go on from f->keep.resume. */
ecg_status ecg__fit_resume(ecg__fit *f, ecg_error *err);

/* ---- several ranks, all of them together; nothing where one is alone ---- */

/* Do all have the same options, facts and numbers of samples? ECG_EINVAL, naming what differs. */
ecg_status ecg__fit_meet(ecg__fit *f, ecg_error *err);

/* Rank 0's weights, and where it stands if it goes on, to all. */
ecg_status ecg__fit_spread(ecg__fit *f, ecg_error *err);

/* Have all the same weights? Otherwise they get rank 0's, or, where bits matter, ECG_ECORRUPT. */
ecg_status ecg__fit_drift(ecg__fit *f, ecg_error *err);

/* Nonzero on any rank: ECG_ECANCELLED on all. */
ecg_status ecg__fit_stopped(ecg__fit *f, int stop, ecg_error *err);

#endif
