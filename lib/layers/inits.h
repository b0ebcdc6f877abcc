/* Names of the ways to initialise a kernel, in the order of ecg__init. */
#ifndef ECG_LAYERS_INITS_H
#define ECG_LAYERS_INITS_H

#include "layers/layer.h"

/* "zeros", "glorot_uniform", ...; NULL-terminated. In registry.c. */
extern const char *const ecg__init_names[];

#endif
