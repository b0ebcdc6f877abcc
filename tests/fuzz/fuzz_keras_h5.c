/* A Keras HDF5 file from anyone, as ecg-model import reads it: libhdf5 in a process of its own for each
 * input. That it may die there is what the process is for; that our own code is at fault is not, and a
 * sanitizer's report ends a process otherwise than a signal. */
#define _GNU_SOURCE
#include "fuzz/fuzz_import.h"
#include "model/keras.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const keras_source source = {.path = "input", .image = data, .bytes = size};
    if (size == 0)
        return 0;
    const import_options o = fuzz_options(size ? data[size - 1] : 0);
    import_model m = {0};
    ecg_error err = {.status = ECG_OK};
    const ecg_status s = keras_import(&m, &source, &o, &err);
    if (strstr(err.message, "libhdf5 failed on it (status"))
        abort();
    fuzz_imported(s, &m, &err);
    import_free(&m);
    return 0;
}
