/* A model's rule, and what follows from it. */
#ifndef ECG_NET_DECISION_H
#define ECG_NET_DECISION_H

#include "ecgcnn/net.h"

#define ECG__TEMPERATURE_LEAST 0.05f
#define ECG__TEMPERATURE_MOST  20.0f

/* Checked and with defaults written out; rule may be NULL, or *out. ECG_EINVAL names the field. */
ecg_status ecg__rule_check(ecg_rule *out, const ecg_rule *rule, ecg_error *err);

/* probs[n] at another temperature. The most likely, the first of equals, stays it; 1 changes no bit. */
void ecg__soften(float *probs, uint32_t n, float temperature);

/* log p as ecg__soften takes it: 0 counts as the least float above it. */
double ecg__log_prob(float p);

/* One more reason; those beyond ECG_MOST_REASONS are dropped. */
void ecg__decision_because(ecg_decision *d, ecg_answer answer, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
