/* The checksum is linear: a change b of the byte that k others follow changes it by k zero bytes appended to
 * the checksum of b. So the difference is taken back a zero byte at a time, and at each step it shows whether
 * it is that of a single byte. */
#include "format/suspect.h"

enum { MOST_FOR_BYTE = 1 << 17, MOST_FOR_BIT = 1 << 26 };

bool ecg__suspect(uint32_t stored, uint32_t computed, uint64_t n, uint64_t *place, unsigned char *bits)
{
    uint32_t table[256];
    unsigned char of_top[256]; /* the entry with this first byte: they are all different */
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i;
        for (int k = 0; k < 8; k++)
            c = c >> 1 ^ (c & 1 ? 0xedb88320 : 0);
        table[i] = c;
        of_top[c >> 24] = (unsigned char)i;
    }
    uint32_t x = stored ^ computed;
    uint32_t found = 0;
    if (x == 0 || n > MOST_FOR_BIT)
        return false;
    /* In the stored checksum itself. */
    for (unsigned i = 0; i < 4; i++)
        if ((x & ~((uint32_t)0xff << 8 * i)) == 0) {
            found++;
            *place = n + i;
            *bits = (unsigned char)(x >> 8 * i);
        }
    for (uint64_t k = 0; k < n && found < 2; k++) {
        const unsigned char b = of_top[x >> 24];
        if (table[b] == x && (n <= MOST_FOR_BYTE || (b & (b - 1)) == 0)) {
            found++;
            *place = n - 1 - k;
            *bits = b;
        }
        x = (x ^ table[b]) << 8 | b;
    }
    return found == 1;
}
