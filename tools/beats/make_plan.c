/* Which beats of which records become pictures. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "beats/make.h"
#include "common/recipe.h"
#include "common/start.h"

uint32_t make_classes(const make_plan *p)
{
    return ecg_beat_set_classes(p->set) + 1;
}

/* The last class is that of beats that nobody has annotated. */
const char *make_class(const make_plan *p, uint32_t i)
{
    return i + 1 < make_classes(p) ? ecg_beat_set_class(p->set, i) : "Unclassified";
}

const char *make_part_name(make_part part)
{
    return part == PART_TRAIN ? "train" : part == PART_TEST ? "test" : "";
}

void make_image_name(const make_plan *p, const make_item *item, char *buf, size_t cap)
{
    snprintf(buf, cap, "%s/%s_%08llu.png", make_class(p, item->cls), p->record[item->record].name,
             (unsigned long long)item->sample);
}

/* The recipe: --recipe, or the window and what else was said. */
static int plan_recipe(make_plan *p, const make_settings *s)
{
    char text[1024];
    if (s->recipe) {
        snprintf(text, sizeof text, "%s", s->recipe);
    } else {
        size_t n = (size_t)snprintf(text, sizeof text, "%s", s->window);
        const char *const word[][2] = {
            {"views", s->views}, {"lead", s->lead}, {"second", s->second}, {"scale", s->scale}};
        for (size_t i = 0; i < sizeof word / sizeof *word; i++)
            if (word[i][1] && n < sizeof text)
                n += (size_t)snprintf(text + n, sizeof text - n, " %s=%s", word[i][0], word[i][1]);
        if (s->size.h && n < sizeof text)
            n += (size_t)snprintf(text + n, sizeof text - n, " size=%ux%u", s->size.h, s->size.w);
        if (s->pen > 0 && n < sizeof text)
            n += (size_t)snprintf(text + n, sizeof text - n, " pen=%g", (double)s->pen);
        if (n >= sizeof text)
            return tool_fail("the recipe is longer than %zu bytes", sizeof text - 1);
    }
    const int code = recipe_read(&p->recipe, text);
    if (code != EXIT_DONE)
        return code;
    p->recipe_text = recipe_text(p->recipe);
    return p->recipe_text ? EXIT_DONE : tool_fail("out of memory");
}

/* Whose heart it is. 202 of the MIT-BIH database was recorded on the same tape as 201. */
static int plan_patient(make_record *r, const leads *l, const make_settings *s)
{
    const char *who = r->name;
    if (strcmp(r->name, "202") == 0 && l->n == 650000 && l->rate == 360.0)
        who = "201";
    for (size_t i = 0; i < s->same.count; i++) {
        const char *sign = strchr(s->same.item[i], '=');
        const size_t n = sign ? (size_t)(sign - s->same.item[i]) : 0;
        if (strlen(r->name) == n && strncmp(r->name, s->same.item[i], n) == 0)
            who = sign + 1;
    }
    if (strlen(who) >= sizeof r->patient)
        return tool_fail("--same-patient: a name is longer than %zu bytes", sizeof r->patient - 1);
    snprintf(r->patient, sizeof r->patient, "%s", who);
    return EXIT_DONE;
}

static int add_beats(make_plan *p, uint32_t record, const leads *l)
{
    make_item *more = realloc(p->item, (p->items + l->count + 1) * sizeof *more);
    if (!more)
        return tool_fail("out of memory");
    p->item = more;
    for (size_t i = 0; i < l->count; i++) {
        const int cls = l->found ? (int)make_classes(p) - 1 : ecg_beat_set_of(p->set, l->code[i]);
        if (cls < 0) {
            p->outside[(unsigned char)l->code[i] & 127]++;
            continue;
        }
        make_item *item = &p->item[p->items++];
        *item = (make_item){.sample = l->at[i], .record = record, .beat = (uint32_t)i, .cls = (uint32_t)cls};
        item->code = l->code[i];
        item->rr_before = i > 0 ? (float)((double)(l->at[i] - l->at[i - 1]) / l->rate) : NAN;
        item->rr_after = i + 1 < l->count ? (float)((double)(l->at[i + 1] - l->at[i]) / l->rate) : NAN;
        if (p->items > 1 && i > 0 && item[-1].record == record && item[-1].sample == item->sample)
            p->items--; /* two at one sample would be one file */
    }
    return EXIT_DONE;
}

static int plan_record(make_plan *p, const make_settings *s, uint32_t i)
{
    make_record *r = &p->record[i];
    leads l;
    r->path = s->record[i];
    int code = leads_open(&l, r->path, p->recipe, s->annotations, 0);
    if (code == EXIT_DONE) {
        snprintf(r->name, sizeof r->name, "%s", l.name);
        snprintf(r->lead, sizeof r->lead, "%s", l.lead);
        for (uint32_t k = 0; k < i && code == EXIT_DONE; k++)
            if (strcmp(p->record[k].name, r->name) == 0)
                code = tool_fail("%s: there is a record %s already: %s", r->path, r->name, p->record[k].path);
    }
    if (code == EXIT_DONE)
        code = plan_patient(r, &l, s);
    if (code == EXIT_DONE) {
        r->first = p->items;
        code = add_beats(p, i, &l);
        r->end = p->items;
        p->other += l.other;
        p->found_records += l.found != 0;
    }
    leads_close(&l);
    return code;
}

int make_plan_all(make_plan *p, const make_settings *s)
{
    ecg_error err = {0};
    int code = plan_recipe(p, s);
    if (code != EXIT_DONE)
        return code;
    const ecg_status status = ecg_beat_set_load(&p->set, s->classes, &err);
    if (status != ECG_OK)
        return tool_error(status, &err);
    p->record = calloc(s->records, sizeof *p->record);
    if (!p->record)
        return tool_fail("out of memory");
    p->records = s->records;
    for (uint32_t i = 0; i < s->records && code == EXIT_DONE; i++)
        code = tool_interrupted() ? tool_fail("interrupted") : plan_record(p, s, i);
    if (code == EXIT_DONE)
        code = make_split(p, s);
    if (code == EXIT_DONE && p->items == 0)
        code = tool_fail("no beat of these records belongs to a class of %s", s->classes);
    return code;
}

void make_plan_free(make_plan *p)
{
    ecg_recipe_free(p->recipe);
    ecg_beat_set_free(p->set);
    free(p->recipe_text);
    free(p->record);
    free(p->item);
    *p = (make_plan){.items = 0};
}
