/* page.h: an evaluation as a page (--html) and as a model card (--card), of the same figures. */
#ifndef ECG_TOOLS_EVAL_PAGE_H
#define ECG_TOOLS_EVAL_PAGE_H

#include "eval/eval.h"

typedef struct eval_page {
    const judge_report *r;
    ecg_model *model;
    const char *model_path;
    const ecg_verify_report *file; /* of the model: bytes, SHA-256 */
    const pictures *p;
    const uint32_t *answered;    /* samples of p->data, as in r->metrics */
    const uint8_t *answer;       /* ecg_answer of each, likewise */
    size_t refused;              /* of them, as no ECG */
    const ecg_metrics *accepted; /* those that get an answer; NULL: the model refuses none */
    const leaks *found;
    const settings *s;
} eval_page;

/* Can the files of --html and --card be written? Before the work. 0 or the exit code. */
int eval_pages_check(const settings *s);

/* Write them; r, model_path and file of `about` are filled in here. 0 or the exit code. */
int eval_pages(const judge_report *r, const eval_page *about);

int page_write(const eval_page *e, const char *path); /* --html */
int card_write(const eval_page *e, const char *path); /* --card */

/* ---- Parts of the page ---- */
void page_curves(const eval_page *e, FILE *f);  /* ROC, PR, reliability, risk and coverage */
int page_pictures(const eval_page *e, FILE *f); /* worst mistakes, least certain answers */

/* ---- words.c: what page and card both say ---- */

/* Line i of what the model is for, and not for; NULL: no more. */
const char *words_for(size_t i);
const char *words_not_for(size_t i);

/* What the figures say against the model, a sentence each, worst first within a kind: weak classes, common
 * confusions, copies, calibration, few pictures, intervals. `say` gets plain text. */
void words_findings(const eval_page *e, void (*say)(void *ctx, const char *text), void *ctx);

/* How the evaluated pictures were kept from those that trained, as far as it is known; and what the rule of
 * the model is. Plain text to buf; returns buf. */
const char *words_split(const eval_page *e, char *buf, size_t cap);
const char *words_rule(const eval_page *e, char *buf, size_t cap);

/* How a picture becomes what the network reads. */
const char *words_preprocess(const ecg_model *m, char *buf, size_t cap);

/* Different patients that the evaluated pictures name; 0: not all name one. */
size_t words_patients(const eval_page *e);

#endif
