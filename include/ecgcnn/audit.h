/* audit.h: what is wrong with a collection of pictures: copies, blanks, odd ones.
 *
 *     ecg_audit_new(&a);
 *     for (...) ecg_audit_add(a, "train/Normal/1.png");
 *     if (ecg_audit_run(a, NULL, &err) == ECG_OK) ... ecg_audit_at(a, 0)->like ...
 *     ecg_audit_free(a);
 */
#ifndef ECGCNN_AUDIT_H
#define ECGCNN_AUDIT_H

#include "data.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One caller at a time. */
typedef struct ecg_audit ecg_audit;

ECG_API ecg_status ecg_audit_new(ecg_audit **out); /* ECG_ENOMEM */

/* One more picture file; the path is copied, the file is opened by ecg_audit_run. At most 2^30. Errors:
 * ECG_ENOMEM, ECG_ELIMIT. */
ECG_API ecg_status ecg_audit_add(ecg_audit *a, const char *path);

/* The same of sample i of a dataset, which must outlive the audit. */
ECG_API ecg_status ecg_audit_add_sample(ecg_audit *a, const ecg_dataset *d, size_t i);

typedef struct ecg_audit_options {
    uint32_t size;
    uint32_t threads; /* 0: one per core */
    uint32_t exact;   /* 1: look for exact copies only */
    /* Called now and then from the calling thread; nonzero stops: ECG_ECANCELLED. May be NULL. */
    int (*progress)(void *payload, size_t done, size_t total);
    void *payload;
} ecg_audit_options;
#define ECG_AUDIT_OPTIONS_INIT                                                                               \
    {                                                                                                        \
        sizeof(ecg_audit_options), 0, 0, NULL, NULL                                                          \
    }

/* Flags of a picture. */
enum {
    ECG_AUDIT_UNREADABLE = 1, /* it cannot be decoded; all else about it is 0 */
    ECG_AUDIT_BLANK = 2,      /* fewer than 1 in 5000 pixels differ from its background by 32 or more */
    ECG_AUDIT_ODD_SIZE = 4,   /* not of the size that most have */
    ECG_AUDIT_ODD_MODE = 8,   /* not of the kind, channels and bits that most have */
    ECG_AUDIT_ODD_GROUND = 16 /* its background is not within 16 of the one that most have */
};

typedef struct ecg_audit_found {
    uint32_t flags;
    ecg_status status;             /* why it is unreadable */
    uint32_t w, h, channels, bits; /* of the file; bits of a sample */
    uint32_t jpeg;                 /* 1: JPEG, 0: PNG */
    uint32_t ground;               /* background: its commonest gray, 0..255 */
    uint32_t border[4];            /* rows and columns of background at the top, right, bottom and left */
    uint32_t
        same_bytes; /* the first picture whose file has the same bytes; itself where there is none before */
    uint32_t same;  /* the first picture with the same pixels, likewise; unreadable: itself */
    uint32_t like;  /* the first of all that are copies of each other, exact or near, directly or not */
} ecg_audit_found;

/* Two pictures of the same size that are the same drawing, moved by up to one pixel in each direction or
 * saved as JPEG of quality 75 or better, or both: b(row + dy, col + dx) is about a(row, col). Each is the
 * first of its exact copies. */
typedef struct ecg_audit_pair {
    uint32_t a, b; /* a < b */
    int32_t dx, dy;
} ecg_audit_pair;

/* Decode all pictures once, and those that may be copies again. What is found does not depend on threads.
 * Takes about 600 bytes a picture. A picture that cannot be read is no error. Errors: ECG_ECANCELLED,
 * ECG_ENOMEM, ECG_EINVAL (options). */
ECG_API ecg_status ecg_audit_run(ecg_audit *a, const ecg_audit_options *o, ecg_error *err);

/* After a run; valid until the audit is freed. i in the order of adding, i < count. */
ECG_API size_t ecg_audit_count(const ecg_audit *a);
ECG_API const char *ecg_audit_path(const ecg_audit *a, size_t i);
ECG_API const ecg_audit_found *ecg_audit_at(const ecg_audit *a, size_t i);

/* Near copies, by a and then b; *count of them. */
ECG_API const ecg_audit_pair *ecg_audit_near(const ecg_audit *a, size_t *count);

ECG_API void ecg_audit_free(ecg_audit *a); /* NULL is allowed */

#ifdef __cplusplus
}
#endif
#endif
