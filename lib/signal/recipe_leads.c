/* Which signals of a record a recipe draws. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/status.h"
#include "signal/recipe.h"

/* The signal that `word` of n bytes names, by name or else by number; -1: none. */
static int64_t by_word(const ecg_record *record, uint32_t signals, const char *word, size_t n)
{
    char name[ECG__LEAD_TEXT];
    memcpy(name, word, n);
    name[n] = '\0';
    const int64_t k = ecg_record_find_signal(record, name);
    if (k >= 0)
        return k;
    if (n > 4 || strspn(name, "0123456789") != n)
        return -1;
    const long number = strtol(name, NULL, 10);
    return number < (long)signals ? number : -1;
}

static int64_t first_of(const ecg_record *record, uint32_t signals, const char *list, int64_t but)
{
    for (const char *at = list; *at;) {
        const size_t n = strcspn(at, ",");
        const int64_t k = by_word(record, signals, at, n);
        if (k >= 0 && k != but)
            return k;
        at += n + (at[n] == ',');
    }
    return -1;
}

static ecg_status fail(const ecg_record *record, const ecg_record_info *info, const char *list,
                       ecg_error *err)
{
    char names[200] = "";
    size_t n = 0;
    for (uint32_t i = 0; i < info->signals && n < sizeof names; i++) {
        const int k = snprintf(names + n, sizeof names - n, "%s%s", i ? ", " : "",
                               ecg_record_signal(record, i)->name);
        n += k > 0 ? (size_t)k : 0;
    }
    return ecg__fail(err, ECG_EINVAL, "%s: no signal '%s'; it has %u: %s", info->path, list, info->signals,
                     names);
}

ecg_status ecg_recipe_signals(const ecg_recipe *r, const ecg_record *record, int64_t *lead, int64_t *second,
                              ecg_error *err)
{
    if (!r || !record || !lead || !second)
        return ecg__fail(err, ECG_EINVAL, "recipe: no recipe, record or output");
    const ecg_record_info *info = ecg_record_get_info(record);
    bool wanted = false;
    for (uint32_t i = 0; i < r->views; i++)
        wanted = wanted || r->view[i] == ECG__VIEW_SECOND;
    *second = -1;
    *lead = first_of(record, info->signals, r->lead, -1);
    if (*lead < 0)
        return fail(record, info, r->lead, err);
    if (!wanted)
        return ECG_OK;
    if (strcmp(r->second, "auto") != 0)
        *second = first_of(record, info->signals, r->second, *lead);
    else if (info->signals > 1)
        *second = *lead == 0 ? 1 : 0;
    return *second < 0 ? fail(record, info, r->second, err) : ECG_OK;
}
