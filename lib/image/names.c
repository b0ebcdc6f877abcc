#include <string.h>

#include "ecgcnn/image.h"

struct name {
    const char *text;
    int value;
};

static const struct name filters[] = {
    {"nearest", ECG_FILTER_NEAREST},
    {"box", ECG_FILTER_BOX},
    {"bilinear", ECG_FILTER_BILINEAR},
    {"hamming", ECG_FILTER_HAMMING},
    {"bicubic", ECG_FILTER_BICUBIC},
    {"lanczos", ECG_FILTER_LANCZOS},
    {NULL, 0},
};
static const struct name profiles[] = {
    {"correct", ECG_PROFILE_CORRECT}, {"keras", ECG_PROFILE_KERAS}, {NULL, 0}};
/* Of two names for a value the first is the one that is told. */
static const struct name colors[] = {{"gray", ECG_COLOR_GRAY},
                                     {"grayscale", ECG_COLOR_GRAY},
                                     {"rgb", ECG_COLOR_RGB},
                                     {"rgba", ECG_COLOR_RGBA},
                                     {NULL, 0}};

static const char *name_of(const struct name *n, int value)
{
    while (n->text && n->value != value)
        n++;
    return n->text;
}

static const struct name *find(const struct name *n, const char *text)
{
    while (n->text && (!text || strcmp(n->text, text) != 0))
        n++;
    return n->text ? n : NULL;
}

const char *ecg_filter_name(ecg_filter f)
{
    return name_of(filters, (int)f);
}

const char *ecg_profile_name(ecg_profile p)
{
    return name_of(profiles, (int)p);
}

const char *ecg_color_name(ecg_color c)
{
    return name_of(colors, (int)c);
}

ecg_status ecg_filter_parse(ecg_filter *out, const char *name)
{
    const struct name *n = find(filters, name);
    if (!n)
        return ECG_EINVAL;
    *out = (ecg_filter)n->value;
    return ECG_OK;
}

ecg_status ecg_profile_parse(ecg_profile *out, const char *name)
{
    const struct name *n = find(profiles, name);
    if (!n)
        return ECG_EINVAL;
    *out = (ecg_profile)n->value;
    return ECG_OK;
}

ecg_status ecg_color_parse(ecg_color *out, const char *name)
{
    const struct name *n = find(colors, name);
    if (!n)
        return ECG_EINVAL;
    *out = (ecg_color)n->value;
    return ECG_OK;
}
