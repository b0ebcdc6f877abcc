/* Protobuf: numbers, text, and fields that are damaged. */
#include "model/protobuf.h"

#include <string.h>

#include "unit/unit.h"

START_TEST(varints)
{
    static const uint64_t values[] = {0, 1, 127, 128, 300, UINT32_MAX, UINT64_MAX};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        pb b = {0};
        uint64_t back;
        pb_varint(&b, values[i]);
        ck_assert_uint_eq(b.n, pb_varint_size(values[i]));
        pb_view v = {b.data, b.data + b.n};
        ck_assert_int_eq(pb_next_varint(&v, &back), 1);
        ck_assert_uint_eq(back, values[i]);
        ck_assert_int_eq(pb_next_varint(&v, &back), 0);
        v = (pb_view){b.data, b.data + b.n - 1};
        ck_assert_int_eq(pb_next_varint(&v, &back), b.n == 1 ? 0 : -1);
        pb_free(&b);
    }
}
END_TEST

START_TEST(damaged_fields)
{
    static const struct {
        unsigned char bytes[12];
        size_t n;
    } bad[] = {
        {{0x00, 0x01}, 2},                                                        /* field 0 */
        {{0x0b}, 1},                                                              /* a group begins */
        {{0x0c}, 1},                                                              /* a group ends */
        {{0x0e}, 1},                                                              /* no such wire type */
        {{0x0a, 0x02, 'a'}, 3},                                                   /* beyond the end */
        {{0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}, 11}, /* far beyond */
        {{0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02}, 11}, /* over 64 bits */
        {{0x08, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01}, 12}, /* 11 bytes */
        {{0x0d, 1, 2, 3}, 4},             /* three of four bytes */
        {{0x09, 1, 2, 3, 4, 5, 6, 7}, 8}, /* seven of eight */
        {{0x08}, 1},                      /* no value */
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        pb_view v = {bad[i].bytes, bad[i].bytes + bad[i].n};
        pb_field f;
        ck_assert_msg(pb_next(&v, &f) == -1, "case %zu", i);
    }
}
END_TEST

START_TEST(text_is_utf8)
{
    pb b = {0};
    pb_text(&b, 1, "a\xc3\xa4\xff\xe2\x82z\xed\xa0\x80");
    ck_assert_uint_eq(b.n, 2 + 10);
    ck_assert_int_eq(memcmp(b.data + 2, "a\xc3\xa4???z???", 10), 0);
    pb_free(&b);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("protobuf");
    TCase *t = tcase_create("wire format");
    tcase_add_test(t, varints);
    tcase_add_test(t, damaged_fields);
    tcase_add_test(t, text_is_utf8);
    suite_add_tcase(s, t);
    return unit_run(s);
}
