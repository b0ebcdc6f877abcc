#include "format/suspect.h"

#include <zlib.h>

#include "unit/unit.h"

static unsigned char *some(size_t n)
{
    unsigned char *p = malloc(n);
    ck_assert_ptr_nonnull(p);
    for (size_t i = 0; i < n; i++)
        p[i] = (unsigned char)(i * 2654435761u >> 24);
    return p;
}

START_TEST(every_single_byte_is_named)
{
    enum { N = 100 };
    unsigned char *p = some(N), bits;
    const uint32_t right = (uint32_t)crc32_z(0, p, N);
    uint64_t place;
    for (size_t i = 0; i < N; i++)
        for (unsigned b = 1; b < 256; b += 1 + b / 8) {
            p[i] ^= (unsigned char)b;
            ck_assert(ecg__suspect(right, (uint32_t)crc32_z(0, p, N), N, &place, &bits));
            ck_assert_uint_eq(place, i);
            ck_assert_uint_eq(bits, b);
            p[i] ^= (unsigned char)b;
        }
    for (unsigned i = 0; i < 4; i++) { /* the checksum itself */
        ck_assert(ecg__suspect(right ^ 0x41u << 8 * i, right, N, &place, &bits));
        ck_assert_uint_eq(place, N + i);
        ck_assert_uint_eq(bits, 0x41);
    }
    ck_assert(!ecg__suspect(right, right, N, &place, &bits));
    free(p);
}
END_TEST

/* Two bytes are almost never one; a long chunk gives away single bits only. */
START_TEST(other_damage_is_not)
{
    enum { N = 2000, LONG = 4000000 };
    unsigned char *p = some(LONG), bits;
    const uint32_t right = (uint32_t)crc32_z(0, p, N), whole = (uint32_t)crc32_z(0, p, LONG);
    uint64_t place;
    int wrong = 0;
    for (size_t i = 0; i + 700 < N; i++) {
        p[i] ^= 0x55;
        p[i + 700] ^= 0x0f;
        wrong += ecg__suspect(right, (uint32_t)crc32_z(0, p, N), N, &place, &bits);
        p[i] ^= 0x55;
        p[i + 700] ^= 0x0f;
    }
    ck_assert_int_le(wrong, 3); /* of 1300, 0.2 expected */
    for (size_t i = 1; i < LONG; i += 399989) {
        p[i] ^= 0x10;
        ck_assert(ecg__suspect(whole, (uint32_t)crc32_z(0, p, LONG), LONG, &place, &bits));
        ck_assert_uint_eq(place, i);
        ck_assert_uint_eq(bits, 0x10);
        p[i] ^= 0x10;
    }
    ck_assert(!ecg__suspect(1, 2, (uint64_t)1 << 40, &place, &bits));
    free(p);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("suspect");
    TCase *t = tcase_create("suspect");
    tcase_add_test(t, every_single_byte_is_named);
    tcase_add_test(t, other_damage_is_not);
    suite_add_tcase(s, t);
    return unit_run(s);
}
