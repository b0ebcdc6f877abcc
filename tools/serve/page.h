/* page.h: the server's pages. Each function writes a whole HTML document to f (open_memstream); whether that
 * worked, ferror(f) says. Names of files and classes are hostile, and escaped. No page has a style or a
 * script within it. Any thread. */
#ifndef ECG_TOOLS_SERVE_PAGE_H
#define ECG_TOOLS_SERVE_PAGE_H

#include <stdio.h>

#include "serve/answer.h"
#include "serve/samples.h"

/* A file of web/. */
typedef struct page_file {
    const char *text;
    size_t size;
} page_file;

/* What all pages know. All of it outlives the call. */
typedef struct page_site {
    const serve_info *info;
    const samples *samples; /* may be NULL */
    page_file shell;        /* page.html: what is around every page */
    page_file home;         /* index.html: the middle of `/` */
} page_site;

void page_home(FILE *f, const page_site *s);    /* / */
void page_classes(FILE *f, const page_site *s); /* /classes */
/* /classes/SLUG. 0: there is no such class, and nothing is written. */
int page_class(FILE *f, const page_site *s, const char *slug);
void page_about(FILE *f, const page_site *s); /* /about: the model, its card, what it cannot do */

/* POST /predict, for browsers without JavaScript: what page_home gives with it. Shows PNG and JPEG only. */
void page_result(FILE *f, const page_site *s, const serve_answer *a, size_t n);

/* An error as a page, for a browser. `title`: "Not found"; `detail` may be NULL. */
void page_problem(FILE *f, const page_site *s, unsigned status, const char *title, const char *detail);

#endif
