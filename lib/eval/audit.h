/* Inside an audit. */
#ifndef ECG_EVAL_AUDIT_H
#define ECG_EVAL_AUDIT_H

#include <stdbool.h>

#include "base/parallel.h"
#include "ecgcnn/audit.h"
#include "ecgcnn/image.h"

enum { ECG__TRACES = 15, ECG__PROFILE_MOST = 1024 };

/* What stands for a picture when copies are looked for. */
typedef struct ecg__print {
    uint64_t bytes[2], pixels[2]; /* hashes */
    float trace[ECG__TRACES];     /* moved and re-encoded, it changes by less than 1 in each */
    int16_t *profile; /* [w]: where the ink of each column is, 64 units a row; ECG__NO_INK. NULL: too wide */
} ecg__print;

#define ECG__NO_INK INT16_MIN

/* Where a picture is: a file, or a sample. */
typedef struct ecg__audited {
    char *path;
    const ecg_dataset *set; /* NULL: a file */
    size_t index;
} ecg__audited;

struct ecg_audit {
    size_t count, cap, near_count, near_cap;
    ecg__audited *file;
    ecg_audit_found *found;
    ecg__print *print;
    ecg_audit_pair *near;
};

/* Pixels as gray: of pictures in colour, by luma. Owns its memory. */
typedef struct ecg__gray {
    uint8_t *px; /* [h][w] */
    uint32_t w, h;
} ecg__gray;

/* Read one picture. *found gets all but odd flags and who it is like; `print` may be NULL (gray alone),
 * `gray` too. Freed by the caller: print->profile, gray->px. */
ecg_status ecg__audit_read(const ecg__audited *file, ecg_audit_found *found, ecg__print *print,
                           ecg__gray *gray, ecg_error *err);

/* Fill a->near from pictures that are the first of their kind. */
ecg_status ecg__audit_find_near(ecg_audit *a, ecg__pool *pool, const ecg_audit_options *o, ecg_error *err);

/* The move that makes b a near copy of a; false: it is none. */
bool ecg__audit_is_near(const ecg__gray *a, const ecg__gray *b, uint32_t ground_a, uint32_t ground_b,
                        int32_t *dx, int32_t *dy);

#endif
