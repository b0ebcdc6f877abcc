/* make.h: ecg-beats make, from recordings to pictures. */
#ifndef ECG_TOOLS_BEATS_MAKE_H
#define ECG_TOOLS_BEATS_MAKE_H

#include "common/leads.h"
#include "common/opts.h"

int beats_make(int argc, char **argv);

enum { MAKE_PATH = 4096 };

typedef struct make_settings {
    const char *out, *classes, *annotations, *split, *recipe, *window, *views, *lead, *second, *scale;
    opt_list same; /* A=B: record A shows the patient of record B */
    opt_size size;
    float pen;
    double test_fraction;
    uint32_t cap, balance, threads, quiet, json;
    uint64_t seed;
    char **record;
    size_t records;
} make_settings;

typedef enum make_part { PART_NONE, PART_TRAIN, PART_TEST, PART_OUT } make_part;

/* A record that beats are cut from. */
typedef struct make_record {
    const char *path;
    char name[64], patient[64], lead[64];
    make_part part;    /* where all of its beats go; PART_NONE: it is decided beat by beat */
    size_t first, end; /* its items */
} make_record;

/* A beat that becomes a picture. */
typedef struct make_item {
    uint64_t sample, key; /* key: its place in a random order */
    uint32_t record, beat, cls;
    char code;
    make_part part;
    float rr_before, rr_after; /* seconds, NaN: no neighbour */
} make_item;

typedef struct make_plan {
    ecg_recipe *recipe;
    char *recipe_text;
    ecg_beat_set *set; /* NULL: beats were found, not annotated, so that there is one class */
    make_record *record;
    size_t records;
    make_item *item; /* [items], record by record, by sample */
    size_t items;
    size_t outside[128]; /* beats left out because their code is in no class, by code */
    size_t other;        /* annotations that are no beats */
    size_t unassigned;   /* beats of records that the split does not name */
    size_t capped;       /* beats that were too many of their class */
    size_t unassigned_records, found_records;
} make_plan;

/* Which pictures are to be made. Messages are printed. 0 or the exit code. */
int make_plan_all(make_plan *p, const make_settings *s);
void make_plan_free(make_plan *p);
uint32_t make_classes(const make_plan *p);
const char *make_class(const make_plan *p, uint32_t i);
const char *make_part_name(make_part part); /* "" for none */

/* Give each record and beat its part, and thin out classes; items that are left out are removed. */
int make_split(make_plan *p, const make_settings *s);

/* "Normal/101_00000083.png". */
void make_image_name(const make_plan *p, const make_item *item, char *buf, size_t cap);

/* Draw all pictures into `dir`, which has its class folders. */
int make_draw(const make_plan *p, const make_settings *s, const char *dir);

/* What was made and what was left out, for people or as JSON. */
void make_report(const make_plan *p, const make_settings *s);

#endif
