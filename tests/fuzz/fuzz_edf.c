/* An EDF file: read or refused. */
#define _XOPEN_SOURCE 700
#include "fuzz_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_write("r.edf", data, size);
    fuzz_open("r.edf");
    return 0;
}
