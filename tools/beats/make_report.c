/* What was made, and what was left out. */
#include <string.h>

#include "beats/make.h"
#include "common/text.h"

static size_t count(const make_plan *p, uint32_t cls, make_part part)
{
    size_t n = 0;
    for (size_t i = 0; i < p->items; i++)
        n += p->item[i].cls == cls && p->item[i].part == part;
    return n;
}

/* Patients with pictures in a part, or in any. */
static size_t patients(const make_plan *p, make_part part, int any)
{
    size_t n = 0;
    for (size_t i = 0; i < p->records; i++) {
        int fresh = p->record[i].end > p->record[i].first && (any || p->record[i].part == part);
        for (size_t k = 0; k < i && fresh; k++)
            fresh = !(p->record[k].end > p->record[k].first && (any || p->record[k].part == part) &&
                      strcmp(p->record[k].patient, p->record[i].patient) == 0);
        n += (size_t)fresh;
    }
    return n;
}

/* A record whose patient is on the other side too; NULL: there is none. */
static const make_record *shared_patient(const make_plan *p, const make_record **other)
{
    for (size_t i = 0; i < p->records; i++)
        for (size_t k = 0; k < i; k++) {
            const make_record *a = &p->record[i], *b = &p->record[k];
            if (a->end > a->first && b->end > b->first && a->part != b->part &&
                strcmp(a->patient, b->patient) == 0) {
                *other = b;
                return a;
            }
        }
    return NULL;
}

static size_t outside(const make_plan *p)
{
    size_t n = 0;
    for (int c = 0; c < 128; c++)
        n += p->outside[c];
    return n;
}

static void print_left_out(const make_plan *p)
{
    if (outside(p)) {
        printf("left out: %zu beats outside the classes (", outside(p));
        const char *between = "";
        for (int c = 0; c < 128; c++)
            if (p->outside[c]) {
                printf("%s%c %zu", between, c, p->outside[c]);
                between = ", ";
            }
        printf(")\n");
    }
    if (p->unassigned_records)
        printf("left out: %zu beats of %zu records that the split does not name\n", p->unassigned,
               p->unassigned_records);
    if (p->capped)
        printf("left out: %zu beats that were too many of their class\n", p->capped);
    if (p->other)
        printf("left out: %zu annotations that mark no beat\n", p->other);
    if (p->found_records)
        printf("records without annotations: %zu; their beats were found, and have no class\n",
               p->found_records);
}

static void print_table(const make_plan *p, const make_settings *s)
{
    const int split = strcmp(s->split, "none") != 0;
    size_t all[PART_OUT] = {0};
    text_table t = {.align = split ? "lrr" : "lr"};
    text_cell(&t, "class");
    text_cell(&t, "%s", split ? "train" : "pictures");
    if (split)
        text_cell(&t, "test");
    for (uint32_t c = 0; c < make_classes(p); c++) {
        const size_t n[PART_OUT] = {count(p, c, PART_NONE), count(p, c, PART_TRAIN), count(p, c, PART_TEST)};
        if (n[0] + n[1] + n[2] == 0)
            continue;
        text_cell(&t, "%s", make_class(p, c));
        text_cell(&t, "%zu", split ? n[PART_TRAIN] : n[PART_NONE]);
        if (split)
            text_cell(&t, "%zu", n[PART_TEST]);
        for (int k = 0; k < PART_OUT; k++)
            all[k] += n[k];
    }
    text_cell(&t, "all");
    text_cell(&t, "%zu", split ? all[PART_TRAIN] : all[PART_NONE]);
    if (split)
        text_cell(&t, "%zu", all[PART_TEST]);
    text_table_print(&t, stdout, 0);
    if (split && strcmp(s->split, "random") != 0)
        printf("patients: %zu train, %zu test\n", patients(p, PART_TRAIN, 0), patients(p, PART_TEST, 0));
    else
        printf("patients: %zu\n", patients(p, PART_NONE, 1));
    const make_record *other = NULL, *shared = shared_patient(p, &other);
    if (shared) {
        const int test = shared->part == PART_TEST;
        const char *trains = test ? other->name : shared->name, *tests = test ? shared->name : other->name;
        printf("note: %s (train) and %s (test) are one patient, on both sides; give test figures without %s "
               "too\n",
               trains, tests, tests);
    }
    if (split && all[PART_TEST] == 0)
        printf("no test pictures: %s\n", strcmp(s->split, "ds1-ds2") == 0
                                             ? "none of these records is of DS2"
                                             : "too few for this --test-fraction");
    if (strcmp(s->split, "random") == 0)
        printf("split by beat: the same patients train and test, so test figures will be too good\n");
}

static void print_json(const make_plan *p, const make_settings *s)
{
    fputs("{\"output\":", stdout);
    text_json_string(stdout, s->out);
    fputs(",\"recipe\":", stdout);
    text_json_string(stdout, p->recipe_text);
    printf(",\"images\":%zu,\"records\":%zu,\"patients\":%zu,\"split\":\"%s\",\"classes\":[", p->items,
           p->records, patients(p, PART_NONE, 1), s->split);
    const char *between = "";
    for (uint32_t c = 0; c < make_classes(p); c++) {
        const size_t n[PART_OUT] = {count(p, c, PART_NONE), count(p, c, PART_TRAIN), count(p, c, PART_TEST)};
        if (n[0] + n[1] + n[2] == 0)
            continue;
        printf("%s{\"name\":", between);
        text_json_string(stdout, make_class(p, c));
        printf(",\"images\":%zu,\"train\":%zu,\"test\":%zu}", n[0] + n[1] + n[2], n[PART_TRAIN],
               n[PART_TEST]);
        between = ",";
    }
    printf("],\"left_out\":{\"codes\":{");
    between = "";
    for (int c = 0; c < 128; c++)
        if (p->outside[c]) {
            const char code[2] = {(char)c, '\0'};
            fputs(between, stdout);
            text_json_string(stdout, code);
            printf(":%zu", p->outside[c]);
            between = ",";
        }
    printf("},\"not_in_split\":%zu,\"capped\":%zu,\"no_beats\":%zu},\"records_without_annotations\":%zu}\n",
           p->unassigned, p->capped, p->other, p->found_records);
}

void make_report(const make_plan *p, const make_settings *s)
{
    if (s->json) {
        print_json(p, s);
        return;
    }
    print_table(p, s);
    print_left_out(p);
}
