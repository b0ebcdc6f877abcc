#include "unit.h"

#include <float.h>
#include <locale.h>
#include <math.h>

#include "base/rng.h"
#include "layers/layer.h"

typedef struct box {
    uint32_t count, kind;
    float real;
    ecg__pair pair;
    ecg__pad pad;
} box;

static const char *const kinds[] = {"red", "green", "blue", NULL};
static const ecg__attr table[] = {
    {"count", ECG__ATTR_UINT, offsetof(box, count), 1, 4096, NULL, true, NULL, "a number"},
    {"kind", ECG__ATTR_NAME, offsetof(box, kind), 0, 0, "green", false, kinds, "a name"},
    {"real", ECG__ATTR_REAL, offsetof(box, real), -1e30, 1e30, "0.5", false, NULL, "a real"},
    {"pair", ECG__ATTR_PAIR, offsetof(box, pair), 1, 64, "3", false, NULL, "two numbers"},
    {"pad", ECG__ATTR_PAD, offsetof(box, pad), 0, 100, "same", false, NULL, "padding"},
    {0},
};
enum { COUNT, KIND, REAL, PAIR, PAD };

static ecg_status parse(int which, const char *text, box *b, ecg_error *err)
{
    return ecg__attr_parse(&table[which], b, text, strlen(text), err);
}

static const char *print(int which, const box *b)
{
    static char text[128];
    ck_assert_uint_eq(ecg__attr_print(&table[which], b, text, sizeof text), strlen(text));
    return text;
}

START_TEST(defaults)
{
    box b;
    memset(&b, 0xff, sizeof b);
    ecg__attr_defaults(table, &b);
    ck_assert_uint_eq(b.count, 0); /* must be given */
    ck_assert_uint_eq(b.kind, 1);
    ck_assert(fabsf(b.real - 0.5f) <= 0.0f);
    ck_assert(b.pair.h == 3 && b.pair.w == 3);
    ck_assert_uint_eq(b.pad.mode, ECG__PAD_SAME);
    ecg__attr_defaults(NULL, &b);
}
END_TEST

START_TEST(defaults_of_every_layer_are_valid)
{
    for (size_t i = 0; i < ecg__layer_row_count; i++) {
        const ecg__layer_ops *ops = ecg__layer_rows[i].ops;
        ck_assert_uint_le(ops->attr_size, ECG__ATTR_BYTES);
        for (const ecg__attr *a = ops->attrs; a && a->name; a++) {
            unsigned char attr[ECG__ATTR_BYTES] = {0};
            ecg_error err;
            ck_assert_uint_lt(a->offset, ops->attr_size);
            ck_assert(a->help != NULL);
            if (a->fallback)
                ck_ok(ecg__attr_parse(a, attr, a->fallback, strlen(a->fallback), &err), err);
        }
    }
}
END_TEST

static const struct text_case {
    int which;
    const char *text, *canonical; /* NULL: refused */
} texts[] = {
    {COUNT, "32", "32"},
    {COUNT, "0032", "32"},
    {COUNT, "4096", "4096"},
    {COUNT, "4097", NULL},
    {COUNT, "0", NULL},
    {COUNT, "", NULL},
    {COUNT, "-1", NULL},
    {COUNT, "+1", NULL},
    {COUNT, " 1", NULL},
    {COUNT, "1 ", NULL},
    {COUNT, "4294967297", NULL},
    {COUNT, "99999999999999999999999999", NULL},
    {KIND, "red", "red"},
    {KIND, "blue", "blue"},
    {KIND, "re", NULL},
    {KIND, "redd", NULL},
    {KIND, "", NULL},
    {REAL, "0.5", "0.5"},
    {REAL, "-0.25", "-0.25"},
    {REAL, "1e-3", "0.001"},
    {REAL, "0.00001", "1e-5"},
    {REAL, "12345678", "12345678"},
    {REAL, "1.5E+20", "1.5e20"},
    {REAL, ".5", "0.5"},
    {REAL, "5.", "5"},
    {REAL, "+7", "7"},
    {REAL, "0", "0"},
    {REAL, "0.1000000000000000000000000001", "0.1"},
    {REAL, "100000000000000000000000", "1e23"},
    {REAL, "1e31", NULL},
    {REAL, "1e99999", NULL},
    {REAL, "1e99999999999", NULL},
    {REAL, "nan", NULL},
    {REAL, "inf", NULL},
    {REAL, "1,5", NULL},
    {REAL, "0x10", NULL},
    {REAL, "1e", NULL},
    {REAL, ".", NULL},
    {REAL, "1.2.3", NULL},
    {REAL, "", NULL},
    {PAIR, "3x5", "3x5"},
    {PAIR, "7", "7x7"},
    {PAIR, "3x", NULL},
    {PAIR, "x3", NULL},
    {PAIR, "3x5x7", NULL},
    {PAIR, "65x1", NULL},
    {PAIR, "1x0", NULL},
    {PAD, "valid", "valid"},
    {PAD, "same", "same"},
    {PAD, "2x1", "2x1"},
    {PAD, "2", "2x2"},
    {PAD, "1,2,3,4", "1,2,3,4"},
    {PAD, "5,5,6,6", "5x6"},
    {PAD, "0x0", "0x0"},
    {PAD, "1,2,3", NULL},
    {PAD, "1,2,3,4,5", NULL},
    {PAD, "1,2,3,", NULL},
    {PAD, ",,,", NULL},
    {PAD, "1,2,3,101", NULL},
    {PAD, "valid2", NULL},
    {PAD, "", NULL},
};

START_TEST(text_and_back)
{
    const struct text_case *c = &texts[_i];
    box b = {.count = 77}, again;
    ecg_error err = {.message = ""};
    const ecg_status s = parse(c->which, c->text, &b, &err);
    if (!c->canonical) {
        ck_assert_msg(s == ECG_EINVAL, "\"%s\" was accepted", c->text);
        ck_assert_msg(strncmp(err.message, table[c->which].name, strlen(table[c->which].name)) == 0, "%s",
                      err.message);
        ck_assert_uint_eq(b.count, 77);
        return;
    }
    ck_assert_msg(s == ECG_OK, "%s", err.message);
    ck_assert_str_eq(print(c->which, &b), c->canonical);
    memset(&again, 0, sizeof again);
    ck_ok(parse(c->which, c->canonical, &again, &err), err);
    ck_assert_str_eq(print(c->which, &again), c->canonical);
}
END_TEST

START_TEST(messages_name_what_was_found)
{
    box b;
    ecg_error err;
    ck_fails(parse(COUNT, "0", &b, &err), err, ECG_EINVAL, "count must be 1..4096, got 0");
    ck_fails(parse(COUNT, "", &b, &err), err, ECG_EINVAL, "count must be 1..4096, got nothing");
    ck_fails(parse(KIND, "pink", &b, &err), err, ECG_EINVAL,
             "kind must be one of red, green, blue, got pink");
    ck_fails(parse(PAIR, "0", &b, &err), err, ECG_EINVAL, "pair must be N or HxW, each 1..64, got 0");
    char many[300];
    memset(many, '9', sizeof many);
    ck_assert_int_eq(ecg__attr_parse(&table[COUNT], &b, many, sizeof many, &err), ECG_EINVAL);
    ck_assert_uint_lt(strlen(err.message), 120);
    ck_assert_int_eq(ecg__attr_parse(&table[COUNT], &b, many, sizeof many, NULL), ECG_EINVAL);
}
END_TEST

/* Only n characters count, whatever follows. */
START_TEST(text_need_not_end)
{
    box b;
    ecg_error err;
    ck_ok(ecg__attr_parse(&table[COUNT], &b, "123", 2, &err), err);
    ck_assert_uint_eq(b.count, 12);
    ck_ok(ecg__attr_parse(&table[PAIR], &b, "3x45,7", 4, &err), err);
    ck_assert(b.pair.h == 3 && b.pair.w == 45);
    ck_ok(ecg__attr_parse(&table[PAD], &b, "1,2,3,45,6", 7, &err), err);
    ck_assert_uint_eq(b.pad.right, 4);
}
END_TEST

START_TEST(floats_round_trip)
{
    ecg__rng r = ecg__rng_at(1, ECG__RNG_SYNTH, 0, 0);
    for (int i = 0; i < 20000; i++) {
        box b = {0}, again = {0};
        const uint32_t bits = ecg__rng_u32(&r);
        memcpy(&b.real, &bits, sizeof bits);
        if (!isfinite(b.real) || fabsf(b.real) > 1e29f)
            continue;
        ecg_error err;
        ck_ok(parse(REAL, print(REAL, &b), &again, &err), err);
        ck_assert_msg(memcmp(&b.real, &again.real, sizeof b.real) == 0 || b.real == again.real, "%.9g is %s",
                      (double)b.real, print(REAL, &b));
    }
}
END_TEST

START_TEST(locale_does_not_matter)
{
    static const char *const commas[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "fr_FR.utf8"};
    for (size_t i = 0; i < sizeof commas / sizeof commas[0]; i++)
        if (setlocale(LC_ALL, commas[i]))
            break; /* none installed: the check is then the same as above */
    box b = {0};
    ecg_error err;
    ck_ok(parse(REAL, "0.125", &b, &err), err);
    ck_assert_str_eq(print(REAL, &b), "0.125");
    setlocale(LC_ALL, "C");
}
END_TEST

START_TEST(print_follows_snprintf)
{
    const box b = {.pair = {12, 34}};
    char text[8] = "zzzzzzz";
    ck_assert_uint_eq(ecg__attr_print(&table[PAIR], &b, NULL, 0), 5);
    ck_assert_uint_eq(ecg__attr_print(&table[PAIR], &b, text, 1), 5);
    ck_assert_str_eq(text, "");
    ck_assert_uint_eq(ecg__attr_print(&table[PAIR], &b, text, 4), 5);
    ck_assert_str_eq(text, "12x");
    ck_assert_int_eq(text[4], 'z');
    ck_assert_uint_eq(ecg__attr_print(&table[PAIR], &b, text, 6), 5);
    ck_assert_str_eq(text, "12x34");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("attr");
    TCase *t = tcase_create("all");
    tcase_add_test(t, defaults);
    tcase_add_test(t, defaults_of_every_layer_are_valid);
    tcase_add_loop_test(t, text_and_back, 0, sizeof texts / sizeof texts[0]);
    tcase_add_test(t, messages_name_what_was_found);
    tcase_add_test(t, text_need_not_end);
    tcase_add_test(t, floats_round_trip);
    tcase_add_test(t, locale_does_not_matter);
    tcase_add_test(t, print_follows_snprintf);
    suite_add_tcase(s, t);
    return unit_run(s);
}
