/* Listing a folder tree: one folder per class. */
#ifndef ECG_DATA_SCAN_H
#define ECG_DATA_SCAN_H

#include "data/listing.h"

/* Deepest folder below a class folder. */
enum { ECG__SCAN_DEPTH = 64 };

/* Fill l with the pictures under its root, in the order the system hands them out. l->classes receives every
 * class folder that is wanted, empty ones too; l->ignored those that are not. */
ecg_status ecg__scan(struct ecg__listing *l, const struct ecg__class_set *wanted, ecg_error *err);

#endif
