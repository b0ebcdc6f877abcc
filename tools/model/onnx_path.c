#define _POSIX_C_SOURCE 200809L
/* ONNX files as files. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "model/onnx_walk.h"

ecg_status import_onnx(import_model *m, const char *path, const import_options *o, ecg_error *err)
{
    struct stat st;
    FILE *f = fopen(path, "rb");
    if (!f)
        return import_fail(err, ECG_EIO, "cannot open: %s", strerror(errno));
    unsigned char *data = NULL;
    ecg_status s = ECG_OK;
    if (fstat(fileno(f), &st) != 0 || !S_ISREG(st.st_mode))
        s = import_fail(err, ECG_EIO, "not a regular file");
    else if (st.st_size > INT32_MAX)
        s = import_fail(err, ECG_ELIMIT, "%lld bytes, an ONNX file holds less than 2 GiB",
                        (long long)st.st_size);
    else if (!(data = malloc((size_t)st.st_size + 1)))
        s = import_fail(err, ECG_ENOMEM, "out of memory");
    else if (fread(data, 1, (size_t)st.st_size, f) != (size_t)st.st_size)
        s = import_fail(err, ECG_EIO, "cannot be read");
    fclose(f);
    if (s == ECG_OK)
        s = import_onnx_bytes(m, data, (size_t)st.st_size, o, err);
    free(data);
    return s;
}
