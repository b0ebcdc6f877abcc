/* answering.h: a model's answer for a picture, for machines: the same text wherever it is given. */
#ifndef ECG_TOOLS_ANSWERING_H
#define ECG_TOOLS_ANSWERING_H

#include <stdio.h>

#include "ecgcnn/net.h"

/* Members of a JSON object, without its braces: image class probability probabilities status reasons, and
 * gate where the model has one. probs[classes]. */
void answering_json(FILE *f, const ecg_model *m, const char *image, const float *probs,
                    const ecg_decision *d);

/* {"Normal":0.98,...} */
void answering_probabilities(FILE *f, const ecg_model *m, const float *probs);

#endif
