/* Training or test: by record, by patient, by beat; and how many of a class. */
#include <stdlib.h>
#include <string.h>

#include "beats/make.h"
#include "common/start.h"

/* The usual halves of the MIT-BIH database (de Chazal et al. 2004). */
static const char DS1[] = " 101 106 108 109 112 114 115 116 118 119 122 124 201 203 205 207 208 209 215 220 "
                          "223 230 ";
static const char DS2[] = " 100 103 105 111 113 117 121 123 200 202 210 212 213 214 219 221 222 228 231 232 "
                          "233 234 ";

static int is_in(const char *list, const char *name)
{
    char word[68];
    snprintf(word, sizeof word, " %s ", name);
    return strchr(name, ' ') == NULL && strstr(list, word) != NULL;
}

/* A number that depends on seed, name and number alone (FNV-1a, then the finish of SplitMix64). */
static uint64_t key_of(uint64_t seed, const char *name, uint64_t number)
{
    uint64_t h = 14695981039346656037u ^ seed;
    for (; *name; name++)
        h = (h ^ (unsigned char)*name) * 1099511628211u;
    h += 0x9e3779b97f4a7c15u * (number + 1);
    h = (h ^ (h >> 30)) * 0xbf58476d1ce4e5b9u;
    h = (h ^ (h >> 27)) * 0x94d049bb133111ebu;
    return h ^ (h >> 31);
}

/* ---- Whole patients ---- */
typedef struct person {
    const char *name;
    uint64_t key;
} person;

static int by_person(const void *a, const void *b)
{
    const person *x = a, *y = b;
    return x->key != y->key ? (x->key > y->key ? 1 : -1) : strcmp(x->name, y->name);
}

static int split_patients(make_plan *p, const make_settings *s)
{
    person *who = calloc(p->records, sizeof *who);
    size_t n = 0;
    if (!who)
        return tool_fail("out of memory");
    for (size_t i = 0; i < p->records; i++) {
        size_t k = 0;
        while (k < n && strcmp(who[k].name, p->record[i].patient) != 0)
            k++;
        if (k == n)
            who[n++] = (person){p->record[i].patient, key_of(s->seed, p->record[i].patient, 0)};
    }
    qsort(who, n, sizeof *who, by_person);
    size_t tests = (size_t)((double)n * s->test_fraction + 0.5);
    if (tests == 0)
        tests = 1;
    if (n < 2) {
        free(who);
        return tool_fail("--split patient: all beats are of one patient; use --split none or random");
    }
    if (tests >= n)
        tests = n - 1;
    for (size_t i = 0; i < p->records; i++) {
        p->record[i].part = PART_TRAIN;
        for (size_t k = 0; k < tests; k++)
            if (strcmp(who[k].name, p->record[i].patient) == 0)
                p->record[i].part = PART_TEST;
    }
    free(who);
    return EXIT_DONE;
}

static int split_records(make_plan *p, const make_settings *s)
{
    if (strcmp(s->split, "patient") == 0)
        return split_patients(p, s);
    for (size_t i = 0; i < p->records && strcmp(s->split, "ds1-ds2") == 0; i++) {
        make_record *r = &p->record[i];
        r->part = is_in(DS1, r->name) ? PART_TRAIN : is_in(DS2, r->name) ? PART_TEST : PART_OUT;
        p->unassigned_records += r->part == PART_OUT;
    }
    return EXIT_DONE;
}

/* ---- Beat by beat ---- */
static int by_key(const void *a, const void *b)
{
    const make_item *x = *(make_item *const *)a, *y = *(make_item *const *)b;
    if (x->cls != y->cls)
        return x->cls > y->cls ? 1 : -1;
    if (x->part != y->part)
        return x->part > y->part ? 1 : -1;
    if (x->key != y->key)
        return x->key > y->key ? 1 : -1;
    return x > y ? 1 : -1;
}

/* Items in the order of class, part and key; NULL: out of memory. */
static make_item **sorted(make_plan *p)
{
    make_item **order = malloc((p->items + 1) * sizeof *order);
    for (size_t i = 0; order && i < p->items; i++)
        order[i] = &p->item[i];
    if (order)
        qsort(order, p->items, sizeof *order, by_key);
    return order;
}

/* From every class, its fraction. */
static int split_random(make_plan *p, const make_settings *s)
{
    make_item **order = sorted(p);
    if (!order)
        return tool_fail("out of memory");
    for (size_t i = 0, end; i < p->items; i = end) {
        for (end = i; end < p->items && order[end]->cls == order[i]->cls;)
            end++;
        const size_t tests = (size_t)((double)(end - i) * s->test_fraction + 0.5);
        for (size_t k = i; k < end; k++)
            order[k]->part = k - i < tests ? PART_TEST : PART_TRAIN;
    }
    free(order);
    return EXIT_DONE;
}

/* Of the beats that train, at most `cap` of a class. Tests keep the proportions of life. */
static int thin_out(make_plan *p, size_t cap)
{
    make_item **order = sorted(p);
    if (!order)
        return tool_fail("out of memory");
    for (size_t i = 0, end; i < p->items; i = end) {
        for (end = i;
             end < p->items && order[end]->cls == order[i]->cls && order[end]->part == order[i]->part;)
            end++;
        for (size_t k = i + cap; order[i]->part != PART_TEST && k < end; k++) {
            order[k]->part = PART_OUT;
            p->capped++;
        }
    }
    free(order);
    return EXIT_DONE;
}

/* Training beats of the rarest class that has any. */
static size_t rarest(const make_plan *p)
{
    size_t least = SIZE_MAX;
    for (uint32_t c = 0; c < make_classes(p); c++) {
        size_t n = 0;
        for (size_t i = 0; i < p->items; i++)
            n += p->item[i].cls == c && p->item[i].part != PART_TEST;
        if (n && n < least)
            least = n;
    }
    return least;
}

static void remove_out(make_plan *p)
{
    size_t kept = 0, i = 0;
    for (size_t r = 0; r < p->records; r++) {
        const size_t end = p->record[r].end;
        p->record[r].first = kept;
        for (; i < end; i++)
            if (p->item[i].part != PART_OUT)
                p->item[kept++] = p->item[i];
        p->record[r].end = kept;
    }
    p->items = kept;
}

int make_split(make_plan *p, const make_settings *s)
{
    int code = split_records(p, s);
    if (code != EXIT_DONE)
        return code;
    for (size_t i = 0; i < p->items; i++) {
        make_item *item = &p->item[i];
        const make_record *r = &p->record[item->record];
        item->part = r->part;
        item->key = key_of(s->seed, r->name, item->sample);
        p->unassigned += item->part == PART_OUT;
    }
    remove_out(p);
    if (strcmp(s->split, "random") == 0)
        code = split_random(p, s);
    const size_t even = s->balance ? rarest(p) : SIZE_MAX, cap = s->cap ? s->cap : SIZE_MAX;
    if (code == EXIT_DONE && (even < SIZE_MAX || cap < SIZE_MAX))
        code = thin_out(p, even < cap ? even : cap);
    remove_out(p);
    return code;
}
