/* A .keras file from anyone: libzip and the configuration in this process, libhdf5 in one of its own. */
#define _GNU_SOURCE
#include "fuzz/fuzz_import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *path = fuzz_file(data, size);
    if (!path)
        return 0;
    const import_options o = fuzz_options(size ? data[size - 1] : 0);
    import_model m = {0};
    ecg_error err = {.status = ECG_OK};
    const ecg_status s = import_keras_zip(&m, path, &o, &err);
    if (strstr(err.message, "libhdf5 failed on it (status"))
        abort();
    fuzz_imported(s, &m, &err);
    import_free(&m);
    return 0;
}
