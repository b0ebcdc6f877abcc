/* What the targets of importers share: an input as a file, and what must be true of whatever was read. */
#ifndef ECG_FUZZ_IMPORT_H
#define ECG_FUZZ_IMPORT_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "model/import.h"

/* The input as a file: one in memory, its name by way of /proc. NULL: no /proc, no files. */
static inline const char *fuzz_file(const uint8_t *data, size_t size)
{
    static int file = -1;
    static char path[64];
    if (file < 0) {
        file = memfd_create("import", 0);
        snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    }
    if (file < 0 || access(path, R_OK) != 0)
        return NULL;
    if (ftruncate(file, 0) != 0 || pwrite(file, data, size, 0) != (ssize_t)size)
        abort();
    return path;
}

/* The options that let most through. */
static inline import_options fuzz_options(uint8_t bits)
{
    return (import_options){.rescale = 1.0 / 255.0, .gray = bits & 1u, .softmax = bits >> 1 & 1u};
}

/* A model is made, or there is a message in one line; small models run. */
static inline void fuzz_imported(ecg_status s, const import_model *m, const ecg_error *err)
{
    ecg_error e = {.status = ECG_OK};
    ecg_model *model = NULL;
    if ((s != ECG_OK) != (err->status == s && err->message[0] != '\0' && s != ECG_OK))
        abort();
    if (s != ECG_OK)
        return;
    s = import_make(&model, m, NULL, 0, &e);
    if ((s == ECG_OK) != (model != NULL) || (s != ECG_OK && e.message[0] == '\0'))
        abort();
    ecg_model_free(model);
}

#endif
