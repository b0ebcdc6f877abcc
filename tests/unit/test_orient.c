#include "unit/unit.h"

#include "image/orient.h"

static const unsigned char little[26] = "II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0\6\0\0\0\0\0\0";

START_TEST(test_read)
{
    static const unsigned char big[38] = "MM\0*\0\0\0\x08\0\2\1\0\0\3\0\0\0\1\0\x09\0\0"
                                         "\1\x12\0\3\0\0\0\1\0\x08\0\0\0\0\0";
    ck_assert_uint_eq(ecg__exif_orientation(little, sizeof little), 6);
    ck_assert_uint_eq(ecg__exif_orientation(big, sizeof big), 8);
}
END_TEST

/* Whatever is odd counts as upright. Copies of the exact length let a sanitizer see reads beyond the end. */
START_TEST(test_odd)
{
    for (size_t n = 0; n < 22; n++) {
        unsigned char *b = malloc(n ? n : 1);
        memcpy(b, little, n);
        ck_assert_uint_eq(ecg__exif_orientation(b, n), 1);
        free(b);
    }
    const struct {
        size_t at;
        unsigned char v;
    } odd[] = {{0, 'X'},  {1, 'M'},   {2, 43}, {4, 7},  {4, 24}, {7, 0x80}, {8, 2},
               {9, 0xff}, {10, 0x13}, {12, 4}, {14, 2}, {18, 0}, {18, 9},   {19, 1}};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        unsigned char *b = malloc(sizeof little);
        memcpy(b, little, sizeof little);
        b[odd[i].at] = odd[i].v;
        ck_assert_msg(ecg__exif_orientation(b, sizeof little) == 1, "byte %zu = %d", odd[i].at, odd[i].v);
        free(b);
    }
}
END_TEST

/* A B C
 * D E F as stored, and as it is to be seen. */
START_TEST(test_turn)
{
    static const char *seen[] = {"ABCDEF", "CBAFED", "FEDCBA", "DEFABC",
                                 "ADBECF", "DAEBFC", "FCEBDA", "CFBEAD"};
    for (uint32_t c = 1; c <= 4; c++)
        for (uint32_t o = 1; o <= 8; o++) {
            ecg_pixels *p = ecg__pixels_new(2, 3, c);
            for (size_t i = 0; i < 6 * c; i++)
                p->px[i] = (uint8_t)('A' + i / c + 10 * (i % c));
            ecg_pixels *q = ecg__oriented(p, o);
            ck_assert_uint_eq(q->h, o < 5 ? 2 : 3);
            ck_assert_uint_eq(q->w, o < 5 ? 3 : 2);
            for (size_t i = 0; i < 6 * c; i++)
                ck_assert_int_eq(q->px[i], (uint8_t)seen[o - 1][i / c] + 10 * (i % c));
            ecg_pixels_free(p);
            ecg_pixels_free(q);
        }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("orient");
    TCase *t = tcase_create("orient");
    tcase_add_test(t, test_read);
    tcase_add_test(t, test_odd);
    tcase_add_test(t, test_turn);
    suite_add_tcase(s, t);
    return unit_run(s);
}
