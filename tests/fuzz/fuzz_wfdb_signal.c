/* A header r.hea up to the first zero, then up to the next zero one of a segment s.hea if that comes before
 * the rest, a signal file r.dat. */
#define _XOPEN_SOURCE 700
#include "fuzz_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = size ? memchr(data, 0, size) : NULL;
    if (!end)
        return 0;
    fuzz_write("r.hea", data, (size_t)(end - data));
    size -= (size_t)(end + 1 - data);
    data = end + 1;
    end = size ? memchr(data, 0, size) : NULL;
    if (!end)
        return 0;
    fuzz_write("s.hea", data, (size_t)(end - data));
    size -= (size_t)(end + 1 - data);
    fuzz_write("r.dat", end + 1, size);
    fuzz_open("r");
    return 0;
}
