/* Names to numbers: who a picture is of. */
#ifndef ECG_EVAL_GROUPS_H
#define ECG_EVAL_GROUPS_H

#include <stdbool.h>
#include <stddef.h>

#include "ecgcnn/types.h"

#define ECG__NO_GROUP UINT32_MAX

/* All zero is empty. */
typedef struct ecg__groups {
    uint32_t count;
    char **name;     /* [cap] in the order they came */
    uint32_t *table; /* [slots] number + 1, or 0 */
    uint32_t cap, slots;
} ecg__groups;

/* The number of a name, a new one for a new name; ECG__NO_GROUP when out of memory. */
uint32_t ecg__groups_add(ecg__groups *g, const char *name);

/* ECG__NO_GROUP: not there. */
uint32_t ecg__groups_find(const ecg__groups *g, const char *name);
void ecg__groups_free(ecg__groups *g);

#endif
