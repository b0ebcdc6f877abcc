/* Lists of strings as chunks: the number of entries, then the strings, each ended by a NUL. */
#include "format/strings.h"

#include <inttypes.h>

#include "base/mem.h"

ecg_status ecg__strings_put(ecg__chunk_writer *w, const char tag[4], const char *const *text, size_t count,
                            size_t each, ecg_error *err)
{
    unsigned char head[4];
    uint64_t length = sizeof head;
    for (size_t i = 0; i < count * each; i++)
        length += strlen(text[i]) + 1;
    if (count > UINT32_MAX)
        return ecg__fail(err, ECG_ELIMIT, "model file: %zu strings", count);
    ecg__put_u32(head, (uint32_t)count);
    ecg_status s = ecg__chunk_begin(w, tag, length, err);
    if (s == ECG_OK)
        s = ecg__chunk_write(w, head, sizeof head, err);
    for (size_t i = 0; s == ECG_OK && i < count * each; i++)
        s = ecg__chunk_write(w, text[i], strlen(text[i]) + 1, err);
    return s == ECG_OK ? ecg__chunk_end(w, err) : s;
}

ecg_status ecg__strings_get(ecg__chunk_reader *r, uint64_t max, size_t each, const char ***out,
                            unsigned char **bytes, ecg_error *err)
{
    *out = NULL;
    unsigned char *p;
    ecg_status s = ecg__reader_get(r, &p, max, err);
    *bytes = p;
    if (s != ECG_OK)
        return s;
    const size_t n = (size_t)r->length;
    uint64_t strings = 0;
    for (size_t i = 4; i < n; i++)
        strings += p[i] == '\0';
    if (n < 4 || strings != (uint64_t)ecg__get_u32(p) * each || (n > 4 && p[n - 1] != '\0'))
        s = ecg__reader_fail(r, err, ECG_ECORRUPT, "its %zu bytes are not the strings that it counts", n);
    else if (!(*out = ecg__calloc((size_t)strings + 1, sizeof **out)))
        s = ecg__reader_fail(r, err, ECG_ENOMEM, "out of memory");
    if (s != ECG_OK) {
        ecg__free(p);
        *bytes = NULL;
        return s;
    }
    const char *text = (const char *)p + 4;
    for (size_t k = 0; k < strings; k++, text += strlen(text) + 1)
        (*out)[k] = text;
    return ECG_OK;
}
