/* An ONNX file from anyone: refused with a message, or a network that our own parser takes and whose tensors
 * are all there. */
#define _GNU_SOURCE
#include "fuzz/fuzz_import.h"
#include "model/onnx_walk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    import_options o = fuzz_options(size ? data[size - 1] : 0);
    o.h = 9;
    o.w = 8;
    import_model m = {0};
    ecg_error err = {.status = ECG_OK};
    const ecg_status s = import_onnx_bytes(&m, data, size, &o, &err);
    fuzz_imported(s, &m, &err);
    import_free(&m);
    return 0;
}
