/* The chunk GATE: what a picture must be like. */
#ifndef ECG_FORMAT_GATE_H
#define ECG_FORMAT_GATE_H

#include "format/chunk.h"
#include "net/spec.h"

/* Nothing where g is NULL. */
ecg_status ecg__gate_write(ecg__chunk_writer *w, const ecg_gate *g, uint32_t classes, ecg_error *err);

/* Freed with ecg__free. ECG_ECORRUPT, ECG_EVERSION, ECG_ENOMEM. */
ecg_status ecg__gate_read(ecg_gate **out, ecg__chunk_reader *r, const ecg_spec *spec, ecg_error *err);

#endif
