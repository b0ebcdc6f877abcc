/* html.h: pages that hold all they need: style, curves and pictures in one file, and no script. */
#ifndef ECG_TOOLS_HTML_H
#define ECG_TOOLS_HTML_H

#include <stdint.h>
#include <stdio.h>

#include "common/judge.h"
#include "ecgcnn/image.h"

/* ---- The page (html.c) ---- */

/* Head, style, title and notice. `under`: a line below the title; both are text, not HTML. */
void html_begin(FILE *f, const char *title, const char *under);
void html_end(FILE *f);

/* A section with a heading; `id` is a word of a to z. */
void html_section(FILE *f, const char *id, const char *heading);
void html_section_end(FILE *f);

/* Text as text_html_string writes it; a name in its own direction of writing; printf's text, at most 1023
 * bytes. */
void html_name(FILE *f, const char *name);
void html_text(FILE *f, const char *text);
void html_printf(FILE *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* <p>text</p>; `cls`: a class of the style, or NULL. */
void html_note(FILE *f, const char *cls, const char *text);

/* A number in a <data> that has it with nine digits too; "-" for NaN. */
void html_number(FILE *f, double v, int decimals);
void html_percent(FILE *f, double share, int decimals);

/* ---- Tables: <table>, a head, rows. */
void html_table(FILE *f, const char *caption, const char *const *head, size_t columns);
void html_row(FILE *f, const char *name,
              const char *cls); /* begins a row with its heading; cls may be NULL */
void html_row_end(FILE *f);
void html_cell(FILE *f, double v, int decimals); /* a number */
void html_count(FILE *f, uint64_t n);            /* a whole number */
void html_range(FILE *f, double low, double high, int decimals);
void html_interval(FILE *f, double low, double high, int decimals); /* the same without a cell */
void html_words(FILE *f, const char *text);                         /* text in a cell */
void html_table_end(FILE *f);

/* A row of a list of facts: <dl>, name and value; between html_facts and html_facts_end. */
void html_facts(FILE *f);
void html_fact(FILE *f, const char *name, const char *value);
void html_factf(FILE *f, const char *name, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void html_facts_end(FILE *f);

/* A picture as a data: URI; `alt` is text. Errors: those of ecg_image_encode_png, and nothing is written. */
ecg_status html_image(FILE *f, const ecg_image *img, const char *alt, ecg_error *err);

/* n bytes in base 64. */
void html_base64(FILE *f, const unsigned char *data, size_t n);

/* The sheet of style, in pieces; NULL ends it (html_style.c). */
extern const char *const html_style[];

/* ---- Figures of an evaluation (html_figures.c) ---- */

/* A tile for each figure with its interval, and what was drawn for it. */
void html_summary(FILE *f, const judge_report *r);
/* Rows for at most so many classes, those with most pictures; it says how many are left out. */
enum { HTML_MOST_CLASSES = 200, HTML_MOST_MATRIX = 40 };
void html_classes(FILE *f, const judge_report *r);
void html_confusion(FILE *f, const judge_report *r);

#endif
