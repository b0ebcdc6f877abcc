/* Lines of a table of numbers, and what stands in them. */
#ifndef ECG_SIGNAL_CSV_LINE_H
#define ECG_SIGNAL_CSV_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ecgcnn/status.h"

enum { ECG__CSV_LINE = 1 << 16 };

/* A file by its lines; one may be up to ECG__CSV_LINE - 1 bytes. */
typedef struct ecg__lines {
    int fd;
    const char *path;
    uint64_t start;  /* of the buffer in the file */
    size_t at, have; /* next line, bytes in the buffer */
    uint64_t number; /* of the line last read, from 1; only after reading from the beginning */
    bool end;
    char buffer[2 * ECG__CSV_LINE];
} ecg__lines;

/* From this byte on. */
void ecg__lines_seek(ecg__lines *l, uint64_t offset);

/* The next line without its end and blanks around it, *line NULL at the end of the file; *offset where it
 * starts. */
ecg_status ecg__lines_next(ecg__lines *l, const char **line, size_t *n, uint64_t *offset, ecg_error *err);

typedef struct ecg__field {
    const char *s;
    size_t n;
} ecg__field;

/* The next field of [*at, end), blanks and quotes around it left out; false when there is none any more
 * (start with *at NULL not being allowed: *at is set to NULL after the last one). A separator of ' ' means
 * any blanks. */
bool ecg__field_next(const char **at, const char *end, char separator, ecg__field *out);

/* A number, or NaN for an empty field, "-" or "nan". False for anything else. */
bool ecg__field_number(ecg__field f, double *out);

/* Seconds, or [hours:]minutes:seconds. */
bool ecg__field_time(ecg__field f, double *out);

/* The separator of a line: tab, semicolon or comma, else blanks. */
char ecg__csv_separator(const char *line, size_t n);

#endif
