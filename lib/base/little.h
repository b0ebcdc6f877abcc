/* Numbers in files: little-endian, at any address. */
#ifndef ECG_BASE_LITTLE_H
#define ECG_BASE_LITTLE_H

#include <stdint.h>
#include <string.h>

static inline void ecg__put_u16(unsigned char *p, uint32_t v)
{
    p[0] = (unsigned char)v, p[1] = (unsigned char)(v >> 8);
}

static inline void ecg__put_u32(unsigned char *p, uint32_t v)
{
    ecg__put_u16(p, v & 0xffff);
    ecg__put_u16(p + 2, v >> 16);
}

static inline void ecg__put_u64(unsigned char *p, uint64_t v)
{
    ecg__put_u32(p, (uint32_t)v);
    ecg__put_u32(p + 4, (uint32_t)(v >> 32));
}

static inline void ecg__put_f32(unsigned char *p, float v)
{
    uint32_t bits;
    memcpy(&bits, &v, sizeof bits);
    ecg__put_u32(p, bits);
}

static inline uint32_t ecg__get_u16(const unsigned char *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8;
}

static inline uint32_t ecg__get_u32(const unsigned char *p)
{
    return ecg__get_u16(p) | ecg__get_u16(p + 2) << 16;
}

static inline uint64_t ecg__get_u64(const unsigned char *p)
{
    return ecg__get_u32(p) | (uint64_t)ecg__get_u32(p + 4) << 32;
}

static inline float ecg__get_f32(const unsigned char *p)
{
    const uint32_t bits = ecg__get_u32(p);
    float v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

/* The low `n` bytes, 1 to 8. */
static inline void ecg__put_bytes(unsigned char *p, uint64_t v, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        p[i] = (unsigned char)(v >> (8 * i));
}

#endif
