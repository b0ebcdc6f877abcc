/* known.h: a folder whose classes are given, by a model or by the training pictures. */
#ifndef ECG_TOOLS_KNOWN_H
#define ECG_TOOLS_KNOWN_H

#include "ecgcnn/data.h"

/* ecg_dataset_open with o->classes, but that class folders which are not among them are left out where that
 * loses nothing: with a warning that names them, those without pictures and those that are classes of `empty`
 * (a dataset; may be NULL). Any other unknown class is an error that names it, unless o->ignore_unknown.
 * Returns 0 or the exit code; free *out in any case. */
int known_open(ecg_dataset **out, const char *dir, const ecg_dataset_options *o, const ecg_dataset *empty);

#endif
