#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ecgcnn/types.h"

const char *ecg_status_name(ecg_status s)
{
    switch (s) {
#define STATUS_NAME(name, value, text)                                                                       \
    case name:                                                                                               \
        return #name;
        ECG_STATUS_LIST(STATUS_NAME)
#undef STATUS_NAME
    }
    return "ECG_UNKNOWN";
}

const char *ecg_status_text(ecg_status s)
{
    switch (s) {
#define STATUS_TEXT(name, value, text)                                                                       \
    case name:                                                                                               \
        return text;
        ECG_STATUS_LIST(STATUS_TEXT)
#undef STATUS_TEXT
    }
    return "unknown status";
}

/* One line always: a file name may hold a newline. */
static void set_message(ecg_error *err, const char *text)
{
    const size_t cap = sizeof err->message;
    size_t n = strlen(text);
    const int cut = n >= cap;
    if (cut)
        n = cap - 4;
    for (size_t i = 0; i < n; i++)
        err->message[i] = (unsigned char)text[i] < 0x20 || text[i] == 0x7f ? '?' : text[i];
    memcpy(err->message + n, cut ? "..." : "", cut ? 4 : 1);
}

static void fail_v(ecg_error *err, ecg_status s, uint32_t where, const char *fmt, va_list args)
{
    if (!err)
        return;
    char text[2 * sizeof err->message];
    vsnprintf(text, sizeof text, fmt, args);
    err->status = s;
    err->where = where;
    set_message(err, text);
}

ecg_status ecg__fail(ecg_error *err, ecg_status s, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fail_v(err, s, 0, fmt, args);
    va_end(args);
    return s;
}

ecg_status ecg__fail_at(ecg_error *err, ecg_status s, uint32_t where, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fail_v(err, s, where, fmt, args);
    va_end(args);
    return s;
}

ecg_status ecg__context(ecg_error *err, ecg_status s, const char *fmt, ...)
{
    if (!err)
        return s;
    char text[2 * sizeof err->message];
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(text, sizeof text - sizeof err->message - 3, fmt, args);
    va_end(args);
    if (n < 0)
        return s;
    size_t at = strlen(text);
    snprintf(text + at, sizeof text - at, ": %s", err->message);
    set_message(err, text);
    return s;
}

/* No options struct will be larger: a size beyond is one that was never set, and no reason to read on. */
enum { MAX_OPTIONS = 4096 };

ecg_status ecg__options_copy(void *dst, size_t known, const void *src, const char *what, ecg_error *err)
{
    if (!src)
        return ECG_OK;
    uint32_t size;
    memcpy(&size, src, sizeof size);
    if (size < sizeof size || size > MAX_OPTIONS)
        return ecg__fail(err, ECG_EINVAL, "%s: size is %u, set it with the _INIT macro", what, size);
    for (size_t i = known; i < size; i++)
        if (((const unsigned char *)src)[i] != 0)
            return ecg__fail(err, ECG_EVERSION, "%s: byte %zu of the options is set, this library knows %zu",
                             what, i, known);
    memcpy(dst, src, size < known ? size : known);
    const uint32_t full = (uint32_t)known;
    memcpy(dst, &full, sizeof full);
    return ECG_OK;
}
