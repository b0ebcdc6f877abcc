/* ecg-eval --merge: the CSV files of several evaluations as one. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/start.h"
#include "common/text.h"
#include "eval/eval.h"

/* ---- CSV ---- */
typedef struct csv {
    const char *path;
    char *text, *at; /* what is left to read */
    char **field;    /* of the row that was read last */
    size_t count, cap;
    unsigned long line; /* of the row's beginning */
    unsigned long next;
} csv;

static int csv_open(csv *c, const char *path)
{
    *c = (csv){.path = path, .next = 1};
    size_t n = 0, cap = 1 << 16;
    errno = 0;
    FILE *f = fopen(path, "rb");
    if (!f)
        return tool_fail("%s: %s", path, strerror(errno));
    c->text = malloc(cap);
    for (size_t got = 1; c->text && got; n += got) {
        if (cap - n < 2) {
            char *more = realloc(c->text, cap *= 2);
            if (!more) {
                free(c->text);
                c->text = NULL;
                break;
            }
            c->text = more;
        }
        got = fread(c->text + n, 1, cap - n - 1, f);
    }
    const int failed = ferror(f), code = errno;
    fclose(f);
    if (!c->text)
        return tool_fail("%s: out of memory", path);
    if (failed)
        return tool_fail("%s: %s", path, strerror(code ? code : EIO));
    c->text[n] = '\0';
    if (strlen(c->text) != n)
        return tool_fail("%s: is no CSV file: has a NUL byte", path);
    c->at = c->text;
    return EXIT_DONE;
}

static int add_field(csv *c, char *text)
{
    if (c->count == c->cap) {
        char **more = realloc(c->field, (c->cap = 2 * c->cap + 16) * sizeof *more);
        if (!more)
            return 0;
        c->field = more;
    }
    c->field[c->count++] = text;
    return 1;
}

/* The field at *p, in place; *p moves to the character that ended it. NULL: a quote that is never closed. */
static char *take_field(csv *c, char **p)
{
    char *from = *p, *to = *p, *text = *p;
    if (*from != '"') {
        from += strcspn(from, ",\r\n");
        *p = from;
        return text;
    }
    for (from++; *from && !(*from == '"' && from[1] != '"'); *to++ = *from++) {
        c->next += *from == '\n';
        from += *from == '"';
    }
    if (!*from)
        return NULL;
    *p = from + 1;
    *to = '\0';
    return text;
}

/* 1: a row; 0: no more; -1 after a message. */
static int csv_row(csv *c)
{
    char *p = c->at;
    c->count = 0;
    c->line = c->next;
    if (!*p)
        return 0;
    for (;;) {
        char *text = take_field(c, &p);
        const char end = text ? *p : '\0';
        if (!text || (end && end != ',' && end != '\n' && end != '\r')) {
            tool_fail("%s: line %lu: a quoted field does not end", c->path, c->line);
            return -1;
        }
        if (!add_field(c, text)) {
            tool_fail("%s: out of memory", c->path);
            return -1;
        }
        *p = '\0';
        p += end != '\0';
        if (end == ',')
            continue;
        c->next += end != '\0';
        c->at = p + (end == '\r' && *p == '\n');
        return 1;
    }
}

static void csv_close(csv *c)
{
    free(c->text);
    free(c->field);
}

/* ---- Files ---- */
typedef struct merging {
    char **name; /* of classes, from the first file */
    uint32_t classes;
    ecg_metrics *all, *accepted, *file; /* file: of the one that is read */
    int abstains;
    float *probs;
    uint32_t *column; /* [fields] class of a p: column, or classes */
    size_t truth, status, patient;
} merging;

#define NO_COLUMN SIZE_MAX

static int is_class_column(const char *name)
{
    return strncmp(name, "p:", 2) == 0;
}

static uint32_t find_class(const merging *m, const char *name)
{
    uint32_t i = 0;
    while (i < m->classes && strcmp(m->name[i], name) != 0)
        i++;
    return i;
}

static int take_classes(merging *m, const csv *c)
{
    m->name = calloc(c->count ? c->count : 1, sizeof *m->name);
    for (size_t i = 0; m->name && i < c->count; i++)
        if (is_class_column(c->field[i])) {
            m->name[m->classes] = malloc(strlen(c->field[i]));
            if (!m->name[m->classes])
                return tool_fail("out of memory");
            strcpy(m->name[m->classes++], c->field[i] + 2);
        }
    m->probs = calloc(m->classes ? m->classes : 1, sizeof *m->probs);
    if (!m->name || !m->probs)
        return tool_fail("out of memory");
    if (m->classes == 0)
        return tool_fail("%s: no column is named p:CLASS, expected a file of ecg-eval --csv", c->path);
    return ecg_metrics_new(&m->all, m->classes) == ECG_OK &&
                   ecg_metrics_new(&m->accepted, m->classes) == ECG_OK
               ? EXIT_DONE
               : tool_fail("out of memory");
}

/* The header: which column is what. */
static int read_header(merging *m, csv *c)
{
    const int got = csv_row(c);
    if (got <= 0)
        return got ? EXIT_FAILED : tool_fail("%s: is empty", c->path);
    if (!m->name) {
        const int code = take_classes(m, c);
        if (code != EXIT_DONE)
            return code;
    }
    free(m->column);
    m->column = calloc(c->count, sizeof *m->column);
    if (!m->column)
        return tool_fail("out of memory");
    uint32_t found = 0;
    m->truth = m->status = m->patient = NO_COLUMN;
    for (size_t i = 0; i < c->count; i++) {
        const char *name = c->field[i];
        m->column[i] = m->classes;
        if (strcmp(name, "truth") == 0)
            m->truth = i;
        else if (strcmp(name, "status") == 0)
            m->status = i;
        else if (strcmp(name, "patient") == 0)
            m->patient = i;
        if (!is_class_column(name))
            continue;
        m->column[i] = find_class(m, name + 2);
        if (m->column[i] == m->classes)
            return tool_fail("%s: class '%s' is not in the files before it", c->path, name + 2);
        for (size_t k = 0; k < i; k++)
            if (m->column[k] == m->column[i])
                return tool_fail("%s: two columns are named '%s'", c->path, name);
        found++;
    }
    if (m->truth == NO_COLUMN)
        return tool_fail("%s: no column is named truth, expected a file of ecg-eval --csv", c->path);
    if (found != m->classes)
        return tool_fail("%s: has %u of the %u classes of the files before it", c->path, found, m->classes);
    return EXIT_DONE;
}

static int take_row(merging *m, const csv *c)
{
    const uint32_t truth = find_class(m, c->field[m->truth]);
    if (truth == m->classes)
        return tool_fail("%s: line %lu: the truth '%s' is none of the classes", c->path, c->line,
                         c->field[m->truth]);
    for (size_t i = 0; i < c->count; i++) {
        if (m->column[i] == m->classes)
            continue;
        char *end;
        m->probs[m->column[i]] = strtof(c->field[i], &end);
        if (end == c->field[i] || *end)
            return tool_fail("%s: line %lu: expected a probability, got '%s'", c->path, c->line, c->field[i]);
    }
    const char *patient = m->patient == NO_COLUMN ? NULL : c->field[m->patient];
    const int answered = m->status == NO_COLUMN || strcmp(c->field[m->status], "ok") == 0;
    ecg_metrics *const to[] = {m->all, m->file, answered ? m->accepted : NULL};
    m->abstains |= !answered;
    for (size_t i = 0; i < 3; i++) {
        const ecg_status s = to[i] ? ecg_metrics_add_patient(to[i], truth, m->probs, patient) : ECG_OK;
        if (s != ECG_OK)
            return tool_fail("%s: line %lu: %s", c->path, c->line,
                             s == ECG_ENUMERIC ? "a probability is not within 0..1" : ecg_status_text(s));
    }
    return EXIT_DONE;
}

static int read_file(merging *m, const char *path)
{
    csv c;
    int code = csv_open(&c, path), got = 0;
    size_t columns = 0;
    if (code == EXIT_DONE)
        code = read_header(m, &c);
    columns = c.count;
    ecg_metrics_free(m->file);
    m->file = NULL;
    if (code == EXIT_DONE && ecg_metrics_new(&m->file, m->classes) != ECG_OK)
        code = tool_fail("out of memory");
    while (code == EXIT_DONE && (got = csv_row(&c)) > 0) {
        if (c.count == 1 && !*c.field[0])
            continue; /* an empty line */
        code = c.count == columns
                   ? take_row(m, &c)
                   : tool_fail("%s: line %lu: has %zu fields, expected %zu", path, c.line, c.count, columns);
    }
    csv_close(&c);
    return got < 0 ? EXIT_FAILED : code;
}

/* ---- Each file's figures ---- */
typedef struct fold {
    const char *path;
    uint64_t images;
    double accuracy, macro_f1;
} fold;

typedef struct folds {
    fold *at;
    size_t count;
    int json;
} folds;

static int print_folds(void *ctx, FILE *f)
{
    const folds *all = ctx;
    text_table t = {.align = "lrrr"};
    if (!all->json) {
        fputc('\n', f);
        text_cell(&t, "file");
        text_cell(&t, "pictures");
        text_cell(&t, "accuracy");
        text_cell(&t, "macro F1");
    } else {
        fputs(",\"files\":[", f);
    }
    for (size_t i = 0; i < all->count; i++) {
        const fold *a = &all->at[i];
        if (all->json) {
            fputs(i ? ",{\"file\":" : "{\"file\":", f);
            text_json_string(f, a->path);
            fprintf(f, ",\"images\":%llu", (unsigned long long)a->images);
            judge_json_figure(f, "accuracy", a->accuracy);
            judge_json_figure(f, "macro_f1", a->macro_f1);
            fputc('}', f);
            continue;
        }
        text_cell(&t, "%s", a->path);
        text_cell(&t, "%llu", (unsigned long long)a->images);
        text_cell_number(&t, "%.4f", a->accuracy);
        text_cell_number(&t, "%.4f", a->macro_f1);
    }
    if (all->json)
        fputc(']', f);
    else
        text_table_print(&t, f, 0);
    return EXIT_DONE;
}

int eval_merge(const settings *s)
{
    merging m = {0};
    folds all = {calloc(s->args, sizeof *all.at), 0, (int)s->json};
    int code = all.at ? EXIT_DONE : tool_fail("out of memory");
    for (size_t i = 0; i < s->args && code == EXIT_DONE; i++) {
        code = read_file(&m, s->arg[i]);
        if (code == EXIT_DONE)
            all.at[all.count++] = (fold){s->arg[i], ecg_metrics_count(m.file), ecg_metrics_accuracy(m.file),
                                         ecg_metrics_macro_f1(m.file)};
    }
    if (code == EXIT_DONE)
        judge_find_j(m.all, (const char *const *)m.name);
    if (code == EXIT_DONE)
        code = eval_print(m.all, (const char *const *)m.name, m.abstains ? m.accepted : NULL, s, print_folds,
                          &all, NULL);
    for (uint32_t i = 0; i < m.classes; i++)
        free(m.name[i]);
    free(m.name);
    free(m.probs);
    free(m.column);
    free(all.at);
    ecg_metrics_free(m.all);
    ecg_metrics_free(m.accepted);
    ecg_metrics_free(m.file);
    return code;
}
