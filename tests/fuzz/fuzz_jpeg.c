/* JPEG files: the first bytes decide that it is this decoder that sees them. */
#include "fuzz_picture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n >= 2 && memcmp(data, "\xff\xd8", 2) == 0)
        fuzz_picture(data, n);
    return 0;
}
