/* page_put.h: parts of pages, for page*.c. */
#ifndef ECG_TOOLS_SERVE_PAGE_PUT_H
#define ECG_TOOLS_SERVE_PAGE_PUT_H

#include "serve/page.h"
#include "serve/strip.h"

/* Which entry of the navigation a page stands under. */
typedef enum page_place { PAGE_HOME, PAGE_CLASSES, PAGE_ABOUT, PAGE_ELSEWHERE } page_place;

/* The shell with this title and place; `body` writes what is in <main>. */
typedef void page_body(FILE *f, const page_site *s, const void *with);
void page_write(FILE *f, const page_site *s, const char *title, page_place place, page_body *body,
                const void *with);

/* `text` with each {{name}} replaced by what `put` writes; where it does not know the name (returns 0), the
 * braces stay. */
typedef int page_fill_fn(FILE *f, const char *name, const void *with);
void page_fill(FILE *f, page_file text, page_fill_fn *put, const void *with);

/* Paragraphs of a class_text. */
void page_paragraphs(FILE *f, const char *text);

/* "/classes/SLUG" of class i. */
void page_class_path(FILE *f, const ecg_model *m, uint32_t i);

/* "97.3 %" of a probability, in a <data> with the digits of ecg-predict. Never 0 % or 100 % where it is not.
 */
void page_percent(FILE *f, double p);

/* The probabilities of all classes, the largest first, as a table; after MOST_BARS the others fold away. */
void page_bars(FILE *f, const page_site *s, const float *probs);

/* The example of a class as SVG on ECG paper; `label`: what it is, for who cannot see it; NULL: decoration.
 * Nothing is written where it cannot be drawn. */
void page_draw(FILE *f, const char *beats, const char *label);

/* A model card in Markdown, below a heading of level 2: headings, lists, tables, paragraphs, `code`,
 * **strong**. */
void page_card(FILE *f, const char *card);

/* Bytes as text: "16 MiB". */
void page_bytes(FILE *f, uint64_t n);

#endif
