/* Which byte was changed, from the checksum alone. */
#ifndef ECG_FORMAT_SUSPECT_H
#define ECG_FORMAT_SUSPECT_H

#include <stdbool.h>
#include <stdint.h>

/* n bytes and their checksum after them had CRC-32 `stored` when they were written and `computed` now. If one
 * changed byte explains that, and no other would: its place, 0 to n + 3, and the bits that differ. Other
 * damage is taken for a single byte with a chance of about n * 6e-8; where that is over 1 % only a single bit
 * counts. */
bool ecg__suspect(uint32_t stored, uint32_t computed, uint64_t n, uint64_t *place, unsigned char *bits);

#endif
