/* job.h: a request for answers, from its body to its text. A worker takes it through these steps; the
 * pictures of several jobs run through the network together, which changes no bit of an answer. */
#ifndef ECG_TOOLS_SERVE_JOB_H
#define ECG_TOOLS_SERVE_JOB_H

#include "serve/model_hold.h"

/* Pictures that are run together. */
enum { JOB_BATCH = 16 };

typedef struct job job;
struct job {
    job *next;
    /* What is asked; the caller's until the job is done. */
    model_hold *hold;
    const char *type; /* Content-Type, NULL: none */
    const unsigned char *body;
    size_t size;
    uint32_t most; /* pictures it may have */
    uint32_t top;
    int heatmap;
    uint64_t since; /* server_now when the body was complete */
    void (*done)(job *j);
    void *owner;
    /* What came of it. status 0: see the answers, else an HTTP status for the whole, and why. */
    unsigned status;
    char why[200];
    serve_answer *answer; /* [count] */
    float *probs;         /* [count][classes] */
    size_t count;
};

/* Finds the pictures in the body: fills in answers without content, or status. */
void job_open(job *j);

/* Decodes and judges the pictures of n jobs of one hold, with its session `worker`, and draws heat.
 * `cancelled` is asked between pictures; those left are ECG_ECANCELLED. */
void job_judge(job **j, size_t n, uint32_t worker, int (*cancelled)(void *payload), void *payload);

/* Frees what came of it. */
void job_close(job *j);

#endif
