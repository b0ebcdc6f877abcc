/* An audit, for people, as JSON and as CSV. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/auditing.h"
#include "common/start.h"
#include "common/text.h"

enum { EXAMPLES = 5 };

static const struct {
    uint32_t flag;
    const char *key, *text;
} flags[] = {
    {ECG_AUDIT_UNREADABLE, "unreadable", "cannot be read"},
    {ECG_AUDIT_BLANK, "blank", "blank"},
    {ECG_AUDIT_ODD_SIZE, "odd_size", "of another size than most"},
    {ECG_AUDIT_ODD_MODE, "odd_mode", "of another kind, channels or bits than most"},
    {ECG_AUDIT_ODD_GROUND, "odd_background", "of another background than most"},
};
enum { FLAGS = sizeof flags / sizeof flags[0] };

static const char *path(const auditing *a, size_t i)
{
    return a->at[i].path;
}

static const ecg_audit_found *found(const auditing *a, size_t i)
{
    return ecg_audit_at(a->audit, i);
}

static size_t class_count(const auditing *a, const char *label, size_t set)
{
    size_t n = 0;
    for (size_t i = 0; i < a->count; i++)
        n += a->at[i].set == set && strcmp(a->at[i].label, label) == 0;
    return n;
}

/* ---- Groups of copies under two classes ---- */

/* member[start..end) of each group: pictures by like, then in order. */
static int by_like(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static uint64_t *grouped(const auditing *a)
{
    uint64_t *v = malloc((a->count ? a->count : 1) * sizeof *v);
    for (size_t i = 0; v && i < a->count; i++)
        v[i] = (uint64_t)found(a, i)->like << 32 | i;
    if (v)
        qsort(v, a->count, sizeof *v, by_like);
    return v;
}

static size_t group_end(const auditing *a, const uint64_t *v, size_t start, int *conflict)
{
    size_t end = start;
    *conflict = 0;
    for (; end < a->count && v[end] >> 32 == v[start] >> 32; end++)
        *conflict |= strcmp(a->at[(uint32_t)v[end]].label, a->at[(uint32_t)v[start]].label) != 0;
    return end;
}

/* ---- For people ---- */
static void print_sets(const auditing *a, FILE *f)
{
    char align[AUDITING_MOST_SETS + 2] = "l";
    text_table t = {.align = align};
    for (size_t s = 0; s < a->sets; s++)
        strcat(align, "r");
    text_cell(&t, "class");
    for (size_t s = 0; s < a->sets; s++)
        text_cell(&t, "%s", a->set[s]);
    size_t least = SIZE_MAX, most = 0;
    for (size_t k = 0; k < a->labels; k++) {
        size_t all = 0;
        text_cell(&t, "%s", a->label[k]);
        for (size_t s = 0; s < a->sets; s++) {
            const size_t n = class_count(a, a->label[k], s);
            text_cell(&t, "%zu", n);
            all += n;
        }
        least = all < least ? all : least;
        most = all > most ? all : most;
    }
    text_table_print(&t, f, 0);
    if (a->labels > 1)
        fprintf(f, "the largest class has %.1f times as many pictures as the smallest\n",
                (double)most / (double)least);
}

static void print_flagged(const auditing *a, FILE *f)
{
    for (size_t k = 0; k < FLAGS; k++) {
        size_t n = 0;
        for (size_t i = 0; i < a->count; i++)
            n += (found(a, i)->flags & flags[k].flag) != 0;
        if (n == 0)
            continue;
        fprintf(f, "%zu %s:\n", n, flags[k].text);
        for (size_t i = 0, shown = 0; i < a->count && shown < EXAMPLES; i++)
            if (found(a, i)->flags & flags[k].flag) {
                fprintf(f, "    %s\n", path(a, i));
                shown++;
            }
    }
}

static void print_copies(const auditing *a, const audit_counts *c, FILE *f)
{
    size_t near_count, shown = 0;
    const ecg_audit_pair *near = ecg_audit_near(a->audit, &near_count);
    fprintf(f, "%zu exact copies of pictures before them; %zu pairs of near copies\n", c->exact, near_count);
    for (size_t i = 0; i < near_count && shown < EXAMPLES; i++, shown++)
        fprintf(f, "    %s\n    = %s (moved %+d %+d)\n", path(a, near[i].a), path(a, near[i].b), near[i].dx,
                near[i].dy);
    if (a->sets < 2)
        return;
    fprintf(f, "%zu pictures have a copy in another set, %zu of them an exact one\n", c->across,
            c->exact_across);
    shown = 0;
    for (size_t i = 0; i < a->count && shown < EXAMPLES; i++) {
        const size_t like = found(a, i)->like;
        if (a->at[like].set != a->at[i].set) {
            fprintf(f, "    %s\n    = %s\n", path(a, like), path(a, i));
            shown++;
        }
    }
}

static int print_conflicts(const auditing *a, const audit_counts *c, FILE *f)
{
    uint64_t *v = grouped(a);
    if (!v)
        return tool_fail("out of memory");
    fprintf(f, "%zu pictures stand under two classes or more\n", c->conflicts);
    size_t shown = 0;
    for (size_t start = 0, end; start < a->count && shown < EXAMPLES; start = end) {
        int conflict;
        end = group_end(a, v, start, &conflict);
        if (!conflict)
            continue;
        shown++;
        fprintf(f, "    %s%s\n", path(a, (uint32_t)v[start]),
                found(a, (uint32_t)v[start])->flags & ECG_AUDIT_BLANK ? " (blank)" : "");
        for (size_t i = start + 1; i < end && i < start + EXAMPLES; i++)
            fprintf(f, "    = %s\n", path(a, (uint32_t)v[i]));
        if (end > start + EXAMPLES)
            fprintf(f, "    and %zu more\n", end - start - EXAMPLES);
    }
    free(v);
    return EXIT_DONE;
}

int auditing_print(const auditing *a, FILE *f)
{
    audit_counts c;
    int code = auditing_count(&c, a);
    if (code != EXIT_DONE)
        return code;
    fprintf(f, "%zu pictures\n", a->count);
    print_sets(a, f);
    fputc('\n', f);
    print_flagged(a, f);
    print_copies(a, &c, f);
    code = print_conflicts(a, &c, f);
    if (c.border[0] | c.border[1] | c.border[2] | c.border[3])
        fprintf(f,
                "all have a border without ink: %zu rows at the top, %zu at the bottom, %zu columns left, "
                "%zu right\n",
                c.border[0], c.border[2], c.border[3], c.border[1]);
    if (c.patients == 0)
        fputs("no patients are named (manifest, or --patient-pattern)\n", f);
    else if (a->sets > 1)
        fprintf(f, "%zu of %zu patients are in two sets or more\n", c.patients_across, c.patients);
    else
        fprintf(f, "%zu patients\n", c.patients);
    return code;
}

/* ---- JSON ---- */
static void json_count(FILE *f, const char *key, size_t n)
{
    fprintf(f, ",\"%s\":%zu", key, n);
}

static void json_sets(const auditing *a, FILE *f)
{
    fputs(",\"sets\":[", f);
    for (size_t s = 0; s < a->sets; s++) {
        size_t n = 0;
        fputs(s ? ",{\"name\":" : "{\"name\":", f);
        text_json_string(f, a->set[s]);
        fputs(",\"classes\":{", f);
        for (size_t k = 0; k < a->labels; k++) {
            const size_t in_class = class_count(a, a->label[k], s);
            if (k)
                fputc(',', f);
            text_json_string(f, a->label[k]);
            fprintf(f, ":%zu", in_class);
            n += in_class;
        }
        fprintf(f, "},\"images\":%zu}", n);
    }
    fputc(']', f);
}

static void json_flagged(const auditing *a, FILE *f)
{
    for (size_t k = 0; k < FLAGS; k++) {
        const char *comma = "";
        fprintf(f, ",\"%s\":[", flags[k].key);
        for (size_t i = 0; i < a->count; i++)
            if (found(a, i)->flags & flags[k].flag) {
                fputs(comma, f);
                text_json_string(f, path(a, i));
                comma = ",";
            }
        fputc(']', f);
    }
}

static void json_near(const auditing *a, FILE *f)
{
    size_t n;
    const ecg_audit_pair *near = ecg_audit_near(a->audit, &n);
    fputs(",\"near\":[", f);
    for (size_t i = 0; i < n; i++) {
        fputs(i ? ",{\"a\":" : "{\"a\":", f);
        text_json_string(f, path(a, near[i].a));
        fputs(",\"b\":", f);
        text_json_string(f, path(a, near[i].b));
        fprintf(f, ",\"dx\":%d,\"dy\":%d}", near[i].dx, near[i].dy);
    }
    fputc(']', f);
}

/* Groups of two or more: all, and those under two classes. */
static int json_groups(const auditing *a, FILE *f)
{
    uint64_t *v = grouped(a);
    const char *comma = "";
    if (!v)
        return tool_fail("out of memory");
    fputs(",\"groups\":[", f);
    for (size_t start = 0, end; start < a->count; start = end) {
        int conflict;
        end = group_end(a, v, start, &conflict);
        if (end - start < 2)
            continue;
        fprintf(f, "%s{\"conflict\":%s,\"images\":[", comma, conflict ? "true" : "false");
        for (size_t i = start; i < end; i++) {
            if (i > start)
                fputc(',', f);
            text_json_string(f, path(a, (uint32_t)v[i]));
        }
        fputs("]}", f);
        comma = ",";
    }
    fputc(']', f);
    free(v);
    return EXIT_DONE;
}

int auditing_json(const auditing *a, FILE *f)
{
    audit_counts c;
    const int code = auditing_count(&c, a);
    if (code != EXIT_DONE)
        return code;
    fprintf(f, "\"images\":%zu", a->count);
    json_count(f, "exact_copies", c.exact);
    json_count(f, "near_pairs", c.near);
    json_count(f, "copied_across_sets", c.across);
    json_count(f, "exactly_copied_across_sets", c.exact_across);
    json_count(f, "conflicts", c.conflicts);
    json_count(f, "exact_conflicts", c.exact_conflicts);
    json_count(f, "patients", c.patients);
    json_count(f, "patients_across_sets", c.patients_across);
    fprintf(f, ",\"border\":{\"top\":%zu,\"right\":%zu,\"bottom\":%zu,\"left\":%zu}", c.border[0],
            c.border[1], c.border[2], c.border[3]);
    json_sets(a, f);
    json_flagged(a, f);
    json_near(a, f);
    return json_groups(a, f);
}

/* ---- CSV ---- */
static void csv_row(const auditing *a, size_t i, FILE *f)
{
    const ecg_audit_found *p = found(a, i);
    text_csv_string(f, path(a, i));
    fputc(',', f);
    text_csv_string(f, a->at[i].label);
    fputc(',', f);
    text_csv_string(f, a->set[a->at[i].set]);
    fputc(',', f);
    text_csv_string(f, a->at[i].patient ? a->at[i].patient : "");
    fprintf(f, ",%u,%u,%s,%u,%u,%u,", p->w, p->h,
            p->flags & ECG_AUDIT_UNREADABLE ? ""
            : p->jpeg                       ? "jpeg"
                                            : "png",
            p->channels, p->bits, p->ground);
    const char *space = "";
    for (size_t k = 0; k < FLAGS; k++)
        if (p->flags & flags[k].flag) {
            fprintf(f, "%s%s", space, flags[k].key);
            space = " ";
        }
    const size_t first[] = {p->same_bytes, p->same, p->like};
    for (size_t k = 0; k < 3; k++) {
        fputc(',', f);
        if (first[k] != i)
            text_csv_string(f, path(a, first[k]));
    }
    fputc('\n', f);
}

int auditing_csv(const auditing *a, const char *name)
{
    errno = 0;
    FILE *f = fopen(name, "w");
    if (!f)
        return tool_fail("%s: %s", name, strerror(errno));
    fputs("image,class,set,patient,width,height,kind,channels,bits,background,flags,same_bytes,same_pixels,"
          "copy_of\n",
          f);
    for (size_t i = 0; i < a->count; i++)
        csv_row(a, i, f);
    const int failed = ferror(f);
    if (fclose(f) != 0 || failed)
        return tool_fail("%s: cannot be written: %s", name, strerror(errno ? errno : EIO));
    return EXIT_DONE;
}
