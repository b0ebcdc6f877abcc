/* A model file from anyone. The corpus begins with the sample of tests/vectors/format. */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "ecgcnn/net.h"
#include "format/chunk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size)
    __attribute__((weak)); /* of libFuzzer; not there when a corpus is replayed */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ecg_load_options o = ECG_LOAD_OPTIONS_INIT;
    o.max_layers = 64;
    o.max_params = 1000000;
    ecg_error err = {0};
    ecg_model *m = NULL;
    const ecg_status s = ecg_model_load_memory(&m, data, size, &o, &err);
    if ((s == ECG_OK) != (m != NULL) || (s != ECG_OK && (err.status != s || err.message[0] == '\0')))
        abort();
    if (!m)
        return 0;
    /* What was read is whole. */
    char text[512];
    ecg_spec_print(ecg_model_spec(m), text, sizeof text);
    for (uint32_t i = 0; i < ecg_model_classes(m); i++)
        if (strlen(ecg_model_class(m, i)) == 0)
            abort();
    const char *key, *value;
    for (size_t i = 0; ecg_model_meta_at(m, i, &key, &value); i++)
        if (!ecg_model_meta(m, key))
            abort();
    ecg_model_free(m);
    return 0;
}

/* Mostly with right checksums: else nothing gets past them. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    size = LLVMFuzzerMutate(data, size, max_size);
    if (seed % 16 == 0)
        return size;
    for (size_t at = 8; size >= 16 && at <= size - 16;) {
        const uint64_t length = ecg__get_u64(data + at + 4);
        if (length > size - 16 - at)
            break;
        const size_t end = at + 12 + (size_t)length;
        ecg__put_u32(data + end, (uint32_t)crc32_z(0, data + at, end - at));
        at = end + 4;
    }
    return size;
}
