/* Option tables: values, errors, help. */
#define _POSIX_C_SOURCE 200809L
#include "common/opts.h"

#include "common/nearest.h"
#include "unit/unit.h"

typedef struct values {
    const char *output, *split;
    uint32_t quiet, nesterov, epochs;
    uint64_t seed, bytes;
    float lr;
    double part;
    opt_size size;
    opt_list record;
} values;

static values v;
static char message[512];
static char *args[32];
static int arg_count;

/* Reads the words of `line`; args[1..arg_count) are the positional arguments afterwards. */
static opt_result read_line(const char *line)
{
    static char words[512];
    const opt_row rows[] = {
        {"Things", .kind = OPT_HEADING},
        {"output", 'o', "FILE", OPT_STRING, &v.output, .help = "write here"},
        {"split", 0, "HOW", OPT_CHOICE, &v.split, .choices = "auto|leading|lead", .help = "how"},
        {"quiet", 'q', NULL, OPT_FLAG, &v.quiet, .help = "say less"},
        {"nesterov", 'n', NULL, OPT_SWITCH, &v.nesterov, .help = "look ahead"},
        {"epochs", 'e', "N", OPT_UINT, &v.epochs, 1, 65536, .help = "passes"},
        {"seed", 0, "N", OPT_UINT64, &v.seed, .help = "seed"},
        {"bytes", 0, "N", OPT_BYTES, &v.bytes, .help = "bytes"},
        {"lr", 0, "F", OPT_FLOAT, &v.lr, 0, OPT_NO_END, OPT_ABOVE, .help = "rate"},
        {"part", 0, "F", OPT_REAL, &v.part, 0, 1, OPT_ABOVE | OPT_BELOW, .help = "part"},
        {"size", 0, "HxW", OPT_SIZE, &v.size, 1, 4096, .help = "size"},
        {"record", 'r', "R", OPT_LIST, &v.record, .help = "record"},
    };
    const opt_command c = {"tool", "FILE... [options]", "About.", rows, OPT_COUNT(rows), 0, 3, NULL};
    free(v.record.item);
    v = (values){.split = "auto", .epochs = 10, .lr = 0.5f};
    snprintf(words, sizeof words, "tool %s", line);
    arg_count = 0;
    for (char *save, *w = strtok_r(words, " ", &save); w; w = strtok_r(NULL, " ", &save))
        args[arg_count++] = w;
    message[0] = '\0';
    return opts_read(&c, &arg_count, args, message, sizeof message);
}

#define ck_wrong(line, want)                                                                                 \
    do {                                                                                                     \
        ck_assert_int_eq(read_line(line), OPT_WRONG);                                                        \
        ck_assert_str_eq(message, want);                                                                     \
    } while (0)

START_TEST(values_in_every_spelling)
{
    ck_assert_int_eq(read_line("--output=a=b --epochs 3 -q -r 100 -r101 --record=102"), OPT_RUN);
    ck_assert_str_eq(v.output, "a=b");
    ck_assert_uint_eq(v.epochs, 3);
    ck_assert_uint_eq(v.quiet, 1);
    ck_assert_uint_eq(v.record.count, 3);
    ck_assert_str_eq(v.record.item[0], "100");
    ck_assert_str_eq(v.record.item[1], "101");
    ck_assert_str_eq(v.record.item[2], "102");
    ck_assert_int_eq(read_line("-qne7"), OPT_RUN);
    ck_assert_uint_eq(v.quiet + v.nesterov, 2);
    ck_assert_uint_eq(v.epochs, 7);
    ck_assert_int_eq(read_line("--nesterov --no-nesterov"), OPT_RUN);
    ck_assert_uint_eq(v.nesterov, 0);
    ck_assert_int_eq(read_line("--size 32x48 --bytes 3K --seed 18446744073709551615 --split lead"), OPT_RUN);
    ck_assert_uint_eq(v.size.h, 32);
    ck_assert_uint_eq(v.size.w, 48);
    ck_assert_uint_eq(v.bytes, 3072);
    ck_assert_uint_eq(v.seed, UINT64_MAX);
    ck_assert_str_eq(v.split, "lead");
    ck_assert_int_eq(read_line("--lr 1e-3 --part .25 --bytes 16T"), OPT_RUN);
    ck_assert_double_eq((double)v.lr, (double)1e-3f);
    ck_assert_double_eq(v.part, 0.25);
    ck_assert_uint_eq(v.bytes, UINT64_C(16) << 40);
}
END_TEST

START_TEST(positional_arguments)
{
    ck_assert_int_eq(read_line("a -q b -- -q"), OPT_RUN);
    ck_assert_int_eq(arg_count, 4);
    ck_assert_str_eq(args[1], "a");
    ck_assert_str_eq(args[2], "b");
    ck_assert_str_eq(args[3], "-q");
    ck_assert_int_eq(read_line("-"), OPT_RUN);
    ck_assert_str_eq(args[1], "-");
    ck_wrong("a b c d", "unexpected argument 'd'");
}
END_TEST

START_TEST(numbers_are_strict)
{
    static const char *const bad[] = {
        "abc", "-1", "+1", "0", "65537", "1x", "0x10", "1.0", "99999999999999999999"};
    char line[64], want[128];
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        snprintf(line, sizeof line, "--epochs %s", bad[i]);
        snprintf(want, sizeof want, "--epochs: expected 1..65536, got '%s'", bad[i]);
        ck_wrong(line, want);
        ck_assert_uint_eq(v.epochs, 10);
    }
    ck_wrong("--epochs=", "--epochs: expected 1..65536, got ''");
    ck_wrong("--seed 18446744073709551616",
             "--seed: expected 0..18446744073709551615, got '18446744073709551616'");
    ck_wrong("--lr 0", "--lr: expected a number above 0, got '0'");
    ck_wrong("--lr 1e-60", "--lr: expected a number above 0, got '1e-60'");
    ck_wrong("--lr 1e39", "--lr: expected a number above 0, got '1e39'");
    ck_wrong("--lr nan", "--lr: expected a number above 0, got 'nan'");
    ck_wrong("--lr inf", "--lr: expected a number above 0, got 'inf'");
    ck_wrong("--lr 1,5", "--lr: expected a number above 0, got '1,5'");
    ck_wrong("--part 1", "--part: expected a number above 0 and below 1, got '1'");
    ck_wrong("--size 64", "--size: expected HxW, each 1..4096, got '64'");
    ck_wrong("--size 0x64", "--size: expected HxW, each 1..4096, got '0x64'");
    ck_wrong("--size 64x64x1", "--size: expected HxW, each 1..4096, got '64x64x1'");
    ck_assert_int_eq(read_line("--bytes 16777216T"), OPT_WRONG); /* 2^64 */
    ck_assert_int_eq(read_line("--bytes 1KB"), OPT_WRONG);
    ck_assert_int_eq(read_line("--bytes K"), OPT_WRONG);
}
END_TEST

START_TEST(mistakes_are_named)
{
    ck_wrong("--epoch 3", "unknown option '--epoch', did you mean '--epochs'?");
    ck_wrong("--espochs=3", "unknown option '--espochs', did you mean '--epochs'?");
    ck_wrong("--hlep", "unknown option '--hlep', did you mean '--help'?");
    ck_wrong("--abracadabra", "unknown option '--abracadabra'");
    ck_wrong("-x", "unknown option '-x'");
    ck_wrong("-qx", "unknown option '-x'");
    ck_wrong("--quiet=1", "--quiet takes no value");
    ck_wrong("--no-nesterov=1", "--no-nesterov takes no value");
    ck_assert_int_eq(read_line("--no-quiet"), OPT_WRONG);
    ck_wrong("--epochs", "--epochs needs a value: N");
    ck_wrong("-o", "-o needs a value: FILE");
    ck_wrong("--output=", "--output: expected FILE, got ''");
    ck_wrong("--split lea", "--split: expected auto|leading|lead, got 'lea'");
    ck_wrong("--split auto|lead", "--split: expected auto|leading|lead, got 'auto|lead'");
    ck_wrong("--split=", "--split: expected auto|leading|lead, got ''");
    ck_wrong("--Things", "unknown option '--Things'");
}
END_TEST

START_TEST(help_wins)
{
    ck_assert_int_eq(read_line("--epochs 3 --nonsense --help"), OPT_HELP);
    ck_assert_uint_eq(v.epochs, 10);
    ck_assert_int_eq(read_line("--version"), OPT_VERSION);
    ck_assert_int_eq(read_line("-- --help"), OPT_RUN);
}
END_TEST

START_TEST(too_few_arguments)
{
    char tool[] = "tool", a[] = "a", *argv[] = {tool, a, NULL};
    int argc = 1;
    opt_command c = {.name = "tool", .usage = "A B", .about = "", .min_args = 2, .max_args = 2};
    ck_assert_int_eq(opts_read(&c, &argc, argv, message, sizeof message), OPT_WRONG);
    ck_assert_str_eq(message, "nothing to do, expected: A B");
    argc = 2;
    ck_assert_int_eq(opts_read(&c, &argc, argv, message, sizeof message), OPT_WRONG);
    ck_assert_str_eq(message, "too few arguments, expected: A B");
    c.min_args = 0;
    c.max_args = -1;
    ck_assert_int_eq(opts_read(&c, &argc, argv, message, sizeof message), OPT_RUN);
}
END_TEST

START_TEST(help_fits_80_columns)
{
    uint32_t n = 3, on = 1;
    const char *how = "auto";
    const opt_row rows[] = {
        {"a-very-long-name-of-an-option", 'a', "NUMBER", OPT_UINT, &n, 1, 9,
         .help =
             "has a long explanation that does not end before the eightieth column of the line is reached, "
             "nor before the next"},
        {"on", 0, NULL, OPT_SWITCH, &on, .help = "on or off"},
        {"how", 0, "HOW", OPT_CHOICE, &how, .choices = "auto|manual", .help = "how it is done"},
        {"zero", 0, "N", OPT_UINT, &n, 0, 9, .init = "0: off", .help = "in words"},
    };
    const opt_command c = {"tool", "FILE [options]", "About\n\nMore about.", rows, OPT_COUNT(rows), 1, 1,
                           "End."};
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);
    ck_assert_ptr_nonnull(f);
    opts_help(&c, f);
    fclose(f);
    for (const char *line = text; *line; line += strcspn(line, "\n") + 1)
        ck_assert_msg(strcspn(line, "\n") <= 80, "line too long: %.100s", line);
    ck_assert_ptr_nonnull(strstr(text, "(1..9; default 3)"));
    ck_assert_ptr_nonnull(strstr(text, "--[no-]on"));
    ck_assert_ptr_nonnull(strstr(text, "(default on)"));
    ck_assert_ptr_nonnull(strstr(text, "(auto|manual; default auto)"));
    ck_assert_ptr_nonnull(strstr(text, "(0..9; default 0: off)"));
    ck_assert_ptr_nonnull(strstr(text, "About\n\nMore about.\n"));
    ck_assert_ptr_nonnull(strstr(text, "Not a medical device"));
    free(text);
}
END_TEST

START_TEST(nearest_names)
{
    nearest s = nearest_to("smmary", 6);
    nearest_try(&s, "seed");
    ck_assert_ptr_null(s.name);
    nearest_try(&s, "summary");
    ck_assert_str_eq(s.name, "summary");
    s = nearest_to("ne", 2); /* one letter of two may be wrong, not both */
    nearest_try(&s, "lr");
    ck_assert_ptr_null(s.name);
    nearest_try(&s, "en"); /* swapped: one mistake */
    ck_assert_str_eq(s.name, "en");
    nearest_try(&s, "ne");
    ck_assert_str_eq(s.name, "ne");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("opts");
    TCase *t = tcase_create("opts");
    tcase_add_test(t, values_in_every_spelling);
    tcase_add_test(t, positional_arguments);
    tcase_add_test(t, numbers_are_strict);
    tcase_add_test(t, mistakes_are_named);
    tcase_add_test(t, help_wins);
    tcase_add_test(t, too_few_arguments);
    tcase_add_test(t, help_fits_80_columns);
    tcase_add_test(t, nearest_names);
    suite_add_tcase(s, t);
    return unit_run(s);
}
