/* The model card: as much of Markdown as `ecg-eval --card` writes. Everything else in it is text. */
#include <stdlib.h>
#include <string.h>

#include "common/html.h"
#include "serve/page_put.h"

enum { MOST_COLUMNS = 32 };

typedef struct line {
    const char *p;
    size_t n;
} line;

typedef enum block { NONE, PARAGRAPH, LIST, TABLE } block;

typedef struct writer {
    FILE *f;
    block in;
    unsigned headings;        /* so far; their ids are card-1, ... */
    int level;                /* of the last heading */
    char right[MOST_COLUMNS]; /* columns of the table whose numbers stand to the right */
} writer;

/* ---- Within a line ---- */
typedef struct plain {
    FILE *f;
    char *text; /* what is not written yet */
    size_t n;
} plain;

static void flush(plain *t)
{
    t->text[t->n] = '\0';
    html_text(t->f, t->text);
    t->n = 0;
}

static int begins(line l, const char *with)
{
    const size_t n = strlen(with);
    return l.n >= n && memcmp(l.p, with, n) == 0;
}

/* Is there another one in the rest of the line? */
static int again(line l, const char *mark)
{
    const size_t n = strlen(mark);
    for (size_t i = n; i + n <= l.n; i++)
        if (memcmp(l.p + i, mark, n) == 0)
            return 1;
    return 0;
}

/* Bytes that stand for the character *c. */
static size_t escaped(line l, char *c)
{
    static const struct {
        const char *name, *is;
    } names[] = {{"&lt;", "<"}, {"&gt;", ">"}, {"&amp;", "&"}, {"&quot;", "\""}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (begins(l, names[i].name)) {
            *c = *names[i].is;
            return strlen(names[i].name);
        }
    const int marked = l.n > 1 && *l.p == '\\' && strchr("\\`*_{}[]()#+-.!|<>&:", l.p[1]) && l.p[1];
    *c = marked ? l.p[1] : *l.p;
    return marked ? 2 : 1;
}

static void put_inline(FILE *f, line l)
{
    int strong = 0, code = 0;
    plain t = {f, malloc(l.n + 1), 0};
    if (!t.text)
        return;
    while (l.n) {
        size_t used = 1;
        if (*l.p == '`' && (code || again(l, "`"))) {
            flush(&t);
            code = !code;
            fputs(code ? "<code>" : "</code>", f);
        } else if (!code && begins(l, "**") && (strong || again(l, "**"))) {
            flush(&t);
            strong = !strong;
            fputs(strong ? "<strong>" : "</strong>", f);
            used = 2;
        } else {
            char c;
            used = escaped(l, &c);
            t.text[t.n++] = c;
        }
        l.p += used;
        l.n -= used;
    }
    flush(&t);
    fputs(code ? "</code>" : "", f);
    fputs(strong ? "</strong>" : "", f);
    free(t.text);
}

static line trim(line l)
{
    while (l.n && strchr(" \t\r", *l.p)) {
        l.p++;
        l.n--;
    }
    while (l.n && strchr(" \t\r", l.p[l.n - 1]))
        l.n--;
    return l;
}

/* ---- Tables ---- */

/* The next cell of a row, whose first bar is gone. 0: there is none. */
static int next_cell(line *row, line *cell)
{
    if (!row->n)
        return 0;
    size_t i = 0;
    while (i < row->n && row->p[i] != '|')
        i += row->p[i] == '\\' && i + 1 < row->n ? 2 : 1;
    *cell = trim((line){row->p, i});
    const size_t used = i < row->n ? i + 1 : i;
    row->p += used;
    row->n -= used;
    return 1;
}

/* |---|--:| */
static int is_rule(line l)
{
    for (size_t i = 0; i < l.n; i++)
        if (!strchr("|-: ", l.p[i]))
            return 0;
    return begins(l, "|-") || begins(l, "|:") || begins(l, "| -");
}

static void put_row(writer *w, line l, int head)
{
    line cell;
    l.p++;
    l.n--;
    fputs("<tr>", w->f);
    for (size_t k = 0; k < MOST_COLUMNS && next_cell(&l, &cell); k++) {
        const char *right = w->right[k] ? " class=\"num\"" : "";
        if (head)
            fprintf(w->f, "<th scope=\"col\"%s>", right);
        else
            fprintf(w->f, k ? "<td%s>" : "<th scope=\"row\"%s>", right);
        put_inline(w->f, cell);
        fputs(head || !k ? "</th>" : "</td>", w->f);
    }
    fputs("</tr>\n", w->f);
}

static void open_table(writer *w, line head, line rule)
{
    line cell;
    rule.p++;
    rule.n--;
    memset(w->right, 0, sizeof w->right);
    for (size_t k = 0; k < MOST_COLUMNS && next_cell(&rule, &cell); k++)
        w->right[k] = cell.n > 0 && cell.p[cell.n - 1] == ':';
    fprintf(w->f,
            "<div class=\"sheet\" tabindex=\"0\" role=\"group\" aria-labelledby=\"card-%u\">"
            "<table class=\"list\" aria-labelledby=\"card-%u\">",
            w->headings, w->headings);
    fputs("\n<thead>", w->f);
    put_row(w, head, 1);
    fputs("</thead>\n<tbody>\n", w->f);
}

/* ---- Blocks ---- */
static void go(writer *w, block to)
{
    static const char *const ends[] = {"", "</p>\n", "</ul>\n", "</tbody></table></div>\n"};
    static const char *const starts[] = {"", "<p>", "<ul class=\"limits\">\n", ""};
    if (w->in == to)
        return;
    fputs(ends[w->in], w->f);
    fputs(starts[to], w->f);
    w->in = to;
}

static void put_heading(writer *w, line l)
{
    size_t marks = 0;
    while (marks < l.n && l.p[marks] == '#')
        marks++;
    int level = (int)marks + 2;
    level = level > w->level + 1 ? w->level + 1 : level > 6 ? 6 : level;
    go(w, NONE);
    fprintf(w->f, "<h%d id=\"card-%u\">", level, ++w->headings);
    put_inline(w->f, trim((line){l.p + marks, l.n - marks}));
    fprintf(w->f, "</h%d>\n", level);
    w->level = level;
}

static line take(const char **p)
{
    const line l = {*p, strcspn(*p, "\n")};
    *p += l.n + ((*p)[l.n] == '\n');
    return trim(l);
}

static int is_heading(line l)
{
    size_t marks = 0;
    while (marks < l.n && l.p[marks] == '#')
        marks++;
    return marks > 0 && marks <= 6 && marks + 1 < l.n && l.p[marks] == ' ';
}

void page_card(FILE *f, const char *card)
{
    writer w = {.f = f, .level = 2};
    while (*card) {
        const line l = take(&card);
        const char *after = card;
        const line next = take(&after);
        if (!l.n) {
            go(&w, NONE);
        } else if (is_heading(l)) {
            put_heading(&w, l);
        } else if (begins(l, "- ") || begins(l, "* ")) {
            go(&w, LIST);
            fputs("<li>", f);
            put_inline(f, trim((line){l.p + 2, l.n - 2}));
            fputs("</li>\n", f);
        } else if (w.in == TABLE && *l.p == '|') {
            put_row(&w, l, 0);
        } else if (*l.p == '|' && is_rule(next)) {
            go(&w, NONE);
            open_table(&w, l, next);
            w.in = TABLE;
            card = after;
        } else {
            if (w.in == PARAGRAPH)
                fputc('\n', f);
            go(&w, PARAGRAPH);
            put_inline(f, l);
        }
    }
    go(&w, NONE);
}
