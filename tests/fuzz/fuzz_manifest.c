/* Manifest text: read or refused, and what is read keeps its promises. */
#include <stdlib.h>
#include <string.h>

#include "data/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
    if (!ok)
        abort();
}

static void check_entry(const struct ecg__listing *l, const struct ecg__entry *e)
{
    const size_t used = l->text.used;
    require(e->path && e->path < used && e->cls && e->cls < used && e->patient < used && e->split < used);
    const char *path = l->text.bytes + e->path, *name = path + l->prefix, *split = l->text.bytes + e->split;
    require(strncmp(path, "root/", 5) == 0 && *name && *name != '/');
    for (const char *part = name;; part++) { /* no empty, "." or ".." part */
        const size_t n = strcspn(part, "/");
        require(n > 0 && !(n == 1 && part[0] == '.') && !(n == 2 && part[0] == '.' && part[1] == '.'));
        part += n;
        if (!*part)
            break;
    }
    require(l->text.bytes[e->cls] != '\0');
    require(!*split || !strcmp(split, "train") || !strcmp(split, "val") || !strcmp(split, "test"));
}

static void parse(const char *text, size_t n, const struct ecg__class_set *wanted)
{
    char root[] = "root";
    struct ecg__listing l;
    ecg_error err = {ECG_OK, 0, ""};
    require(ecg__listing_init(&l, root, &err) == ECG_OK);
    const ecg_status st = ecg__manifest_parse(&l, text, n, "manifest.csv", wanted, &err);
    if (st == ECG_OK)
        for (size_t i = 0; i < l.count; i++)
            check_entry(&l, &l.entry[i]);
    else
        require(err.status == st && strncmp(err.message, "manifest.csv", 12) == 0);
    ecg__listing_free(&l);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"N", "L", "a b"};
    struct ecg__class_set wanted = {NULL, 0, false};
    parse((const char *)data, size, &wanted);
    if (ecg__class_set_init(&wanted, names, 3, NULL) != ECG_OK)
        return 0;
    parse((const char *)data, size, &wanted);
    wanted.ignore_unknown = true;
    parse((const char *)data, size, &wanted);
    ecg__class_set_free(&wanted);
    return 0;
}
