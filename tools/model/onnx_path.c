#define _POSIX_C_SOURCE 200809L
/* ONNX files as files. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "model/onnx_walk.h"

static ecg_status read_file(import_model *m, FILE *f, const import_options *o, ecg_error *err)
{
    struct stat st;
    if (fstat(fileno(f), &st) != 0 || !S_ISREG(st.st_mode))
        return import_fail(err, ECG_EIO, "not a regular file");
    if (st.st_size > INT32_MAX)
        return import_fail(err, ECG_ELIMIT, "%lld bytes, an ONNX file has less than 2 GiB",
                           (long long)st.st_size);
    const size_t n = (size_t)st.st_size;
    unsigned char *data = malloc(n + 1);
    if (!data)
        return import_fail(err, ECG_ENOMEM, "out of memory");
    const ecg_status s = fread(data, 1, n, f) == n ? import_onnx_bytes(m, data, n, o, err)
                                                   : import_fail(err, ECG_EIO, "cannot be read");
    free(data);
    return s;
}

ecg_status import_onnx(import_model *m, const char *path, const import_options *o, ecg_error *err)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        return import_fail(err, ECG_EIO, "%s: %s", path, strerror(errno));
    const ecg_status s = read_file(m, f, o, err);
    fclose(f);
    if (s != ECG_OK) {
        const ecg_error why = *err;
        import_fail(err, s, "%s: %s", path, why.message);
    }
    return s;
}
