#define _POSIX_C_SOURCE 200809L
#include <dirent.h>
#include <unistd.h>

#include "records/records.h"

static int by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

size_t records_find(char names[MOST_RECORDS][16], const char *folder)
{
    size_t n = 0;
    DIR *d = opendir(folder);
    for (const struct dirent *e; d && (e = readdir(d)) && n < MOST_RECORDS;) {
        const size_t length = strlen(e->d_name);
        char path[4096];
        if (length < 5 || length > 19 || strcmp(e->d_name + length - 4, ".hea") != 0)
            continue;
        snprintf(path, sizeof path, "%s/%.*s.atr", folder, (int)length - 4, e->d_name);
        if (access(path, R_OK) == 0)
            snprintf(names[n++], 16, "%.*s", (int)length - 4, e->d_name);
    }
    if (d)
        closedir(d);
    qsort(names, n, sizeof names[0], by_name);
    return n;
}

int lead_open(struct lead *l, const char *folder, const char *name, const char *text)
{
    char path[4096];
    ecg_error err = {0};
    ecg_recipe *recipe = NULL;
    ecg_record *r = NULL;
    int64_t lead = 0, second;
    *l = (struct lead){0};
    snprintf(path, sizeof path, "%s/%s", folder, name);
    ecg_status s = ecg_record_open(&r, path, NULL, &err);
    if (s == ECG_OK)
        s = ecg_recipe_parse(&recipe, text, &err);
    if (s == ECG_OK)
        s = ecg_recipe_signals(recipe, r, &lead, &second, &err);
    if (s == ECG_OK) {
        l->n = (size_t)ecg_record_get_info(r)->frames;
        l->rate = ecg_record_get_info(r)->rate;
        l->mv = malloc((l->n + 1) * sizeof *l->mv);
        s = l->mv ? ecg_record_read_signal(r, (uint32_t)lead, 0, l->n, l->mv, &err) : ECG_ENOMEM;
    }
    if (s == ECG_OK)
        s = ecg_record_annotations(&l->notes, r, "atr", &err);
    ecg_recipe_free(recipe);
    ecg_record_close(r);
    if (s != ECG_OK)
        printf("FAIL %s: %s\n", name, err.message);
    return s != ECG_OK;
}

void lead_close(struct lead *l)
{
    free(l->mv);
    ecg_annotations_free(l->notes);
    *l = (struct lead){0};
}
