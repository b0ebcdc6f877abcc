#define _POSIX_C_SOURCE 200809L
#include <regex.h>
#include <string.h>

#include "base/status.h"
#include "data/group.h"

static ecg_status group_one(struct ecg__listing *l, const regex_t *re, const char *pattern, size_t i,
                            ecg_error *err)
{
    regmatch_t m[2];
    struct ecg__entry *e = &l->entry[i];
    const char *name = l->text.bytes + e->path + l->prefix;
    if (regexec(re, name, 2, m, 0) != 0)
        return ecg__fail(err, ECG_EINVAL, "%s: the group pattern \"%s\" does not match \"%s\"",
                         l->text.bytes + e->path, pattern, name);
    if (m[1].rm_so < 0 || m[1].rm_eo <= m[1].rm_so)
        return ecg__fail(err, ECG_EINVAL,
                         "%s: the parenthesis of the group pattern \"%s\" matches nothing in \"%s\"",
                         l->text.bytes + e->path, pattern, name);
    const size_t n = (size_t)(m[1].rm_eo - m[1].rm_so);
    const char *group = name + m[1].rm_so;
    if (i > 0) {
        /* Neighbours are mostly of one group: share its string. */
        const char *last = l->text.bytes + l->entry[i - 1].group;
        if (strncmp(last, group, n) == 0 && last[n] == '\0') {
            e->group = l->entry[i - 1].group;
            return ECG_OK;
        }
    }
    const size_t at = e->path + l->prefix + (size_t)m[1].rm_so;
    if (!ecg__text_room(&l->text, n) || !ecg__text_add(&l->text, l->text.bytes + at, n, &e->group))
        return ecg__fail(err, ECG_ENOMEM, "%s/: out of memory for groups", l->root);
    return ECG_OK;
}

ecg_status ecg__group_compile(regex_t *re, const char *pattern, ecg_error *err)
{
    const int code = regcomp(re, pattern, REG_EXTENDED);
    if (code != 0) {
        char text[128];
        regerror(code, re, text, sizeof text);
        return ecg__fail(err, ECG_EINVAL, "group pattern \"%s\": %s", pattern, text);
    }
    if (re->re_nsub >= 1)
        return ECG_OK;
    regfree(re);
    return ecg__fail(err, ECG_EINVAL,
                     "group pattern \"%s\": no parenthesis, expected one around what names the group",
                     pattern);
}

ecg_status ecg__listing_group(struct ecg__listing *l, const char *pattern, ecg_error *err)
{
    regex_t re;
    ecg_status st = ecg__group_compile(&re, pattern, err);
    if (st != ECG_OK)
        return st;
    for (size_t i = 0; st == ECG_OK && i < l->count; i++)
        st = group_one(l, &re, pattern, i, err);
    regfree(&re);
    return st;
}
