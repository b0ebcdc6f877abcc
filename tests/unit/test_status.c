/* Errors, and the rule for options structs. */
#include "unit/unit.h"

#include "base/status.h"
#include "ecgcnn/types.h"

START_TEST(names_and_texts)
{
    ck_assert_str_eq(ecg_status_name(ECG_EIO), "ECG_EIO");
    ck_assert_str_eq(ecg_status_text(ECG_EIO), "input or output error");
    ck_assert_str_eq(ecg_status_name((ecg_status)-999), "ECG_UNKNOWN");
    ck_assert_str_eq(ecg_status_text((ecg_status)-999), "unknown status");
}
END_TEST

START_TEST(fail_fills_the_error)
{
    ecg_error e;
    ck_assert_int_eq(ecg__fail_at(&e, ECG_ESHAPE, 7, "layer %d", 3), ECG_ESHAPE);
    ck_assert_int_eq(e.status, ECG_ESHAPE);
    ck_assert_uint_eq(e.where, 7);
    ck_assert_str_eq(e.message, "layer 3");
    ck_assert_int_eq(ecg__context(&e, ECG_ESHAPE, "net %s", "x"), ECG_ESHAPE);
    ck_assert_str_eq(e.message, "net x: layer 3");
    ck_assert_int_eq(ecg__fail(NULL, ECG_EIO, "nobody listens"), ECG_EIO);
    ck_assert_int_eq(ecg__context(NULL, ECG_EIO, "nobody listens"), ECG_EIO);
}
END_TEST

START_TEST(messages_are_one_line_and_cut)
{
    ecg_error e;
    ecg__fail(&e, ECG_EIO, "%s", "a\nb\tc\x7f");
    ck_assert_str_eq(e.message, "a?b?c?");
    char text[2 * sizeof e.message];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    for (int i = 0; i < 3; i++) {
        ecg__fail(&e, ECG_EIO, "%s", text + (i == 2 ? sizeof e.message + 1 : 0));
        ck_assert_uint_lt(strlen(e.message), sizeof e.message);
        if (i == 1)
            ecg__context(&e, ECG_EIO, "%s", text);
        if (i < 2)
            ck_assert_str_eq(e.message + strlen(e.message) - 3, "...");
    }
}
END_TEST

struct options {
    uint32_t size, a, b;
};

START_TEST(options_of_every_size)
{
    ecg_error e;
    struct options known = {sizeof known, 1, 2};
    ck_ok(ecg__options_copy(&known, sizeof known, NULL, "o", &e), e);
    ck_assert_uint_eq(known.a, 1);

    const struct options older = {2 * sizeof(uint32_t), 5, 99}; /* does not know b */
    ck_ok(ecg__options_copy(&known, sizeof known, &older, "o", &e), e);
    ck_assert_uint_eq(known.size, sizeof known);
    ck_assert_uint_eq(known.a, 5);
    ck_assert_uint_eq(known.b, 2);

    struct {
        struct options o;
        uint32_t later;
    } newer = {{sizeof newer, 6, 7}, 0};
    ck_ok(ecg__options_copy(&known, sizeof known, &newer, "o", &e), e);
    ck_assert_uint_eq(known.b, 7);
    ck_assert_uint_eq(known.size, sizeof known);
    newer.later = 1;
    ck_fails(ecg__options_copy(&known, sizeof known, &newer, "o", &e), e, ECG_EVERSION, "byte 12");
    const uint32_t tiny = 3;
    ck_fails(ecg__options_copy(&known, sizeof known, &tiny, "o", &e), e, ECG_EINVAL, "size is 3");
    const uint32_t unset = 0xa5a5a5a5; /* of memory nobody filled: what follows it is not read */
    ck_fails(ecg__options_copy(&known, sizeof known, &unset, "o", &e), e, ECG_EINVAL, "size is 2779096485");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("status");
    TCase *t = tcase_create("status");
    tcase_add_test(t, names_and_texts);
    tcase_add_test(t, fail_fills_the_error);
    tcase_add_test(t, messages_are_one_line_and_cut);
    tcase_add_test(t, options_of_every_size);
    suite_add_tcase(s, t);
    return unit_run(s);
}
