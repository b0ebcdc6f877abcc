/* keeping.h: checkpoints of ecg-train, and what it says when training ends before its time. */
#ifndef ECG_TOOLS_KEEPING_H
#define ECG_TOOLS_KEEPING_H

#include "common/fitlog.h"
#include "common/train_settings.h"
#include "ecgcnn/data.h"

enum { KEEPING_FACTS = 11 };

typedef struct keeping {
    ecg_checkpoint_options options;
    char number[KEEPING_FACTS][24];
    const char *facts[2 * KEEPING_FACTS + 1];
    size_t count;
} keeping;

/* Do the options make sense together? Sets s->checkpoint where --resume decides it. OPTS_GO or the exit code.
 */
int keeping_options(settings *s);

/* `augment` and `chosen` (how validation pictures were) are used while *k is. */
void keeping_start(keeping *k, const settings *s, const ecg_loader *train, const ecg_loader *val,
                   const char *augment, const char *chosen);

/* Training ended with a status that is not ECG_OK: says why, what there is, and how to go on. The exit code.
 */
int keeping_end(const settings *s, const fitlog *l, ecg_status status, const ecg_error *err);

#endif
