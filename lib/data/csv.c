#include "data/csv.h"

#include <string.h>

#include "base/status.h"

void ecg__csv_init(struct ecg__csv *c, const char *text, size_t n, const char *path)
{
    c->path = path;
    c->at = text;
    c->end = text + n;
    c->next_line = 1;
    c->line = 0;
    c->fields = 0;
    if (n >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0)
        c->at += 3;
}

static ecg_status fail_here(const struct ecg__csv *c, ecg_error *err, const char *what)
{
    return ecg__fail(err, ECG_EFORMAT, "%s:%zu: %s", c->path, c->next_line, what);
}

/* Bytes of a line end at p: 2 (CRLF), 1 (LF), 0 (none). */
static size_t line_end(const char *p, const char *end)
{
    if (p < end && *p == '\n')
        return 1;
    return end - p >= 2 && p[0] == '\r' && p[1] == '\n' ? 2 : 0;
}

/* One byte of a field's value. */
static ecg_status put(struct ecg__csv *c, size_t *used, char byte, ecg_error *err)
{
    if (byte == '\0')
        return fail_here(c, err, "a zero byte, expected UTF-8 text");
    if (*used >= ECG__CSV_RECORD)
        return ecg__fail(err, ECG_ELIMIT, "%s:%zu: a line of more than %d bytes", c->path, c->line,
                         ECG__CSV_RECORD);
    c->bytes[(*used)++] = byte;
    return ECG_OK;
}

/* The rest of a field that began with a quote. */
static ecg_status quoted(struct ecg__csv *c, size_t *used, ecg_error *err)
{
    const size_t opened = c->next_line;
    for (c->at++; c->at < c->end; c->at++) {
        if (*c->at == '"') {
            if (c->end - c->at < 2 || c->at[1] != '"') {
                c->at++;
                if (c->at == c->end || *c->at == ',' || line_end(c->at, c->end))
                    return ECG_OK;
                return fail_here(c, err, "text after a closing quote, expected a comma or the line's end");
            }
            c->at++;
        }
        const ecg_status st = put(c, used, *c->at, err);
        if (st != ECG_OK)
            return st;
        c->next_line += *c->at == '\n';
    }
    return ecg__fail(err, ECG_EFORMAT, "%s:%zu: a quote is opened and never closed", c->path, opened);
}

static ecg_status plain(struct ecg__csv *c, size_t *used, ecg_error *err)
{
    for (; c->at < c->end && *c->at != ',' && !line_end(c->at, c->end); c->at++) {
        if (*c->at == '"')
            return fail_here(c, err, "a quote inside a field, expected the whole field in quotes");
        if (*c->at == '\r')
            return fail_here(c, err, "a carriage return without a line feed");
        const ecg_status st = put(c, used, *c->at, err);
        if (st != ECG_OK)
            return st;
    }
    return ECG_OK;
}

ecg_status ecg__csv_next(struct ecg__csv *c, bool *more, ecg_error *err)
{
    for (size_t n; (n = line_end(c->at, c->end)) > 0; c->at += n)
        c->next_line++;
    c->line = c->next_line;
    c->fields = 0;
    *more = c->at < c->end;
    if (!*more)
        return ECG_OK;
    size_t used = 0; /* of bytes, not counting the terminators, one a field */
    for (;;) {
        if (c->fields == ECG__CSV_FIELDS)
            return ecg__fail(err, ECG_ELIMIT, "%s:%zu: more than %d columns", c->path, c->line,
                             ECG__CSV_FIELDS);
        const size_t start = used;
        const ecg_status st = c->at < c->end && *c->at == '"' ? quoted(c, &used, err) : plain(c, &used, err);
        if (st != ECG_OK)
            return st;
        c->length[c->fields++] = used - start;
        if (c->at == c->end || *c->at != ',')
            break;
        c->at++;
    }
    const size_t n = line_end(c->at, c->end);
    c->at += n;
    c->next_line += n > 0;

    /* Make room for the terminators, from the last field to the first. */
    for (size_t i = c->fields, from = used; i-- > 0;) {
        from -= c->length[i];
        char *to = c->bytes + from + i;
        memmove(to, c->bytes + from, c->length[i]);
        to[c->length[i]] = '\0';
        c->field[i] = to;
    }
    return ECG_OK;
}

int ecg__csv_column(const struct ecg__csv *c, const char *name)
{
    for (size_t i = 0; i < c->fields; i++)
        if (strcmp(c->field[i], name) == 0)
            return (int)i;
    return -1;
}
