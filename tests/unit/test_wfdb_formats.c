/* Each storage format against samples worked out by hand from its published description. */
#include "signal/wfdb_formats.h"
#include "unit.h"

/* Bytes by hand: signal(5) says which bits of them are which sample. */
static const struct {
    uint32_t code;
    size_t n, bytes;
    unsigned char data[12];
    int32_t want[6];
} cases[] = {
    {8, 4, 4, {0x00, 0x01, 0x7f, 0x80}, {0, 1, 127, -128}},
    {16, 3, 6, {0x01, 0x00, 0xff, 0xff, 0x00, 0x80}, {1, -1, -32768}},
    {24, 3, 9, {1, 2, 0, 0xff, 0xff, 0xff, 0, 0, 0x80}, {513, -1, -8388608}},
    {32, 3, 12, {1, 2, 3, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0x80}, {197121, -1, INT32_MIN}},
    {61, 3, 6, {0x01, 0x02, 0xff, 0xfe, 0x80, 0x00}, {258, -2, -32768}},
    {80, 3, 3, {128, 0, 255}, {0, -128, 127}},
    {160, 3, 6, {0x00, 0x80, 0x00, 0x00, 0xff, 0xff}, {0, -32768, 32767}},
    /* 0x3bb and 0x3e0, the first samples of record 101; then -1 and -2048 */
    {212, 4, 6, {0xbb, 0x33, 0xe0, 0xff, 0x8f, 0x00}, {955, 992, -1, -2048}},
    {212, 1, 2, {0x23, 0x01}, {0x123}},
    /* pairs 0xfffe and 0x0802: bits 1-10 are -1 and 1; top fives 31 and 1 make 31 + 32 */
    {310, 3, 4, {0xfe, 0xff, 0x02, 0x08}, {-1, 1, 63}},
    /* bits 1-10 of 0x0401 are 0x200; the third is 0x10 << 5 of 0x8000 */
    {310, 3, 4, {0x01, 0x04, 0x00, 0x80}, {-512, 0, -512}},
    {310, 2, 4, {0x04, 0x00, 0x06, 0x00}, {2, 3}},
    {310, 1, 2, {0x04, 0x00}, {2}},
    /* 1 | (-1 & 0x3ff) << 10 | 0x200 << 20; the two top bits are not looked at */
    {311, 3, 4, {0x01, 0xfc, 0x0f, 0xe0}, {1, -1, -512}},
    {311, 2, 3, {0x01, 0xfc, 0x0f}, {1, -1}},
    {311, 1, 2, {0x01, 0x02}, {-511}},
};

START_TEST(hand_made_bytes)
{
    int32_t out[6];
    const ecg__wfdb_format *f = ecg__wfdb_format_find(cases[_i].code);
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(ecg__wfdb_format_bytes(f, cases[_i].n), cases[_i].bytes);
    /* A block of just these bytes: a sanitizer would see a read beyond. */
    unsigned char *data = malloc(cases[_i].bytes);
    memcpy(data, cases[_i].data, cases[_i].bytes);
    f->decode(out, data, cases[_i].n);
    free(data);
    for (size_t k = 0; k < cases[_i].n; k++)
        ck_assert_msg(out[k] == cases[_i].want[k], "format %u, sample %zu: %d, expected %d", cases[_i].code,
                      k, out[k], cases[_i].want[k]);
}
END_TEST

/* Every value of the format once, packed here by arithmetic, comes back. */
static void pack(uint32_t code, unsigned char *b, const int32_t *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const uint32_t u = (uint32_t)v[i];
        unsigned char *p = b + 4 * (i / 3);
        if (code == 212) {
            unsigned char *q = b + 3 * (i / 2);
            q[i % 2 ? 2 : 0] = (unsigned char)u;
            q[1] = (unsigned char)(q[1] | (u >> 8 & 15) << (i % 2 ? 4 : 0));
        } else if (code == 310 && i % 3 < 2) {
            p[2 * (i % 3)] = (unsigned char)(p[2 * (i % 3)] | (u & 0x7f) << 1);
            p[2 * (i % 3) + 1] = (unsigned char)(p[2 * (i % 3) + 1] | (u >> 7 & 7));
        } else if (code == 310) {
            p[1] = (unsigned char)(p[1] | (u & 31) << 3);
            p[3] = (unsigned char)(p[3] | (u >> 5 & 31) << 3);
        } else {
            const uint32_t word = (u & 0x3ff) << (10 * (i % 3));
            for (int k = 0; k < 4; k++)
                p[k] = (unsigned char)(p[k] | (word >> (8 * k) & 0xff));
        }
    }
}

START_TEST(every_packed_value)
{
    static const struct {
        uint32_t code;
        int32_t low, count;
    } packed[] = {{212, -2048, 4096}, {310, -512, 1024}, {311, -512, 1024}};
    const ecg__wfdb_format *f = ecg__wfdb_format_find(packed[_i].code);
    const size_t n = (size_t)packed[_i].count;
    int32_t *v = calloc(n, sizeof *v), *out = calloc(n, sizeof *out);
    unsigned char *b = calloc(n + 4, 2);
    for (size_t i = 0; i < n; i++) /* an odd step visits them all */
        v[i] = packed[_i].low + (int32_t)(i * 381 % n);
    pack(packed[_i].code, b, v, n);
    f->decode(out, b, n);
    ck_assert_mem_eq(out, v, n * sizeof *v);
    ck_assert_int_eq(f->invalid, packed[_i].low);
    free(v);
    free(out);
    free(b);
}
END_TEST

START_TEST(known_and_unknown)
{
    ck_assert_ptr_null(ecg__wfdb_format_find(0));
    ck_assert_ptr_null(ecg__wfdb_format_find(516));
    ck_assert(ecg__wfdb_format_is_flac(508) && ecg__wfdb_format_is_flac(516) &&
              ecg__wfdb_format_is_flac(524));
    ck_assert(!ecg__wfdb_format_is_flac(212));
    const ecg__wfdb_format *f = ecg__wfdb_format_find(212);
    ck_assert_uint_eq(ecg__wfdb_format_bytes(f, 1300000), 1950000);
    ck_assert_uint_eq(ecg__wfdb_format_bytes(f, UINT64_C(1) << 56), (UINT64_C(1) << 55) * 3);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("wfdb_formats");
    TCase *t = tcase_create("all");
    tcase_add_loop_test(t, hand_made_bytes, 0, sizeof cases / sizeof *cases);
    tcase_add_loop_test(t, every_packed_value, 0, 3);
    tcase_add_test(t, known_and_unknown);
    suite_add_tcase(s, t);
    return unit_run(s);
}
