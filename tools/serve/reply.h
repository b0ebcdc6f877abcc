/* reply.h: an answer before it is HTTP, and errors as problems (RFC 9457). */
#ifndef ECG_TOOLS_SERVE_REPLY_H
#define ECG_TOOLS_SERVE_REPLY_H

#include <stdio.h>

typedef struct reply {
    unsigned status;
    const char *type;  /* of the content; NULL: there is none */
    const char *cache; /* Cache-Control; NULL: no-store */
    const char *etag;  /* NULL: none */
    const char *allow; /* methods, for 405 and OPTIONS */
    unsigned retry;    /* seconds; 0: not said */
    int closes;        /* the connection is of no more use */
    char *own;         /* allocated, or NULL: `data` is another's */
    const void *data;
    size_t size;
} reply;

/* The usual words for a status: "Not Found". */
const char *problem_title(unsigned status);

/* {"type":"about:blank","title":...,"status":...,"detail":...} */
void problem_json(FILE *f, unsigned status, const char *detail);

/* The same as a reply. */
void problem_reply(reply *r, unsigned status, const char *detail);

/* A stream whose text becomes the reply's; NULL: out of memory, and the reply is 503. reply_end closes it. */
typedef struct reply_text {
    FILE *f;
    char *text;
    size_t size;
} reply_text;
FILE *reply_begin(reply_text *t, reply *r);
void reply_end(reply_text *t, reply *r, unsigned status, const char *type);

#endif
