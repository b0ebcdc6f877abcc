/* The index of a pack, its signature and checksum made right: refused, or everything in it can be asked for.
 */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "data/pack_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
    if (!ok)
        abort();
}

static void walk(const struct ecg__pack *p)
{
    struct ecg__pack_names w;
    char name[ECG__PACK_NAME], other[ECG__PACK_NAME] = "";
    uint32_t last = 0;
    bool found;
    uint32_t cls[2];
    ecg__pack_names_from(&w, p, 0);
    for (uint64_t i = 0; i < p->count; i++) {
        require(ecg__pack_names_next(&w) && w.n == strlen(w.name));
        require(ecg__pack_name(p, i, name) == w.n && strcmp(name, w.name) == 0);
        const uint32_t c = ecg__pack_class(p, i);
        require(c < p->classes && c >= last && (c > last || i == 0 || strcmp(other, name) < 0));
        require(ecg__pack_length(p, i) > 0);
        for (uint32_t k = 0; k < p->columns; k++) {
            const struct ecg__pack_column *column = &p->column[k];
            const char *word = column->word[ecg__pack_word(p, column, i)];
            require(!word || *word);
        }
        last = c;
        memcpy(other, name, w.n + 1);
    }
    require(!ecg__pack_names_next(&w));
    require(ecg__pack_find_repeat(p, &found, name, cls, NULL) == ECG_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < ECG__PACK_HEADER + ECG__PACK_FOOTER)
        return 0;
    uint8_t *copy = malloc(size);
    if (!copy)
        return 0;
    memcpy(copy, data, size);
    memcpy(copy, ECG__PACK_MAGIC, 8);
    ecg__put_bytes(copy + 8, ECG__PACK_MAJOR, 2);
    ecg__put_bytes(copy + size - 12, crc32_z(0, copy, size - 12), 4);
    memcpy(copy + size - 8, ECG__PACK_END, 8);
    struct ecg__pack *p;
    ecg_error err = {ECG_OK, 0, ""};
    const ecg_status s = ecg__pack_parse(&p, copy, size, "fuzzed", &err);
    if (s == ECG_OK)
        walk(p);
    else
        require(!p && err.status == s && strncmp(err.message, "fuzzed: ", 8) == 0);
    ecg__pack_free(p);
    free(copy);
    return 0;
}
