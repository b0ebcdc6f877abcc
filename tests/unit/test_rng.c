/* The counter-based generator: the published vectors of Philox 4x32-10, and the distributions on it. */
#include "unit/unit.h"

#include <math.h>

#include "base/rng.h"

/* Known answers of the Random123 distribution (kat_vectors, philox4x32 10 rounds). */
START_TEST(known_answers)
{
    static const uint32_t cases[3][10] = {
        {0, 0, 0, 0, 0, 0, 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8},
        {0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0x408f276d, 0x41c83b0e,
         0xa20bc7c6, 0x6d5451fd},
        {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0, 0xd16cfe09, 0x94fdcceb,
         0x5001e420, 0x24126ea1},
    };
    for (int i = 0; i < 3; i++) {
        uint32_t out[4];
        ecg__philox(cases[i], cases[i] + 4, out);
        for (int k = 0; k < 4; k++)
            ck_assert_uint_eq(out[k], cases[i][6 + k]);
    }
}
END_TEST

START_TEST(sequences_differ_by_every_part_of_the_key)
{
    ecg__rng r[5] = {ecg__rng_at(1, ECG__RNG_SHUFFLE, 2, 3), ecg__rng_at(2, ECG__RNG_SHUFFLE, 2, 3),
                     ecg__rng_at(1, ECG__RNG_DROPOUT, 2, 3), ecg__rng_at(1, ECG__RNG_SHUFFLE, 3, 3),
                     ecg__rng_at(1, ECG__RNG_SHUFFLE, 2, 4)};
    uint32_t first[5];
    for (int i = 0; i < 5; i++)
        first[i] = ecg__rng_u32(&r[i]);
    for (int i = 0; i < 5; i++)
        for (int k = 0; k < i; k++)
            ck_assert_uint_ne(first[i], first[k]);
    ecg__rng again = ecg__rng_at(1, ECG__RNG_SHUFFLE, 2, 3);
    ck_assert_uint_eq(ecg__rng_u32(&again), first[0]);
}
END_TEST

START_TEST(distributions)
{
    enum { N = 200000 };
    ecg__rng r = ecg__rng_at(42, ECG__RNG_INIT, 0, 0);
    double sum = 0, square = 0, normal = 0, normal_square = 0;
    uint32_t count[7] = {0};
    for (int i = 0; i < N; i++) {
        const double f = (double)ecg__rng_float(&r), d = ecg__rng_double(&r), z = ecg__rng_normal(&r);
        ck_assert(f >= 0 && f < 1 && d >= 0 && d < 1 && isfinite(z));
        sum += f + d;
        square += f * f + d * d;
        normal += z;
        normal_square += z * z;
        count[ecg__rng_below(&r, 7)]++;
    }
    ck_assert_double_eq_tol(sum / (2 * N), 0.5, 0.003);
    ck_assert_double_eq_tol(square / (2 * N), 1.0 / 3, 0.003);
    ck_assert_double_eq_tol(normal / N, 0, 0.01);
    ck_assert_double_eq_tol(normal_square / N, 1, 0.02);
    for (int i = 0; i < 7; i++)
        ck_assert_double_eq_tol((double)count[i] / N, 1.0 / 7, 0.004);
    for (int i = 0; i < 100; i++)
        ck_assert_uint_eq(ecg__rng_below(&r, 1), 0);
}
END_TEST

START_TEST(shuffle_is_a_fair_permutation)
{
    uint32_t place[5][5] = {{0}};
    for (uint32_t trial = 0; trial < 20000; trial++) {
        uint32_t v[5] = {0, 1, 2, 3, 4}, seen = 0;
        ecg__rng r = ecg__rng_at(7, ECG__RNG_SHUFFLE, trial, 0);
        ecg__rng_shuffle(&r, v, 5);
        for (int i = 0; i < 5; i++) {
            seen |= 1u << v[i];
            place[i][v[i]]++;
        }
        ck_assert_uint_eq(seen, 31);
    }
    for (int i = 0; i < 5; i++)
        for (int k = 0; k < 5; k++)
            ck_assert_double_eq_tol(place[i][k] / 20000.0, 0.2, 0.015);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("rng");
    TCase *t = tcase_create("rng");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, known_answers);
    tcase_add_test(t, sequences_differ_by_every_part_of_the_key);
    tcase_add_test(t, distributions);
    tcase_add_test(t, shuffle_is_a_fair_permutation);
    suite_add_tcase(s, t);
    return unit_run(s);
}
