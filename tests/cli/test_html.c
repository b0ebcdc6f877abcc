/* What reports are made of: escaping, numbers, base 64, ticks, curves, files that appear whole. */
#define _POSIX_C_SOURCE 200809L
#include "common/html.h"

#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/prints.h"
#include "common/html_plot.h"
#include "common/text.h"
#include "common/whole.h"

START_TEST(escaping)
{
    ck_prints(text_html_string(f, "a<b>&\"c\"'"), "a&lt;b&gt;&amp;&quot;c&quot;&#39;");
    ck_prints(text_html_string(f, "x\x01\n\x7f\xc2\x85y"), "x    y");
    ck_prints(text_html_string(f, "\xc3\xa4\x80\xc0\xaf\xed\xa0\x80"),
              "\xc3\xa4\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
    ck_prints(text_html_string(f, "cut\xe2\x82"), "cut\xef\xbf\xbd\xef\xbf\xbd");
    ck_prints(text_markdown_string(f, "a|b`c`<i>&*x*_y_[z](u)"),
              "a\\|b\\`c\\`&lt;i\\>&amp;\\*x\\*\\_y\\_\\[z\\](u)");
    ck_prints(text_markdown_string(f, "see http://x: 1\n2\xff"), "see http\\://x: 1 2\xef\xbf\xbd");
    ck_prints(html_name(f, "<n>"), "<bdi>&lt;n&gt;</bdi>");
}
END_TEST

START_TEST(numbers)
{
    ck_prints(html_number(f, 0.123456789012, 3), "<data value=\"0.123456789\">0.123</data>");
    ck_prints(html_number(f, (double)NAN, 3), "-");
    ck_prints(html_number(f, HUGE_VAL, 3), "-");
    ck_prints(html_interval(f, 0.25, 0.5, 2),
              "<data value=\"0.25\">0.25</data>&#8211;<data value=\"0.5\">0.50</data>");
    ck_prints(html_interval(f, (double)NAN, 0.5, 2), "-");
}
END_TEST

/* RFC 4648, section 10. */
START_TEST(base64)
{
    static const char *const want[] = {"", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"};
    for (size_t n = 0; n <= 6; n++)
        ck_prints(html_base64(f, (const unsigned char *)"foobar", n), want[n]);
    static const unsigned char high[] = {0xfb, 0xff, 0xfe};
    ck_prints(html_base64(f, high, 3), "+//+");
}
END_TEST

START_TEST(ticks)
{
    static const double ends[][2] = {{0, 1},       {0.0012, 0.0371}, {-3, 17},        {1, 1},    {0, 0},
                                     {1e-9, 2e-9}, {5, 123456},      {-0.25, -0.249}, {0, 1e300}};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        double low = ends[i][0], high = ends[i][1];
        const double step = plot_ticks(&low, &high, 6, 0);
        ck_assert(step > 0 && low < high);
        ck_assert(low <= ends[i][0] + 1e-6 * step && high >= ends[i][1] - 1e-6 * step);
        ck_assert((high - low) / step <= 8.001);
        const double lead = step / pow(10, floor(log10(step) + 1e-9));
        ck_assert(fabs(lead - 1) < 1e-6 || fabs(lead - 2) < 1e-6 || fabs(lead - 5) < 1e-6);
    }
    double low = 1, high = 3;
    ck_assert_double_eq(plot_ticks(&low, &high, 6, 1), 1.0);
}
END_TEST

/* A curve of very many points is short, keeps its ends, and does not cross a gap. */
START_TEST(curves)
{
    enum { MANY = 200000 };
    plot_point *at = malloc(MANY * sizeof *at);
    ck_assert_ptr_nonnull(at);
    for (size_t i = 0; i < MANY; i++)
        at[i] = (plot_point){(double)i / (MANY - 1), (double)i / (MANY - 1)};
    FILE *f = begin();
    plot p = {f, "t<", "x", "y", 0, 1, 0, 1, 0};
    plot_line(&p, at, MANY, 9);
    fclose(f);
    ck_assert_uint_lt(printed_size, 40000);
    ck_assert_uint_gt(printed_size, 4000);
    ck_assert_ptr_nonnull(strstr(printed, "class=\"line c1 d1\""));
    const plot_point gap[] = {{0, 0}, {0.5, 0.5}, {0.6, (double)NAN}, {0.7, 0.7}, {1, 1}};
    p.f = f = begin();
    plot_line(&p, gap, 5, 0);
    fclose(f);
    int moves = 0;
    for (const char *s = printed; *s; s++)
        moves += *s == 'M';
    ck_assert_int_eq(moves, 2);
    p.f = f = begin();
    plot_begin(&p);
    plot_drawn(&p);
    plot_end(&p);
    fclose(f);
    ck_assert_ptr_nonnull(strstr(printed, "<title>t&lt;</title>"));
    ck_assert_ptr_null(strstr(printed, "t<"));
    free(at);
}
END_TEST

static long bytes_of(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 ? (long)st.st_size : -1;
}

START_TEST(whole_or_not)
{
    char path[1100];
    whole w;
    snprintf(path, sizeof path, "%s", unit_tmp("whole.html"));
    remove(path);
    ck_assert_int_eq(whole_open(&w, path), 0);
    fputs("new", w.f);
    ck_assert_int_eq(bytes_of(path), -1);
    ck_assert_int_eq(whole_close(&w, 0), 0);
    ck_assert_int_eq(bytes_of(path), 3);
    /* What failed, or was given up, leaves the file as it was, and nothing beside it. */
    ck_assert_int_eq(whole_open(&w, path), 0);
    char temporary[1200];
    snprintf(temporary, sizeof temporary, "%s", w.temporary);
    fputs("half of", w.f);
    ck_assert_int_eq(whole_close(&w, 1), 1);
    ck_assert_int_eq(bytes_of(path), 3);
    ck_assert_int_eq(bytes_of(temporary), -1);
    ck_assert_int_eq(whole_check(path), 0);
    ck_assert_int_eq(bytes_of(path), 3);
    ck_assert_int_eq(bytes_of(temporary), -1);
    FILE *left = fopen(temporary, "w"); /* by a process of this number that was killed */
    ck_assert_ptr_nonnull(left);
    fclose(left);
    chmod(path, 0600);
    ck_assert_int_eq(whole_open(&w, path), 0);
    ck_assert_int_eq(whole_close(&w, 0), 0);
    struct stat st;
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_int_eq((int)(st.st_mode & 0777), 0600);
    char below[1200];
    snprintf(below, sizeof below, "%s/none/x.html", path);
    ck_assert_int_ne(whole_open(&w, below), 0);
    ck_assert_ptr_null(w.f);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("html");
    TCase *t = tcase_create("html");
    tcase_add_test(t, escaping);
    tcase_add_test(t, numbers);
    tcase_add_test(t, base64);
    tcase_add_test(t, ticks);
    tcase_add_test(t, curves);
    tcase_add_test(t, whole_or_not);
    suite_add_tcase(s, t);
    const int failed = unit_run(s);
    free(printed);
    return failed;
}
