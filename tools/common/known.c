#include "common/known.h"

#include <string.h>

#include "common/start.h"

static int is_given(const ecg_dataset_options *o, const char *name)
{
    for (uint32_t i = 0; i < o->class_count; i++)
        if (strcmp(o->classes[i], name) == 0)
            return 1;
    return 0;
}

static int is_class(const ecg_dataset *d, const char *name)
{
    for (uint32_t i = 0; d && i < ecg_dataset_classes(d); i++)
        if (strcmp(ecg_dataset_class(d, i), name) == 0)
            return 1;
    return 0;
}

/* The first class of `found` that may not be left out; NULL: none. */
static const char *find_stranger(const ecg_dataset *found, const ecg_dataset_options *o,
                                 const ecg_dataset *empty)
{
    for (uint32_t i = 0; i < ecg_dataset_classes(found); i++) {
        const char *name = ecg_dataset_class(found, i);
        if (ecg_dataset_class_samples(found, i) && !is_given(o, name) && !is_class(empty, name))
            return name;
    }
    return NULL;
}

static void warn(const char *dir, const ecg_dataset *found, const ecg_dataset_options *o)
{
    for (uint32_t i = 0; i < ecg_dataset_classes(found); i++) {
        const char *name = ecg_dataset_class(found, i);
        const size_t n = ecg_dataset_class_samples(found, i);
        if (is_given(o, name))
            continue;
        if (n)
            tool_warn("%s: class '%s' has no pictures in training, its %zu here are left out", dir, name, n);
        else
            tool_warn("%s: class '%s' is unknown and has no pictures, it is left out", dir, name);
    }
}

int known_open(ecg_dataset **out, const char *dir, const ecg_dataset_options *o, const ecg_dataset *empty)
{
    ecg_error err = {0};
    const ecg_status s = ecg_dataset_open(out, dir, o, &err);
    if (s == ECG_OK)
        return EXIT_DONE;
    /* Would it open with whatever classes there are? Then some are unknown. */
    ecg_dataset_options any = *o;
    ecg_dataset *found = NULL;
    ecg_error ignored = {0};
    any.classes = NULL;
    any.class_count = 0;
    if (o->ignore_unknown || s != ECG_EINVAL || ecg_dataset_open(&found, dir, &any, &ignored) != ECG_OK)
        return tool_error(s, &err);
    const char *stranger = find_stranger(found, o, empty);
    int code;
    if (stranger) {
        code = tool_fail("%s: class '%s' is not among the %u expected", dir, stranger, o->class_count);
    } else {
        warn(dir, found, o);
        any = *o;
        any.ignore_unknown = 1;
        const ecg_status again = ecg_dataset_open(out, dir, &any, &err);
        code = again == ECG_OK ? EXIT_DONE : tool_error(again, &err);
    }
    ecg_dataset_free(found);
    return code;
}
