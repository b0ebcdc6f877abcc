/* What the tools print: JSON, CSV, TSV, tables, progress. */
#define _POSIX_C_SOURCE 200809L
#include "common/text.h"

#include <math.h>

#include "cli/prints.h"
#include "common/judge.h"
#include "common/progress.h"

START_TEST(json)
{
    ck_prints(text_json_string(f, ""), "\"\"");
    ck_prints(text_json_string(f, "a\"b\\c\n\t\x01\x7f/"), "\"a\\\"b\\\\c\\n\\t\\u0001\\u007f/\"");
    ck_prints(text_json_string(f, "\xc3\xa4\xe2\x82\xac\xf0\x9f\x92\x93"),
              "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x92\x93\"");
    /* A lone continuation, an overlong slash, a surrogate, beyond the last character, cut off at the end. */
    ck_prints(text_json_string(f, "\x80"), "\"\\ufffd\"");
    ck_prints(text_json_string(f, "\xc0\xaf"), "\"\\ufffd\\ufffd\"");
    ck_prints(text_json_string(f, "\xed\xa0\x80"), "\"\\ufffd\\ufffd\\ufffd\"");
    ck_prints(text_json_string(f, "\xf4\x90\x80\x80"), "\"\\ufffd\\ufffd\\ufffd\\ufffd\"");
    ck_prints(text_json_string(f, "x\xe2\x82"), "\"x\\ufffd\\ufffd\"");
    ck_prints(text_json_number(f, 0.1), "0.1");
    ck_prints(text_json_number(f, (double)0.1f), "0.100000001");
    ck_prints(text_json_number(f, (double)NAN), "null");
    ck_prints(text_json_number(f, -HUGE_VAL), "null");
}
END_TEST

/* Nine digits give every float back. */
START_TEST(digits_of_floats)
{
    uint32_t bits = 1;
    for (int i = 0; i < 2000; i++) {
        float x, back;
        bits = bits * 1664525u + 1013904223u;
        const uint32_t b = bits % 0x3f800000u;
        memcpy(&x, &b, sizeof x);
        FILE *f = begin();
        text_json_number(f, (double)x);
        fclose(f);
        back = strtof(printed, NULL);
        ck_assert_msg(memcmp(&x, &back, sizeof x) == 0, "%a became %s", (double)x, printed);
    }
}
END_TEST

START_TEST(csv_and_tsv)
{
    ck_prints(text_csv_string(f, "plain text"), "plain text");
    ck_prints(text_csv_string(f, "a,b"), "\"a,b\"");
    ck_prints(text_csv_string(f, "say \"x\""), "\"say \"\"x\"\"\"");
    ck_prints(text_csv_string(f, "two\nlines"), "\"two\nlines\"");
    ck_prints(text_csv_string(f, " x"), "\" x\"");
    ck_prints(text_csv_string(f, ""), "");
    ck_prints(text_csv_number(f, 0.25), "0.25");
    ck_prints(text_csv_number(f, (double)NAN), "");
    ck_prints(text_tsv_string(f, "a\tb\nc\\d\re"), "a\\tb\\nc\\\\d\\re");
}
END_TEST

START_TEST(durations)
{
    char buf[32];
    ck_assert_str_eq(text_duration(0, buf, sizeof buf), "0:00");
    ck_assert_str_eq(text_duration(59.6, buf, sizeof buf), "1:00");
    ck_assert_str_eq(text_duration(3723, buf, sizeof buf), "1:02:03");
    ck_assert_str_eq(text_duration(-1, buf, sizeof buf), "?");
    ck_assert_str_eq(text_duration((double)NAN, buf, sizeof buf), "?");
}
END_TEST

START_TEST(tables)
{
    text_table t = {.align = "lrl"};
    text_cell(&t, "class");
    text_cell(&t, "n");
    text_cell(&t, "x");
    text_cell(&t, "Fl\xc3\xa4tter"); /* seven columns, eight bytes */
    text_cell(&t, "%d", 1234);
    text_cell(&t, "a\nb");
    text_cell(&t, "N");
    text_cell_number(&t, "%.2f", 0.125);
    text_cell_number(&t, "%.2f", (double)NAN);
    ck_prints(text_table_print(&t, f, 1),
              " class       n  x\n Fl\xc3\xa4tter  1234  a?b\n N        0.12  -\n");
    ck_assert_uint_eq(t.count, 0);
}
END_TEST

START_TEST(progress_fits)
{
    char line[200];
    progress p = {.label = "reading", .bar = 1, .width = 79};
    progress_line(&p, 250, 1000, 2.0, NULL, line, sizeof line);
    ck_assert_str_eq(line, "reading [=====               ]  25%  250/1000  125/s  0:06 left");
    p.bar = 0;
    progress_line(&p, 1000, 1000, 4.0, "loss 0.5", line, sizeof line);
    ck_assert_str_eq(line, "reading 100%  1000/1000  250/s  0:00 left  loss 0.5");
    p.bar = 1;
    for (p.width = 20; p.width <= 79; p.width++) {
        progress_line(&p, 123456789, 1234567890, 1e4, "loss 12345.6789", line, sizeof line);
        ck_assert_uint_le(strlen(line), (size_t)p.width);
    }
    progress_line(&p, 0, 10, 0, NULL, line, sizeof line);
    ck_assert_ptr_nonnull(strstr(line, "? left"));
}
END_TEST

START_TEST(ranking)
{
    const float probs[] = {0.1f, 0.3f, 0.3f, 0.2f, 0.1f};
    static const uint32_t order[] = {1, 2, 3, 0, 4};
    uint32_t at = judge_best(probs, 5);
    for (size_t i = 0; i < 5; i++) {
        ck_assert_uint_eq(at, order[i]);
        at = judge_next(probs, 5, at);
    }
    ck_assert_uint_eq(at, 4); /* nothing comes after the last */
}
END_TEST

int main(void)
{
    Suite *s = suite_create("text");
    TCase *t = tcase_create("text");
    tcase_add_test(t, json);
    tcase_add_test(t, digits_of_floats);
    tcase_add_test(t, csv_and_tsv);
    tcase_add_test(t, durations);
    tcase_add_test(t, tables);
    tcase_add_test(t, progress_fits);
    tcase_add_test(t, ranking);
    suite_add_tcase(s, t);
    return unit_run(s);
}
