/* Files of classes: refused with a message that names the line, or a set in order whose text is the same set.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ecgcnn/beats.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TEXT = 65536 };

static void require(bool ok)
{
    if (!ok)
        abort();
}

/* The set as lines; its number of bytes. */
static size_t print(const ecg_beat_set *s, char *text)
{
    size_t n = 0;
    for (uint32_t i = 0; i < ecg_beat_set_classes(s); i++) {
        n += (size_t)snprintf(text + n, TEXT - n, "%s =", ecg_beat_set_class(s, i));
        for (const char *c = ecg_beat_set_codes(s, i); *c; c++)
            n += (size_t)snprintf(text + n, TEXT - n, " %c", *c);
        n += (size_t)snprintf(text + n, TEXT - n, "\n");
        require(n < TEXT);
    }
    return n;
}

static void check(const ecg_beat_set *s)
{
    const uint32_t classes = ecg_beat_set_classes(s);
    size_t codes = 0, found = 0;
    require(classes > 0 && classes <= 64);
    require(!ecg_beat_set_class(s, classes) && !ecg_beat_set_codes(s, classes));
    for (uint32_t i = 0; i < classes; i++) {
        const char *name = ecg_beat_set_class(s, i);
        require(name[0] && name[0] != '.' && strlen(name) <= 100 && !strpbrk(name, "/\n\r="));
        require(i == 0 || strcmp(ecg_beat_set_class(s, i - 1), name) < 0);
        for (const char *c = ecg_beat_set_codes(s, i); *c; c++, codes++)
            require(ecg_beat_set_of(s, *c) == (int)i && ecg_annotation_from_char(*c) != 0);
    }
    for (int c = -128; c < 128; c++)
        found += ecg_beat_set_of(s, (char)c) >= 0;
    require(found == codes && codes >= classes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char first[TEXT], second[TEXT];
    if (size > 8192)
        return 0;
    ecg_beat_set *s = NULL, *again = NULL;
    ecg_error err = {ECG_OK, 0, ""};
    const ecg_status status = ecg_beat_set_parse(&s, (const char *)data, size, "fuzz", &err);
    require((status == ECG_OK) == (s != NULL));
    if (status != ECG_OK) {
        require(err.status == status && strncmp(err.message, "fuzz", 4) == 0);
        return 0;
    }
    check(s);
    const size_t n = print(s, first);
    require(ecg_beat_set_parse(&again, first, n, "again", NULL) == ECG_OK);
    require(print(again, second) == n && strcmp(first, second) == 0);
    ecg_beat_set_free(s);
    ecg_beat_set_free(again);
    return 0;
}
