/* text.h: what the tools print for machines (JSON, CSV, TSV) and for people (tables). */
#ifndef ECG_TOOLS_TEXT_H
#define ECG_TOOLS_TEXT_H

#include <stddef.h>
#include <stdio.h>

/* "text" with quotes and escapes; a byte that is not UTF-8 becomes U+FFFD. */
void text_json_string(FILE *f, const char *text);

/* %.9g, which is enough to give a float back; null for what JSON has no number for. */
void text_json_number(FILE *f, double v);

/* A CSV field (RFC 4180), quoted where it must be. A number in CSV is %.9g, and empty where it is not finite.
 */
void text_csv_string(FILE *f, const char *text);
void text_csv_number(FILE *f, double v);

/* Tab, line end, carriage return and backslash as \t \n \r \\. */
void text_tsv_string(FILE *f, const char *text);

/* Text of an HTML page or a value in quotes: & < > " ' as references. What is no UTF-8 becomes U+FFFD, a
 * control character a space. */
void text_html_string(FILE *f, const char *text);

/* Text of a Markdown paragraph or table cell, in one line: nothing of it is markup. Bytes as above. */
void text_markdown_string(FILE *f, const char *text);

/* "1:02:03" or "2:03"; "?" for what is no time. Returns buf. */
const char *text_duration(double seconds, char *buf, size_t cap);

/* ---- Tables: cells row by row, columns as wide as they need ---- */
typedef struct text_table {
    const char *align; /* a letter for each column: 'l' or 'r' */
    char **cell;
    size_t count;
    int failed; /* out of memory: nothing will be printed */
} text_table;

/* The next cell, left to right and row after row. */
void text_cell(text_table *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A figure as a cell, "-" where it is NaN. */
void text_cell_number(text_table *t, const char *fmt, double v);

/* Print it with two spaces between columns, and free the cells. */
void text_table_print(text_table *t, FILE *f, int indent);

#endif
