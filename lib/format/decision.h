/* The chunk RULE: what is made of a model's probabilities. */
#ifndef ECG_FORMAT_DECISION_H
#define ECG_FORMAT_DECISION_H

#include "ecgcnn/net.h"
#include "format/chunk.h"

/* Nothing is written for a model without a rule. */
ecg_status ecg__rule_write(ecg__chunk_writer *w, const ecg_rule *rule, ecg_error *err);

/* The reader stands at RULE. *out is checked. */
ecg_status ecg__rule_read(ecg_rule *out, ecg__chunk_reader *r, ecg_error *err);

#endif
