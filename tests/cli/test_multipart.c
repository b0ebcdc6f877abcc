/* multipart/form-data: what real clients send is read; everything ambiguous or broken is refused. */
#include "serve/multipart.h"

#include "unit/unit.h"

enum { MAX = 4 };
static const char type[] = "multipart/form-data; boundary=B";
static struct multipart_part parts[MAX];
static size_t count;
static char why[HTTP_WHY];

/* Exactly `size` bytes on the heap, so that a sanitizer sees what is read past them. */
static int parse_bytes(const char *content_type, const char *body, size_t size)
{
    static unsigned char *copy;
    free(copy);
    copy = malloc(size ? size : 1);
    ck_assert_ptr_nonnull(copy);
    if (size)
        memcpy(copy, body, size);
    why[0] = '\0';
    count = 99;
    memset(parts, 0xee, sizeof parts);
    const int status = multipart_parse(content_type, copy, size, parts, MAX, &count, why);
    ck_assert((status == 0) == (why[0] == '\0'));
    ck_assert(status == 0 || count == 0);
    return status;
}

static int parse(const char *content_type, const char *body)
{
    return parse_bytes(content_type, body, strlen(body));
}

#define is(p, field, text)                                                                                   \
    ck_assert_msg((p)->field##_len == strlen(text) && memcmp((p)->field, text, strlen(text)) == 0, "%.*s",   \
                  (int)(p)->field##_len, (const char *)(p)->field)

START_TEST(clients)
{
    /* curl -F file=@beat.png -F top=3 */
    static const char curl[] = "--------------------------d74496d66958873e\r\n"
                               "Content-Disposition: form-data; name=\"file\"; filename=\"beat.png\"\r\n"
                               "Content-Type: image/png\r\n\r\n"
                               "\x89PNG\r\n\x1a\n\0\r\n--\r\n\r\n"
                               "--------------------------d74496d66958873e\r\n"
                               "Content-Disposition: form-data; name=\"top\"\r\n\r\n"
                               "3\r\n"
                               "--------------------------d74496d66958873e--\r\n";
    ck_assert_int_eq(parse_bytes("multipart/form-data; boundary=------------------------d74496d66958873e",
                                 curl, sizeof curl - 1),
                     0);
    ck_assert_uint_eq(count, 2);
    is(&parts[0], name, "file");
    is(&parts[0], filename, "beat.png");
    is(&parts[0], type, "image/png");
    ck_assert_uint_eq(parts[0].size, 15);
    ck_assert(memcmp(parts[0].data, "\x89PNG\r\n\x1a\n\0\r\n--\r\n", 15) == 0);
    is(&parts[1], name, "top");
    ck_assert_ptr_null(parts[1].filename);
    ck_assert_ptr_null(parts[1].type);
    ck_assert(parts[1].size == 1 && parts[1].data[0] == '3');
    /* A browser's form with no file chosen, a name beyond ASCII, quotes escaped in both ways. */
    static const char form[] =
        "--B\r\ncontent-disposition:form-data;name=\"a%22b\";filename=\"\"\r\n"
        "content-type:application/octet-stream\r\n\r\n\r\n"
        "--B\r\nContent-Disposition: form-data; name=x; filename=\"\xc3\xa4 \\\" b.png\"\r\n"
        "Content-Transfer-Encoding: BINARY\r\nX-Other: y\r\n\r\n\r\n--B--";
    ck_assert_int_eq(parse("Multipart/Form-Data;charset=utf-8; Boundary=\"B\"", form), 0);
    ck_assert_uint_eq(count, 2);
    is(&parts[0], name, "a%22b");
    ck_assert(parts[0].filename && parts[0].filename_len == 0 && parts[0].size == 0 && parts[0].data);
    is(&parts[1], filename, "\xc3\xa4 \\\" b.png");
    /* A name that climbs is just a text. */
    ck_assert_int_eq(
        parse(
            type,
            "--B\r\nContent-Disposition: form-data; name=f; filename=\"../../etc/passwd\"\r\n\r\nx\r\n--B--"),
        0);
    is(&parts[0], filename, "../../etc/passwd");
    /* Python's requests, for a name beyond ASCII. */
    ck_assert_int_eq(
        parse(
            type,
            "--B\r\nContent-Disposition: form-data; name=f; filename*=utf-8''b%C3%A4.png\r\n\r\nx\r\n--B--"),
        0);
    is(&parts[0], filename, "utf-8''b%C3%A4.png");
    ck_assert_int_eq(parse(type, "--B\r\nContent-Disposition: form-data; name=f; filename=a; "
                                 "filename*=utf-8''b\r\n\r\nx\r\n--B--"),
                     0);
    is(&parts[0], filename, "a");
    ck_assert_int_eq(parse(type, "--B--\r\n"), 0);
    ck_assert_uint_eq(count, 0);
    /* Almost the boundary is data. */
    ck_assert_int_eq(
        parse(type,
              "--B\r\nContent-Disposition: form-data; name=f\r\n\r\n--\r\n-\r\r\n\r--B\n--B\r\n--A\r\n--B--"),
        0);
    ck_assert_uint_eq(parts[0].size, 21);
}
END_TEST

#define D "Content-Disposition: form-data; name=f\r\n"

START_TEST(broken)
{
    static const char *const bad[] = {
        "",
        "B",
        "--B",
        "--B\r",
        "--B-",
        "--B--x",
        "--B--\r\n\r\n",
        "--B--\r\n--B--",
        "\r\n--B--",
        "x\r\n--B--",
        "--B \r\n" D "\r\nx\r\n--B--",
        "--B\n" D "\r\nx\r\n--B--",
        "--C\r\n" D "\r\nx\r\n--C--",
        "--B\r\n" D "\r\nx",
        "--B\r\n" D "\r\nx\r\n--B",
        "--B\r\n" D "\r\nx\r\n--BB--",
        "--B\r\n" D "\r\nx\r\n--B \r\n--B--",
        "--B\r\n" D "\r\n--B--",
        "--B\r\n" D "--B--",
        "--B\r\n" D,
        "--B\r\n\r\nx\r\n--B--",
        "--B\r\nContent-Type: a/b\r\n\r\nx\r\n--B--",
        "--B\r\nContent-Disposition: form-data\r\n\r\nx\r\n--B--",
        "--B\r\nContent-Disposition: form-data; filename=a\r\n\r\nx\r\n--B--",
        "--B\r\nContent-Disposition: attachment; name=f\r\n\r\nx\r\n--B--",
        "--B\r\nContent-Disposition: form-data; name=f; name=g\r\n\r\nx\r\n--B--",
        "--B\r\nContent-Disposition: form-data; name=f; filename=g; filename=h\r\n\r\nx\r\n--B--",
        "--B\r\nContent-Disposition: form-data; name=\"f\r\n\r\nx\r\n--B--",
        "--B\r\nContent-Disposition: form-data; name=\"f\" x\r\n\r\nx\r\n--B--",
        "--B\r\n" D D "\r\nx\r\n--B--",
        "--B\r\n" D "Content-Type: a/b\r\nContent-Type: a/b\r\n\r\nx\r\n--B--",
        "--B\r\n" D "Content-Transfer-Encoding: base64\r\n\r\nx\r\n--B--",
        "--B\r\n" D "Content-Transfer-Encoding: 8bit\r\nContent-Transfer-Encoding: 8bit\r\n\r\nx\r\n--B--",
        "--B\r\n" D " folded\r\n\r\nx\r\n--B--",
        "--B\r\n" D "no colon\r\n\r\nx\r\n--B--",
        "--B\r\n" D ": empty\r\n\r\nx\r\n--B--",
        "--B\r\n" D "X : space\r\n\r\nx\r\n--B--",
        "--B\r\n" D "X: \x01\r\n\r\nx\r\n--B--",
        "--B\r\n" D "X: a\rb\r\n\r\nx\r\n--B--",
        "--B\r\n" D "X: a\nY: b\r\n\r\nx\r\n--B--",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_msg(parse(type, bad[i]) == 400, "%zu: \"%s\"", i, bad[i]);
    static const char zero[] = "--B\r\n" D "X: a\0b\r\n\r\nx\r\n--B--";
    ck_assert_int_eq(parse_bytes(type, zero, sizeof zero - 1), 400);
    ck_assert_int_eq(multipart_parse(type, NULL, 0, parts, MAX, &count, why), 400);
}
END_TEST

START_TEST(content_types)
{
    static const char ok[] = "--B--";
    char text[200];
    ck_assert_int_eq(parse("image/png", ok), 415);
    ck_assert_int_eq(parse("", ok), 415);
    ck_assert_int_eq(parse("multipart/mixed; boundary=B", ok), 415);
    ck_assert_int_eq(parse("multipart/form-data", ok), 400);
    ck_assert_int_eq(parse("multipart/form-data; boundary=", ok), 400);
    ck_assert_int_eq(parse("multipart/form-data; boundary=\"\"", ok), 400);
    ck_assert_int_eq(parse("multipart/form-data; boundary=\"B \"", ok), 400);
    ck_assert_int_eq(parse("multipart/form-data; boundary=\"B*\"", ok), 400);
    ck_assert_int_eq(parse("multipart/form-data; boundary=B; boundary=B", ok), 400);
    ck_assert_int_eq(parse("multipart/form-data; boundary=B x", ok), 400);
    for (int n = 70; n <= 71; n++) {
        char boundary[80] = "", body[100];
        memset(boundary, 'b', (size_t)n);
        snprintf(text, sizeof text, "multipart/form-data; boundary=%s", boundary);
        snprintf(body, sizeof body, "--%s--", boundary);
        ck_assert_int_eq(parse(text, body), n == 70 ? 0 : 400);
    }
}
END_TEST

START_TEST(limits)
{
    static char body[1 << 20];
    int n = 0;
    for (int i = 0; i < MAX; i++)
        n += sprintf(body + n, "--B\r\n" D "\r\n%d\r\n", i);
    strcpy(body + n, "--B--");
    ck_assert_int_eq(parse(type, body), 0);
    ck_assert_uint_eq(count, MAX);
    strcpy(body + n, "--B\r\n" D "\r\nx\r\n--B--");
    ck_assert_int_eq(parse(type, body), 413);
    /* Many headers; long ones, with the end of the room at each place of the line end. */
    n = sprintf(body, "--B\r\n" D);
    for (int i = 0; i < 15; i++)
        n += sprintf(body + n, "X: y\r\n");
    strcpy(body + n, "\r\nx\r\n--B--");
    ck_assert_int_eq(parse(type, body), 0);
    strcpy(body + n, "X: y\r\n\r\nx\r\n--B--");
    ck_assert_int_eq(parse(type, body), 400);
    int fitted = 0;
    for (int fill = 4000; fill < 4120; fill++) {
        n = sprintf(body, "--B\r\n" D "X: ");
        memset(body + n, 'y', (size_t)fill);
        strcpy(body + n + fill, "\r\n\r\nx\r\n--B--");
        fitted += parse(type, body) == 0;
    }
    /* The line end of the empty line, too, is within 4096 bytes: "X: ", what fills it and one line end before
     * it. */
    ck_assert_int_eq(fitted, 4096 - 1 - 3 - 2 - (int)strlen(D) - 4000 + 1);
    n = sprintf(body, "--B\r\nContent-Disposition: form-data; name=");
    memset(body + n, 'y', 257);
    strcpy(body + n + 257, "\r\n\r\nx\r\n--B--");
    ck_assert_int_eq(parse(type, body), 400);
    strcpy(body + n + 256, "\r\n\r\nx\r\n--B--");
    ck_assert_int_eq(parse(type, body), 0);
}
END_TEST

/* Every cut and every changed byte: refused or read, never past the end (the sanitizers look). */
START_TEST(damaged)
{
    static const char whole[] = "--B\r\n" D
                                "Content-Type: a/b\r\n\r\nabc\r\n--B\r\nContent-Disposition: form-data; "
                                "name=\"g\"; filename=\"x\"\r\n\r\n\r\n--B--";
    char body[sizeof whole];
    for (size_t n = 0; n < sizeof whole - 1; n++)
        ck_assert_int_eq(parse_bytes(type, whole, n), 400);
    ck_assert_int_eq(parse(type, whole), 0);
    for (size_t at = 0; at < sizeof whole - 1; at++)
        for (int c = 0; c < 256; c++) {
            memcpy(body, whole, sizeof whole);
            body[at] = (char)c;
            const int status = parse_bytes(type, body, sizeof whole - 1);
            ck_assert(status == 0 || status == 400);
        }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("multipart");
    TCase *t = tcase_create("multipart");
    tcase_add_test(t, clients);
    tcase_add_test(t, broken);
    tcase_add_test(t, content_types);
    tcase_add_test(t, limits);
    tcase_add_test(t, damaged);
    suite_add_tcase(s, t);
    return unit_run(s);
}
