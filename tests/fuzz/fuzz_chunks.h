/* Mutates inputs that are files of chunks (lib/format/FORMAT.md). Included by one source of a program. */
#ifndef ECG_TESTS_FUZZ_CHUNKS_H
#define ECG_TESTS_FUZZ_CHUNKS_H

#include <stddef.h>
#include <stdint.h>
#include <zlib.h>

#include "format/chunk.h"

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size)
    __attribute__((weak)); /* of libFuzzer; not there when a corpus is replayed */

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

#endif
