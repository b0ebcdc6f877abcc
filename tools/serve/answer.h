/* answer.h: what the web server says about one picture, and by which model. */
#ifndef ECG_TOOLS_SERVE_ANSWER_H
#define ECG_TOOLS_SERVE_ANSWER_H

#include <stdio.h>
#include <time.h>

#include "ecgcnn/net.h"

/* The model that answers, and what of the server's settings a reader should know. Immutable; it lives as long
 * as the requests that were taken while it was in use. */
typedef struct serve_info {
    ecg_model *model;
    const char *name;   /* of the model file, without its folder */
    const char *sha256; /* of the model file, 64 digits */
    const char *card;   /* its model card in Markdown; NULL: none was given */
    time_t loaded;
    uint64_t max_upload;   /* bytes of a picture */
    uint32_t max_pictures; /* of one upload */
    uint32_t threads;
    uint32_t retain_days; /* of `keeps`; 0: for ever */
    int keeps;            /* uploads are kept */
    int token;            /* requests need a bearer token */
} serve_info;

typedef enum serve_kept {
    SERVE_NOT_ASKED,
    SERVE_KEPT,
    SERVE_NOT_KEPT, /* answered all the same; `why` says what went wrong */
} serve_kept;

/* Strings are as they came: who prints them escapes them. */
typedef struct serve_answer {
    char name[256];    /* what the client calls the picture; "picture" where it does not say */
    char sha256[72];   /* of the uploaded bytes, 64 digits */
    ecg_status status; /* not ECG_OK: the picture failed, `error` says why, and the fields below are 0 */
    ecg_error error;
    uint32_t best;
    float probability;
    const float *probs; /* [classes] */
    ecg_decision decision;
    double ms;                 /* from the last byte of the request to the answer */
    uint32_t width, height;    /* of the uploaded picture; 0: not known */
    const char *type;          /* "image/png", "image/jpeg" */
    const unsigned char *data; /* the uploaded bytes */
    size_t size;
    unsigned char *heat_png; /* the picture with the heat over it; NULL: not asked for, or `heat_error` */
    size_t heat_size;
    char heat_error[504];
    serve_kept kept;
    char why[200];
} serve_answer;

/* The JSON object of an answer: the keys of `ecg-predict --json`, then sha256, width, height, ms, model; top
 * (for top > 0), heatmap (a data: URI) and kept where there is one. A picture that failed has image, sha256
 * and error, a problem (RFC 9457). */
void answer_json(FILE *f, const serve_info *info, const serve_answer *a, uint32_t top);

/* The line of the log: time, sha256, image size, answer, probabilities, model, ms; without an end of line. */
void answer_log(FILE *f, const serve_info *info, const serve_answer *a);

/* The HTTP status of a picture that failed with this status: 415, 422, 500 or 503. */
unsigned answer_http(ecg_status s);

#endif
