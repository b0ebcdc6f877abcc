/* Networks with a name. */
#ifndef ECG_NET_PRESET_H
#define ECG_NET_PRESET_H

#include <stddef.h>

/* The text of a preset by its name of n characters; NULL: none. */
const char *ecg__preset_text(const char *name, size_t n);

#endif
