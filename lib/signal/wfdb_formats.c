#include "signal/wfdb_formats.h"

static int32_t u16(const unsigned char *p)
{
    return p[0] | p[1] << 8;
}

/* The low `bits` of v as a two's complement number. */
static int32_t extend(uint32_t v, unsigned bits)
{
    const uint32_t sign = 1u << (bits - 1);
    return (int32_t)((v & (2 * sign - 1)) ^ sign) - (int32_t)sign;
}

static void decode8(int32_t *out, const unsigned char *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = extend(b[i], 8);
}

static void decode16(int32_t *out, const unsigned char *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = extend((uint32_t)u16(b + 2 * i), 16);
}

static void decode24(int32_t *out, const unsigned char *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = extend((uint32_t)u16(b + 3 * i) | (uint32_t)b[3 * i + 2] << 16, 24);
}

static void decode32(int32_t *out, const unsigned char *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const int64_t v = (int64_t)u16(b + 4 * i) | (int64_t)u16(b + 4 * i + 2) << 16;
        out[i] = (int32_t)(v >= INT64_C(0x80000000) ? v - INT64_C(0x100000000) : v);
    }
}

static void decode61(int32_t *out, const unsigned char *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = extend((uint32_t)b[2 * i] << 8 | b[2 * i + 1], 16);
}

static void decode80(int32_t *out, const unsigned char *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = b[i] - 128;
}

static void decode160(int32_t *out, const unsigned char *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = u16(b + 2 * i) - 32768;
}

/* Two in three bytes: the low nibble of the middle one tops the first, the high nibble the second. */
static void decode212(int32_t *out, const unsigned char *b, size_t n)
{
    size_t i = 0;
    for (; i + 2 <= n; i += 2, b += 3) {
        out[i] = extend((uint32_t)u16(b), 12);
        out[i + 1] = extend((uint32_t)(b[1] >> 4) << 8 | b[2], 12);
    }
    if (i < n)
        out[i] = extend((uint32_t)u16(b), 12);
}

/* Three in two byte pairs: bits 1 to 10 of each, and the five top bits of both, the first pair's lower. */
static void decode310(int32_t *out, const unsigned char *b, size_t n)
{
    for (size_t i = 0; i < n; i += 3, b += 4) {
        const uint32_t first = (uint32_t)u16(b);
        out[i] = extend(first >> 1, 10);
        if (i + 1 == n)
            return;
        const uint32_t second = (uint32_t)u16(b + 2);
        out[i + 1] = extend(second >> 1, 10);
        if (i + 2 < n)
            out[i + 2] = extend(first >> 11 | second >> 11 << 5, 10);
    }
}

/* Three in a 32-bit number, the first lowest. */
static void decode311(int32_t *out, const unsigned char *b, size_t n)
{
    for (size_t i = 0; i < n; i += 3, b += 4) {
        uint32_t v = (uint32_t)u16(b);
        out[i] = extend(v, 10);
        if (i + 1 == n)
            return;
        v |= (uint32_t)b[2] << 16;
        out[i + 1] = extend(v >> 10, 10);
        if (i + 2 < n)
            out[i + 2] = extend((v | (uint32_t)b[3] << 24) >> 20, 10);
    }
}

static const ecg__wfdb_format formats[] = {
    {8, 1, 1, 10, INT32_MIN, true, decode8},   {16, 1, 2, 12, -32768, false, decode16},
    {24, 1, 3, 12, -8388608, false, decode24}, {32, 1, 4, 12, INT32_MIN, false, decode32},
    {61, 1, 2, 12, -32768, false, decode61},   {80, 1, 1, 8, -128, false, decode80},
    {160, 1, 2, 12, -32768, false, decode160}, {212, 2, 3, 12, -2048, false, decode212},
    {310, 3, 4, 10, -512, false, decode310},   {311, 3, 4, 10, -512, false, decode311},
};

const ecg__wfdb_format *ecg__wfdb_format_find(uint32_t code)
{
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        if (formats[i].code == code)
            return &formats[i];
    }
    return NULL;
}

bool ecg__wfdb_format_is_flac(uint32_t code)
{
    return code == 508 || code == 516 || code == 524;
}

/* Bytes of the first k samples of a group: the last bit of sample k - 1 decides. */
static uint64_t part_bytes(const ecg__wfdb_format *f, uint64_t k)
{
    static const unsigned char of310[] = {0, 2, 4}, of311[] = {0, 2, 3};
    if (f->code == 212)
        return k ? 2 : 0;
    return f->code == 310 ? of310[k] : f->code == 311 ? of311[k] : 0;
}

uint64_t ecg__wfdb_format_bytes(const ecg__wfdb_format *f, uint64_t n)
{
    return n / f->group * f->group_bytes + part_bytes(f, n % f->group);
}
