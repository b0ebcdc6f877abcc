/* A model's gate: what it holds, and what it makes of a picture. */
#ifndef ECG_NET_GATE_H
#define ECG_NET_GATE_H

#include <stdbool.h>

#include "ecgcnn/net.h"

/* Every number of a gate for a network of n features and so many classes. ECG_EINVAL names the field. */
ecg_status ecg__gate_check(const ecg_gate *g, uint32_t n, uint32_t classes, ecg_error *err);

/* A deep copy in one block, freed with ecg__free; NULL: out of memory. */
ecg_gate *ecg__gate_copy(const ecg_gate *g, uint32_t classes);

/* The layer whose input is looked at: the last dense one, else the last. */
uint32_t ecg__gate_layer(const ecg_spec *s);

/* n numbers of count >= n values: each is added to, or, by its place, taken from number (place mod n). */
void ecg__gate_fold(const float *x, size_t count, uint32_t n, float *out);

/* Distance of f[n] from the nearest centre; infinite where it is no number. */
double ecg__gate_distance(const ecg_gate *g, uint32_t classes, const float *f);

/* By how much look i is outside: at most 1 inside its interval, more outside. */
double ecg__gate_ratio(const ecg_gate *g, uint32_t i, float v);

/* Score, answer and reasons; the worst first. Whatever is NULL is not asked. f[n]: folded. */
void ecg__gate_judge(const ecg_gate *g, uint32_t classes, const ecg_look *decoded, const float *prepared,
                     const float *f, ecg_decision *d);

/* decision.c: all that is said of a picture. */
void ecg__decide(const ecg_model *m, const float *probs, const ecg_look *decoded, const float *prepared,
                 const float *f, ecg_decision *out);

#endif
